/** Which chunkservers the bytes came from that were read by one handle. */
import { addressKey, addressText } from '../protocol/address.ts';
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
  readonly part?: number | undefined;
  readonly bytes: number;
}

/** Adds up what came from whom. */
export class ServedLog {
  /** By chunk: one for each server and part, and few of these. */
  readonly #services = new Map<number, { -readonly [K in keyof Service]: Service[K] }[]>();

  readonly add = ({ chunk, chunkId, server, part, bytes }: Service): void => {
    if (bytes === 0) return;
    let services = this.#services.get(chunk);
    if (services === undefined) this.#services.set(chunk, (services = []));
    const key = addressKey(server);
    const known = services.find(
      (each) => addressKey(each.server) === key && each.part === part && each.chunkId === chunkId,
    );
    if (known !== undefined) known.bytes += bytes;
    else services.push({ chunk, chunkId, server, part, bytes });
  };

  /** In the order of the file's chunks. */
  get entries(): ServedBy[] {
    const all = [...this.#services.values()].flat().sort((a, b) => a.chunk - b.chunk);
    return all.map(({ chunk, chunkId, server, part, bytes }) => ({
      chunk,
      chunkId,
      server: addressText(server),
      labels: labelsOf(server.labels),
      part,
      bytes,
    }));
  }
}
