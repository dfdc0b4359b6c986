/**
 * Reads a range of one chunk: from the best replica, going on with another from the last good byte when one fails, or from the
 * parts of an erasure-coded one. When all fail the master is asked again where it lies.
 */
import createDebug from 'debug';
import { ConnectionError, MooseFSError, ProtocolError, StatusError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { Status } from '../protocol/status.ts';
import { Backoff } from '../transport/backoff.ts';
import type { Deadline } from '../transport/deadline.ts';
import type { ChunkLocation, CopiesLocation } from './chunk-locations.ts';
import type { PartsLocation } from './chunk-parts.ts';
import { readFromParts } from './chunk-parts-read.ts';
import { fsError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { hedged } from './hedged-read.ts';
import { readTraced } from './replica-read.ts';
import type { Server } from './replicas.ts';
import type { Service } from './served-by.ts';
import type { Volume } from './volume.ts';

const debug = createDebug('moosefs:read');

/** An overloaded server says so; it wants to be asked again after this. */
const OVERLOADED_MS = 300;
/** Pauses between rounds over all replicas. */
const ROUND = { firstMs: 20, factor: 2, maxMs: 1000 };

/** A range to read. */
export interface ChunkReadRequest {
  readonly inode: number;
  /** The path by which the file was opened, for events. */
  readonly path?: string | undefined;
  /** Index of the chunk in the file. */
  readonly index: number;
  /** Offset in the chunk. */
  readonly offset: number;
  readonly into: Uint8Array;
  readonly deadline: Deadline;
  readonly site: CallSite;
  /** Where the chunk lies; asked again, with `fresh`, when all known servers failed. */
  readonly locate: (fresh: boolean) => Promise<ChunkLocation>;
  /** The chunk was read without one of its parts: the master may know more soon. */
  readonly refresh?: () => void;
  /** Told who gave what. */
  readonly served?: ((service: Service) => void) | undefined;
}

/** How far one round over all that have the chunk got. */
interface RoundOutcome {
  /** Bytes at the start of the range that are there now. */
  readonly verified: number;
  readonly error: MooseFSError | undefined;
}

/** Fills `into`; the part of it that lies in a hole is zeros. */
export async function readChunkRange(volume: Volume, request: ChunkReadRequest): Promise<void> {
  const { into, deadline, site } = request;
  const rounds = new Backoff(ROUND);
  let done = 0;
  for (let fresh = false; ; fresh = true) {
    const location = await request.locate(fresh);
    if (location.kind === 'hole') {
      into.fill(0, done);
      return;
    }
    const rest = done === 0 ? request : { ...request, offset: request.offset + done, into: into.subarray(done) };
    const { verified, error } =
      location.kind === 'parts'
        ? await readParts(volume, location, rest, rounds.tries)
        : await readCopies(volume, location, rest, rounds.tries);
    done += verified;
    if (error === undefined) return;
    const pause = error instanceof StatusError && error.status === Status.NOTDONE ? OVERLOADED_MS : rounds.next();
    if (pause >= deadline.remainingMs) throw giveUp(request, error, site);
    await deadline.sleep(pause, `reading chunk ${request.index}`);
  }
}

/** From the copies, the best first; where the user wants that, from two of them when the best is slow. */
async function readCopies(
  volume: Volume,
  location: CopiesLocation,
  request: ChunkReadRequest,
  round: number,
): Promise<RoundOutcome> {
  const ordered = volume.replicas.orderForReading(location.servers);
  const stallMs = stallLimit(volume, round, ordered.length);
  const { hedgeMs } = volume.settings.read;
  const [best, ...others] = ordered;
  if (hedgeMs === 0 || best === undefined || others.length === 0)
    return readInOrder(volume, location, ordered, request, stallMs);
  return hedged(
    request,
    hedgeMs,
    (lane) => readInOrder(volume, location, ordered, { ...request, ...lane }, stallMs),
    (lane) => readInOrder(volume, location, [...others, best], { ...request, ...lane }, stallMs),
  );
}

/** One copy after another, each going on where the one before it failed. */
async function readInOrder(
  volume: Volume,
  { chunkId, chunkVersion }: CopiesLocation,
  ordered: readonly Server[],
  request: ChunkReadRequest,
  stallMs: number,
): Promise<RoundOutcome> {
  const { offset, into, deadline } = request;
  let verified = 0;
  let error: MooseFSError | undefined;
  for (const server of ordered) {
    const range = {
      chunkId,
      chunkVersion,
      offset: offset + verified,
      into: verified === 0 ? into : into.subarray(verified),
    };
    const outcome = await readTraced(volume, request, server, range, { deadline, stallMs });
    verified += outcome.verified;
    request.served?.({ chunk: request.index, chunkId, server, bytes: outcome.verified });
    error = outcome.error;
    if (error === undefined) break;
    if (deadline.signal?.aborted === true) deadline.check(`reading chunk ${request.index}`);
    // That there was no time left says nothing about the server.
    if (deadline.expired) break;
    replicaFailed(volume, request, { chunkId, server, part: undefined }, error);
  }
  // Built only when it is needed: an error on the way of every read costs more than the rest of the loop.
  if (ordered.length === 0) error = new ConnectionError('nobody has it', { code: 'ENXIO', retryable: true });
  return { verified, error };
}

/** From the parts of an erasure-coded chunk, all or nothing. */
async function readParts(
  volume: Volume,
  location: PartsLocation,
  request: ChunkReadRequest,
  round: number,
): Promise<RoundOutcome> {
  const { chunkId } = location;
  const { error, rebuilt, served } = await readFromParts(volume, location, {
    ...request,
    stallMs: stallLimit(volume, round, location.holders.dataParts),
    partFailed: (server, part, failure) => replicaFailed(volume, request, { chunkId, server, part }, failure),
  });
  if (rebuilt.length > 0) request.refresh?.();
  if (error === undefined) for (const each of served) request.served?.({ chunk: request.index, chunkId, ...each });
  return { verified: error === undefined ? request.into.length : 0, error };
}

/** The first round leaves a silent server early, since another replica costs nothing; later ones wait for slow disks. */
function stallLimit(volume: Volume, round: number, replicas: number): number {
  const base = volume.settings.read.stallMs;
  return round === 0 && replicas > 1 ? base : base * Math.min(15, 3 * (round + 1));
}

function giveUp({ index }: ChunkReadRequest, failure: unknown, site: CallSite): MooseFSError {
  const detail = `chunk ${index} could be read from no replica; the last said: ${failure instanceof Error ? failure.message : String(failure)}`;
  return fsError('EIO', site, {
    cause: failure,
    detail,
    retryable: true,
    ...(failure instanceof MooseFSError && failure.peer !== undefined && { peer: failure.peer }),
  });
}

function replicaFailed(
  volume: Volume,
  request: ChunkReadRequest,
  { chunkId, server, part }: { chunkId: bigint; server: Server; part: number | undefined },
  error: MooseFSError,
): void {
  debug('chunk %s at %s: %s', chunkId.toString(16), addressText(server), error.message);
  const status = error instanceof StatusError ? error.status : undefined;
  if (status === Status.NOTDONE) return;
  volume.replicas.failed(server);
  if (status === undefined && !(error instanceof ProtocolError)) return;
  volume.events.emit('replicaFault', {
    path: request.path ?? request.site.path,
    inode: request.inode,
    chunk: request.index,
    chunkId,
    ...(part !== undefined && { part }),
    server: addressText(server),
    error,
  });
}
