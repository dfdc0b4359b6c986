/** Which chunkservers the bytes came from that were read by one handle. */
import { addressText } from '../protocol/address.ts';
import type { Server } from './replicas.ts';
import { labelsOf } from './replica-info.ts';

/** What one chunkserver gave of one chunk. */
export interface ServedBy {
  /** Index of the chunk in the file. */
  readonly chunk: number;
  readonly chunkId: bigint;
  /** The chunkserver, `host:port`, as the master names it. */
  readonly server: string;
  /** Its labels, `A` to `Z`, where the master told them. */
  readonly labels: readonly string[];
  /** Of an erasure-coded chunk: the number of the part; the checksum part, which a missing one is rebuilt from, comes last. */
  readonly part: number | undefined;
  readonly bytes: number;
}

/** One piece that came. */
export interface Service {
  /** Index of the chunk in the file. */
  readonly chunk: number;
  readonly chunkId: bigint;
  readonly server: Server;
  readonly part?: number;
  readonly bytes: number;
}

/** Adds up what came from whom. */
export class ServedLog {
  readonly #entries = new Map<string, { -readonly [K in keyof ServedBy]: ServedBy[K] }>();

  readonly add = ({ chunk, chunkId, server, part, bytes }: Service): void => {
    if (bytes === 0) return;
    const address = addressText(server);
    const key = `${chunk} ${chunkId} ${part} ${address}`;
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.bytes += bytes;
    else this.#entries.set(key, { chunk, chunkId, server: address, labels: labelsOf(server.labels), part, bytes });
  };

  /** In the order of the file's chunks. */
  get entries(): ServedBy[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry })).sort((a, b) => a.chunk - b.chunk);
  }
}
