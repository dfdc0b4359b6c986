/** Chunks as the master knows them: where they lie, who may write them, how long the file is, how well they are. */
import { gated, gids, length64, record, repeated, u16, u32, u64, u8 } from '../layout.ts';
import { call } from '../message.ts';
import { since, until } from '../version.ts';

/** Where one replica or part lies. `labels`: bit 0 is label A. */
export const serverEntry = record(u32('ip'), u16('port'), u32('version'), u32('labels'));

/** How a list of servers is to be read: full copies, or data parts in order (4 or 8 of them). */
export const LocationProtocol = { copies: 2, parts: 3 } as const;

/** The tail of a LOOKUP reply: chunk 0 of a small file. */
export const chunkLocation = record(
  u8('protocol'),
  u64('chunkId'),
  u32('chunkVersion'),
  repeated('servers', serverEntry),
);

const chunkReply = record(
  u8('protocol'),
  length64('length'),
  u64('chunkId'),
  u32('chunkVersion'),
  repeated('servers', serverEntry),
);

/** Flags of READ_CHUNK and WRITE_CHUNK. */
export const ChunkOpFlag = { canModifyTime: 1, continueOperation: 2, canUseReserve: 4 } as const;

/** Where a chunk lies. Chunk id 0: a hole. An id and no servers: nobody knows now, ask again. */
export const readChunk = call({
  name: 'READ_CHUNK',
  type: 432,
  request: record(u32('inode'), u32('chunkIndex'), u8('flags')),
  reply: chunkReply,
  whenReplyLost: 'repeat',
});

/** Locks a chunk for writing (120 s) and says where; makes it when missing. Only this answer's id, version and servers may be written to. */
export const writeChunk = call({
  name: 'WRITE_CHUNK',
  type: 434,
  request: record(u32('inode'), u32('chunkIndex'), u8('flags')),
  reply: chunkReply,
  // Our own lock may be held already: the caller ends it first.
  whenReplyLost: 'doubt',
});

/** Ends a write: unlocks the chunk and grows the file to `length` (0: leave it). Sending it twice does no harm. */
export const writeChunkEnd = call({
  name: 'WRITE_CHUNK_END',
  type: 436,
  request: record(
    u64('chunkId'),
    u32('inode'),
    u32('chunkIndex'),
    length64('length'),
    u8('flags'),
    gated(since('4.40.0'), u32('offset')),
    gated(since('4.40.0'), u32('size')),
  ),
  reply: record(),
  whenReplyLost: 'repeat',
});

/** Appends whole chunks of a file to another by reference. */
export const appendSlice = call({
  name: 'APPEND_SLICE',
  type: 438,
  request: record(u8('flags'), u32('destination'), u32('source'), u32('from'), u32('to'), u32('uid'), gids('gids')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** Asks CHECK for parts of erasure-coded chunks as well. */
export const CHECK_WITH_PARTS = 1;

/** State of a replica in a CHECK reply. */
export const ReplicaState = {
  valid: 0,
  markedForRemoval: 1,
  wrongVersion: 2,
  wrongVersionMarkedForRemoval: 3,
  invalid: 4,
} as const;

/** Every replica and part of one chunk, the bad ones too. Status NOCHUNK beyond the last chunk (4.x) means a hole. */
export const checkChunk = call({
  name: 'CHECK',
  type: 440,
  request: record(gated(since('4.0.0'), u8('mode')), u32('inode'), u32('chunkIndex')),
  reply: record(
    u64('chunkId'),
    u32('chunkVersion'),
    gated(until('4.0.0'), repeated('replicas', record(u32('ip'), u16('port'), u8('state')))),
    gated(since('4.0.0'), repeated('parts', record(u32('ip'), u16('port'), u8('state'), u8('partCode')))),
  ),
  whenReplyLost: 'repeat',
});
