import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/client/slots.ts';

/** Work that ends when it is told to, and what has begun so far. */
function works() {
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const work = (id: number) => () => {
    begun.push(id);
    return new Promise<number>((resolve, reject) => {
      ends[id] = (error) => (error === undefined ? resolve(id) : reject(error));
    });
  };
  return { begun, ends, work };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('let so many run at once, the others in the order of coming', async () => {
    const slots = new Slots(2);
    const { begun, ends, work } = works();
    const all = [0, 1, 2, 3].map((id) => slots.run(work(id)));
    await turn();
    expect(begun).toEqual([0, 1]);
    ends[1]!();
    await turn();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]!();
    await turn();
    ends[2]!();
    ends[3]!();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('go to the next one also when work fails, and to nobody who comes in between', async () => {
    const slots = new Slots(1);
    const { begun, ends, work } = works();
    const first = slots.run(work(0));
    const second = slots.run(work(1));
    ends[0]!(new Error('failed'));
    const third = slots.run(work(2));
    await expect(first).rejects.toThrow('failed');
    await turn();
    expect(begun).toEqual([0, 1]);
    ends[1]!();
    await second;
    await turn();
    ends[2]!();
    expect(await third).toBe(2);
  });

  it('pass on what throws before it waits', async () => {
    const slots = new Slots(1);
    await expect(
      slots.run(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await slots.run(() => Promise.resolve('next'))).toBe('next');
  });
});
