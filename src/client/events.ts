/** What a client tells whoever listens. */
import type { MooseFSError } from '../errors.ts';
import type { Endpoint } from '../transport/tcp.ts';

/** A write reached fewer replicas than the storage class asks for, because the master listed fewer. */
export interface UnderReplicated {
  readonly path: string | undefined;
  readonly inode: number;
  /** Index of the chunk in the file. */
  readonly chunk: number;
  readonly chunkId: bigint;
  /** Servers that the master listed, `host:port`. */
  readonly servers: readonly string[];
  readonly listed: number;
  readonly wanted: number;
}

/** A replica gave wrong bytes, or does not have what the master says it has. */
export interface ReplicaFault {
  readonly path: string | undefined;
  readonly inode: number;
  readonly chunk: number;
  readonly chunkId: bigint;
  /** Of an erasure-coded chunk: the number of the part, the checksum part coming after the last data part. */
  readonly part?: number;
  /** The chunkserver, `host:port`. */
  readonly server: string;
  readonly error: MooseFSError;
}

/**
 * A file was closed, and the master, killed shortly after, came back without what it had acknowledged of it. Files that are still open
 * reject instead.
 */
export interface Forgotten {
  readonly path: string | undefined;
  readonly inode: number;
  /** What is missing. `ENOENT`: the file itself, unless somebody has removed it meanwhile. */
  readonly error: MooseFSError;
}

/** Events of {@link MooseFS}. */
export interface ClientEvents {
  /** The connection to the master is back. */
  reconnect: [{ readonly master: Endpoint; readonly resumed: boolean; readonly downMs: number }];
  /** Another master than before answers. */
  failover: [{ readonly from: Endpoint; readonly to: Endpoint }];
  /** The client is closed, or the session could not be kept (with the error). */
  close: [error?: MooseFSError];
  underReplicated: [UnderReplicated];
  /** A replica with a wrong checksum, a wrong version, or missing. Reads went on with another one if there was any. */
  replicaFault: [ReplicaFault];
  /** A file that was closed up to 2 s before the master was lost is not as it was acknowledged. */
  forgotten: [Forgotten];
}
