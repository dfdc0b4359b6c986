/** One READ of one replica, or of one part, from its server and from no other: the connection, the clocks, one second try. */
import { ConnectionError, MooseFSError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { ChunkRead } from '../protocol/conversations/chunk-read.ts';
import type { ChunkReadOptions } from '../protocol/conversations/chunk-read.ts';
import type { Deadline } from '../transport/deadline.ts';
import { chunkReadChannel, traced } from './diagnostics.ts';
import type { Server } from './replicas.ts';
import type { Volume } from './volume.ts';

/** Connecting takes no longer than this when there is another replica: a round trip, and one lost SYN. */
const CONNECT_MS = 1500;

/** How one attempt at one replica ended; what is verified stays good. */
export interface ReplicaReadOutcome {
  readonly verified: number;
  readonly error: MooseFSError | undefined;
}

/** As {@link readReplica}, and told to whoever listens on the diagnostics channel. */
export function readTraced(
  volume: Volume,
  { inode, index }: { readonly inode: number; readonly index: number },
  server: Server,
  options: ChunkReadOptions,
  how: { deadline: Deadline; stallMs: number },
): Promise<ReplicaReadOutcome> {
  const { chunkId, offset, into } = options;
  return traced(
    chunkReadChannel,
    () => ({ inode, chunk: index, chunkId, servers: [addressText(server)], offset, length: into.length }),
    () => readReplica(volume, server, options, how),
  );
}

/** Reads a range from one replica and from no other. Never rejects. */
export async function readReplica(
  volume: Volume,
  server: Server,
  options: ChunkReadOptions,
  { deadline, stallMs }: { deadline: Deadline; stallMs: number },
): Promise<ReplicaReadOutcome> {
  const end = volume.replicas.begin(server);
  try {
    let outcome = await attempt(volume, server, options, { deadline, stallMs, fresh: false });
    if (outcome.stale) {
      // A kept connection that the server had closed meanwhile says nothing about the server.
      outcome = await attempt(volume, server, options, { deadline, stallMs, fresh: true });
    }
    if (outcome.error === undefined) volume.replicas.succeeded(server);
    return outcome;
  } finally {
    end();
  }
}

async function attempt(
  volume: Volume,
  server: Server,
  options: ChunkReadOptions,
  { deadline, stallMs, fresh }: { deadline: Deadline; stallMs: number; fresh: boolean },
): Promise<ReplicaReadOutcome & { stale: boolean }> {
  const machine = new ChunkRead(options);
  let reused = false;
  try {
    const endpoint = volume.replicas.endpoint(server);
    const idle = fresh ? undefined : volume.pool.takeIdle(endpoint);
    reused = idle !== undefined;
    const connection = idle ?? (await volume.pool.connect(endpoint, deadline.within(Math.max(CONNECT_MS, stallMs))));
    try {
      await volume.reads.run(machine, connection, { deadline, stallMs });
    } catch (error) {
      machine.lost();
      volume.pool.discard(connection);
      throw error;
    }
    if (machine.reusable) volume.pool.release(connection);
    else volume.pool.discard(connection);
    return { verified: machine.verified, error: undefined, stale: false };
  } catch (error) {
    const failure =
      error instanceof MooseFSError ? error : new ConnectionError(String(error), { code: 'EIO', cause: error });
    const stale =
      reused && machine.verified === 0 && failure instanceof ConnectionError && failure.code !== 'ETIMEDOUT';
    return { verified: machine.verified, error: failure, stale };
  }
}
