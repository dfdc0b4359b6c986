/** What a master sends unasked. Each body begins with a msgid of zero. */
import { gated, length64, record, u16, u32, u64, u8 } from '../layout.ts';
import { packet } from '../message.ts';
import { since } from '../version.ts';

/** The administrator set another idle time-out: a client that is silent longer is dropped. */
export const forceTimeout = packet('FORCE_TIMEOUT', 5, record(u32('zero'), u16('seconds')));

/** Another session changed or truncated a chunk of a file that we hold open. `length` is not to be trusted unless truncated. */
export const chunkHasChanged = packet(
  'CHUNK_HAS_CHANGED',
  702,
  record(
    u32('zero'),
    u32('inode'),
    u32('chunkIndex'),
    u64('chunkId'),
    u32('version'),
    length64('length'),
    u8('truncated'),
    gated(since('4.40.0'), u32('offset')),
    gated(since('4.40.0'), u32('size')),
  ),
);

/** The length of a file that we hold open was changed without touching a chunk. */
export const lengthHasChanged = packet('FLENG_HAS_CHANGED', 703, record(u32('zero'), u32('inode'), length64('length')));

/** A chunkserver came or went: all chunk locations are stale. */
export const invalidateChunkCache = packet('INVALIDATE_CHUNK_CACHE', 706, record(u32('zero')));

/** All of them, for whoever dispatches by type. */
export const pushes = [forceTimeout, chunkHasChanged, lengthHasChanged, invalidateChunkCache] as const;
