/**
 * Who holds the parts of one erasure-coded chunk: what READ_CHUNK lists (a server for each data part), what CHECK tells beside
 * it (the checksum part, second holders of a part), and what turned out to be wrong. Lives as long as the location it belongs to.
 */
import { MooseFSError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { firstPartCode } from '../protocol/geometry.ts';
import * as messages from '../protocol/messages/chunk.ts';
import type { DataParts } from '../protocol/parity.ts';
import { Status } from '../protocol/status.ts';
import { since } from '../protocol/version.ts';
import type { CallContext } from './nodes.ts';
import type { Server } from './replicas.ts';
import type { Session } from './session.ts';

/** Erasure coding, and the packets that tell of parts. */
export const ERASURE_CODING = since('4.26.0');

/** A chunk whose parts are known, by which it can be read. */
export interface PartsLocation {
  readonly kind: 'parts';
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  readonly holders: PartHolders;
}

/** What CHECK says of one chunk. */
interface CheckedChunk {
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  readonly parts: readonly { readonly partCode: number; readonly server: Server }[];
}

/** Bit 31 of a chunk's version in CHECK: lost, reads as zeros. */
const LOST_BIT = 0x8000_0000;

/** See above. Parts are numbered 0 to `dataParts` - 1; `dataParts` is the checksum part. */
export class PartHolders {
  readonly dataParts: DataParts;
  readonly #servers = new Map<number, Server[]>();
  readonly #bad = new Set<string>();
  #checked: Promise<void> | undefined;

  constructor(dataParts: DataParts) {
    this.dataParts = dataParts;
  }

  /** The holders as READ_CHUNK lists them: 4 or 8 servers, in the order of the data parts. */
  static listed(servers: readonly Server[]): PartHolders {
    if (servers.length !== 4 && servers.length !== 8) {
      throw new MooseFSError(`an erasure-coded chunk with ${servers.length} data parts`, { code: 'EPROTO' });
    }
    const holders = new PartHolders(servers.length);
    servers.forEach((server, part) => holders.add(part, server));
    return holders;
  }

  add(part: number, server: Server): void {
    // An entry without an address is unusable.
    if (server.ip === 0 || server.port === 0) return;
    const known = this.#servers.get(part) ?? [];
    if (known.some((each) => addressText(each) === addressText(server))) return;
    this.#servers.set(part, [...known, server]);
  }

  /** Servers that should have a part, without those that proved not to. */
  of(part: number): Server[] {
    return (this.#servers.get(part) ?? []).filter((server) => !this.#bad.has(nameOf(part, server)));
  }

  /** A server has not got the part, or a damaged one. */
  markBad(part: number, server: Server): void {
    this.#bad.add(nameOf(part, server));
  }

  /** How many different parts somebody holds: `dataParts` of them are enough to read. */
  get held(): number {
    return Array.from({ length: this.dataParts + 1 }, (_, part) => this.of(part)).filter(({ length }) => length > 0)
      .length;
  }

  /** Asks CHECK once for all parts of this chunk. A failure only means that nothing more is known. */
  async complete(session: Session, location: PartsLocation, at: ChunkPlace): Promise<void> {
    this.#checked ??= checkParts(session, at).then((checked) => {
      if (checked?.chunkId !== location.chunkId || checked.chunkVersion !== location.chunkVersion) return;
      this.#take(checked);
    });
    await this.#checked.catch((error: unknown) => {
      this.#checked = undefined;
      if (at.deadline.expired || at.deadline.signal?.aborted === true) throw error;
    });
  }

  #take({ parts }: CheckedChunk): void {
    const first = firstPartCode(this.dataParts);
    for (const { partCode, server } of parts) {
      if (partCode >= first && partCode <= first + this.dataParts) this.add(partCode - first, server);
    }
  }

  /** The location of a chunk for which READ_CHUNK lists nobody, where enough parts of it are left. */
  static async find(session: Session, at: ChunkPlace): Promise<PartsLocation | undefined> {
    const checked = await checkParts(session, at);
    if (checked === undefined) return undefined;
    const { chunkId, chunkVersion } = checked;
    for (const dataParts of [8, 4] as const) {
      const holders = new PartHolders(dataParts);
      holders.#take(checked);
      if (holders.held >= dataParts) return { kind: 'parts', chunkId, chunkVersion, holders };
    }
    return undefined;
  }
}

/** Which chunk of which file, and how long its question may take. */
export interface ChunkPlace extends CallContext {
  readonly inode: number;
  readonly index: number;
}

const nameOf = (part: number, server: Server): string => `${part}@${addressText(server)}`;

/** Every valid part of a chunk; undefined where the master has no parts to tell of. */
async function checkParts(
  session: Session,
  { inode, index, ...context }: ChunkPlace,
): Promise<CheckedChunk | undefined> {
  if (!ERASURE_CODING.includes(session.version)) return undefined;
  const { status, value } = await session.tryCall(
    messages.checkChunk,
    { mode: messages.CHECK_WITH_PARTS, inode, chunkIndex: index },
    context,
  );
  if (status !== Status.OK || value?.parts === undefined) return undefined;
  const { valid, markedForRemoval } = messages.ReplicaState;
  return {
    chunkId: value.chunkId,
    chunkVersion: (value.chunkVersion & ~LOST_BIT) >>> 0,
    parts: value.parts
      .filter(({ state }) => state === valid || state === markedForRemoval)
      .map(({ partCode, ip, port }) => ({ partCode, server: { ip, port, version: 0, labels: 0 } })),
  };
}
