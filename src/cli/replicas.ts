/** Chunks and replicas as tables and JSON show them. */
import type { ChunkInfo, ReplicaDigest, ReplicaInfo } from '../index.ts';

/** Chunk ids as MooseFS's own tools write them: 16 hexadecimal digits; empty for a hole. */
export function chunkIdText({ id }: Pick<ChunkInfo, 'id'>): string {
  return id === undefined ? '' : id.toString(16).toUpperCase().padStart(16, '0');
}

/** `data 1 of 4`, `checksum 2`; empty for a full copy. */
export function partText({ part }: ReplicaInfo): string {
  if (part === undefined) return '';
  return part.kind === 'data' ? `data ${part.index + 1} of ${part.dataParts}` : `checksum ${part.index + 1}`;
}

/** A replica as JSON says it. */
export function jsonReplica(replica: ReplicaInfo & Partial<ReplicaDigest>): object {
  const { host, port, state, part, serverVersion, labels, digest, blocks, ok, error } = replica;
  return { host, port, state, part, serverVersion, labels, digest, blocks, ok, error: error?.message };
}

/** A chunk as JSON says it: the id as text, `null` for a hole. */
export function jsonChunk(chunk: ChunkInfo & { readonly ok?: boolean }): object {
  const { index, version, length, replicas, ok } = chunk;
  const id = chunk.id === undefined ? null : chunkIdText(chunk);
  return { chunk: index, id, version, length, ok, replicas: replicas.map(jsonReplica) };
}
