/** Where the chunks of one open file lie: asked of the master, kept until it says otherwise. */
import * as messages from '../protocol/messages/chunk.ts';
import { Status } from '../protocol/status.ts';
import { Backoff } from '../transport/backoff.ts';
import { Deadline } from '../transport/deadline.ts';
import { PartHolders } from './chunk-parts.ts';
import type { PartsLocation } from './chunk-parts.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import type { Server } from './replicas.ts';
import type { Session } from './session.ts';

/** A chunk as READ_CHUNK tells it. */
export type ChunkLocation = { readonly kind: 'hole' } | PartsLocation | CopiesLocation;

/** A chunk of which each of these servers has the whole. */
export interface CopiesLocation {
  readonly kind: 'copies';
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  readonly servers: readonly Server[];
}

/** Pauses while a chunk has no server: they come back in about a second. */
const NO_SERVER = { firstMs: 50, factor: 2, maxMs: 1000 };

/** A chunk with a missing part is asked after no more often: the master mends it by itself. */
const REFRESH_MS = 1000;
/** How long the master may take to answer that. */
const REFRESH_TIMEOUT_MS = 35_000;

/** How a location is asked for. */
export interface LocateOptions {
  readonly deadline: Deadline;
  readonly site: CallSite;
  /** Told whenever the master says how long the file is. */
  readonly onLength?: (length: number) => void;
}

/** The locations of one file's chunks. Kept only while the file is open: the master tells changes of nothing else. */
export class ChunkLocations {
  readonly #session: Session;
  readonly #inode: number;
  readonly #known = new Map<number, ChunkLocation>();
  readonly #refreshedAt = new Map<number, number>();
  #generation = 0;

  constructor(session: Session, inode: number) {
    this.#session = session;
    this.#inode = inode;
  }

  /** Grows with everything that is forgotten. */
  get generation(): number {
    return this.#generation;
  }

  /** What is known without asking. */
  peek(index: number): ChunkLocation | undefined {
    return this.#known.get(index);
  }

  /** Where a chunk lies. Waits while the master knows no server for it. */
  async find(index: number, options: LocateOptions): Promise<ChunkLocation> {
    const known = this.#known.get(index);
    if (known !== undefined) return known;
    const { deadline, site } = options;
    const backoff = new Backoff(NO_SERVER);
    for (;;) {
      const generation = this.#generation;
      const location = await this.#ask(index, options);
      if (isUsable(location)) {
        // A push may have come between the request and its reply.
        if (generation === this.#generation) this.#known.set(index, location);
        return location;
      }
      // Parts may be left, enough to read by them while the master mends the chunk; not kept, for it will soon say more.
      const parts = await PartHolders.find(this.#session, { inode: this.#inode, index, deadline, site });
      if (parts !== undefined) return parts;
      const pause = backoff.next();
      if (pause >= deadline.remainingMs) {
        throw fsError('ENXIO', site, {
          detail: `no connected chunkserver has chunk ${index} (${location.kind === 'hole' ? '' : location.chunkId.toString(16)})`,
          retryable: true,
        });
      }
      await deadline.sleep(pause, 'waiting for a chunkserver');
    }
  }

  /** Asks again, in the background, for a chunk that is read without one of its parts: what is known stays until more is. */
  refresh(index: number, site: CallSite): void {
    const now = performance.now();
    if (now - (this.#refreshedAt.get(index) ?? -Infinity) < REFRESH_MS) return;
    this.#refreshedAt.set(index, now);
    const generation = this.#generation;
    this.#ask(index, { deadline: Deadline.in(REFRESH_TIMEOUT_MS), site }).then(
      (location) => {
        if (generation === this.#generation && isUsable(location)) this.#known.set(index, location);
      },
      () => undefined,
    );
  }

  async #ask(index: number, { deadline, site, onLength }: LocateOptions): Promise<ChunkLocation> {
    const { status, value: reply } = await this.#session.tryCall(
      messages.readChunk,
      { inode: this.#inode, chunkIndex: index, flags: 0 },
      { deadline, site, patient: true },
    );
    // The inode or the chunk is gone: the descriptor is stale, as the official client says too.
    if (status === Status.ENOENT || status === Status.NOCHUNK)
      throw fsError('EBADF', site, { detail: 'the file does not exist any more' });
    if (reply === undefined) throw statusError(status, site, messages.readChunk.name);
    onLength?.(reply.length);
    return locationOf(reply);
  }

  /** Takes what a LOOKUP told of chunk 0. */
  learn(index: number, location: ChunkLocation): void {
    if (isUsable(location)) this.#known.set(index, location);
  }

  /** Forgets one chunk, or with `from` that and all later ones. */
  forget(index: number, { andLater = false } = {}): void {
    this.#generation++;
    if (!andLater) this.#known.delete(index);
    else for (const each of [...this.#known.keys()]) if (each >= index) this.#known.delete(each);
  }

  forgetAll(): void {
    this.#generation++;
    this.#known.clear();
  }
}

/** Not so: the master knows the chunk and nobody who has it. */
function isUsable(location: ChunkLocation): boolean {
  return location.kind !== 'copies' || location.servers.length > 0;
}

/** Reads the answer of READ_CHUNK, or the tail of a LOOKUP. */
export function locationOf(reply: {
  protocol: number;
  chunkId: bigint;
  chunkVersion: number;
  servers: readonly Server[];
}): ChunkLocation {
  const { protocol, chunkId, chunkVersion } = reply;
  if (chunkId === 0n) return { kind: 'hole' };
  if (protocol === messages.LocationProtocol.parts) {
    return { kind: 'parts', chunkId, chunkVersion, holders: PartHolders.listed(reply.servers) };
  }
  // An entry without an address is unusable.
  return {
    kind: 'copies',
    chunkId,
    chunkVersion,
    servers: reply.servers.filter(({ ip, port }) => ip !== 0 && port !== 0),
  };
}
