/**
 * Proof that all replicas of a file are equal: each one asked by itself, never "the best" one. By the servers' CRC tables, which
 * moves no data and shows what is recorded, or by reading every byte of every replica, which also shows what is on the disks.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { MooseFSError, StatusError } from '../errors.ts';
import { Status } from '../protocol/status.ts';
import { Deadline } from '../transport/deadline.ts';
import { replicaBlocks } from './chunkserver-query.ts';
import { crcTableOf } from './crc-table.ts';
import type { TransferProgress } from './file-handle.ts';
import { inParallel } from './open-file.ts';
import { isReadable } from './replica-info.ts';
import type { ChunkInfo, ReplicaInfo } from './replica-info.ts';
import { readReplica } from './replica-read.ts';
import { comparePartContents, comparePartTables, replicaLength, whereabouts } from './verify-parts.ts';
import type { PartsFinding } from './verify-parts.ts';
import type { Volume } from './volume.ts';

/** How replicas are compared. */
export type VerifyMethod = 'checksums' | 'md5' | 'sha256';

/** What was found of one replica. */
export interface ReplicaDigest extends ReplicaInfo {
  /** Hexadecimal; undefined where the replica could not be asked or read. */
  readonly digest: string | undefined;
  /** Blocks of 64 KiB that the replica has. */
  readonly blocks: number | undefined;
  /** Valid, readable and equal to the others. */
  readonly ok: boolean;
  readonly error: MooseFSError | undefined;
}

/** What was found of one chunk. */
export interface ChunkVerification extends Omit<ChunkInfo, 'replicas'> {
  readonly replicas: readonly ReplicaDigest[];
  /**
   * All valid replicas are readable and have the same digest; the parts of an erasure-coded chunk are all there, and each is what
   * the others make of it. A hole is ok.
   */
  readonly ok: boolean;
}

/** What was found of a file. */
export interface FileVerification {
  readonly path: string;
  readonly length: number;
  readonly method: VerifyMethod;
  readonly chunks: readonly ChunkVerification[];
  /**
   * With `md5` and `sha256`: the digest of the whole file as read from the first replica of every chunk, from the second, and so on
   * (where a chunk has fewer, its last). All equal where everything is well.
   */
  readonly digests: readonly string[];
  /** All replicas of all chunks agree and could be read. */
  readonly ok: boolean;
}

/** Options of a verification. */
export interface VerifyOptions {
  readonly method?: VerifyMethod | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of replicas read (`md5`, `sha256`) or covered (`checksums`), of all replicas together. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** Bytes of one request. */
const STEP = 4 * 1024 * 1024;
/** Chunks that are verified at the same time. */
const PARALLEL_CHUNKS = 2;
/** A replica that is read for proof may have a slow disk. */
const STALL_MS = 15_000;

/** How often a chunk is compared again because the master moved a replica meanwhile. */
const MOVES = 3;

/** Whether a replica that the master called valid was not there, or had another version, when it was asked. */
function hasMoved({ state, error }: ReplicaDigest): boolean {
  return (
    state === 'valid' &&
    error instanceof StatusError &&
    (error.status === Status.NOCHUNK || error.status === Status.WRONGVERSION)
  );
}

/** Compares all replicas of all chunks. */
export async function verifyChunks(
  volume: Volume,
  file: {
    readonly path: string;
    readonly length: number;
    readonly chunks: readonly ChunkInfo[];
    /** Asks the master anew for one chunk. */
    readonly refresh: (index: number) => Promise<ChunkInfo>;
  },
  { method = 'checksums', signal, onProgress }: VerifyOptions,
): Promise<FileVerification> {
  const total = file.chunks.reduce(
    (sum, chunk) =>
      chunk.replicas.filter(isReadable).reduce((bytes, replica) => bytes + replicaLength(chunk, replica), sum),
    0,
  );
  let transferred = 0;
  const progress = (bytes: number): void => {
    transferred += bytes;
    onProgress?.({ transferred, total });
  };
  const chunks: ChunkVerification[] = [];
  const wholes = method === 'checksums' ? undefined : new WholeDigests(method, file.chunks);
  const compare = (chunk: ChunkInfo): Promise<ChunkVerification> => {
    const context = { volume, chunk, signal, progress };
    return wholes === undefined ? compareTables(context) : compareContents(context, method as 'md5' | 'sha256', wholes);
  };
  await inParallel(file.chunks, wholes === undefined ? PARALLEL_CHUNKS : 1, async (asked) => {
    let chunk = asked;
    for (let moves = 0; ; moves++) {
      const before = wholes?.state();
      const found = await compare(chunk);
      chunks[chunk.index] = found;
      if (moves === MOVES || !found.replicas.some(hasMoved)) return;
      // The master moves replicas when it balances servers: where one is gone, ask anew where they all are.
      const fresh = await file.refresh(chunk.index);
      // Fewer than before: that one was not moved, it is missing, and is reported as it was found.
      if (fresh.replicas.filter(isReadable).length < chunk.replicas.filter(isReadable).length) return;
      chunk = fresh;
      if (before !== undefined) wholes?.restore(before);
    }
  });
  const digests = wholes?.digests() ?? [];
  return {
    path: file.path,
    length: file.length,
    method,
    chunks,
    digests,
    ok: chunks.every(({ ok }) => ok) && new Set(digests).size <= 1,
  };
}

/** @internal one chunk to verify */
export interface ChunkContext {
  readonly volume: Volume;
  readonly chunk: ChunkInfo;
  readonly signal: AbortSignal | undefined;
  readonly progress: (bytes: number) => void;
}

/** @internal what one replica or part came to */
export type Finding = { digest: string; blocks: number | undefined } | { error: MooseFSError };

/** What was found of a chunk: one finding for each of its replicas, and what they say together. */
interface Findings {
  readonly chunk: ChunkInfo;
  readonly findings: ReadonlyMap<ReplicaInfo, Finding>;
  /** Undefined where the chunk has no parts. */
  readonly parts: PartsFinding | undefined;
}

function judge({ chunk, findings, parts }: Findings): ChunkVerification {
  const copies = chunk.replicas.filter((replica) => replica.part === undefined && isReadable(replica));
  const votes = copies.flatMap((copy) => digestOf(findings.get(copy)!));
  // What the parts make counts as one more copy; that they agree among themselves counts for more than any of the copies.
  const common =
    parts?.complete === true ? parts.whole : mostFrequent(parts?.whole === undefined ? votes : [...votes, parts.whole]);
  const replicas = chunk.replicas.map((replica): ReplicaDigest => {
    const finding = findings.get(replica)!;
    if ('error' in finding)
      return { ...replica, digest: undefined, blocks: undefined, ok: false, error: finding.error };
    const agrees = replica.part === undefined ? finding.digest === common : partAgrees(parts!, votes, common);
    return { ...replica, ...finding, ok: isReadable(replica) && agrees, error: undefined };
  });
  // Stale replicas that the master knows to be bad are shown, and are no reason to distrust the good ones.
  const fine = replicas.every((replica) => replica.ok || !isReadable(replica));
  // Without a copy all parts are needed: with one missing the others cannot be checked.
  const enough = copies.length > 0 || parts?.complete === true;
  return { ...chunk, replicas, ok: chunk.id === undefined || (fine && enough) };
}

/** A part cannot be told to be wrong by itself: only all of them together, or what they make, against the copies. */
function partAgrees(parts: PartsFinding, votes: readonly string[], common: string | undefined): boolean {
  return votes.length === 0 || parts.whole === undefined || parts.whole === common;
}

const digestOf = (finding: Finding): string[] => ('digest' in finding ? [finding.digest] : []);

/** The digest that most have; with a tie none is right. */
function mostFrequent(digests: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const digest of digests) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a);
  return second !== undefined && second[1] === first![1] ? undefined : first?.[0];
}

async function findEach(
  replicas: readonly ReplicaInfo[],
  find: (replica: ReplicaInfo) => Promise<Finding>,
): Promise<Map<ReplicaInfo, Finding>> {
  const found = await Promise.all(
    replicas.map(async (replica): Promise<[ReplicaInfo, Finding]> => {
      try {
        return [replica, await find(replica)];
      } catch (error) {
        if (error instanceof MooseFSError && error.name !== 'AbortError') return [replica, { error }];
        throw error;
      }
    }),
  );
  return new Map(found);
}

const copiesOf = ({ replicas }: ChunkInfo): ReplicaInfo[] => replicas.filter(({ part }) => part === undefined);
const partsOf = ({ replicas }: ChunkInfo): ReplicaInfo[] => replicas.filter(({ part }) => part !== undefined);

/** Adds what was found of the parts to what was found of the copies. */
function together(
  chunk: ChunkInfo,
  copies: ReadonlyMap<ReplicaInfo, Finding>,
  parts: PartsFinding | undefined,
): ChunkVerification {
  const findings = new Map(copies);
  partsOf(chunk).forEach((part, i) => findings.set(part, parts!.findings[i]!));
  return judge({ chunk, findings, parts });
}

async function compareTables(context: ChunkContext): Promise<ChunkVerification> {
  const { volume, chunk, signal, progress } = context;
  const copies = await findEach(copiesOf(chunk), async (replica) => {
    const { server, name } = whereabouts(chunk, replica);
    const { table, blocks } = await crcTableOf(volume, server, name, signal);
    progress(isReadable(replica) ? chunk.length : 0);
    // Every entry counts: blocks that a replica does not have stand in it with the CRC of zeros.
    return { digest: createHash('md5').update(table).digest('hex'), blocks };
  });
  const parts = partsOf(chunk);
  return together(chunk, copies, parts.length === 0 ? undefined : await comparePartTables(context, parts));
}

async function compareContents(
  context: ChunkContext,
  method: 'md5' | 'sha256',
  wholes: WholeDigests,
): Promise<ChunkVerification> {
  const { volume, chunk, signal, progress } = context;
  if (chunk.id === undefined) {
    wholes.addZeros(chunk.length);
    return { ...chunk, replicas: [], ok: true };
  }
  const lanes = lanesOf(chunk);
  const copies = await findEach(copiesOf(chunk), async (replica) => {
    const { server, name } = whereabouts(chunk, replica);
    const deadline = Deadline.in(volume.settings.requestTimeoutMs, signal);
    const blocks = await replicaBlocks(volume, volume.replicas.endpoint(server), name, deadline);
    const hash = createHash(method);
    const files = wholes.of(lanes.indexOf(replica), lanes.length);
    for await (const bytes of replicaContents(context, replica)) {
      hash.update(bytes);
      for (const file of files) file.update(bytes);
      progress(isReadable(replica) ? bytes.length : 0);
    }
    return { digest: hash.digest('hex'), blocks };
  });
  const parts = partsOf(chunk);
  if (parts.length === 0) return together(chunk, copies, undefined);
  const files = wholes.of(lanes.indexOf('parts'), lanes.length);
  const found = await comparePartContents(context, parts, method, (bytes) => {
    for (const file of files) file.update(bytes);
  });
  return together(chunk, copies, found);
}

/** The bytes of one copy, of the file's part of it, read from its server and from no other. */
export async function* replicaContents(
  { volume, chunk, signal }: Omit<ChunkContext, 'progress'>,
  replica: ReplicaInfo,
): AsyncGenerator<Buffer, void> {
  const { server, name } = whereabouts(chunk, replica);
  for (let offset = 0; offset < chunk.length;) {
    const into = Buffer.allocUnsafe(Math.min(STEP, chunk.length - offset));
    const deadline = Deadline.in(volume.settings.ioTimeoutMs, signal);
    const range = { ...name, offset, into };
    const { error } = await readReplica(volume, server, range, { deadline, stallMs: STALL_MS });
    if (error !== undefined) throw error;
    offset += into.length;
    yield into;
  }
}

/** What a chunk can be read from, each by itself: its readable copies, and its parts together. */
function lanesOf(chunk: ChunkInfo): (ReplicaInfo | 'parts')[] {
  const copies = copiesOf(chunk).filter(isReadable);
  return partsOf(chunk).some(isReadable) ? [...copies, 'parts'] : copies;
}

/** Digests of the whole file as read from each replica in turn. */
class WholeDigests {
  #hashes: Hash[];

  constructor(method: 'md5' | 'sha256', chunks: readonly ChunkInfo[]) {
    const most = Math.max(1, ...chunks.map((chunk) => lanesOf(chunk).length));
    this.#hashes = Array.from({ length: most }, () => createHash(method));
  }

  /** The files that lane `index` of `count` of a chunk counts for. */
  of(index: number, count: number): Hash[] {
    if (index < 0) return [];
    return index === count - 1 ? this.#hashes.slice(index) : this.#hashes.slice(index, index + 1);
  }

  /** What {@link restore} goes back to. */
  state(): Hash[] {
    return this.#hashes.map((hash) => hash.copy());
  }

  /** Forgets what was added since. */
  restore(state: Hash[]): void {
    this.#hashes = state;
  }

  addZeros(length: number): void {
    const zeros = Buffer.alloc(Math.min(length, STEP));
    for (let left = length; left > 0; left -= zeros.length) {
      for (const hash of this.#hashes) hash.update(zeros.subarray(0, Math.min(left, zeros.length)));
    }
  }

  digests(): string[] {
    return this.#hashes.map((hash) => hash.digest('hex'));
  }
}
