/** Storage classes of a fake master: one for each number of copies, named `2CP` on 4.x and as the numbered goal 2 on 3.x. */
import { Status } from '../../src/protocol/status.ts';
import { version as v } from '../../src/protocol/version.ts';
import type { Version } from '../../src/protocol/version.ts';
import { nameKey, Refusal } from './fake-tree.ts';

const NOT_SUPPORTED = 39;
const NO_SUCH_CLASS = 52;

/** Whether classes have names of their own in that version. */
export const hasNames = (version: Version): boolean => version >= v('4.0.0');

/** How many copies a class means. */
export function copiesOf(name: Uint8Array, version: Version): number {
  const copies = /^([1-9])(CP)?$/.exec(nameKey(name))?.[1];
  if (copies === undefined) throw new Refusal(hasNames(version) ? NO_SUCH_CLASS : Status.EINVAL);
  return Number(copies);
}

/** What SCLASS_CHANGE (read) tells of a class, byte by byte as real masters do. Knows format 0 of 3.x and format 6 of 4.x. */
export function classDefinition(copies: number, format: number, version: Version): Buffer {
  if (!hasNames(version)) {
    if (format !== 0) throw new Refusal(Status.EINVAL);
    // Administrators only, mode of labels, days to archive, the counts create, keep and archive; then the labels.
    return Buffer.concat([Buffer.of(0, 1, 0, 0, copies, copies, copies), Buffer.alloc(3 * 16 * copies)]);
  }
  if (format !== 6) throw new Refusal(NOT_SUPPORTED);
  const text = Buffer.from(`${copies} copies`);
  return Buffer.concat([
    Buffer.of(text.length),
    text,
    // Priority, export group, administrators only, mode of labels, mode of archiving, hours to archive.
    Buffer.of(0, 0, 0, 0, 0, 0, 1, 1, 0, 0),
    // Smallest size to archive, trash retention, two kinds of erasure coding.
    Buffer.alloc(8 + 2 + 2),
    // Mode of labels and mask of uniqueness of each state, the counts create, keep, archive and trash; then the labels.
    Buffer.alloc(4, 0xff),
    Buffer.alloc(4 * 4),
    Buffer.of(0, copies, 0, 0),
    Buffer.alloc(128 * copies),
  ]);
}
