/**
 * The trash: how long deleted files are kept, and what a meta session does with them. Seconds on the wire on every version, although
 * masters keep whole hours (rounded up).
 */
import { attributes } from '../attributes.ts';
import { bytes32, bytes8, record, repeated, u32, u8, variable } from '../layout.ts';
import type { VariableCodec } from '../layout.ts';
import { call } from '../message.ts';
import { setterReply } from './placement.ts';

/** A retention in seconds and how many nodes have it. */
export interface RetentionCount {
  readonly seconds: number;
  readonly count: number;
}

/** Retentions in a tree, of files and of folders. */
export interface RetentionCounts {
  readonly files: readonly RetentionCount[];
  readonly directories: readonly RetentionCount[];
}

const ENTRY = 8;
const retentionCounts: VariableCodec<RetentionCounts> = {
  sizeOf: ({ files, directories }) => 8 + ENTRY * (files.length + directories.length),
  span: (b, at) => 8 + ENTRY * (b.readUInt32BE(at) + b.readUInt32BE(at + 4)),
  read: (b, at) => {
    const entry = (i: number): RetentionCount => ({
      seconds: b.readUInt32BE(at + 8 + ENTRY * i),
      count: b.readUInt32BE(at + 12 + ENTRY * i),
    });
    const [files, directories] = [b.readUInt32BE(at), b.readUInt32BE(at + 4)];
    if (at + 8 + ENTRY * (files + directories) > b.length) throw new RangeError('retentions are cut off');
    return {
      files: Array.from({ length: files }, (_, i) => entry(i)),
      directories: Array.from({ length: directories }, (_, i) => entry(files + i)),
    };
  },
  write: ({ files, directories }, b, at) => {
    b.writeUInt32BE(files.length, at);
    b.writeUInt32BE(directories.length, at + 4);
    [...files, ...directories].forEach(({ seconds, count }, i) => {
      b.writeUInt32BE(seconds, at + 8 + ENTRY * i);
      b.writeUInt32BE(count, at + 12 + ENTRY * i);
    });
  },
};

/** How long a node (`recursive` 1: each node of a tree) stays in the trash. */
export const getTrashRetention = call({
  name: 'GETTRASHTIME',
  type: 442,
  request: record(u32('inode'), u8('recursive')),
  reply: record(variable('retentions', retentionCounts)),
  whenReplyLost: 'repeat',
});

/** Sets it; modes as those of SETSCLASS. */
export const setTrashRetention = call({
  name: 'SETTRASHTIME',
  type: 444,
  request: record(u32('inode'), u32('uid'), u32('seconds'), u8('setMode')),
  reply: setterReply,
  whenReplyLost: 'repeat',
});

/** Buckets of the trash: inode modulo this. A request for this one or a higher one means all. */
export const TRASH_BUCKETS = 4096;

const detached = record(repeated('entries', record(bytes8('name'), u32('inode'))));

/** Files in the trash, by a meta session. Names are whole paths, `/` shown as `|`; long ones are cut: see {@link trashPath}. */
export const listTrash = call({
  name: 'GETTRASH',
  type: 450,
  request: record(u32('bucket')),
  reply: detached,
  whenReplyLost: 'repeat',
});

/** Kinds of files without a name. */
export const DetachedKind = { trash: 1, sustained: 2 } as const;

/** Attributes of a file in the trash, by a meta session. */
export const detachedAttributes = call({
  name: 'GETDETACHEDATTR',
  type: 452,
  request: record(u32('inode'), u8('kind')),
  reply: record(attributes('attributes')),
  whenReplyLost: 'repeat',
});

/** Where a file in the trash was: without a leading slash, with a NUL at the end. By a meta session. */
export const trashPath = call({
  name: 'GETTRASHPATH',
  type: 454,
  request: record(u32('inode')),
  reply: record(bytes32('path')),
  whenReplyLost: 'repeat',
});

/** Says where it is restored to. By a meta session. */
export const setTrashPath = call({
  name: 'SETTRASHPATH',
  type: 456,
  request: record(u32('inode'), bytes32('path')),
  reply: record(),
  whenReplyLost: 'repeat',
});

/** Restores a file from the trash; missing folders are made. By a meta session. */
export const undelete = call({
  name: 'UNDEL',
  type: 458,
  request: record(u32('inode')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** Deletes a file in the trash for good. By a meta session. */
export const purge = call({
  name: 'PURGE',
  type: 460,
  request: record(u32('inode')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** Files without a name that are still open somewhere. By a meta session. */
export const listSustained = call({
  name: 'GETSUSTAINED',
  type: 470,
  request: record(),
  reply: detached,
  whenReplyLost: 'repeat',
});
