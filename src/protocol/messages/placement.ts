/** Storage classes and goals: which one a node has, and what a class asks for. */
import { bytes, bytes8, gated, gids, length64, record, rest, u16, u32, u64, u8, variable } from '../layout.ts';
import type { VariableCodec } from '../layout.ts';
import { call } from '../message.ts';
import { since, until, version } from '../version.ts';
import type { Version } from '../version.ts';

/** A class and how many nodes have it. `goal` is set for the numbered goals of 3.x, `name` for everything else. */
export interface ClassCount {
  readonly goal?: number;
  readonly name?: Uint8Array;
  readonly count: number;
}

/** A first byte of this value says that a name follows instead of a numbered goal. */
export const CLASS_BY_NAME = 0xff;

const classCounts: VariableCodec<{
  readonly files: readonly ClassCount[];
  readonly directories: readonly ClassCount[];
}> = {
  sizeOf: ({ files, directories }) =>
    [...files, ...directories].reduce((sum, each) => sum + (each.name === undefined ? 5 : 6 + each.name.length), 2),
  span: (b, at) => b.length - at,
  read: (b, at) => {
    const [fileCount, directoryCount] = [b.readUInt8(at), b.readUInt8(at + 1)];
    at += 2;
    const entry = (): ClassCount => {
      const goal = b.readUInt8(at);
      if (goal !== CLASS_BY_NAME) {
        at += 5;
        return { goal, count: b.readUInt32BE(at - 4) };
      }
      const end = at + 2 + b.readUInt8(at + 1);
      const name = b.subarray(at + 2, end);
      at = end + 4;
      return { name, count: b.readUInt32BE(end) };
    };
    const files = Array.from({ length: fileCount }, entry);
    const directories = Array.from({ length: directoryCount }, entry);
    if (at !== b.length) throw new RangeError(`${b.length - at} bytes too many`);
    return { files, directories };
  },
  write: ({ files, directories }, b, at) => {
    b[at] = files.length;
    b[at + 1] = directories.length;
    at += 2;
    for (const { goal, name, count } of [...files, ...directories]) {
      if (name === undefined) {
        b[at++] = goal!;
      } else {
        b[at] = CLASS_BY_NAME;
        b[at + 1] = name.length;
        b.set(name, at + 2);
        at += 2 + name.length;
      }
      b.writeUInt32BE(count, at);
      at += 4;
    }
  },
};

/** The storage class of a node (`recursive` 1: of a whole tree, counted). */
export const getStorageClass = call({
  name: 'GETSCLASS',
  type: 446,
  request: record(u32('inode'), u8('recursive')),
  reply: record(variable('classes', classCounts)),
  whenReplyLost: 'repeat',
});

/** Modes of the setters; add {@link SET_RECURSIVE} for a whole tree. */
export const SetMode = { set: 0, increase: 1, decrease: 2, exchange: 3 } as const;
/** See {@link SetMode}. */
export const SET_RECURSIVE = 4;

/** What every setter answers: how many nodes it changed, left as they were, and was not allowed to change. */
export const setterReply = record(u32('changed'), u32('notChanged'), u32('notPermitted'));

/** Gives a node, or a tree, another storage class by name. */
export const setStorageClass = call({
  name: 'SETSCLASS',
  type: 448,
  request: record(u32('inode'), u32('uid'), u8('byName'), u8('setMode'), bytes8('name')),
  reply: setterReply,
  whenReplyLost: 'repeat',
});

/** Rules by which new files get a class, trash retention or extra attributes by their name and owner; none where nothing follows. */
export const listPatterns = call({
  name: 'PATTERN_LIST',
  type: 374,
  request: record(u8('format')),
  reply: record(rest('patterns')),
  whenReplyLost: 'repeat',
  gate: since('4.57.0'),
});

/** Names of the storage classes, one after another with their lengths (format 0, which every server knows). */
export const listStorageClasses = call({
  name: 'SCLASS_LIST',
  type: 360,
  request: record(u8('format')),
  reply: record(rest('names')),
  whenReplyLost: 'repeat',
});

/**
 * Reads the definition of a class (a change of nothing). `padding` stands for the zero fields of a record of that format; the
 * answer's layout depends on the format (storage-class.ts reads it).
 */
export const readStorageClass = call({
  name: 'SCLASS_CHANGE (read)',
  type: 352,
  request: record(bytes8('name'), u8('format'), u16('changeMask'), rest('padding')),
  reply: record(u8('format'), rest('definition')),
  whenReplyLost: 'repeat',
});

/** The label rules of a class, by state; each entry is one copy. 3.x has no `trash`. */
export interface LabelRules {
  readonly create: readonly Uint8Array[];
  readonly keep: readonly Uint8Array[];
  readonly archive: readonly Uint8Array[];
  readonly trash?: readonly Uint8Array[];
}

const STATES = ['create', 'keep', 'archive', 'trash'] as const;

/** A count for each state, then the rules of all states: of 16 bytes in format 0, which has three states, of 128 from format 1 on. */
function labelRules(states: 3 | 4, size: 16 | 128): VariableCodec<LabelRules> {
  const names = STATES.slice(0, states);
  return {
    sizeOf: (value) => states + size * names.reduce((sum, name) => sum + (value[name]?.length ?? 0), 0),
    span: (b, at) => states + size * names.reduce((sum, _, i) => sum + b.readUInt8(at + i), 0),
    read: (b, at) => {
      let rule = at + states;
      const lists = names.map((name, i) => {
        const list = Array.from({ length: b.readUInt8(at + i) }, () => {
          if (rule + size > b.length) throw new RangeError('a label rule is cut off');
          return b.subarray(rule, (rule += size));
        });
        return [name, list] as const;
      });
      return Object.fromEntries(lists) as unknown as LabelRules;
    },
    write: (value, b, at) => {
      let rule = at + states;
      names.forEach((name, i) => {
        const list = value[name] ?? [];
        // More than nine make 4.59 close the connection.
        if (list.length > LABELS_LIMIT) throw new RangeError(`at most ${LABELS_LIMIT} labels, not ${list.length}`);
        b[at + i] = list.length;
        for (const each of list) {
          if (each.length !== size) throw new RangeError(`a label rule takes ${size} bytes, not ${each.length}`);
          b.set(each, rule);
          rule += size;
        }
      });
    },
  };
}

/** The most copies that a class can name for one state. */
export const LABELS_LIMIT = 9;

/** The highest format of class definitions that a server takes: what {@link storageClassDefinition} is laid out by. */
export function classFormat(at: Version): number {
  if (at < version('4.0.0')) return 0;
  if (at >= version('4.57.0')) return 6;
  if (at >= version('4.53.0')) return 5;
  return at >= version('4.34.2') ? 4 : 3;
}

/** Fields of a class definition. `archiveDelay` is in days on 3.x, in hours on 4.x; `minTrashRetention` in hours. */
const definitionFields = [
  gated(since('4.57.0'), bytes8('description')),
  gated(since('4.57.0'), u32('priority')),
  gated(since('4.57.0'), u8('exportGroup')),
  u8('adminOnly'),
  u8('labelsMode'),
  gated(since('4.0.0'), u8('archiveMode')),
  u16('archiveDelay'),
  gated(since('4.34.2'), length64('archiveMinSize')),
  gated(since('4.0.0'), u16('minTrashRetention')),
  gated(since('4.0.0'), u8('archiveEc')),
  gated(since('4.0.0'), u8('trashEc')),
  gated(since('4.53.0'), bytes('labelsModes', 4)),
  gated(since('4.0.0'), u32('createUnique')),
  gated(since('4.0.0'), u32('keepUnique')),
  gated(since('4.0.0'), u32('archiveUnique')),
  gated(since('4.0.0'), u32('trashUnique')),
  gated(until('4.0.0'), variable('labels', labelRules(3, 16))),
  gated(since('4.0.0'), variable('labels', labelRules(4, 128))),
] as const;

/** A class definition in the format that {@link classFormat} names. */
export const storageClassDefinition = record(...definitionFields);

/** Makes a class. */
export const createStorageClass = call({
  name: 'SCLASS_CREATE',
  type: 350,
  request: record(bytes8('name'), u8('format'), ...definitionFields),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** Bits of a class that a change touches. `force`, 3.x only, allows to change the numbered goals. */
export const ClassChange = {
  adminOnly: 0x1,
  labelsMode: 0x2,
  create: 0x4,
  keep: 0x8,
  archive: 0x10,
  archiveDelay: 0x20,
  trash: 0x40,
  minTrashRetention: 0x80,
  archiveMode: 0x100,
  archiveMinSize: 0x200,
  priority: 0x400,
  description: 0x800,
  exportGroup: 0x1000,
  force: 0x8000,
} as const;

/** Changes what the mask names, and answers what the class is then; with an empty mask it only answers. */
export const changeStorageClass = call({
  name: 'SCLASS_CHANGE',
  type: 352,
  request: record(bytes8('name'), u8('format'), u16('changeMask'), ...definitionFields),
  reply: record(u8('format'), ...definitionFields),
  whenReplyLost: 'repeat',
});

/** Removes a class that nothing uses. */
export const deleteStorageClass = call({
  name: 'SCLASS_DELETE',
  type: 354,
  request: record(bytes8('name')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** Copies a class under another name. */
export const duplicateStorageClass = call({
  name: 'SCLASS_DUPLICATE',
  type: 356,
  request: record(bytes8('name'), bytes8('newName')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** Gives a class another name. */
export const renameStorageClass = call({
  name: 'SCLASS_RENAME',
  type: 358,
  request: record(bytes8('name'), bytes8('newName')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** What ARCHCTL does. */
export const ArchiveCommand = { clear: 0, set: 1, get: 2 } as const;

/** Counts chunks and files by their archive flag: always with all that is in a folder. */
export const archiveState = call({
  name: 'ARCHCTL (get)',
  type: 496,
  request: record(u32('inode'), u8('command')),
  reply: record(
    u64('archivedChunks'),
    u64('otherChunks'),
    u32('archivedFiles'),
    u32('partialFiles'),
    u32('otherFiles'),
  ),
  whenReplyLost: 'repeat',
});

/**
 * Sets or clears the archive flag of all chunks of a node or tree: with it a chunk is kept as its class wants archived chunks to
 * be, in a class such as EC4+1 as parts.
 */
export const archive = call({
  name: 'ARCHCTL',
  type: 496,
  request: record(u32('inode'), u8('command'), u32('uid')),
  reply: record(u64('changed'), u64('notChanged'), u32('notPermitted')),
  whenReplyLost: 'repeat',
});

/** Bits of SNAPSHOT's `mode`. */
export const SnapshotMode = {
  overwrite: 0x01,
  copyLike: 0x02,
  force: 0x04,
  preserveHardLinks: 0x08,
  remove: 0x80,
} as const;

/** Makes a copy of a file or a tree that shares its chunks. */
export const snapshot = call({
  name: 'SNAPSHOT',
  type: 468,
  request: record(u32('source'), u32('parent'), bytes8('name'), u32('uid'), gids('gids'), u8('mode'), u16('umask')),
  reply: record(),
  whenReplyLost: 'doubt',
});
