/** Reads from one replica that the caller has chosen, and from no other: to see what is on that server, good or bad. */
import { MooseFSError, StatusError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { Status } from '../protocol/status.ts';
import { endpointText } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';

import type { ChunkReadRequest } from './chunk-reader.ts';
import { fsError } from './fs-errors.ts';
import { readReplica } from './replica-read.ts';
import type { Volume } from './volume.ts';

/**
 * A chunkserver by its own address, as {@link MooseFS.chunks} tells it (not as `chunkserverAddress` maps it): `host:port` or an object
 * that has both.
 */
export type ReplicaChoice = string | Endpoint;

/** A server may be slow; there is no other to go to. */
const STALL_MS = 15_000;
/** An overloaded server wants to be asked again after this. */
const OVERLOADED_MS = 300;

/** Reads a choice. Throws with the code `ERR_INVALID_ARG_VALUE` where it is none. */
export function parseReplica(replica: ReplicaChoice | undefined): Endpoint | undefined {
  if (replica === undefined) return undefined;
  const [, host, port] =
    /^([^:\s]+):(\d{1,5})$/.exec(typeof replica === 'string' ? replica : endpointText(replica)) ?? [];
  if (host === undefined || port === undefined) {
    throw new MooseFSError(
      `the option replica takes host:port or an object with host and port, not ${JSON.stringify(replica)}`,
      { code: 'ERR_INVALID_ARG_VALUE' },
    );
  }
  return { host, port: Number(port) };
}

/** Fills `into` from one replica; holes are zeros. Rejects with an error that names the replica. */
export async function readChosenReplica(volume: Volume, request: ChunkReadRequest, replica: Endpoint): Promise<void> {
  const { into, deadline, site, index } = request;
  const peer = endpointText(replica);
  for (let fresh = false; ; fresh = true) {
    const location = await request.locate(fresh);
    if (location.kind === 'hole') {
      into.fill(0);
      return;
    }
    if (location.kind === 'parts') {
      throw fsError('ENOTSUP', site, { detail: `chunk ${index} is erasure-coded: ${peer} has no replica of it`, peer });
    }
    const server = location.servers.find((each) => addressText(each) === peer);
    if (server === undefined) {
      // What was known may be old.
      if (!fresh) continue;
      const detail = `${peer} has no replica of chunk ${index}; these have: ${location.servers.map(addressText).join(', ')}`;
      throw fsError('ENXIO', site, { detail, peer });
    }
    const { chunkId, chunkVersion } = location;
    const { error } = await readReplica(
      volume,
      server,
      { chunkId, chunkVersion, offset: request.offset, into },
      { deadline, stallMs: STALL_MS },
    );
    if (error === undefined) {
      request.served?.({ chunk: index, chunkId, server, bytes: into.length });
      return;
    }
    if (error.name === 'AbortError') throw error;
    const status = error instanceof StatusError ? error.status : undefined;
    if (status === Status.NOTDONE && deadline.remainingMs > OVERLOADED_MS) {
      await deadline.sleep(OVERLOADED_MS, `reading from ${peer}`);
    } else if (fresh || (status !== Status.WRONGVERSION && status !== Status.NOCHUNK)) {
      throw cannotRead(request, peer, error);
    }
  }
}

function cannotRead({ site, index }: ChunkReadRequest, peer: string, error: MooseFSError): MooseFSError {
  const detail = `chunk ${index} cannot be read from its replica on ${peer}: ${error.message}`;
  return fsError('EIO', site, { cause: error, detail, peer, retryable: error.retryable });
}
