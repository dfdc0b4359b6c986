import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_SIZE,
  CHUNK_BLOCKS,
  CHUNK_SIZE,
  MAX_CHUNK_INDEX,
  MAX_FILE_LENGTH,
  STRIPE_UNIT,
  chunkCountOf,
  chunkIndexOf,
  chunkRanges,
  firstPartCode,
  leftInBlock,
  partChunkId,
  stripePieces,
} from '../../src/protocol/geometry.ts';

const position = fc.oneof(
  fc.nat(10 * CHUNK_SIZE),
  fc.nat(40).map((chunk) => chunk * CHUNK_SIZE),
  fc.maxSafeNat().map((at) => at % (MAX_FILE_LENGTH - 4 * CHUNK_SIZE)),
);
const length = fc.oneof(fc.nat(100), fc.nat(3 * CHUNK_SIZE), fc.constantFrom(0, 1, CHUNK_SIZE, CHUNK_SIZE - 1));

describe('sizes', () => {
  it('are those of the protocol', () => {
    expect([CHUNK_SIZE, BLOCK_SIZE, CHUNK_BLOCKS, STRIPE_UNIT]).toEqual([2 ** 26, 2 ** 16, 1024, 2 ** 18]);
    expect(MAX_CHUNK_INDEX).toBe(2 ** 31 - 1);
    expect(Number.isSafeInteger(MAX_FILE_LENGTH)).toBe(true);
    expect(chunkIndexOf(MAX_FILE_LENGTH - 1)).toBeLessThanOrEqual(MAX_CHUNK_INDEX);
  });
  it.each([
    [0, 0, 0],
    [1, 0, 1],
    [CHUNK_SIZE - 1, 0, 1],
    [CHUNK_SIZE, 1, 1],
    [CHUNK_SIZE + 1, 1, 2],
    [2 ** 53 - 1, 2 ** 27 - 1, 2 ** 27],
  ])('a file of %i bytes: its end is in chunk %i, it has %i', (bytes, index, count) => {
    expect(chunkIndexOf(bytes)).toBe(index);
    expect(chunkCountOf(bytes)).toBe(count);
  });
  it.each([
    [0, BLOCK_SIZE],
    [1, BLOCK_SIZE - 1],
    [BLOCK_SIZE - 1, 1],
    [BLOCK_SIZE, BLOCK_SIZE],
  ])('from %i on, %i bytes are left in the block', (offset, left) => expect(leftInBlock(offset)).toBe(left));
});

describe('chunkRanges', () => {
  it('tiles a range exactly, inside chunks', () => {
    fc.assert(
      fc.property(position, length, fc.constantFrom(CHUNK_SIZE, CHUNK_SIZE / 32), (start, size, step) => {
        let at = start;
        for (const range of chunkRanges(start, size, step)) {
          expect(range.index * CHUNK_SIZE + range.offset).toBe(at);
          expect(range.length).toBeGreaterThan(0);
          expect((range.offset % step) + range.length).toBeLessThanOrEqual(step);
          expect(range.offset).toBeGreaterThanOrEqual(0);
          expect(range.offset + range.length).toBeLessThanOrEqual(CHUNK_SIZE);
          at += range.length;
        }
        expect(at).toBe(start + size);
      }),
    );
  });
  it('cuts at borders only', () => {
    expect(chunkRanges(CHUNK_SIZE - 1, CHUNK_SIZE + 2)).toEqual([
      { index: 0, offset: CHUNK_SIZE - 1, length: 1 },
      { index: 1, offset: 0, length: CHUNK_SIZE },
      { index: 2, offset: 0, length: 1 },
    ]);
    expect(chunkRanges(5, 0)).toEqual([]);
  });
});

describe('stripePieces', () => {
  /** The inverse, as the protocol's document says it. */
  const chunkOffset = (part: number, partOffset: number, parts: number) =>
    (Math.floor(partOffset / STRIPE_UNIT) * parts + part) * STRIPE_UNIT + (partOffset % STRIPE_UNIT);

  it.each([4, 8])('of %i parts tile the range, inside units, each where its part holds it', (parts) => {
    fc.assert(
      fc.property(fc.nat(CHUNK_SIZE - 1), fc.nat(4 * 1024 * 1024), (offset, wanted) => {
        const size = Math.min(wanted, CHUNK_SIZE - offset);
        let at = offset;
        const ends = new Map<number, number>();
        for (const piece of stripePieces(offset, size, parts)) {
          expect(piece.chunkOffset).toBe(at);
          expect(piece.length).toBeGreaterThan(0);
          expect(piece.part).toBeLessThan(parts);
          expect(chunkOffset(piece.part, piece.partOffset, parts)).toBe(at);
          expect((piece.partOffset % STRIPE_UNIT) + piece.length).toBeLessThanOrEqual(STRIPE_UNIT);
          // The pieces of one part lie one behind the other: one READ takes them all.
          expect(ends.get(piece.part) ?? piece.partOffset).toBe(piece.partOffset);
          ends.set(piece.part, piece.partOffset + piece.length);
          at += piece.length;
        }
        expect(at).toBe(offset + size);
      }),
    );
  });
  it('goes round the parts', () => {
    expect([...stripePieces(0, 5 * STRIPE_UNIT, 4)].map((each) => [each.part, each.partOffset])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [0, STRIPE_UNIT],
    ]);
  });
});

describe('the id of a part', () => {
  it.each([
    [0x529n, 0x13, 0x1300_0000_0000_0529n],
    [0x00ff_ffff_ffff_ffffn, 0x28, 0x28ff_ffff_ffff_ffffn],
    [0xff00_0000_0000_0001n, 0x10, 0x1000_0000_0000_0001n],
    [0x529n, 0, 0x529n],
  ])('%i, code %i', (chunkId, code, expected) => expect(partChunkId(chunkId, code)).toBe(expected));
  it('begins at 0x10 for four data parts and at 0x20 for eight', () => {
    expect([firstPartCode(4), firstPartCode(8)]).toEqual([0x10, 0x20]);
  });
});
