/**
 * What administrators do with files and trees. Not here, so that nobody can send them: PARENTS (484), which crashes masters when
 * asked for a deleted inode, NODE_INFO (546), which crashes 3.x masters before the registration, and the commands that drop servers
 * and sessions without asking who wants it (524, 526).
 */
import { gated, gids, length64, record, repeated, u16, u32, u8, variable } from '../layout.ts';
import type { VariableCodec } from '../layout.ts';
import { call } from '../message.ts';
import { since, until } from '../version.ts';
import { setterReply } from './placement.ts';

/** Bits of extra attributes. */
export const ExtraAttribute = {
  noOwner: 0x01,
  noAttrCache: 0x02,
  noEntryCache: 0x04,
  noDataCache: 0x08,
  snapshot: 0x10,
  undeletable: 0x20,
  appendOnly: 0x40,
  immutable: 0x80,
} as const;

/** A set of extra attributes and how many nodes have it. */
export interface ExtraAttributeCount {
  readonly bits: number;
  readonly count: number;
}

/** Sets of extra attributes in a tree, of files and of folders. */
export interface ExtraAttributeCounts {
  readonly files: readonly ExtraAttributeCount[];
  readonly directories: readonly ExtraAttributeCount[];
}

const ENTRY = 5;
const extraAttributeCounts: VariableCodec<ExtraAttributeCounts> = {
  sizeOf: ({ files, directories }) => 2 + ENTRY * (files.length + directories.length),
  span: (b, at) => 2 + ENTRY * (b.readUInt8(at) + b.readUInt8(at + 1)),
  read: (b, at) => {
    const entry = (i: number): ExtraAttributeCount => ({
      bits: b.readUInt8(at + 2 + ENTRY * i),
      count: b.readUInt32BE(at + 3 + ENTRY * i),
    });
    const [files, directories] = [b.readUInt8(at), b.readUInt8(at + 1)];
    return {
      files: Array.from({ length: files }, (_, i) => entry(i)),
      directories: Array.from({ length: directories }, (_, i) => entry(files + i)),
    };
  },
  write: ({ files, directories }, b, at) => {
    b[at] = files.length;
    b[at + 1] = directories.length;
    [...files, ...directories].forEach(({ bits, count }, i) => {
      b[at + 2 + ENTRY * i] = bits;
      b.writeUInt32BE(count, at + 3 + ENTRY * i);
    });
  },
};

/** Extra attributes of a node (`recursive` 1: of each node of a tree). */
export const getExtraAttributes = call({
  name: 'GETEATTR',
  type: 472,
  request: record(u32('inode'), u8('recursive')),
  reply: record(variable('counts', extraAttributeCounts)),
  whenReplyLost: 'repeat',
});

/** How SETEATTR combines; add SET_RECURSIVE for a whole tree. */
export const ExtraAttributeMode = { set: 0, add: 1, remove: 2 } as const;

/** Changes extra attributes. */
export const setExtraAttributes = call({
  name: 'SETEATTR',
  type: 474,
  request: record(u32('inode'), u32('uid'), u8('bits'), u8('setMode')),
  reply: setterReply,
  whenReplyLost: 'repeat',
});

/** Chunks of a file by how many valid copies they have (`copies10`: ten or more); `empty`: holes. */
export const checkFile = call({
  name: 'CHECK (copies)',
  type: 440,
  request: record(u32('inode')),
  reply: record(...([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const).map((n) => u32(`copies${n}` as const)), u32('empty')),
  whenReplyLost: 'repeat',
});

/** The mode of {@link checkFileClasses}. */
export const CHECK_CLASSES = 3;

/** Chunks of a file by copies and parts: 0 not found, 1 hole, else 2 + copies + 11 x EC8 parts + 198 x EC4 parts. */
export const checkFileClasses = call({
  name: 'CHECK (classes)',
  type: 440,
  request: record(u8('mode'), u32('inode')),
  reply: record(repeated('classes', record(u16('class'), u32('count')))),
  whenReplyLost: 'repeat',
  gate: since('4.36.0'),
});

/** What is in a tree; `realSize` counts every copy. Only the form of normal sessions. */
export const directoryInfo = call({
  name: 'DIRSTATS',
  type: 462,
  request: record(u32('inode')),
  reply: record(
    u32('inodes'),
    u32('directories'),
    u32('files'),
    gated(until('4.0.0'), u32('zero1')),
    gated(until('4.0.0'), u32('zero2')),
    u32('chunks'),
    gated(until('4.0.0'), u32('zero3')),
    gated(until('4.0.0'), u32('zero4')),
    length64('length'),
    length64('size'),
    length64('realSize'),
  ),
  whenReplyLost: 'repeat',
});

/** A flag of REPAIR on 4.27 and later: chunks that are lost become holes instead of being marked. */
export const REPAIR_ERASE = 1;

/** Makes a file readable whose chunks are lost: by older copies where there are some, else by zeros. */
export const repair = call({
  name: 'REPAIR',
  type: 466,
  request: record(u32('inode'), u32('uid'), gids('gids'), gated(since('4.27.0'), u8('flags'))),
  reply: record(u32('notChanged'), u32('erased'), u32('repaired')),
  whenReplyLost: 'doubt',
});
