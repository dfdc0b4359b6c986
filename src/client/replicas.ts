/** Which replica to use: an order over the servers of a chunk, and a memory of those that failed lately. */
import { networkInterfaces } from 'node:os';
import { addressKey, ipNumber, ipText } from '../protocol/address.ts';
import type { Address } from '../protocol/address.ts';
import type { Endpoint } from '../transport/tcp.ts';

/** A chunkserver as the master lists it. */
export interface Server extends Address {
  /** The server's version on the wire. */
  readonly version: number;
  /** Bit 0 is label A. */
  readonly labels: number;
}

/** A server that failed is put last for this long; a master drops one that is silent after 10 s. */
const SUSPECT_MS = 12_000;

/** More operations of ours than this at one server make no difference any more. */
const MOST_RUNNING = 2 ** 20;

/** What makes a replica near. */
export interface Nearness {
  /** Masks of labels, the most wanted first; a server that has all labels of a mask matches. */
  readonly preferLabels: readonly number[];
  /** Addresses of this machine. */
  readonly ownAddresses: ReadonlySet<number>;
}

/** What this client knows of the chunkservers it works with. */
export class Replicas {
  readonly #near: Nearness;
  readonly #dial: (address: Endpoint) => Endpoint;
  readonly #suspectUntil = new Map<number, number>();
  /** Operations of ours at each server that was ever used. */
  readonly #running = new Map<number, { count: number }>();
  readonly #endpoints = new Map<number, Endpoint>();

  constructor(dial: (address: Endpoint) => Endpoint, near: Nearness = { preferLabels: [], ownAddresses: new Set() }) {
    this.#dial = dial;
    this.#near = near;
  }

  /** Where to connect for a server: its own address, or what the user's mapping makes of it. */
  endpoint(server: Address): Endpoint {
    const key = addressKey(server);
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined)
      this.#endpoints.set(key, (endpoint = Object.freeze({ host: ipText(server.ip), port: server.port })));
    return this.#dial(endpoint);
  }

  /** Servers that did not fail lately first, then those with the fewest operations of ours; otherwise the master's order. */
  order<S extends Address>(servers: readonly S[]): S[] {
    return byRank(servers, (server) => (this.isSuspect(server) ? 1e6 : 0) + this.running(server));
  }

  /**
   * The replica to read from first: servers that did not fail lately; of these the ones with preferred labels; then those on this
   * machine; then those with the fewest operations of ours; otherwise in the master's order, which is by distance.
   */
  orderForReading(servers: readonly Server[]): Server[] {
    return byRank(servers, (server) => this.#rank(server));
  }

  /** What counts first has the greatest weight: a suspect, its place among the preferred labels, another machine, what it has to do. */
  #rank(server: Server): number {
    const { preferLabels, ownAddresses } = this.#near;
    const label = preferLabels.findIndex((mask) => (server.labels & mask) === mask);
    const place = label < 0 ? preferLabels.length : label;
    const nearness = (this.isSuspect(server) ? 2 ** 12 : 0) + 2 * place + (ownAddresses.has(server.ip) ? 0 : 1);
    return nearness * MOST_RUNNING + Math.min(this.running(server), MOST_RUNNING - 1);
  }

  failed(server: Address): void {
    this.#suspectUntil.set(addressKey(server), performance.now() + SUSPECT_MS);
  }

  succeeded(server: Address): void {
    if (this.#suspectUntil.size > 0) this.#suspectUntil.delete(addressKey(server));
  }

  isSuspect(server: Address): boolean {
    if (this.#suspectUntil.size === 0) return false;
    const until = this.#suspectUntil.get(addressKey(server));
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.#suspectUntil.delete(addressKey(server));
    return false;
  }

  /** Counts an operation as running on a server until the returned function is called. */
  begin(server: Address): () => void {
    const key = addressKey(server);
    const running = this.#running.get(key) ?? { count: 0 };
    if (running.count === 0) this.#running.set(key, running);
    running.count++;
    return () => {
      running.count--;
    };
  }

  running(server: Address): number {
    return this.#running.get(addressKey(server))?.count ?? 0;
  }
}

/** The lowest rank first, the others of one rank as they came. Two or three are put in place sooner than `sort` has begun. */
function byRank<S>(servers: readonly S[], rank: (server: S) => number): S[] {
  if (servers.length < 2) return [...servers];
  const sorted: S[] = [];
  const ranks: number[] = [];
  for (const server of servers) {
    const own = rank(server);
    let at = sorted.length;
    for (; at > 0 && ranks[at - 1]! > own; at--) {
      sorted[at] = sorted[at - 1]!;
      ranks[at] = ranks[at - 1]!;
    }
    sorted[at] = server;
    ranks[at] = own;
  }
  return sorted;
}

/** The IPv4 addresses of this machine. */
export function ownAddresses(): Set<number> {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return new Set(all.filter(({ family }) => family === 'IPv4').map(({ address }) => ipNumber(address)));
}
