/** What a master tells anyone, without a session and without a msgid. */
import {
  bytes,
  bytes8,
  bytes32,
  gated,
  length64,
  record,
  repeated,
  rest,
  u16,
  u32,
  u64,
  u8,
  variable,
} from '../layout.ts';
import type { RecordCodec, VariableCodec } from '../layout.ts';
import { packet } from '../message.ts';
import { since, until } from '../version.ts';

/** Asks for the state of the whole cluster. */
export const getInfo = packet('INFO', 510, record());
/** The fields that all versions have at the same place; what follows differs and is left raw. */
export const info = packet(
  'INFO reply',
  511,
  record(
    u32('version'),
    length64('memoryUsed'),
    u64('systemCpu'),
    u64('userCpu'),
    length64('totalSpace'),
    length64('availableSpace'),
    length64('freeSpace'),
    length64('trashSpace'),
    u32('trashFiles'),
    length64('sustainedSpace'),
    u32('sustainedFiles'),
    u32('nodes'),
    u32('directories'),
    u32('files'),
    u32('chunks'),
    rest('more'),
  ),
);

/** Asks for the chunkservers. */
export const getChunkservers = packet('CSERV_LIST', 500, record());
/** Bits of a chunkserver's flags. */
export const ChunkserverFlag = { disconnected: 1, maintenance: 2, temporaryMaintenance: 4 } as const;
const beforeAddress = [u8('flags'), u8('major'), u8('middle'), u8('minorDoubled')] as const;
const fromAddress = [
  u32('ip'),
  u16('port'),
  u16('id'),
  length64('used'),
  length64('total'),
  u32('chunks'),
  length64('removalUsed'),
  length64('removalTotal'),
  u32('removalChunks'),
  u32('errors'),
  u32('load'),
  u32('grace'),
  u32('labels'),
  u8('removalStatus'),
] as const;

/** The answer to {@link getChunkservers}. */
export const chunkservers = packet(
  'CSERV_LIST reply',
  501,
  record(
    gated(since('4.26.0'), repeated('servers4', record(...beforeAddress, u32('originalIp'), ...fromAddress))),
    gated(until('4.26.0'), repeated('servers3', record(...beforeAddress, ...fromAddress))),
  ),
);

/** What {@link info} leaves raw, as 3.0.115 to 3.0.117 and 4.26 and later lay it out. CPU times are in units of 100 ns. */
export const infoMore = record(
  gated(until('4.0.0'), u32('copies3')),
  gated(until('4.0.0'), u32('regularCopies3')),
  gated(since('4.0.0'), u32('copyChunks')),
  gated(since('4.0.0'), u32('ec8Chunks')),
  gated(since('4.0.0'), u32('ec4Chunks')),
  u32('savedAt'),
  u32('saveMs'),
  u8('saveStatus'),
  u8('state'),
  u8('nextState'),
  u8('stable'),
  u8('synchronised'),
  u32('leader'),
  u32('stateChangedAt'),
  u64('metadataVersion'),
  u64('exportsChecksum'),
  gated(since('4.0.0'), u64('metadataId')),
  gated(since('4.0.0'), u64('savedVersion')),
  gated(since('4.0.0'), u32('savedChecksum')),
  gated(since('4.0.0'), length64('copies')),
  gated(since('4.0.0'), length64('ec8Parts')),
  gated(since('4.0.0'), length64('ec4Parts')),
  gated(since('4.0.0'), length64('hypotheticalCopies')),
  length64('clockMicroseconds'),
  u32('changeLoggedAt'),
);

/** A session as the master lists it. Counters are of the current hour and of the one before. */
export interface ListedSession {
  readonly sessionId: number;
  readonly ip: number;
  readonly version: number;
  readonly openFiles: number;
  readonly sockets: number;
  readonly expire: number;
  readonly info: Uint8Array;
  readonly path: Uint8Array;
  readonly flags: number;
  readonly umask: number;
  readonly rootUid: number;
  readonly rootGid: number;
  readonly mapAllUid: number;
  readonly mapAllGid: number;
  readonly minGoal?: number;
  readonly maxGoal?: number;
  readonly classGroups?: number;
  readonly minTrashRetention: number;
  readonly maxTrashRetention: number;
  readonly disabled: number;
  readonly current: readonly number[];
  readonly last: readonly number[];
}

const sessionHead = [
  u32('sessionId'),
  u32('ip'),
  u32('version'),
  u32('openFiles'),
  u8('sockets'),
  u32('expire'),
  bytes32('info'),
  bytes32('path'),
  u8('flags'),
  u16('umask'),
  u32('rootUid'),
  u32('rootGid'),
  u32('mapAllUid'),
  u32('mapAllGid'),
] as const;
const sessionTail = [u32('minTrashRetention'), u32('maxTrashRetention'), u32('disabled')] as const;
const sessionOf4 = record(...sessionHead, u8('minGoal'), u8('maxGoal'), ...sessionTail);
const sessionOf5 = record(...sessionHead, u16('classGroups'), ...sessionTail);

/** A list of sessions and how many counters each half of their statistics has: 16 on 3.x, 28 on 4.x. */
export interface SessionList {
  readonly counterCount: number;
  readonly sessions: readonly ListedSession[];
}

function sessionList(head: RecordCodec<object>): VariableCodec<SessionList> {
  const counters = (b: Buffer, at: number, count: number) =>
    Array.from({ length: count }, (_, i) => b.readUInt32BE(at + 4 * i));
  return {
    sizeOf: ({ counterCount, sessions }) =>
      sessions.reduce((sum, each) => sum + head.sizeOf(each, 0) + 8 * counterCount, 2),
    span: (b, at) => b.length - at,
    read: (b, at) => {
      const counterCount = b.readUInt16BE(at);
      const sessions: ListedSession[] = [];
      for (at += 2; at < b.length; at += 8 * counterCount) {
        const [value, end] = head.decodeAt(b, at, 0);
        at = end;
        const current = counters(b, at, counterCount);
        const last = counters(b, at + 4 * counterCount, counterCount);
        sessions.push({ ...(value as Omit<ListedSession, 'current' | 'last'>), current, last });
      }
      return { counterCount, sessions };
    },
    write: ({ counterCount, sessions }, b, at) => {
      at = b.writeUInt16BE(counterCount, at);
      for (const each of sessions) {
        at = head.encodeAt(each, b, at, 0);
        for (const counter of [...each.current, ...each.last]) at = b.writeUInt32BE(counter, at);
      }
    },
  };
}

/** Asks for all sessions; `mode` 4, from 4.57 on 5. */
export const getSessions = packet('SESSION_LIST', 508, record(u8('mode')));
/** The answer: sessions, the lost ones that are still kept too (`sockets` 0). */
export const sessions = packet(
  'SESSION_LIST reply',
  509,
  record(
    gated(since('4.57.0'), variable('list', sessionList(sessionOf5))),
    gated(until('4.57.0'), variable('list', sessionList(sessionOf4))),
  ),
);

/** Rows and columns of a matrix: 0 to 10, where 10 means "or more". */
export const MATRIX_EDGE = 11;
const MATRIX_SIZE = 4 * MATRIX_EDGE * MATRIX_EDGE;

/**
 * Asks how many chunks have which goal and how many copies. Always empty: on 4.44 and later the form of one byte counts nothing.
 */
export const getChunkMatrix = packet('CHUNKS_MATRIX', 516, record());
/** Matrices of 11 x 11 numbers, goal by copies: 3.x two, 4.x eight, the first of which counts everything. */
export const chunkMatrix = packet(
  'CHUNKS_MATRIX reply',
  517,
  record(u8('progress'), repeated('matrices', record(bytes('cells', MATRIX_SIZE)))),
);

/** Asks what the master's memory is used for. */
export const getMemory = packet('MEMORY_INFO', 528, record());
/** In this order: chunk hash, chunks, server lists, edge hash, edges, node hash, nodes, free nodes, chunk tables, symlinks, quota. */
export const memory = packet(
  'MEMORY_INFO reply',
  529,
  record(repeated('uses', record(length64('allocated'), length64('used')))),
);

/** Asks for the open files of all sessions: always with session 0, a real one changes the answer's layout. */
export const getOpenFiles = packet('LIST_OPEN_FILES', 532, record(u32('sessionId')));
/** Which session has which inode open. */
export const openFiles = packet(
  'LIST_OPEN_FILES reply',
  533,
  record(repeated('files', record(u32('sessionId'), u32('inode')))),
);

/** Asks for the locks of all inodes: always with inode 0, a real one changes the answer's layout. */
export const getLocks = packet('LIST_ACQUIRED_LOCKS', 534, record(u32('inode')));
/**
 * All locks that are held. Up to 4.57.5 it is wrong while locks of both kinds are held: the flocks stand over the first ones, and
 * the end is memory that nobody wrote.
 */
export const locks = packet(
  'LIST_ACQUIRED_LOCKS reply',
  535,
  record(
    repeated(
      'locks',
      record(u32('inode'), u32('sessionId'), u64('owner'), u32('pid'), u64('start'), u64('end'), u8('lockType')),
    ),
  ),
);

/** Asks for the chunks that cannot be read, with the reason (`mode` 1). */
export const getMissingChunks = packet('MISSING_CHUNKS', 544, record(u8('mode')));
/** Reasons: 0 no copy, 1 only invalid ones, 2 only of another version, 3 too few parts. */
export const missingChunks = packet(
  'MISSING_CHUNKS reply',
  545,
  record(repeated('chunks', record(u64('chunkId'), u32('inode'), u32('chunkIndex'), u8('reason')))),
);

/** A disk as its chunkserver describes it. */
const disk = record(
  bytes8('path'),
  u8('flags'),
  u64('errorChunk'),
  u32('errorTime'),
  length64('used'),
  length64('total'),
  u32('chunks'),
  bytes('statistics', 192),
  rest('more'),
);
/** Bits of a disk's flags. While it is scanned, `used` is the progress in percent and `total` is 0. */
export const DiskFlag = { markedForRemoval: 1, damaged: 2, scanning: 4, invalid: 8 } as const;
/** One disk. `statistics` are three blocks of 64 bytes, of the last minute, hour and day. */
export interface ListedDisk {
  readonly path: Uint8Array;
  readonly flags: number;
  readonly errorChunk: bigint;
  readonly errorTime: number;
  readonly used: number;
  readonly total: number;
  readonly chunks: number;
  readonly statistics: Uint8Array;
  readonly more: Uint8Array;
}

/** Each disk behind its size, so that longer ones of other versions can be read. */
const diskList: VariableCodec<readonly ListedDisk[]> = {
  sizeOf: (disks) => disks.reduce((sum, each) => sum + 2 + disk.sizeOf(each, 0), 0),
  span: (b, at) => b.length - at,
  read: (b, at) => {
    const found: ListedDisk[] = [];
    while (at < b.length) {
      const end = at + 2 + b.readUInt16BE(at);
      if (end > b.length) throw new RangeError('a disk is cut off');
      found.push(disk.decodeAt(b.subarray(0, end), at + 2, 0)[0]);
      at = end;
    }
    return found;
  },
  write: (disks, b, at) => {
    for (const each of disks) {
      at = disk.encodeAt(each, b, b.writeUInt16BE(disk.sizeOf(each, 0), at), 0);
    }
  },
};

/** Asks a chunkserver for its disks. */
export const getDisks = packet('HDD_LIST', 600, record());
/** The answer. */
export const disks = packet('HDD_LIST reply', 601, record(variable('disks', diskList)));
