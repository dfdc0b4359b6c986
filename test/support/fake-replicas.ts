/** What a fake chunkserver stores: replicas of chunks in memory, block by block. */
import { crc32 } from '../../src/protocol/crc32.ts';
import { BLOCK_SIZE, CHUNK_BLOCKS } from '../../src/protocol/geometry.ts';
import { Status } from '../../src/protocol/status.ts';

/** A replica: blocks that were never written are zero. */
export interface FakeReplica {
  version: number;
  readonly blocks: Map<number, Buffer>;
}

const ZERO_BLOCK = Buffer.alloc(BLOCK_SIZE);

/** Replicas by chunk id, with the part's code in the top byte for parts. */
export class FakeReplicas extends Map<bigint, FakeReplica> {
  /** Adds an empty replica, or one that holds `data` from the chunk's beginning. */
  create(chunkId: bigint, chunkVersion: number, data: Uint8Array = Buffer.alloc(0)): FakeReplica {
    const replica: FakeReplica = { version: chunkVersion, blocks: new Map() };
    this.set(chunkId, replica);
    for (let at = 0; at < data.length; at += BLOCK_SIZE) {
      this.write(chunkId, at / BLOCK_SIZE, 0, data.subarray(at, at + BLOCK_SIZE));
    }
    return replica;
  }

  /** The status with which a server answers for a chunk; version 0 means any. */
  check(chunkId: bigint, version: number): number {
    const replica = this.get(chunkId);
    if (replica === undefined) return Status.NOCHUNK;
    return version !== 0 && version !== replica.version ? Status.WRONGVERSION : Status.OK;
  }

  /** Writes into one block; nothing where there is no such replica. */
  write(chunkId: bigint, block: number, offset: number, data: Uint8Array): void {
    const blocks = this.get(chunkId)?.blocks;
    const bytes = blocks?.get(block) ?? Buffer.alloc(BLOCK_SIZE);
    bytes.set(data, offset);
    blocks?.set(block, bytes);
  }

  /** The bytes of a replica; zeros where nothing was written. Throws when there is no such replica. */
  read(chunkId: bigint, offset: number, length: number): Buffer {
    const replica = this.get(chunkId);
    if (replica === undefined) throw new Error(`no chunk ${chunkId.toString(16)} here`);
    const result = Buffer.alloc(length);
    for (let at = 0; at < length;) {
      const inside = (offset + at) % BLOCK_SIZE;
      const size = Math.min(BLOCK_SIZE - inside, length - at);
      replica.blocks.get(Math.floor((offset + at) / BLOCK_SIZE))?.copy(result, at, inside, inside + size);
      at += size;
    }
    return result;
  }

  /** How many blocks a replica has, up to its last. */
  blockCount(chunkId: bigint): number {
    return Math.max(0, ...[...(this.get(chunkId)?.blocks.keys() ?? [])].map((each) => each + 1));
  }

  /** The CRC table of a replica, and the one number over it. */
  checksums(chunkId: bigint): { readonly table: Buffer; readonly checksum: number } {
    const table = Buffer.alloc(4 * CHUNK_BLOCKS);
    let checksum = 1;
    for (let i = 0; i < CHUNK_BLOCKS; i++) {
      const crc = crc32(this.get(chunkId)?.blocks.get(i) ?? ZERO_BLOCK);
      table.writeUInt32BE(crc, 4 * i);
      checksum = (Math.imul(checksum, 426265243) ^ crc) >>> 0;
    }
    return { table, checksum };
  }
}
