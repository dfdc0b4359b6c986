import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZERO_BLOCK_CRC, crc32, crc32Of } from '../../src/protocol/crc32.ts';
import { BLOCK_SIZE } from '../../src/protocol/geometry.ts';

/** The definition, bit by bit: what neither the native module nor zlib is asked for. */
function slowCrc(data: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb8_8320);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

describe('crc32', () => {
  it.each([
    ['', 0],
    ['abc', 0x352441c2],
    ['123456789', 0xcbf43926],
    ['\xff\xff\xff\xff', 0xffffffff],
  ])('of %j', (text, expected) => expect(crc32(Buffer.from(text, 'latin1'))).toBe(expected));
  it('of a block of zeros is what chunkservers say of blocks never written', () => {
    expect(crc32(Buffer.alloc(BLOCK_SIZE))).toBe(ZERO_BLOCK_CRC);
    expect(ZERO_BLOCK_CRC).toBe(0xd7978eeb);
  });
  it('is the same by definition, by zlib, and here, whatever holds the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, skip) => {
        const expected = slowCrc(bytes);
        expect(crc32(bytes)).toBe(expected);
        expect(crc32(Buffer.from(bytes))).toBe(expected);
        expect(zlib.crc32(bytes)).toBe(expected);
        const inside = Buffer.concat([Buffer.alloc(skip), bytes, Buffer.alloc(3)]);
        expect(crc32(inside.subarray(skip, skip + bytes.length))).toBe(expected);
      }),
    );
  });
  it('of pieces is that of the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (pieces) => {
        expect(crc32Of(pieces)).toBe(crc32(Buffer.concat(pieces)));
      }),
    );
  });
});
