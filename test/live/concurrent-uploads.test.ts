/**
 * The proof of the main job: 200 uploads at the same time, and then every replica of each by itself against what was written. The
 * client that this package replaces failed here: it finished writing before all servers had answered, and replicas lost their tails.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern, shuffled } from '../support/pattern.ts';

const FILES = 200;
const COPIES = 3;
const MIB = 1024 * 1024;
/** Files whose replicas are read at the same time. */
const READERS = 8;

let mfs: MooseFS;
let folder: string;
beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'uploads', COPIES);
});
afterAll(() => mfs.close());

const md5 = (data: Uint8Array) => createHash('md5').update(data).digest('hex');
/** 1 to 5 MiB, hardly ever a multiple of anything. */
const sizeOf = (i: number) => MIB + ((i * 2_654_435_761) % (4 * MIB));
const dataOf = (i: number) => pattern(sizeOf(i), i + 1);

async function upload(i: number): Promise<void> {
  const data = dataOf(i);
  const path = `${folder}/${i}`;
  if (i % 2 === 0) {
    await mfs.writeFile(path, data);
    return;
  }
  // As an upload service gets it: pieces of the size of a socket's reads.
  const pieces = function* () {
    for (let at = 0; at < data.length; at += 65_521) yield data.subarray(at, at + 65_521);
  };
  await pipeline(Readable.from(pieces(), { objectMode: true }), mfs.createWriteStream(path));
}

/** Reads a file from each of its replicas, each by itself; gives a line for each that is not what was written. */
async function compareReplicas(i: number): Promise<{ compared: number; differences: string[] }> {
  const path = `${folder}/${i}`;
  const wanted = md5(dataOf(i));
  const [chunk, ...others] = await mfs.chunks(path);
  expect(others).toEqual([]);
  const differences: string[] = [];
  let compared = 0;
  for (const replica of chunk!.replicas) {
    expect(replica.state).toBe('valid');
    const found = md5(await mfs.readFile(path, { replica }));
    compared++;
    if (found !== wanted) differences.push(`${path} at ${replica.host}:${replica.port}: ${found}, not ${wanted}`);
  }
  return { compared, differences };
}

test(
  `${FILES} concurrent uploads, ${COPIES} copies each: every replica equals what was written`,
  {
    timeout: 600_000,
  },
  async () => {
    const started = performance.now();
    await Promise.all(Array.from({ length: FILES }, (_, i) => upload(i)));
    const seconds = (performance.now() - started) / 1000;

    const rest = shuffled(FILES, 1);
    let compared = 0;
    const differences: string[] = [];
    const read = async (): Promise<void> => {
      for (let i = rest.pop(); i !== undefined; i = rest.pop()) {
        const result = await compareReplicas(i);
        compared += result.compared;
        differences.push(...result.differences);
      }
    };
    await Promise.all(Array.from({ length: READERS }, read));

    const megabytes = Array.from({ length: FILES }, (_, i) => sizeOf(i)).reduce((sum, size) => sum + size, 0) / 1e6;
    process.stdout.write(
      `${FILES} concurrent uploads, ${Math.round(megabytes)} MB, ${COPIES} copies, on MooseFS ${mfs.serverVersion}, ` +
        `${seconds.toFixed(1)} s: ${differences.length} differences of ${compared} replicas compared by md5\n`,
    );
    expect(differences).toEqual([]);
    expect(compared).toBe(FILES * COPIES);
    expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
  },
);
