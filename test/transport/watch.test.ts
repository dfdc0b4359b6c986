import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Watch } from '../../src/transport/watch.ts';

describe('a watch', () => {
  it('calls back when the earliest of its times has come, and then for the next', async () => {
    const start = performance.now();
    const due: number[] = [];
    const times = [start + 60, start + 20];
    const watch = new Watch((now) => {
      due.push(now - start);
      return times.find((at) => at > now) ?? Infinity;
    });
    watch.by(times[0]!);
    watch.by(times[1]!);
    await sleep(200);
    // A timer may be a millisecond early, and is then set again.
    expect(due[0]).toBeGreaterThanOrEqual(18);
    expect(due.at(-1)).toBeGreaterThanOrEqual(60);
    expect(due.length).toBeLessThan(6);
  });

  it('is not moved by a later time, nor by one that never comes', async () => {
    let calls = 0;
    const watch = new Watch(() => {
      calls++;
      return Infinity;
    });
    watch.by(Infinity);
    await sleep(10);
    expect(calls).toBe(0);
    watch.by(performance.now() + 10);
    watch.by(performance.now() + 10_000);
    await sleep(60);
    expect(calls).toBe(1);
  });

  it('calls at once for a time that has passed, and not after it was stopped', async () => {
    let calls = 0;
    const watch = new Watch(() => {
      calls++;
      return Infinity;
    });
    watch.by(0);
    await sleep(10);
    expect(calls).toBe(1);
    watch.by(performance.now() + 20);
    watch.stop();
    await sleep(60);
    expect(calls).toBe(1);
  });
});
