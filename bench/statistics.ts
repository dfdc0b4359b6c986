/** The arithmetic of the benchmarks: what many runs come to, and who is faster by how much. */

/** What a run of one piece of work measured. */
export interface Sample {
  /** Of the work alone. */
  readonly seconds: number;
  /** Of the client: this package's process, the process with libmfsio, or mfsmount's. */
  readonly cpuSeconds: number;
  /** The peak of the client's resident memory. */
  readonly peakBytes: number;
  /** Files or calls. */
  readonly operations: number;
  /** Data moved; 0 where the work is none of data. */
  readonly bytes: number;
}

/** What a rate counts. */
export type Unit = 'MB/s' | 'ops/s';

/** All runs of one piece of work by one client. */
export interface Summary {
  readonly runs: number;
  /** Of the rates, in the workload's unit. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median of the CPU seconds of one run. */
  readonly cpuSeconds: number;
  /** Median CPU seconds for each GiB moved; undefined where calls move less than a block, and it is the calls that cost. */
  readonly cpuPerGiB: number | undefined;
  /** The highest peak of all runs. */
  readonly peakBytes: number;
}

const BLOCK = 64 * 1024;
const GIB = 1024 ** 3;

/** The middle value; of an even number the mean of the two in the middle. Throws a RangeError when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Work per second: MB (1,000,000 bytes) or operations. */
export function rate({ seconds, bytes, operations }: Sample, unit: Unit): number {
  return (unit === 'MB/s' ? bytes / 1e6 : operations) / seconds;
}

/** What all runs come to. Throws a RangeError when there are none. */
export function summarize(samples: readonly Sample[], unit: Unit): Summary {
  const rates = samples.map((sample) => rate(sample, unit));
  const cpuSeconds = median(samples.map((sample) => sample.cpuSeconds));
  const { bytes, operations } = samples[0]!;
  return {
    runs: samples.length,
    median: median(rates),
    min: Math.min(...rates),
    max: Math.max(...rates),
    cpuSeconds,
    cpuPerGiB: bytes < operations * BLOCK ? undefined : (cpuSeconds * GIB) / bytes,
    peakBytes: Math.max(...samples.map((sample) => sample.peakBytes)),
  };
}

/** How many times as fast as the faster peer; undefined without a peer. */
export function ratioToBest(ours: Summary | undefined, peers: readonly (Summary | undefined)[]): number | undefined {
  const medians = peers.filter((peer) => peer !== undefined).map((peer) => peer.median);
  return ours === undefined || medians.length === 0 ? undefined : ours.median / Math.max(...medians);
}

/** The clients in the order of their turns in one run: everybody comes first equally often. */
export function turns<T>(contenders: readonly T[], run: number): T[] {
  const first = run % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}
