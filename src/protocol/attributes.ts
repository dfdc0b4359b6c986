/** The attribute record of an inode: 36 bytes, in every version that we speak. */
import { fixed, readLength, writeLength } from './layout.ts';

/** What an inode is. The numbers are the wire's. */
export const NodeType = {
  file: 1,
  directory: 2,
  symlink: 3,
  fifo: 4,
  blockDevice: 5,
  characterDevice: 6,
  socket: 7,
} as const;
/** See {@link NodeType}. */
export type NodeType = (typeof NodeType)[keyof typeof NodeType];

/** Bits of {@link Attributes.flags}. */
export const AttributeFlag = {
  doNotCache: 0x01,
  doNotCacheEntry: 0x02,
  /** The object has no extended attribute and no ACL. */
  noXattr: 0x08,
  /** Undeletable, immutable or append-only is in force. */
  restricted: 0x20,
} as const;

/** An inode's attributes as the master tells them. Times are whole seconds since 1970. */
export interface Attributes {
  /** See {@link AttributeFlag}. */
  readonly flags: number;
  readonly type: NodeType;
  /** Permission bits including setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
  /** 0 for a file that was deleted while it is open. */
  readonly nlink: number;
  /** Bytes of a file or of a symlink's target; of a folder a pseudo number that is not a count of bytes; 0 otherwise. */
  readonly length: number;
  /** The device number, for the two kinds of device. */
  readonly rdev: number;
  /** Bits 1 read-only, 2 hidden, 4 system, 8 archive. */
  readonly winattr: number;
}

/** The record's size. */
export const ATTRIBUTES_SIZE = 36;

/** Reads an attribute record. */
export function readAttributes(b: Buffer, at: number): Attributes {
  const typeAndMode = b.readUInt16BE(at + 1);
  const type = (typeAndMode >>> 12) as NodeType;
  const device = type === NodeType.blockDevice || type === NodeType.characterDevice;
  return {
    flags: b[at]!,
    type,
    mode: typeAndMode & 0o7777,
    uid: b.readUInt32BE(at + 3),
    gid: b.readUInt32BE(at + 7),
    atime: b.readUInt32BE(at + 11),
    mtime: b.readUInt32BE(at + 15),
    ctime: b.readUInt32BE(at + 19),
    nlink: b.readUInt32BE(at + 23),
    length: device ? 0 : readLength(b, at + 27),
    rdev: device ? b.readUInt32BE(at + 27) : 0,
    winattr: b[at + 35]!,
  };
}

/** Writes an attribute record. */
export function writeAttributes(value: Attributes, b: Buffer, at: number): void {
  b[at] = value.flags;
  b.writeUInt16BE((value.type << 12) | value.mode, at + 1);
  b.writeUInt32BE(value.uid, at + 3);
  b.writeUInt32BE(value.gid, at + 7);
  b.writeUInt32BE(value.atime, at + 11);
  b.writeUInt32BE(value.mtime, at + 15);
  b.writeUInt32BE(value.ctime, at + 19);
  b.writeUInt32BE(value.nlink, at + 23);
  if (value.type === NodeType.blockDevice || value.type === NodeType.characterDevice) {
    b.writeUInt32BE(value.rdev, at + 27);
    b.writeUInt32BE(0, at + 31);
  } else {
    writeLength(value.length, b, at + 27);
  }
  b[at + 35] = value.winattr;
}

/** The field that holds an attribute record. */
export const attributes = <N extends string>(name: N) => fixed(name, ATTRIBUTES_SIZE, readAttributes, writeAttributes);
