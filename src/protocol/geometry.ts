/** The arithmetic of chunks, blocks and erasure-coded stripes. Offsets and lengths are bytes. */

/** A chunk holds 64 MiB of a file. */
export const CHUNK_SIZE = 64 * 1024 * 1024;
/** A block is what one WRITE_DATA or READ_DATA can carry, and what has a CRC of its own on disk. */
export const BLOCK_SIZE = 64 * 1024;
/** Blocks in a chunk. */
export const CHUNK_BLOCKS = CHUNK_SIZE / BLOCK_SIZE;
/** Erasure-coded chunks lie over their data parts in units of this size. */
export const STRIPE_UNIT = 256 * 1024;
/** The largest chunk index that a master accepts. */
export const MAX_CHUNK_INDEX = 0x7fffffff;
/** The longest file that we handle: what a JavaScript number counts exactly, and what the protocol's chunk index can reach. */
export const MAX_FILE_LENGTH = Math.min(Number.MAX_SAFE_INTEGER, (MAX_CHUNK_INDEX + 1) * CHUNK_SIZE);

/** A range inside one chunk. */
export interface ChunkRange {
  /** Which chunk of the file. */
  readonly index: number;
  /** Where in the chunk, 0 to 67108863. */
  readonly offset: number;
  readonly length: number;
}

/** The chunk that holds the byte at `position`. */
export function chunkIndexOf(position: number): number {
  return Math.floor(position / CHUNK_SIZE);
}

/** How many chunks a file of `length` bytes has. */
export function chunkCountOf(length: number): number {
  return Math.ceil(length / CHUNK_SIZE);
}

/**
 * Cuts a range of a file at the borders of its chunks and at multiples of `step`, of which a chunk must be one, so that ranges that
 * overlap are cut at the same places.
 */
export function chunkRanges(position: number, length: number, step: number = CHUNK_SIZE): ChunkRange[] {
  const ranges: ChunkRange[] = [];
  const end = position + length;
  for (let at = position; at < end;) {
    const index = chunkIndexOf(at);
    const size = Math.min(step - (at % step), end - at);
    ranges.push({ index, offset: at - index * CHUNK_SIZE, length: size });
    at += size;
  }
  return ranges;
}

/** Bytes from `offset` to the end of its block. */
export function leftInBlock(offset: number): number {
  return BLOCK_SIZE - (offset % BLOCK_SIZE);
}

/** Where a part of an erasure-coded chunk holds a piece of the chunk. */
export interface PartRange {
  /** Data part, 0 to parts - 1. */
  readonly part: number;
  /** Offset inside the part. */
  readonly partOffset: number;
  /** Offset inside the chunk. */
  readonly chunkOffset: number;
  readonly length: number;
}

/** Cuts a range of an erasure-coded chunk into pieces that each lie in one stripe unit of one data part. */
export function* stripePieces(offset: number, length: number, parts: number): Generator<PartRange> {
  const end = offset + length;
  for (let at = offset; at < end;) {
    const unit = Math.floor(at / STRIPE_UNIT);
    const inside = at - unit * STRIPE_UNIT;
    const size = Math.min(STRIPE_UNIT - inside, end - at);
    yield {
      part: unit % parts,
      partOffset: Math.floor(unit / parts) * STRIPE_UNIT + inside,
      chunkOffset: at,
      length: size,
    };
    at += size;
  }
}

/** The id under which a chunkserver keeps one part of an erasure-coded chunk: the part's code in the top byte. */
export function partChunkId(chunkId: bigint, partCode: number): bigint {
  return (BigInt(partCode) << 56n) | (chunkId & 0x00ff_ffff_ffff_ffffn);
}

/** The code of data part 0; data part i has the next i-th code, the checksum part follows the last data part. */
export function firstPartCode(dataParts: number): number {
  return dataParts === 4 ? 0x10 : 0x20;
}
