/**
 * What `node:diagnostics_channel` tells of a client. The names are part of the API. Nothing is made and nothing is called while
 * nobody listens.
 *
 * Each is a tracing channel: `tracing:<name>:start`, `end`, `asyncStart`, `asyncEnd` and `error`, all with one message object;
 * `result` or `error` is put on it when the call has ended.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import type { TracingChannel } from 'node:diagnostics_channel';

/** Message of `moosefs.call`: a public call of a client or of a file handle. */
export interface CallTrace {
  /** The method as it was called: `readFile`, `stat`, `FileHandle.read`. */
  readonly method: string;
  readonly path?: string | undefined;
  readonly dest?: string | undefined;
}

/** Message of `moosefs.master`: a request to the master, every repetition after a lost connection included. */
export interface MasterTrace {
  /** The request's name on the wire: `LOOKUP`, `WRITE_CHUNK`. */
  readonly request: string;
  /** `host:port` of the master. */
  readonly server: string;
}

/** Message of `moosefs.chunk.read` and `moosefs.chunk.write`: one attempt to move bytes of a chunk. */
export interface ChunkTrace {
  readonly inode: number;
  /** Index of the chunk in the file. */
  readonly chunk: number;
  readonly chunkId: bigint;
  /** The chunkserver, or for writes every server of the chain, `host:port`. */
  readonly servers: readonly string[];
  /** Offset in the chunk and bytes asked for; for reads only. */
  readonly offset?: number;
  readonly length?: number;
}

/** Every public call. */
export const callChannel = tracingChannel<string, CallTrace>('moosefs.call');
/** Every request to the master. */
export const masterChannel = tracingChannel<string, MasterTrace>('moosefs.master');
/** Every attempt to read from a chunkserver. */
export const chunkReadChannel = tracingChannel<string, ChunkTrace>('moosefs.chunk.read');
/** Every write session with chunkservers. */
export const chunkWriteChannel = tracingChannel<string, ChunkTrace>('moosefs.chunk.write');

/** Runs `work`; where somebody listens, with `message` told before and after. */
export function traced<M extends object, T>(
  channel: TracingChannel<string, M>,
  message: () => M,
  work: () => Promise<T>,
): Promise<T> {
  // Missing in the types of this version of node.
  if (!(channel as unknown as { hasSubscribers: boolean }).hasSubscribers) return work();
  return channel.tracePromise(work, message());
}
