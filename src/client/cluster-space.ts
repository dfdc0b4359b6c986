/**
 * Whether the cluster is full. WRITE_CHUNK says "no space" in two cases that want opposite things: right after a restart, while
 * chunkservers are still coming back (wait), and when the disks are full (tell the user). The list of chunkservers, which a master
 * gives to anyone, tells them apart.
 */
import createDebug from 'debug';
import { ProtocolError } from '../errors.ts';
import { CHUNK_SIZE } from '../protocol/geometry.ts';
import * as monitor from '../protocol/messages/monitor.ts';
import type { Version } from '../protocol/version.ts';
import { Deadline } from '../transport/deadline.ts';
import { endpointText } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { askEndpoint } from './ask-master.ts';

const debug = createDebug('moosefs:session');

/** A master that is not busy answers at once; one that is has better things to do. */
const ANSWER_MS = 2000;
/** An answer counts for so long: many uploads may ask at the same time, and servers report their space once a minute. */
const FRESH_MS = 1000;

/** What the list says of one chunkserver. */
export interface ServerSpace {
  readonly connected: boolean;
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/**
 * Full: all chunkservers that the master knows are there, each has told its space, and none has more than one chunk's worth left,
 * which is the least with which it is given a new chunk.
 */
export function isFull(servers: readonly ServerSpace[]): boolean {
  return (
    servers.length > 0 &&
    servers.every(
      ({ connected, totalBytes, usedBytes }) => connected && totalBytes > 0 && totalBytes - usedBytes <= CHUNK_SIZE,
    )
  );
}

/** Asks, and remembers the answer for a moment. */
export class ClusterSpace {
  #known: { readonly full: Promise<boolean>; readonly at: number } | undefined;

  /** Whether the cluster of this master is plainly full; false also where that cannot be found out. Never rejects. */
  isFull(master: Endpoint, serverVersion: Version): Promise<boolean> {
    if (this.#known === undefined || performance.now() - this.#known.at > FRESH_MS) {
      const full = listServers(master, serverVersion)
        .then(isFull)
        .catch((error: unknown) => {
          debug('%s: space is not known: %s', endpointText(master), error);
          return false;
        });
      this.#known = { full, at: performance.now() };
    }
    return this.#known.full;
  }
}

/** The chunkservers that a master knows. */
async function listServers(master: Endpoint, serverVersion: Version): Promise<ServerSpace[]> {
  const deadline = Deadline.in(ANSWER_MS);
  const { getChunkservers, chunkservers } = monitor;
  const reply = await askEndpoint(master, serverVersion, getChunkservers, {}, chunkservers, deadline);
  const servers = reply.servers4 ?? reply.servers3;
  if (servers === undefined) throw new ProtocolError('a list of chunkservers without servers');
  return servers.map(({ flags, total, used }) => ({
    connected: (flags & monitor.ChunkserverFlag.disconnected) === 0,
    totalBytes: total,
    usedBytes: used,
  }));
}
