/**
 * Proof that the parts of an erasure-coded chunk belong together: each must be what all the others make of it. Their checksum
 * part is the XOR of the data parts, so the XOR of all parts is nothing but zeros, in their bytes and (in its own way) in their
 * CRC tables. One checksum part shows that something is wrong, not which part: then none is ok, unless a server itself says so of
 * its part, or a full copy is there to compare with.
 */
import { createHash } from 'node:crypto';
import { MooseFSError } from '../errors.ts';
import { ipNumber } from '../protocol/address.ts';
import { ZERO_BLOCK_CRC } from '../protocol/crc32.ts';
import {
  BLOCK_SIZE,
  CHUNK_BLOCKS,
  firstPartCode,
  partChunkId,
  STRIPE_UNIT,
  stripePieces,
} from '../protocol/geometry.ts';
import { partLength, xorInto } from '../protocol/parity.ts';
import type { DataParts } from '../protocol/parity.ts';
import { Deadline } from '../transport/deadline.ts';
import { replicaBlocks } from './chunkserver-query.ts';
import type { ReplicaName } from './chunkserver-query.ts';
import { crcTableOf } from './crc-table.ts';
import type { CrcTable } from './crc-table.ts';
import { isReadable } from './replica-info.ts';
import type { ChunkInfo, ReplicaInfo } from './replica-info.ts';
import { readReplica } from './replica-read.ts';
import type { Server } from './replicas.ts';
import type { ChunkContext, Finding } from './verify.ts';
import type { Volume } from './volume.ts';

/** Bytes of one request to one part; a multiple of the stripe unit. */
const STEP = 4 * STRIPE_UNIT;
/** A part that is read for proof may have a slow disk. */
const STALL_MS = 15_000;
const DISAGREE = 'the parts of this chunk do not belong together: their XOR is not zero';

/** What was found of the parts of a chunk. */
export interface PartsFinding {
  /** One for each part that the chunk's replicas list, in that order. */
  readonly findings: readonly Finding[];
  /** What a full copy would have for its digest; undefined where too many parts are missing. */
  readonly whole: string | undefined;
  /** All parts are there, and agree. */
  readonly complete: boolean;
}

/** A part's number: the checksum part comes after the last data part. */
export function partNumber({ kind, index, dataParts }: NonNullable<ReplicaInfo['part']>): number {
  return kind === 'data' ? index : dataParts + index;
}

/** How many bytes of the file a replica or part has. */
export function replicaLength({ length }: ChunkInfo, { part }: ReplicaInfo): number {
  return part === undefined ? length : partLength(length, Math.min(partNumber(part), part.dataParts), part.dataParts);
}

/** The server of a replica, and the name under which it keeps it. */
export function whereabouts(chunk: ChunkInfo, replica: ReplicaInfo): { server: Server; name: ReplicaName } {
  const { host, port, part, state } = replica;
  const chunkId =
    part === undefined ? chunk.id! : partChunkId(chunk.id!, firstPartCode(part.dataParts) + partNumber(part));
  return {
    server: { ip: ipNumber(host), port, version: 0, labels: 0 },
    // Replicas that the master knows to be bad have another version; 0 asks for any.
    name: { chunkId, chunkVersion: state === 'valid' ? chunk.version : 0 },
  };
}

/** The first readable holder of each part. */
function chosen(parts: readonly ReplicaInfo[]): { dataParts: DataParts; holders: (ReplicaInfo | undefined)[] } {
  const { dataParts } = parts[0]!.part!;
  const holders = Array.from({ length: dataParts + 1 }, (_, number) =>
    parts.find((each) => isReadable(each) && each.part!.dataParts === dataParts && partNumber(each.part!) === number),
  );
  return { dataParts, holders };
}

/** By the servers' CRC tables: no data moves. */
export async function comparePartTables(
  { volume, chunk, signal, progress }: ChunkContext,
  parts: readonly ReplicaInfo[],
): Promise<PartsFinding> {
  const tables = await Promise.all(
    parts.map(async (replica): Promise<CrcTable | MooseFSError> => {
      const { server, name } = whereabouts(chunk, replica);
      try {
        const table = await crcTableOf(volume, server, name, signal);
        if (isReadable(replica)) progress(replicaLength(chunk, replica));
        return table;
      } catch (error) {
        return asFinding(error);
      }
    }),
  );
  const { dataParts, holders } = chosen(parts);
  const found = holders.map((holder) => {
    const table = holder === undefined ? undefined : tables[parts.indexOf(holder)];
    return table === undefined || table instanceof MooseFSError ? undefined : table.table;
  });
  const complete = found.every((table) => table !== undefined);
  const agree = !complete || tablesAgree(found);
  const whole = restoreTable(found);
  return {
    findings: tables.map((table, i) => finding(table, agree, duplicateOf(parts, holders, i, tables))),
    whole: whole === undefined ? undefined : md5Of(assembleTable(whole, dataParts)),
    complete: complete && agree,
  };
}

function finding(table: CrcTable | MooseFSError, agree: boolean, first: CrcTable | undefined): Finding {
  if (table instanceof MooseFSError) return { error: table };
  if (!agree) return { error: new MooseFSError(DISAGREE, { code: 'EIO' }) };
  if (first !== undefined && !first.table.equals(table.table))
    return { error: new MooseFSError('this part differs from its other holder', { code: 'EIO' }) };
  return { digest: md5Of(table.table), blocks: table.blocks };
}

/** Where a part has several holders: the table of the first. */
function duplicateOf(
  parts: readonly ReplicaInfo[],
  holders: readonly (ReplicaInfo | undefined)[],
  index: number,
  tables: readonly (CrcTable | MooseFSError)[],
): CrcTable | undefined {
  const first = holders[partNumber(parts[index]!.part!)];
  const table = first === undefined || first === parts[index] ? undefined : tables[parts.indexOf(first)];
  return table instanceof MooseFSError ? undefined : table;
}

/** The XOR of the CRCs of one block of all parts is the CRC of zeros: their number is odd. */
function tablesAgree(tables: readonly Buffer[]): boolean {
  for (let at = 0; at < 4 * CHUNK_BLOCKS; at += 4) {
    if (tables.reduce((crc, table) => (crc ^ table.readUInt32BE(at)) >>> 0, 0) !== ZERO_BLOCK_CRC) return false;
  }
  return true;
}

/** The tables of all data parts, one of them made from the others where it is missing. */
function restoreTable(found: readonly (Buffer | undefined)[]): Buffer[] | undefined {
  const dataParts = found.length - 1;
  const missing = found.flatMap((table, number) => (table === undefined ? [number] : []));
  if (missing.length > 1) return undefined;
  const known = found.filter((table) => table !== undefined);
  const data = found.slice(0, dataParts);
  const [gap] = missing;
  if (gap !== undefined && gap < dataParts) {
    const table = Buffer.alloc(4 * CHUNK_BLOCKS);
    for (let at = 0; at < table.length; at += 4)
      table.writeUInt32BE(
        known.reduce((crc, each) => (crc ^ each.readUInt32BE(at)) >>> 0, ZERO_BLOCK_CRC),
        at,
      );
    data[gap] = table;
  }
  return data as Buffer[];
}

/** The table that a full copy would have. */
function assembleTable(data: readonly Buffer[], dataParts: DataParts): Buffer {
  const whole = Buffer.alloc(4 * CHUNK_BLOCKS);
  const unitBlocks = STRIPE_UNIT / BLOCK_SIZE;
  for (let block = 0; block < CHUNK_BLOCKS; block++) {
    const unit = Math.floor(block / unitBlocks);
    const inPart = Math.floor(unit / dataParts) * unitBlocks + (block % unitBlocks);
    data[unit % dataParts]!.copy(whole, 4 * block, 4 * inPart, 4 * inPart + 4);
  }
  return whole;
}

/** By their bytes, every one of them. `take` gets the chunk's bytes in order, made from the parts. */
export async function comparePartContents(
  { volume, chunk, signal, progress }: ChunkContext,
  parts: readonly ReplicaInfo[],
  method: 'md5' | 'sha256',
  take: (bytes: Uint8Array) => void,
): Promise<PartsFinding> {
  const { dataParts, holders } = chosen(parts);
  const whole = createHash(method);
  const errors = new Map<ReplicaInfo, MooseFSError>();
  const blocks = new Map<ReplicaInfo, number>();
  const hashes = new Map(parts.map((part) => [part, createHash(method)]));
  const readers = parts.map((part) => new PartReader(volume, chunk, part, signal));
  // Whole blocks: bytes behind the file's end count in the checksum part as well.
  const end = BLOCK_SIZE * Math.ceil(partLength(chunk.length, dataParts, dataParts) / BLOCK_SIZE);
  let agree = true;
  let readable = true;
  for (let offset = 0; offset < end; offset += STEP) {
    const size = Math.min(STEP, end - offset);
    const found = new Map<ReplicaInfo, Buffer>();
    await Promise.all(
      readers.map(async (reader) => {
        if (errors.has(reader.part)) return;
        try {
          if (offset === 0) blocks.set(reader.part, await reader.blocks());
          found.set(reader.part, await reader.read(offset, size));
        } catch (error) {
          errors.set(reader.part, asFinding(error));
        }
      }),
    );
    for (const [part, bytes] of found) {
      const own = bytes.subarray(0, Math.max(0, replicaLength(chunk, part) - offset));
      hashes.get(part)!.update(own);
      if (isReadable(part)) progress(own.length);
    }
    const row = holders.map((holder) => (holder === undefined ? undefined : found.get(holder)));
    const state = restoreBytes(row, size);
    agree &&= state !== 'disagree';
    readable &&= state !== 'lost';
    if (state !== 'lost')
      for (const piece of chunkBytes(row as Buffer[], offset, chunk.length, dataParts)) {
        whole.update(piece);
        take(piece);
      }
  }
  const digests = new Map([...hashes].map(([part, hash]) => [part, hash.digest('hex')]));
  const complete = holders.every((holder) => holder !== undefined && !errors.has(holder));
  const findings = parts.map((part): Finding => {
    const error = errors.get(part);
    if (error !== undefined) return { error };
    if (!agree) return { error: new MooseFSError(DISAGREE, { code: 'EIO' }) };
    const first = holders[partNumber(part.part!)];
    const digest = digests.get(part)!;
    if (first !== undefined && !errors.has(first) && digests.get(first) !== digest)
      return { error: new MooseFSError('this part differs from its other holder', { code: 'EIO' }) };
    return { digest, blocks: blocks.get(part) };
  });
  return { findings, whole: readable ? whole.digest('hex') : undefined, complete: complete && agree };
}

/** Reads one part from its server and from no other. */
class PartReader {
  readonly part: ReplicaInfo;
  readonly #volume: Volume;
  readonly #place: { server: Server; name: ReplicaName };
  readonly #signal: AbortSignal | undefined;

  constructor(volume: Volume, chunk: ChunkInfo, part: ReplicaInfo, signal: AbortSignal | undefined) {
    this.part = part;
    this.#volume = volume;
    this.#place = whereabouts(chunk, part);
    this.#signal = signal;
  }

  async blocks(): Promise<number> {
    const { server, name } = this.#place;
    const deadline = Deadline.in(this.#volume.settings.requestTimeoutMs, this.#signal);
    return replicaBlocks(this.#volume, this.#volume.replicas.endpoint(server), name, deadline);
  }

  /** Behind the part's end there are zeros. */
  async read(offset: number, size: number): Promise<Buffer> {
    const into = Buffer.allocUnsafeSlow(size);
    const deadline = Deadline.in(this.#volume.settings.ioTimeoutMs, this.#signal);
    const { server, name } = this.#place;
    const { error } = await readReplica(
      this.#volume,
      server,
      { ...name, offset, into },
      { deadline, stallMs: STALL_MS },
    );
    if (error !== undefined) throw error;
    return into;
  }
}

/** Checks a row of parts, or makes the one that is missing from the others, in place. */
function restoreBytes(row: (Buffer | undefined)[], size: number): 'agree' | 'disagree' | 'restored' | 'lost' {
  const missing = row.flatMap((bytes, number) => (bytes === undefined ? [number] : []));
  if (missing.length > 1) return 'lost';
  const sum = Buffer.alloc(size);
  for (const bytes of row) if (bytes !== undefined) xorInto(sum, bytes);
  if (missing.length === 0) return sum.every((byte) => byte === 0) ? 'agree' : 'disagree';
  row[missing[0]!] = sum;
  return 'restored';
}

/** The chunk's bytes that lie in these pieces of its data parts, in order. */
function* chunkBytes(
  row: readonly Buffer[],
  partOffset: number,
  length: number,
  dataParts: DataParts,
): Generator<Buffer> {
  const start = partOffset * dataParts;
  const size = Math.min(length - start, row[0]!.length * dataParts, STEP * dataParts);
  if (size <= 0) return;
  for (const piece of stripePieces(start, size, dataParts)) {
    const at = piece.partOffset - partOffset;
    yield row[piece.part]!.subarray(at, at + piece.length);
  }
}

function asFinding(error: unknown): MooseFSError {
  if (error instanceof MooseFSError && error.name !== 'AbortError') return error;
  throw error;
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
