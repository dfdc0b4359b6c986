import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../src/client/buffer-pool.ts';
import { MemoryBudget } from '../../src/client/memory-budget.ts';

const SIZE = 64;

function pool() {
  const budget = new MemoryBudget(100 * SIZE);
  return { budget, pool: new BufferPool({ size: SIZE, kept: 2, budget }) };
}

describe('a pool of buffers', () => {
  it('gives memory again that came back', () => {
    const { pool: buffers } = pool();
    const first = buffers.take();
    expect(first).toHaveLength(SIZE);
    buffers.give(first);
    expect(buffers.take()).toBe(first);
    expect(buffers.take()).not.toBe(first);
  });

  it('keeps as much as is in use, and a little always', () => {
    const { pool: buffers, budget } = pool();
    const taken = Array.from({ length: 10 }, () => buffers.take());
    budget.take(5 * SIZE);
    for (const each of taken) buffers.give(each);
    expect(buffers.free).toBe(5);
    budget.give(5 * SIZE);
    for (let i = 0; i < 5; i++) buffers.take();
    for (const each of taken) buffers.give(each);
    expect(buffers.free).toBe(2);
  });

  it('lets memory of another size go', () => {
    const { pool: buffers } = pool();
    buffers.give(Buffer.alloc(SIZE - 1));
    expect(buffers.free).toBe(0);
  });
});
