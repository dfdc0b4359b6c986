/**
 * Sees from outside what the master makes of a fault: when it drops a chunkserver, when it is back itself. It asks for the list of
 * chunkservers over connections of its own, every few hundredths of a second, so that a wait of the client can be told from the master's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../cluster/address.ts';
import type { Address } from '../cluster/address.ts';
import { listChunkservers } from '../cluster/probe.ts';

const EVERY_MS = 20;
/** A master that is away is asked again after this. */
const ANSWER_MS = 250;

/** Whom to watch. */
export interface Watched {
  readonly master: Address;
  readonly masterVersion: number;
  /** `host:port` of the chunkserver that the fault hits; undefined where it hits the master. */
  readonly victim: string | undefined;
  /** The servers of the chunk. */
  readonly chain: readonly string[];
}

/** Begins to watch when it is made. Times are those of `performance.now()`. */
export class Witness {
  /** When the master was first seen without the victim, or first did not answer. */
  goneAt: number | undefined;
  /** When the master, after that, was first seen with all servers of the chunk. */
  backAt: number | undefined;
  readonly #watched: Watched;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#running = this.#run();
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { victim, chain } = this.#watched;
    while (!this.#over.signal.aborted && this.backAt === undefined) {
      const connected = await this.#look();
      const now = performance.now();
      const isGone = victim === undefined ? connected === undefined : connected?.has(victim) === false;
      if (this.goneAt === undefined) this.goneAt = isGone ? now : undefined;
      else if (connected !== undefined && chain.every((server) => connected.has(server))) this.backAt = now;
      await sleep(EVERY_MS);
    }
  }

  /** The chunkservers that the master is connected to; undefined when it does not answer. */
  async #look(): Promise<ReadonlySet<string> | undefined> {
    const { master, masterVersion } = this.#watched;
    try {
      const list = await listChunkservers(master, masterVersion, ANSWER_MS);
      return new Set(list.filter(({ connected }) => connected).map(formatAddress));
    } catch {
      return undefined;
    }
  }
}
