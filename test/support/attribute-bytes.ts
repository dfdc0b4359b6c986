/** Attribute records written out by hand, and what they mean. */
import type { Attributes } from '../../src/protocol/attributes.ts';

interface Example {
  readonly bytes: string;
  readonly value: Attributes;
}

const TIME = 0x6b008866;
const times = '6b008866 6b008866 6b008866';
const common = { uid: 0, gid: 0, atime: TIME, mtime: TIME, ctime: TIME, nlink: 1, length: 0, rdev: 0, winattr: 0 };

/** A file of 5000 bytes, mode 0644. */
export const FILE: Example = {
  bytes: `0c 11a4 00000000 00000000 ${times} 00000001 0000000000001388 00`,
  value: { ...common, flags: 0x0c, type: 1, mode: 0o644, length: 5000 },
};
/** A folder, mode 02755. */
export const FOLDER: Example = {
  bytes: `0c 25ed 00000000 00000000 ${times} 00000002 0000000000000001 00`,
  value: { ...common, flags: 0x0c, type: 2, mode: 0o2755, nlink: 2, length: 1 },
};
/** A symlink with a target of 5 bytes, of user 1000 and group 4321. */
export const SYMLINK: Example = {
  bytes: `08 31ff 000003e8 000010e1 ${times} 00000001 0000000000000005 00`,
  value: { ...common, flags: 0x08, type: 3, mode: 0o777, uid: 1000, gid: 4321, length: 5 },
};
/** A character device. */
export const DEVICE: Example = {
  bytes: `0c 6180 00000000 00000000 ${times} 00000001 01030005 00000000 00`,
  value: { ...common, flags: 0x0c, type: 6, mode: 0o600, rdev: 0x01030005 },
};
/** What stands where there is no inode. */
export const NOTHING: Example = {
  bytes: '00'.repeat(36),
  value: {
    ...{ flags: 0, type: 0 as never, mode: 0, uid: 0, gid: 0, atime: 0, mtime: 0, ctime: 0 },
    ...{ nlink: 0, length: 0, rdev: 0, winattr: 0 },
  },
};
