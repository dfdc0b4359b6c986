/** What is going on while a fault happens: a write, a close, a read, calls about names. Each tells the longest it had to wait. */
import { createHash } from 'node:crypto';
import type { ChunkInfo, FileHandle, MooseFS } from '../../../src/index.ts';
import { Stopwatch } from './stopwatch.ts';

/** What an activity works on. */
export interface ActivityContext {
  readonly mfs: MooseFS;
  readonly path: string;
  /** What is written, or what lies there to be read. */
  readonly data: Buffer;
  /** Does the fault to the server at this place of the chain that is in use. */
  readonly inflict: (chain: readonly string[], chunkId: bigint) => Promise<void>;
}

/** What came of it. */
export interface ActivityResult {
  /** The longest wait after the fault, in milliseconds. */
  readonly worstMs: number;
  /** When that wait was over, on the clock of `performance.now()`. */
  readonly worstEndedAt: number;
  /** For reads: whether every byte was right. */
  readonly equal: boolean;
}

const PIECE = 1024 * 1024;
/** The fault comes when so much is written or read. */
const BEFORE = 4 * PIECE;

async function chunkOf(handle: FileHandle): Promise<[chain: readonly string[], chunkId: bigint]> {
  for (;;) {
    const chunk = handle.replication.at(-1);
    if (chunk !== undefined) return [chunk.servers, chunk.chunkId];
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const addressesOf = ({ replicas }: ChunkInfo): string[] => replicas.map(({ host, port }) => `${host}:${port}`);

const result = (watch: Stopwatch, equal = true): ActivityResult => ({
  worstMs: watch.worst,
  worstEndedAt: watch.worstEndedAt,
  equal,
});

/** A file is written and synced; the fault comes in the middle. */
async function write({ mfs, path, data, inflict }: ActivityContext): Promise<ActivityResult> {
  const watch = new Stopwatch();
  const handle = await mfs.open(path, 'w');
  try {
    for (let at = 0; at < data.length; at += PIECE) {
      await handle.write(data.subarray(at, at + PIECE));
      watch.lap();
      if (at !== BEFORE) continue;
      await inflict(...(await chunkOf(handle)));
      watch.restart();
    }
    await handle.sync();
    watch.lap();
  } catch (error) {
    // The first failure says why; close() says that there was one.
    await handle.close().catch(() => undefined);
    throw error;
  }
  await handle.close();
  return result(watch);
}

/** Everything is written into the buffer; the fault comes right before close(). */
async function close({ mfs, path, data, inflict }: ActivityContext): Promise<ActivityResult> {
  const handle = await mfs.open(path, 'w');
  for (let at = 0; at < data.length; at += PIECE) await handle.write(data.subarray(at, at + PIECE));
  await inflict(...(await chunkOf(handle)));
  const watch = new Stopwatch();
  await handle.close();
  watch.lap();
  return result(watch);
}

/** A file is read as a stream; the fault comes in the middle. */
async function read({ mfs, path, data, inflict }: ActivityContext): Promise<ActivityResult> {
  const [chunk] = await mfs.chunks(path);
  const hash = createHash('sha256');
  const watch = new Stopwatch();
  let done = 0;
  for await (const bytes of mfs.createReadStream(path) as AsyncIterable<Buffer>) {
    watch.lap();
    hash.update(bytes);
    const before = done;
    done += bytes.length;
    if (before >= BEFORE || done < BEFORE) continue;
    await inflict(addressesOf(chunk!), chunk!.id!);
    watch.restart();
  }
  return result(watch, hash.digest('hex') === createHash('sha256').update(data).digest('hex'));
}

/** Names are made, looked at, changed and removed; the fault comes in the middle. Ends two seconds after the longest wait. */
async function metadata({ mfs, path, inflict }: ActivityContext): Promise<ActivityResult> {
  const watch = new Stopwatch();
  const steps = async (name: string): Promise<void> => {
    await mfs.mkdir(name);
    await mfs.stat(name);
    watch.lap();
    await mfs.rename(name, `${name}.new`);
    watch.lap();
    await mfs.rmdir(`${name}.new`);
    watch.lap();
  };
  await steps(`${path}.before`);
  const [chunk] = await mfs.chunks(path);
  await inflict(addressesOf(chunk!), chunk!.id!);
  watch.restart();
  const startedAt = performance.now();
  for (let i = 0; performance.now() - startedAt < 2000 || i < 20; i++) await mfs.stat(path).then(() => watch.lap());
  await steps(`${path}.after`);
  return result(watch);
}

/** All of them. */
export const activities = { write, read, close, metadata } as const;
/** Their names. */
export type ActivityName = keyof typeof activities;
