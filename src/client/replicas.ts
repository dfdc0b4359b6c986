/** Which replica to use: an order over the servers of a chunk, and a memory of those that failed lately. */
import { networkInterfaces } from 'node:os';
import { addressText, ipNumber, ipText } from '../protocol/address.ts';
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
  readonly #suspectUntil = new Map<string, number>();
  readonly #running = new Map<string, number>();

  constructor(dial: (address: Endpoint) => Endpoint, near: Nearness = { preferLabels: [], ownAddresses: new Set() }) {
    this.#dial = dial;
    this.#near = near;
  }

  /** Where to connect for a server: its own address, or what the user's mapping makes of it. */
  endpoint({ ip, port }: Address): Endpoint {
    return this.#dial({ host: ipText(ip), port });
  }

  /** Servers that did not fail lately first, then those with the fewest operations of ours; otherwise the master's order. */
  order<S extends Address>(servers: readonly S[]): S[] {
    const rank = new Map(servers.map((server) => [server, (this.isSuspect(server) ? 1e6 : 0) + this.running(server)]));
    return [...servers].sort((a, b) => rank.get(a)! - rank.get(b)!);
  }

  /**
   * The replica to read from first: servers that did not fail lately; of these the ones with preferred labels; then those on this
   * machine; then those with the fewest operations of ours; otherwise in the master's order, which is by distance.
   */
  orderForReading(servers: readonly Server[]): Server[] {
    if (servers.length < 2) return [...servers];
    const ranks = new Map(servers.map((server) => [server, this.#rank(server)]));
    return [...servers].sort((a, b) => {
      const [left, right] = [ranks.get(a)!, ranks.get(b)!];
      const at = left.findIndex((value, i) => value !== right[i]);
      return at < 0 ? 0 : left[at]! - right[at]!;
    });
  }

  #rank(server: Server): number[] {
    const { preferLabels, ownAddresses } = this.#near;
    const label = preferLabels.findIndex((mask) => (server.labels & mask) === mask);
    return [
      this.isSuspect(server) ? 1 : 0,
      label < 0 ? preferLabels.length : label,
      ownAddresses.has(server.ip) ? 0 : 1,
      this.running(server),
    ];
  }

  failed(server: Address): void {
    this.#suspectUntil.set(addressText(server), performance.now() + SUSPECT_MS);
  }

  succeeded(server: Address): void {
    if (this.#suspectUntil.size > 0) this.#suspectUntil.delete(addressText(server));
  }

  isSuspect(server: Address): boolean {
    const until = this.#suspectUntil.get(addressText(server));
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.#suspectUntil.delete(addressText(server));
    return false;
  }

  /** Counts an operation as running on a server until the returned function is called. */
  begin(server: Address): () => void {
    const key = addressText(server);
    this.#running.set(key, (this.#running.get(key) ?? 0) + 1);
    return () => {
      const left = this.#running.get(key)! - 1;
      if (left > 0) this.#running.set(key, left);
      else this.#running.delete(key);
    };
  }

  running(server: Address): number {
    return this.#running.get(addressText(server)) ?? 0;
  }
}

/** The IPv4 addresses of this machine. */
export function ownAddresses(): Set<number> {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return new Set(all.filter(({ family }) => family === 'IPv4').map(({ address }) => ipNumber(address)));
}
