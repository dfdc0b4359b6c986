/**
 * CRC-32 as zlib knows it (polynomial 0xEDB88320). At 64 KiB a packet it is the main work of a client, so the native
 * module `@node-rs/crc32` is used where it is installed, and node's own zlib otherwise; both give the same numbers.
 */
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';

type Crc32 = (data: Uint8Array, previous?: number) => number;

function load(): Crc32 {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as { crc32: Crc32 };
    if (native.crc32(Buffer.from('abc')) === 0x352441c2) return native.crc32;
  } catch {
    // An optional dependency: not installed, or no binary for this platform.
  }
  return zlib.crc32;
}

/** The CRC-32 of `data`; `previous` continues the CRC of what stood before it. */
export const crc32: Crc32 = load();

/** The CRC-32 of a block of 65536 zero bytes, which is what a chunkserver's table holds for blocks never written. */
export const ZERO_BLOCK_CRC = 0xd7978eeb;

/** The CRC-32 of several pieces laid end to end. */
export function crc32Of(pieces: readonly Uint8Array[]): number {
  let crc = 0;
  for (const piece of pieces) crc = crc32(piece, crc);
  return crc;
}
