/** mfs du, find and tree, and the completion of paths, on real servers. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder, sharedCluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { runMfs } from '../support/run-mfs.ts';

const { master, version } = sharedCluster();

let mfs: MooseFS;
let root: string;
const run = (...words: string[]) => runMfs(words, { master });
const lines = (text: string) => text.split('\n').slice(0, -1);
/** What find prints, without the folder that all of it is in. */
const found = async (...words: string[]) => {
  const { status, stdout, stderr } = await run('find', root, ...words);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return lines(stdout).map((line) => line.slice(root.length + 1));
};

beforeAll(async () => {
  mfs = await connectShared();
  root = await makeFolder(mfs, `trees-${randomUUID()}`, 2);
  await mfs.mkdir(`${root}/films/old`, { recursive: true });
  await mfs.mkdir(`${root}/none`);
  await mfs.writeFile(`${root}/films/elk.mp4`, pattern(3_000_000, 1));
  await mfs.writeFile(`${root}/films/old/moose.mp4`, pattern(1000, 2));
  await mfs.writeFile(`${root}/films/old/notes.txt`, '');
  await mfs.symlink('films', `${root}/link`);
  await mfs.utimes(`${root}/films/old/moose.mp4`, 1_000_000_000, 1_000_000_000);
});
afterAll(async () => {
  await mfs.rm(root, { recursive: true, force: true });
  await mfs.close();
});

test('du tells what the master has counted, folder by folder', async () => {
  const { realSize, length } = await mfs.directoryInfo(root);
  expect(length).toBe(3_001_000 + 'films'.length);
  expect((await run('du', '-s', root)).stdout).toBe(`${Math.ceil(realSize / 1024)}\t${root}\n`);
  const all = lines((await run('du', '-h', '--apparent-size', root)).stdout);
  expect(all.map((line) => line.split('\t')[1])).toEqual([root, `${root}/films`, `${root}/films/old`, `${root}/none`]);
  expect(all[2]).toBe(`1.0K\t${root}/films/old`);
  expect(lines((await run('du', '-d', '1', root)).stdout)).toHaveLength(3);
  const json = lines((await run('du', '--json', root)).stdout).map((line) => JSON.parse(line) as object);
  expect(json[1]).toMatchObject({ path: `${root}/films`, files: 3, directories: 2 });
  expect((await run('du', `${root}/nothing`)).status).toBe(1);
});

describe('find', () => {
  test('by name, path and type', async () => {
    expect(await found('--type', 'd')).toEqual(['', 'films', 'films/old', 'none']);
    expect(await found('--name', '*.mp4')).toEqual(['films/elk.mp4', 'films/old/moose.mp4']);
    expect(await found('--path', `${root}/*/old/**`)).toEqual(['films/old/moose.mp4', 'films/old/notes.txt']);
    expect(await found('--type', 'l')).toEqual(['link']);
    expect(await found('--max-depth', '1', '--type', 'd')).toEqual(['', 'films', 'none']);
  });
  test('by size, time and owner', async () => {
    expect(await found('--size', '+1M')).toEqual(['films/elk.mp4']);
    expect(await found('--size', '-1000', '--type', 'f')).toEqual(['films/old/notes.txt']);
    expect(await found('--size', '1000')).toEqual(['films/old/moose.mp4']);
    expect(await found('--empty')).toEqual(['films/old/notes.txt', 'none']);
    expect(await found('--mtime', '+365d')).toEqual(['films/old/moose.mp4']);
    expect(await found('--mtime', '-1d', '--type', 'f')).toEqual(['films/elk.mp4', 'films/old/notes.txt']);
    expect(await found('--uid-is', '4000000')).toEqual([]);
  });
  test('by storage class and copies', async () => {
    const three = version.startsWith('3.') ? '3' : '3CP';
    await mfs.storageClass.set(`${root}/films/old/moose.mp4`, three);
    expect(await found('--sclass', three)).toEqual(['films/old/moose.mp4']);
    await mfs.waitForReplication(`${root}/films/elk.mp4`);
    await mfs.waitForReplication(`${root}/films/old/moose.mp4`);
    expect(await found('--copies', '3')).toEqual(['films/old/moose.mp4']);
    expect(await found('--copies', '-2')).toEqual([]);
    expect(await found('--lost')).toEqual([]);
  });
  test('for other programs', async () => {
    const { stdout } = await run('find', root, '--type', 'f', '-0');
    expect(stdout.split('\0')).toHaveLength(4);
    const [first] = lines((await run('find', '--json', '--size', '+1M', root)).stdout);
    expect(JSON.parse(first!)).toMatchObject({ path: `${root}/films/elk.mp4`, size: 3_000_000 });
    expect((await run('find', root, '--size', 'much')).status).toBe(2);
    expect((await run('find', root, '--mtime', '7d')).status).toBe(2);
  });
});

test('tree', async () => {
  expect((await run('tree', root)).stdout).toBe(
    [
      root,
      '├── films',
      '│   ├── elk.mp4',
      '│   └── old',
      '│       ├── moose.mp4',
      '│       └── notes.txt',
      '├── link -> films',
      '└── none',
      '',
      '3 folders, 4 files',
      '',
    ].join('\n'),
  );
  expect((await run('tree', '-d', '-L', '1', root)).stdout).toBe(`${root}\n├── films\n└── none\n\n2 folders\n`);
  expect((await run('tree', '-s', `${root}/films`)).stdout).toContain('├── [ 2.9M]  elk.mp4\n');
  expect((await run('tree', `${root}/films/elk.mp4`)).status).toBe(1);
});

test('paths are completed', async () => {
  const offered = async (word: string) => lines((await run('completion', 'words', '--', 'ls', word)).stdout);
  expect(await offered(`${root}/fi`)).toEqual(['remote', `${root}/films/`]);
  expect(await offered(`${root}/films/`)).toEqual(['remote', `${root}/films/elk.mp4`, `${root}/films/old/`]);
  expect(await offered('/nothing/')).toEqual(['remote']);
});
