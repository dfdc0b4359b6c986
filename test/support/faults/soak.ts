/** Work without end on a real cluster, with servers killed now and then, and the series of what the process holds meanwhile. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MooseFS } from '../../../src/index.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** One line of the series. Bytes are MiB. */
export interface SoakSample {
  readonly second: number;
  readonly heap: number;
  readonly rss: number;
  readonly external: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly timers: number;
  /** Rounds of work that were done. */
  readonly rounds: number;
}

/** What a soak came to. */
export interface SoakResult {
  readonly samples: readonly SoakSample[];
  readonly rounds: number;
  readonly kills: number;
  /** Rounds that failed, with their reasons. */
  readonly failures: readonly string[];
}

const MIB = 1024 * 1024;
const WORKERS = 4;
/** Between rounds, so that a soak leaves something of the machine to others. */
const REST_MS = 50;
const MAX_FILE = 2 * MIB;
const AWAY_MS = 2000;

/** Works for so long; `print` gets a line for each sample. */
export async function soak(
  cluster: Cluster,
  { seconds, everySeconds, killEverySeconds }: { seconds: number; everySeconds: number; killEverySeconds: number },
  print: (line: string) => void,
): Promise<SoakResult> {
  const until = performance.now() + seconds * 1000;
  const tally = { rounds: 0, kills: 0, failures: [] as string[] };
  const samples: SoakSample[] = [];
  const mfs = await MooseFS.connect({ master: cluster.master });
  const gate = new Gate(WORKERS);
  const worker = async (number: number): Promise<void> => {
    await mfs.mkdir(`/soak-${number}`);
    while (performance.now() < until) {
      await gate.pass();
      await sleep(REST_MS);
      await round(mfs, `/soak-${number}`).catch((error: unknown) => tally.failures.push(String(error)));
      tally.rounds++;
    }
    gate.leave();
  };
  const sampler = async (): Promise<void> => {
    for (let at = everySeconds; at <= seconds; at += everySeconds) {
      await sleep(Math.max(0, until - (seconds - at) * 1000 - performance.now()));
      await gate.close();
      const sample = { second: at, ...measure(), rounds: tally.rounds };
      gate.open();
      samples.push(sample);
      print(Object.entries(sample).map(([name, value]) => `${name} ${value}`).join('  ')); // prettier-ignore
    }
  };
  const killer = async (): Promise<void> => {
    for (let i = 0; performance.now() + killEverySeconds * 1000 < until; i++) {
      await sleep(killEverySeconds * 1000 - AWAY_MS);
      const victim = cluster.chunkservers[i % cluster.chunkservers.length]!;
      await victim.kill();
      await sleep(AWAY_MS);
      await victim.start();
      tally.kills++;
    }
  };
  await Promise.all([...Array.from({ length: WORKERS }, (_, i) => worker(i)), sampler(), killer()]);
  await mfs.close();
  return { samples, ...tally };
}

/** Stops all workers between two rounds, so that what is on its way is not measured. */
class Gate {
  #workers: number;
  #waiting: (() => void)[] = [];
  #closed: (() => void) | undefined;

  constructor(workers: number) {
    this.#workers = workers;
  }

  async pass(): Promise<void> {
    if (this.#closed === undefined) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === this.#workers) this.#closed?.();
    });
  }

  leave(): void {
    this.#workers--;
    if (this.#waiting.length === this.#workers) this.#closed?.();
  }

  async close(): Promise<void> {
    if (this.#workers === 0) return;
    await new Promise<void>((resolve) => (this.#closed = resolve));
  }

  open(): void {
    this.#closed = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** Makes, writes, reads in three ways, verifies, renames, empties and removes a file. */
async function round(mfs: MooseFS, folder: string): Promise<void> {
  const data = randomBytes(1 + Math.floor(Math.random() * MAX_FILE));
  const path = `${folder}/file`;
  await mfs.writeFile(path, data);
  const whole = await mfs.readFile(path);
  if (!whole.equals(data)) throw new Error(`${path}: readFile gave other bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of mfs.createReadStream(path) as AsyncIterable<Buffer>) pieces.push(piece);
  if (!Buffer.concat(pieces).equals(data)) throw new Error(`${path}: the stream gave other bytes`);
  {
    await using handle = await mfs.open(path, 'r');
    const at = Math.floor(Math.random() * data.length);
    const part = Buffer.alloc(Math.min(1000, data.length - at));
    await handle.read(part, 0, part.length, at);
    if (!part.equals(data.subarray(at, at + part.length))) throw new Error(`${path}: read gave other bytes`);
  }
  const { size } = await mfs.stat(path);
  if (size !== data.length) throw new Error(`${path}: ${size} bytes, not ${data.length}`);
  await mfs.rename(path, `${path}.2`);
  // Emptied first: what is in the trash would fill the disks.
  await mfs.truncate(`${path}.2`, 0);
  await mfs.unlink(`${path}.2`);
}

/** After a garbage collection: what is left is held. */
function measure(): Omit<SoakSample, 'second' | 'rounds'> {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, rss, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const mib = (bytes: number): number => Math.round((bytes / MIB) * 10) / 10;
  return {
    heap: mib(heapUsed),
    rss: mib(rss),
    external: mib(external),
    descriptors: readdirSync('/proc/self/fd').length,
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    timers: resources.filter((name) => name === 'Timeout').length,
  };
}

/** How much a value grows, over the second half of the series, by the line that fits best. */
export function growth(
  samples: readonly SoakSample[],
  name: 'heap' | 'rss' | 'external' | 'descriptors' | 'sockets',
): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = half.map(({ second }) => second);
  const y = half.map((sample) => sample[name]);
  const [meanX, meanY] = [mean(x), mean(y)];
  const slope = x.reduce((sum, each, i) => sum + (each - meanX) * (y[i]! - meanY), 0) / x.reduce((sum, each) => sum + (each - meanX) ** 2, 0); // prettier-ignore
  return slope * (x.at(-1)! - x[0]!);
}

/** What is not flat at the end. */
export function notFlat(samples: readonly SoakSample[]): string[] {
  // MiB, and numbers; a garbage-collected heap and connections that come and go are never quite still.
  const limits = { heap: 4, external: 16, descriptors: 8, sockets: 8 } as const;
  return Object.entries(limits).flatMap(([name, limit]) => {
    const grown = growth(samples, name as keyof typeof limits);
    return grown > limit ? [`${name} grew by ${grown.toFixed(1)} in the second half`] : [];
  });
}
