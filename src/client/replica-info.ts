/** What the master knows of each chunk of a file and of each of its replicas, the bad ones too. */
import * as messages from '../protocol/messages/chunk.ts';
import { addressText, ipText } from '../protocol/address.ts';
import { CHUNK_SIZE, chunkCountOf } from '../protocol/geometry.ts';
import { Status } from '../protocol/status.ts';
import { formatVersion, fromWire } from '../protocol/version.ts';
import { statusError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import type { Volume } from './volume.ts';

/** What a replica is worth. Only `valid` ones are read. */
export type ReplicaStateName = 'valid' | 'marked-for-removal' | 'wrong-version' | 'invalid';

/** One replica, or part of an erasure-coded chunk, on one chunkserver. */
export interface ReplicaInfo {
  readonly host: string;
  readonly port: number;
  readonly state: ReplicaStateName;
  /** Of an erasure-coded chunk: data or checksum part and its number; undefined for a full copy. */
  readonly part: { readonly kind: 'data' | 'checksum'; readonly index: number; readonly dataParts: 4 | 8 } | undefined;
  /** The chunkserver's version, where the master told it. */
  readonly serverVersion: string | undefined;
  /** The chunkserver's labels, `A` to `Z`, where the master told them. */
  readonly labels: readonly string[];
}

/** One chunk of a file. */
export interface ChunkInfo {
  /** Index in the file. */
  readonly index: number;
  /** Undefined for a hole: nothing is stored, it reads as zeros. */
  readonly id: bigint | undefined;
  readonly version: number;
  /** Bytes of the file in this chunk. */
  readonly length: number;
  readonly replicas: readonly ReplicaInfo[];
}

/** Bit 31 of a chunk's version on 4.x: lost, reads as zeros. */
const LOST_BIT = 0x8000_0000;

const stateNames: Record<number, ReplicaStateName> = {
  [messages.ReplicaState.valid]: 'valid',
  [messages.ReplicaState.markedForRemoval]: 'marked-for-removal',
  [messages.ReplicaState.wrongVersion]: 'wrong-version',
  [messages.ReplicaState.wrongVersionMarkedForRemoval]: 'wrong-version',
  [messages.ReplicaState.invalid]: 'invalid',
};

/** Whether a replica can be read. */
export const isReadable = ({ state }: ReplicaInfo): boolean => state === 'valid' || state === 'marked-for-removal';

/** The chunks of a file of this length, in order. */
export async function chunksOf(
  volume: Volume,
  inode: number,
  length: number,
  context: CallContext,
): Promise<ChunkInfo[]> {
  return Promise.all(
    Array.from({ length: chunkCountOf(length) }, (_, index) => chunkAt(volume, inode, index, length, context)),
  );
}

/** One chunk of a file of this length. */
export async function chunkAt(
  volume: Volume,
  inode: number,
  index: number,
  fileLength: number,
  context: CallContext,
): Promise<ChunkInfo> {
  const length = Math.min(CHUNK_SIZE, fileLength - index * CHUNK_SIZE);
  const [check, read] = await Promise.all([
    volume.session.tryCall(messages.checkChunk, { mode: messages.CHECK_WITH_PARTS, inode, chunkIndex: index }, context),
    // CHECK tells nothing of the servers; READ_CHUNK tells versions and labels of the valid ones.
    volume.session.tryCall(messages.readChunk, { inode, chunkIndex: index, flags: 0 }, { ...context, patient: true }),
  ]);
  const hole: ChunkInfo = { index, id: undefined, version: 0, length, replicas: [] };
  // Beyond the last chunk that exists 4.x says so, 3.x answers as for a hole.
  if (check.status === Status.NOCHUNK) return hole;
  if (check.value === undefined) throw statusError(check.status, context.site, messages.checkChunk.name);
  const { chunkId, chunkVersion, replicas, parts } = check.value;
  if (chunkId === 0n) return hole;
  const servers = new Map((read.value?.servers ?? []).map((server) => [addressText(server), server]));
  const listed = parts ?? (replicas ?? []).map((each) => ({ ...each, partCode: 0 }));
  return {
    index,
    id: chunkId,
    version: (chunkVersion & ~LOST_BIT) >>> 0,
    length,
    replicas: listed.map(({ ip, port, state, partCode }) => {
      const server = servers.get(addressText({ ip, port }));
      return {
        host: ipText(ip),
        port,
        state: stateNames[state] ?? 'invalid',
        part: partOf(partCode),
        serverVersion: server === undefined ? undefined : formatVersion(fromWire(server.version)),
        labels: labelsOf(server?.labels ?? 0),
      };
    }),
  };
}

function partOf(code: number): ReplicaInfo['part'] {
  if (code === 0) return undefined;
  const dataParts = code < 0x20 ? 4 : 8;
  const index = code - (dataParts === 4 ? 0x10 : 0x20);
  return index < dataParts
    ? { kind: 'data', index, dataParts }
    : { kind: 'checksum', index: index - dataParts, dataParts };
}

/** A replica or part as CHECK lists it. */
interface ListedReplica {
  readonly ip: number;
  readonly port: number;
  readonly state: number;
  readonly partCode: number;
}

/**
 * How many copies a chunk has that stay: valid ones on different servers. Parts count as the copies that would survive as much:
 * with all of 4+1 one may be lost, as of two copies.
 */
export function redundancyOf(replicas: readonly ListedReplica[]): number {
  const valid = replicas.filter(({ state }) => state === messages.ReplicaState.valid);
  const servers = (list: readonly ListedReplica[]) => new Set(list.map(addressText)).size;
  const partsOver = (dataParts: 4 | 8): number => {
    const parts = valid.filter(({ partCode }) => partOf(partCode)?.dataParts === dataParts);
    const different = new Set(parts.map(({ partCode }) => partCode)).size;
    return Math.max(0, Math.min(different, servers(parts)) - dataParts + 1);
  };
  return Math.max(servers(valid.filter(({ partCode }) => partCode === 0)), partsOver(4), partsOver(8));
}

/** Label names of a mask: bit 0 is A. */
export function labelsOf(mask: number): string[] {
  return Array.from({ length: 26 }, (_, i) => i)
    .filter((i) => ((mask >>> i) & 1) === 1)
    .map((i) => String.fromCharCode(65 + i));
}
