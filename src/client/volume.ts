/** What all parts of one client share: the session, the connections, the settings, who asks, and whom to tell. */
import type { EventEmitter } from 'node:events';
import type { ConnectionPool } from '../transport/pool.ts';
import { Deadline } from '../transport/deadline.ts';
import type { StopSignal } from '../transport/stop.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { ChunkLocks } from './chunk-locks.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ClientEvents } from './events.ts';
import type { Settings } from './options.ts';
import type { Replicas } from './replicas.ts';
import type { Locks } from './locks.ts';
import type { RunningReads } from './running-reads.ts';
import type { Session } from './session.ts';
import type { Slots } from './slots.ts';
import type { OpenFiles } from './open-files.ts';
import type { NameCache } from './name-cache.ts';
import type { StorageClasses } from './storage-class.ts';
import type { SessionTicks } from './write-session.ts';

/** See above. */
export interface Volume {
  readonly settings: Settings;
  readonly session: Session;
  readonly pool: ConnectionPool;
  readonly replicas: Replicas;
  readonly events: EventEmitter<ClientEvents>;
  /** Schedules write sessions over all files: each occupies a worker thread on every chunkserver of its chain. */
  readonly writeSlots: Slots;
  readonly sessionTicks: SessionTicks;
  readonly chunkLocks: ChunkLocks;
  /** Memory of blocks that are being written. */
  readonly blocks: BufferPool;
  /** Memory of pieces that are read ahead. */
  readonly pieces: BufferPool;
  /** Bytes that all files together hold until they are acknowledged. */
  readonly writeBudget: MemoryBudget;
  /** Bytes that all streams together have asked for ahead. */
  readonly readBudget: MemoryBudget;
  readonly reads: RunningReads;
  readonly files: OpenFiles;
  readonly names: NameCache;
  readonly classes: StorageClasses;
  readonly locks: Locks;
}

/** The deadline of a call about names and attributes. */
export function requestDeadline(volume: Volume, signal?: StopSignal): Deadline {
  return Deadline.in(volume.settings.requestTimeoutMs, signal);
}

/** The deadline of something that moves data and makes no progress. */
export function ioDeadline(volume: Volume, signal?: StopSignal): Deadline {
  return Deadline.in(volume.settings.ioTimeoutMs, signal);
}
