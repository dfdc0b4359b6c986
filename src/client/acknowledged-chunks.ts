/**
 * What was acknowledged of the chunks of an open file, to be held against what the master says after it was lost.
 *
 * A master writes its log of changes in the background (CHANGELOG_SAVE_MODE 0, the default). One that is killed comes back without
 * the last of them, though it has answered each. Of a chunk that was written to just before
 *
 *     its version is an older one   servers that had fallen away before have that one, and are the valid ones now; the bytes that
 *                                   the others acknowledged since are thrown away
 *     it is not there at all        WRITE_CHUNK makes another one in its place, without the bytes
 *     its end is not known          the file is shorter, and the chunk locked by a writer who has unlocked it
 *
 * So nothing that was acknowledged shortly before the connection was lost counts until the master has been asked once more.
 */
import { addressText } from '../protocol/address.ts';
import { CHUNK_SIZE } from '../protocol/geometry.ts';
import type { Server } from './replicas.ts';
import type { Connected, Session } from './session.ts';

/** What is older than this when the master goes is in its log. It takes milliseconds; a busy machine may take longer. */
const FORGETS_MS = 30_000;

/** WRITE_CHUNK's answer. */
export interface ChunkGrant {
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  /** Of the file. */
  readonly length: number;
  readonly servers: readonly Server[];
  /** The connection by which it came. */
  readonly connected: Connected;
  /** How often chunkservers had come and gone when it was asked for. */
  readonly serverChanges: number;
}

interface Acknowledged {
  readonly grant: ChunkGrant;
  /** Where its last byte ends in the file. */
  readonly end: number;
  at: number;
}

/** See the head of this file. Indices are those of chunks in the file. */
export class AcknowledgedChunks {
  readonly #session: Session;
  readonly #granted = new Map<number, ChunkGrant>();
  /** Servers that had a chunk and were not in a later grant. */
  readonly #former = new Map<number, Set<string>>();
  readonly #acknowledged = new Map<number, Acknowledged>();
  /** Nothing is in doubt while this connection lasts. */
  #certainIn: Connected | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Nothing was acknowledged. */
  get isEmpty(): boolean {
    return this.#acknowledged.size === 0;
  }

  /** The chunk is locked for us. */
  granted(index: number, grant: ChunkGrant): void {
    const before = this.#granted.get(index);
    this.#granted.set(index, grant);
    const gone = before?.servers
      .map(addressText)
      .filter((each) => !grant.servers.some((server) => addressText(server) === each));
    if (gone === undefined || gone.length === 0) return;
    this.#former.set(index, new Set([...(this.#former.get(index) ?? []), ...gone]));
  }

  /** Servers that have had the chunk, `host:port`: those of the last grant, and others before them. */
  holders(index: number): Set<string> {
    const last = this.#granted.get(index)?.servers.map(addressText) ?? [];
    return new Set([...last, ...(this.#former.get(index) ?? [])]);
  }

  /** The last grant of a chunk, whatever came of it. */
  lastGrant(index: number): ChunkGrant | undefined {
    return this.#granted.get(index);
  }

  /** Who has each chunk since it was written to, in the order of the file. */
  get replication(): { readonly chunk: number; readonly chunkId: bigint; readonly servers: readonly string[] }[] {
    return [...this.#granted]
      .sort(([a], [b]) => a - b)
      .map(([chunk, { chunkId, servers }]) => ({ chunk, chunkId, servers: servers.map(addressText) }));
  }

  /** All these servers have acknowledged bytes, the last of which ends at `end` in the file; the master is about to be told. */
  acknowledged(index: number, grant: ChunkGrant, end: number): void {
    const before = this.#acknowledged.get(index)?.end ?? 0;
    this.#acknowledged.set(index, { grant, end: Math.max(before, end), at: performance.now() });
    if (grant.connected !== this.#session.connected) this.#certainIn = undefined;
  }

  /** The master has answered that it knows. */
  committed(index: number): void {
    const known = this.#acknowledged.get(index);
    if (known !== undefined) known.at = performance.now();
  }

  /** The file was cut to this length: what is behind it is not expected any more. */
  cut(length: number): void {
    for (const [index, { grant, end, at }] of this.#acknowledged) {
      if (index * CHUNK_SIZE >= length) this.#acknowledged.delete(index);
      else if (end > length) this.#acknowledged.set(index, { grant, end: length, at });
    }
  }

  /** What was acknowledged of this chunk is lost, and that was told. */
  forget(index: number): void {
    this.#acknowledged.delete(index);
  }

  /** Chunks of which the master may have forgotten something, and where the bytes of each end in the file. */
  inDoubt(): { readonly index: number; readonly end: number }[] {
    const { connected } = this.#session;
    const isConnected = connected.lostAt === undefined;
    if (isConnected && this.#certainIn === connected) return [];
    const found = [...this.#acknowledged].filter(([index]) => this.isInDoubt(index));
    if (isConnected && found.length === 0) this.#certainIn = connected;
    return found.map(([index, { end }]) => ({ index, end }));
  }

  /** Whether the connection was lost since, or shortly after, the chunk was acknowledged. */
  isInDoubt(index: number): boolean {
    const known = this.#acknowledged.get(index);
    const lostAt = known?.grant.connected.lostAt;
    return known !== undefined && lostAt !== undefined && known.at > lostAt - FORGETS_MS;
  }

  /** The chunk's id as it was acknowledged. */
  idOf(index: number): bigint | undefined {
    return this.#acknowledged.get(index)?.grant.chunkId;
  }

  /** How long the master must know the file to be, by this chunk. */
  endOf(index: number): number {
    return this.#acknowledged.get(index)?.end ?? 0;
  }

  /** The master has been asked, by this connection, and knows of everything that was acknowledged of the chunk. */
  confirmed(index: number, connected: Connected): void {
    const known = this.#acknowledged.get(index);
    if (known !== undefined) this.#acknowledged.set(index, { ...known, grant: { ...known.grant, connected } });
  }

  /** Why what was acknowledged of a chunk is not in the one that the master has now; undefined where it is. */
  whatIsForgotten(index: number, found: Pick<ChunkGrant, 'chunkId' | 'chunkVersion'> | undefined): string | undefined {
    const { grant } = this.#acknowledged.get(index)!;
    const then = `${grant.servers.map(addressText).join(', ')} had acknowledged bytes of version ${grant.chunkVersion}`;
    const forgot = `the master came back without changes that it had answered: chunk ${index}, of which ${then},`;
    if (found === undefined) return `${forgot} is not there now`;
    if (found.chunkId !== grant.chunkId) return `${forgot} is another one now`;
    return found.chunkVersion < grant.chunkVersion ? `${forgot} is at version ${found.chunkVersion} now` : undefined;
  }

  /** The same for a chunk that has just been granted, where there is doubt. */
  contradiction(index: number, granted: ChunkGrant): string | undefined {
    if (!this.isInDoubt(index)) return undefined;
    const forgotten = this.whatIsForgotten(index, granted);
    if (forgotten !== undefined) return forgotten;
    const { grant } = this.#acknowledged.get(index)!;
    // A version is raised when a server falls away. The same one on others only: raised once more, from an older one.
    const has = granted.servers.map(addressText);
    if (granted.chunkVersion > grant.chunkVersion || grant.servers.some((each) => has.includes(addressText(each))))
      return undefined;
    return `the master came back without changes that it had answered: version ${grant.chunkVersion} of chunk ${index}, which ${grant.servers.map(addressText).join(', ')} had, is on ${has.join(', ')} now`;
  }
}
