/** Stripes and their XOR: against a chunk cut by hand, and the relation between the parts' CRCs. */
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/protocol/crc32.ts';
import { BLOCK_SIZE, CHUNK_SIZE, STRIPE_UNIT } from '../../src/protocol/geometry.ts';
import { partLength, partSpans, rebuiltCrc, xorInto } from '../../src/protocol/parity.ts';
import { cutIntoParts } from '../support/parts.ts';

describe('partSpans', () => {
  it('gives one contiguous range a part', () => {
    const unit = STRIPE_UNIT;
    // The last byte of unit 1, units 2 to 5, the first two bytes of unit 6.
    expect([...partSpans(2 * unit - 1, 4 * unit + 3, 4)]).toEqual([
      [1, { offset: unit - 1, length: 1 + unit }],
      [2, { offset: 0, length: unit + 2 }],
      [3, { offset: 0, length: unit }],
      [0, { offset: unit, length: unit }],
    ]);
  });

  it('leaves out parts without bytes', () => {
    expect([...partSpans(3 * STRIPE_UNIT + 5, 10, 8).keys()]).toEqual([3]);
  });

  it('covers any range of a chunk exactly, as a chunk cut by hand shows', () => {
    const chunk = randomBytes(3_000_000);
    for (const dataParts of [4, 8] as const) {
      const parts = cutIntoParts(chunk, dataParts);
      fc.assert(
        fc.property(fc.nat(chunk.length - 1), fc.nat(2_000_000), (offset, wanted) => {
          const length = Math.max(1, Math.min(wanted, chunk.length - offset));
          const spans = partSpans(offset, length, dataParts);
          const total = [...spans.values()].reduce((sum, span) => sum + span.length, 0);
          expect(total).toBe(length);
          for (const [part, span] of spans) expect(span.offset + span.length).toBeLessThanOrEqual(parts[part]!.length);
        }),
        { numRuns: 200 },
      );
    }
  });
});

describe('partLength', () => {
  it.each([
    [1000, 4, [1000, 0, 0, 0], 1000],
    [STRIPE_UNIT + 1, 4, [STRIPE_UNIT, 1, 0, 0], STRIPE_UNIT],
    [5 * STRIPE_UNIT - 7, 4, [2 * STRIPE_UNIT - 7, STRIPE_UNIT, STRIPE_UNIT, STRIPE_UNIT], 2 * STRIPE_UNIT - 7],
    [CHUNK_SIZE, 8, Array<number>(8).fill(CHUNK_SIZE / 8), CHUNK_SIZE / 8],
  ] as const)('of a chunk of %d bytes in %d parts', (length, dataParts, lengths, checksum) => {
    expect(lengths.map((_, part) => partLength(length, part, dataParts))).toEqual(lengths);
    expect(partLength(length, dataParts, dataParts)).toBe(checksum);
  });
});

describe('xorInto', () => {
  it.each([
    [0, 0],
    [1, 0],
    [0, 3],
    [2, 2],
  ])('any length, any alignment (%d, %d)', (a, b) => {
    for (const length of [0, 1, 3, 4, 7, 64, 1001]) {
      const target = randomBytes(length + 4).subarray(a, a + length);
      const source = randomBytes(length + 4).subarray(b, b + length);
      const expected = Buffer.from(target.map((byte, i) => byte ^ source[i]!));
      xorInto(target, source);
      expect(Buffer.from(target)).toEqual(expected);
    }
  });

  it('refuses unequal lengths', () => {
    expect(() => xorInto(Buffer.alloc(4), Buffer.alloc(5))).toThrow(RangeError);
  });
});

describe('rebuiltCrc', () => {
  it.each([4, 8] as const)('gives the CRC of any of %d + 1 parts from the others', (dataParts) => {
    const data = Array.from({ length: dataParts }, () => randomBytes(BLOCK_SIZE));
    const checksum = Buffer.alloc(BLOCK_SIZE);
    for (const block of data) for (let i = 0; i < BLOCK_SIZE; i++) checksum[i]! ^= block[i]!;
    const all = [...data, checksum].map((block) => crc32(block));
    all.forEach((crc, missing) => {
      expect(rebuiltCrc(all.filter((_, part) => part !== missing))).toBe(crc);
    });
  });
});
