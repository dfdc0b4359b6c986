/** Many uploads at the same time, and every replica of each by itself against what was written. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { pattern, shuffled } from './pattern.ts';

const MIB = 1024 * 1024;
/** Files whose replicas are read at the same time. */
const READERS = 8;

/** What the replicas of all files came to: how many were compared, and a line for each that is not what was written. */
export interface Comparison {
  readonly compared: number;
  readonly differences: readonly string[];
}

const md5 = (data: Uint8Array) => createHash('md5').update(data).digest('hex');
/** Of the file with this number: 1 to 5 MiB, hardly ever a multiple of anything. */
const sizeOf = (i: number) => MIB + ((i * 2_654_435_761) % (4 * MIB));
const dataOf = (i: number) => pattern(sizeOf(i), i + 1);

/** Writes so many files into a folder, all at the same time; gives their bytes and the seconds that it took. */
export async function uploadAll(
  mfs: MooseFS,
  folder: string,
  files: number,
): Promise<{ bytes: number; seconds: number }> {
  const started = performance.now();
  const numbers = Array.from({ length: files }, (_, i) => i);
  await Promise.all(numbers.map((i) => upload(mfs, `${folder}/${i}`, i)));
  return {
    bytes: numbers.reduce((sum, i) => sum + sizeOf(i), 0),
    seconds: (performance.now() - started) / 1000,
  };
}

async function upload(mfs: MooseFS, path: string, i: number): Promise<void> {
  const data = dataOf(i);
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

/** Reads the files that {@link uploadAll} wrote from each of their replicas, each by itself. */
export async function compareAll(mfs: MooseFS, folder: string, files: number): Promise<Comparison> {
  const rest = shuffled(files, 1);
  let compared = 0;
  const differences: string[] = [];
  const read = async (): Promise<void> => {
    for (let i = rest.pop(); i !== undefined; i = rest.pop()) {
      const result = await compareReplicas(mfs, `${folder}/${i}`, md5(dataOf(i)));
      compared += result.compared;
      differences.push(...result.differences);
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return { compared, differences };
}

async function compareReplicas(mfs: MooseFS, path: string, wanted: string): Promise<Comparison> {
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
