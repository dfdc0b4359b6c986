/** The command's memory is that of its windows, not that of the file: 1 GiB through pipes, as a process of its own. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder, sharedCluster } from '../support/live.ts';
import { spawnMfs } from '../support/run-mfs.ts';

const { master, version, provider } = sharedCluster();
const MIB = 1024 * 1024;
const SIZE = 1024;
/** What the project promises, in MiB. It is measured with the compiler of the tests inside the process. */
const LIMIT = 200;
/** Has a process of node's say its highest resident memory, in KiB, as its last line. */
const tellsPeak = `data:text/javascript,${encodeURIComponent(
  `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'))`,
)}`;

let mfs: MooseFS;
let folder: string;

beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'memory', 2);
});
afterAll(async () => {
  await mfs.rm(folder, { recursive: true, force: true });
  await mfs.close();
});

/** Runs the command; gives its exit status and its peak in MiB. */
function start(...words: string[]) {
  const child = spawnMfs(words, { master, env: { NODE_OPTIONS: `--import=${tellsPeak}` } });
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const ended = once(child, 'close').then(([status]) => {
    const peak = /peak (\d+)\n$/.exec(stderr);
    if (peak === null) throw new Error(`no peak of memory in: ${stderr}`);
    return { status: status as number, peak: Math.round(Number(peak[1]) / 1024) };
  });
  return { child, ended };
}

test('1 GiB through put - and get … -', { timeout: 600_000 }, async () => {
  const path = `${folder}/large`;
  const written = createHash('sha256');
  const put = start('put', '-', path);
  // why it ended early is in its own output
  put.child.stdin.on('error', () => undefined);
  for (let i = 0; i < SIZE; i++) {
    const piece = Buffer.alloc(MIB, `${i} of a large file, `);
    written.update(piece);
    if (!put.child.stdin.write(piece)) await Promise.race([once(put.child.stdin, 'drain'), put.ended]);
  }
  put.child.stdin.end();
  const afterPut = await put.ended;

  const read = createHash('sha256');
  const get = start('get', path, '-');
  get.child.stdin.end();
  for await (const piece of get.child.stdout) read.update(piece as Buffer);
  const afterGet = await get.ended;

  console.log(
    `MooseFS ${version} (${provider}), 1 GiB: put - peaks at ${afterPut.peak} MiB, get - at ${afterGet.peak} MiB`,
  );
  expect([afterPut.status, afterGet.status]).toEqual([0, 0]);
  expect(read.digest('hex')).toBe(written.digest('hex'));
  expect(afterPut.peak).toBeLessThan(LIMIT);
  expect(afterGet.peak).toBeLessThan(LIMIT);
});
