import { describe, expect, it } from 'vitest';
import { median, rate, ratioToBest, summarize, turns, type Sample, type Summary } from '../../bench/statistics.ts';

const sample = (given: Partial<Sample>): Sample => ({
  seconds: 1,
  cpuSeconds: 0.5,
  peakBytes: 1000,
  operations: 1,
  bytes: 0,
  ...given,
});
const summary = (value: number): Summary => ({
  runs: 1,
  median: value,
  min: value,
  max: value,
  cpuSeconds: 0,
  cpuPerGiB: undefined,
  peakBytes: 0,
});

describe('median', () => {
  it('is the middle of an odd number, in whatever order, and by number', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it('is the mean of the two in the middle of an even number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('leaves its argument as it was', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('is refused for nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('rate', () => {
  it('counts megabytes of a million bytes', () => {
    expect(rate(sample({ seconds: 2, bytes: 50_000_000 }), 'MB/s')).toBe(25);
  });

  it('counts operations', () => {
    expect(rate(sample({ seconds: 0.5, operations: 100, bytes: 7 }), 'ops/s')).toBe(200);
  });
});

describe('summarize', () => {
  it('gives median and spread of rates, the median of CPU and the greatest memory', () => {
    const runs = [
      sample({ seconds: 1, operations: 100, cpuSeconds: 3, peakBytes: 10 }),
      sample({ seconds: 2, operations: 100, cpuSeconds: 1, peakBytes: 30 }),
      sample({ seconds: 4, operations: 100, cpuSeconds: 2, peakBytes: 20 }),
    ];
    expect(summarize(runs, 'ops/s')).toEqual({
      runs: 3,
      median: 50,
      min: 25,
      max: 100,
      cpuSeconds: 2,
      cpuPerGiB: undefined,
      peakBytes: 30,
    });
  });

  it('gives CPU for each GiB where data moves', () => {
    const [half] = [sample({ bytes: 2 ** 29, cpuSeconds: 1.5 })];
    expect(summarize([half], 'MB/s').cpuPerGiB).toBe(3);
  });

  it('gives none where each call moves less than a block', () => {
    expect(summarize([sample({ bytes: 4096 * 2000, operations: 2000 })], 'ops/s').cpuPerGiB).toBeUndefined();
  });
});

describe('ratioToBest', () => {
  it('compares with the faster peer', () => {
    expect(ratioToBest(summary(30), [summary(10), summary(20)])).toBe(1.5);
  });

  it('does with one peer', () => {
    expect(ratioToBest(summary(30), [undefined, summary(60)])).toBe(0.5);
  });

  it('is nothing without ours or without a peer', () => {
    expect(ratioToBest(undefined, [summary(1)])).toBeUndefined();
    expect(ratioToBest(summary(1), [undefined])).toBeUndefined();
  });
});

describe('turns', () => {
  it('lets everybody be first, second and third equally often', () => {
    const orders = [0, 1, 2].map((run) => turns(['a', 'b', 'c'], run).join(''));
    expect(orders).toEqual(['abc', 'bca', 'cab']);
    expect(turns(['a', 'b', 'c'], 3).join('')).toBe('abc');
  });
});
