/** Memory of what waits to be written: the pool's, used again. */
import { expect, it } from 'vitest';
import { BufferPool } from '../../src/client/buffer-pool.ts';
import { MemoryBudget } from '../../src/client/memory-budget.ts';
import { WriteBuffer } from '../../src/client/write-buffer.ts';
import { BLOCK_SIZE } from '../../src/protocol/geometry.ts';

/** Writes one block in pieces, as bytes come from a pipe: never at a block's border. */
function written(piece: number) {
  const pool = new BufferPool({ size: BLOCK_SIZE, kept: 4, budget: new MemoryBudget(100 * BLOCK_SIZE) });
  const used = pool.take();
  pool.give(used);
  const buffer = new WriteBuffer(pool);
  const bytes = Buffer.from(Uint8Array.from({ length: BLOCK_SIZE }, (_, i) => i * 31 + (i >> 8)));
  for (let at = 0; at < BLOCK_SIZE; at += piece) buffer.add(at, bytes.subarray(at, at + piece), false);
  const block = buffer.next({ force: true, upTo: Infinity })!;
  return { pool, buffer, block, bytes };
}

it.each([1000, 20_000, 40_000, BLOCK_SIZE])(
  'a block filled by %d bytes at a time uses memory of the pool and gives it back',
  (piece) => {
    const { pool, buffer, block, bytes } = written(piece);
    expect(pool.free).toBe(0);
    expect(Buffer.concat(block.data).equals(bytes)).toBe(true);
    buffer.acknowledged(block);
    expect(buffer.bytes).toBe(0);
    expect(pool.free).toBe(1);
  },
);
