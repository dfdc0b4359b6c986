/**
 * The arithmetic of erasure-coded chunks: which bytes of a chunk lie in which data part, and the one checksum part, which is the
 * XOR of all data parts (parts that end earlier count as zeros). Offsets and lengths are bytes.
 */
import { ZERO_BLOCK_CRC } from './crc32.ts';
import { CHUNK_SIZE, stripePieces } from './geometry.ts';

/** How many data parts a chunk can have. */
export type DataParts = 4 | 8;

/** A contiguous range of one part. */
export interface PartSpan {
  readonly offset: number;
  readonly length: number;
}

/** For each data part that holds bytes of a chunk's range: the one contiguous range of the part in which they lie. */
export function partSpans(offset: number, length: number, dataParts: DataParts): Map<number, PartSpan> {
  const spans = new Map<number, PartSpan>();
  for (const piece of stripePieces(offset, length, dataParts)) {
    const known = spans.get(piece.part);
    spans.set(piece.part, {
      offset: known?.offset ?? piece.partOffset,
      // Units of a part follow each other without a gap.
      length: (known?.length ?? 0) + piece.length,
    });
  }
  return spans;
}

/** Bytes of a chunk of `length` bytes that a part holds: for the checksum part (number `dataParts`) as many as the longest. */
export function partLength(length: number, part: number, dataParts: DataParts): number {
  const spans = partSpans(0, Math.min(length, CHUNK_SIZE), dataParts);
  return spans.get(part === dataParts ? 0 : part)?.length ?? 0;
}

/** `target ^= source`, byte by byte. Both are equally long. */
export function xorInto(target: Uint8Array, source: Uint8Array): void {
  if (target.length !== source.length) throw new RangeError(`${target.length} bytes XOR ${source.length} bytes`);
  let at = 0;
  if (target.byteOffset % 4 === 0 && source.byteOffset % 4 === 0) {
    const words = target.length >>> 2;
    const into = new Int32Array(target.buffer, target.byteOffset, words);
    const from = new Int32Array(source.buffer, source.byteOffset, words);
    for (let i = 0; i < words; i++) into[i]! ^= from[i]!;
    at = 4 * words;
  }
  for (; at < target.length; at++) target[at]! ^= source[at]!;
}

/**
 * The CRC of one block of a part, from the CRCs of the same block of all other parts (checksum part included): CRC is affine over
 * XOR, and the number of other parts is even.
 */
export function rebuiltCrc(others: readonly number[]): number {
  return others.reduce((crc, other) => crc ^ other, ZERO_BLOCK_CRC) >>> 0;
}
