/**
 * The CRC table of one replica or part: 1024 numbers, one for each block of 64 KiB, blocks that it has not got counting as zeros.
 * As the chunkserver recorded it, which moves no data; where a server of 3.0.115 cannot tell it, from the bytes themselves.
 */
import { crc32, ZERO_BLOCK_CRC } from '../protocol/crc32.ts';
import { BLOCK_SIZE, CHUNK_BLOCKS } from '../protocol/geometry.ts';
import { replicaBlocks, replicaChecksums } from './chunkserver-query.ts';
import type { ReplicaName } from './chunkserver-query.ts';
import { readReplica } from './replica-read.ts';
import type { Server } from './replicas.ts';
import type { Volume } from './volume.ts';
import { Deadline } from '../transport/deadline.ts';

/** Blocks that one request reads. */
const STEP_BLOCKS = 64;
/** A replica that is read for proof may have a slow disk. */
const STALL_MS = 15_000;

/** A table, and how many blocks the replica has. */
export interface CrcTable {
  readonly blocks: number;
  /** 1024 big-endian numbers. */
  readonly table: Buffer;
}

/** Gives the table of a replica. Rejects when its server cannot be asked, or has no such replica. */
export async function crcTableOf(
  volume: Volume,
  server: Server,
  name: ReplicaName,
  signal: AbortSignal | undefined,
): Promise<CrcTable> {
  const deadline = Deadline.in(volume.settings.requestTimeoutMs, signal);
  const endpoint = volume.replicas.endpoint(server);
  const blocks = await replicaBlocks(volume, endpoint, name, deadline);
  const table = await replicaChecksums(volume, endpoint, name, deadline);
  if (!isBytewise(table)) return { blocks, table };
  return { blocks, table: fromBytewise(table, blocks) ?? (await readTable(volume, server, name, blocks, signal)) };
}

/** 3.0.115 sends the first 1024 bytes of the table, each as a number of its own. No true table has only such small numbers. */
function isBytewise(table: Buffer): boolean {
  for (let at = 0; at < table.length; at += 4) if (table.readUInt32BE(at) > 0xff) return false;
  return true;
}

/** What those bytes say: the CRCs of the first 256 blocks. Undefined where the replica has more. */
export function fromBytewise(words: Buffer, blocks: number): Buffer | undefined {
  if (blocks > CHUNK_BLOCKS / 4) return undefined;
  const table = zeroTable();
  for (let i = 0; i < 4 * blocks; i++) table[i] = words[4 * i + 3]!;
  return table;
}

/** Reads the blocks and computes the table. */
async function readTable(
  volume: Volume,
  server: Server,
  name: ReplicaName,
  blocks: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const table = zeroTable();
  for (let first = 0; first < blocks; first += STEP_BLOCKS) {
    const count = Math.min(STEP_BLOCKS, blocks - first);
    const into = Buffer.allocUnsafe(count * BLOCK_SIZE);
    const deadline = Deadline.in(volume.settings.ioTimeoutMs, signal);
    const range = { ...name, offset: first * BLOCK_SIZE, into };
    const { error } = await readReplica(volume, server, range, { deadline, stallMs: STALL_MS });
    if (error !== undefined) throw error;
    for (let i = 0; i < count; i++)
      table.writeUInt32BE(crc32(into.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE)), 4 * (first + i));
  }
  return table;
}

function zeroTable(): Buffer {
  const table = Buffer.alloc(4 * CHUNK_BLOCKS);
  for (let at = 0; at < table.length; at += 4) table.writeUInt32BE(ZERO_BLOCK_CRC, at);
  return table;
}
