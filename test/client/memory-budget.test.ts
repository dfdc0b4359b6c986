import { describe, expect, it } from 'vitest';
import { MemoryBudget } from '../../src/client/memory-budget.ts';

describe('a memory budget', () => {
  it('is full at its limit, and has room again when bytes are given back', () => {
    const budget = new MemoryBudget(100);
    budget.take(99);
    expect(budget.isFull).toBe(false);
    budget.take(1);
    expect(budget.isFull).toBe(true);
    budget.give(1);
    expect(budget.isFull).toBe(false);
  });

  it('wakes those who wait in turn, one for each time that bytes come back', () => {
    const budget = new MemoryBudget(10);
    budget.take(12);
    const woken: number[] = [];
    for (const who of [1, 2, 3]) budget.whenRoom(() => woken.push(who));
    budget.give(1);
    expect(woken).toEqual([]);
    budget.give(2);
    expect(woken).toEqual([1]);
    budget.give(1);
    expect(woken).toEqual([1, 2]);
  });

  it('passes the turn on when the one who was woken does not come', () => {
    const budget = new MemoryBudget(10);
    budget.take(10);
    const woken: string[] = [];
    const leave = budget.whenRoom(() => woken.push('first'));
    budget.whenRoom(() => woken.push('second'));
    budget.give(5);
    expect(woken).toEqual(['first']);
    leave();
    expect(woken).toEqual(['first', 'second']);
  });

  it('forgets one who leaves before its turn', () => {
    const budget = new MemoryBudget(10);
    budget.take(10);
    const woken: string[] = [];
    budget.whenRoom(() => woken.push('left'))();
    budget.whenRoom(() => woken.push('stayed'));
    budget.give(5);
    expect(woken).toEqual(['stayed']);
  });
});
