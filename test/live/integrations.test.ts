/** Libraries that are written to node:fs, on MooseFS. */
import fastGlob from 'fast-glob';
import type { FileSystemAdapter } from 'fast-glob';
import git from 'isomorphic-git';
import { once } from 'node:events';
import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import webpack from 'webpack';
import { MooseFS } from '../../src/index.ts';
import { sharedCluster } from '../support/live.ts';

let mfs: MooseFS;
let folder: string;

beforeAll(async () => {
  mfs = await MooseFS.connect({ master: sharedCluster().master });
  folder = await mfs.mkdtemp('/integrations-');
});

afterAll(async () => {
  await mfs.rm(folder, { recursive: true });
  await mfs.close();
});

const author = { name: 'A. Moose', email: 'moose@example.org' };

test('isomorphic-git: init, add, commit, branch, merge, log, status', async () => {
  const repo = { fs: mfs, dir: `${folder}/repo` };
  await git.init({ ...repo, defaultBranch: 'main' });
  const commit = async (file: string, text: string): Promise<string> => {
    await mfs.writeFile(`${repo.dir}/${file}`, text);
    await git.add({ ...repo, filepath: file });
    return git.commit({ ...repo, author, message: `write ${file}` });
  };
  await commit('a.txt', 'one');
  expect(await git.status({ ...repo, filepath: 'a.txt' })).toBe('unmodified');
  await mfs.writeFile(`${repo.dir}/a.txt`, 'one and more');
  expect(await git.status({ ...repo, filepath: 'a.txt' })).toBe('*modified');
  await commit('a.txt', 'two');
  await git.branch({ ...repo, ref: 'side', checkout: true });
  await commit('side.txt', 'side');
  await git.checkout({ ...repo, ref: 'main' });
  expect(await mfs.exists(`${repo.dir}/side.txt`)).toBe(false);
  await commit('main.txt', 'main');
  await git.merge({ ...repo, ours: 'main', theirs: 'side', author });
  await git.checkout({ ...repo, ref: 'main' });
  expect(await mfs.readFile(`${repo.dir}/side.txt`, 'utf8')).toBe('side');
  // A commit that two branches have is listed twice when the clock has moved between them.
  const log = new Map((await git.log({ ...repo })).map(({ oid, commit: { message } }) => [oid, message.trim()]));
  expect([...log.values()].sort()).toEqual(
    ["Merge branch 'side' into main", 'write a.txt', 'write a.txt', 'write main.txt', 'write side.txt'].sort(),
  );
  expect((await git.statusMatrix(repo)).every(([, head, work, stage]) => head === 1 && work === 1 && stage === 1)).toBe(
    true,
  );
  expect((await git.listBranches(repo)).sort()).toEqual(['main', 'side']);
});

test('tar-fs packs and extracts', async () => {
  const local = await mkdtemp(join(tmpdir(), 'integrations-'));
  try {
    await mkdir(join(local, 'in/sub'), { recursive: true });
    const big = Buffer.alloc(3_000_000, 'reindeer ');
    await writeFile(join(local, 'in/big.bin'), big);
    await writeFile(join(local, 'in/sub/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    await symlink('sub/run.sh', join(local, 'in/link'));
    // Local to MooseFS, MooseFS to MooseFS, MooseFS to local.
    // Its types do not know the option, which its documentation names.
    const there = { fs: mfs.callbacks } as object;
    await pipeline(pack(join(local, 'in')), extract(`${folder}/tar-1`, there));
    await pipeline(pack(`${folder}/tar-1`, there), extract(`${folder}/tar-2`, there));
    await pipeline(pack(`${folder}/tar-2`, there), extract(join(local, 'out')));
    expect(await mfs.readlink(`${folder}/tar-2/link`)).toBe('sub/run.sh');
    expect((await mfs.stat(`${folder}/tar-2/sub/run.sh`)).mode & 0o777).toBe(0o755);
    expect((await mfs.readFile(`${folder}/tar-2/big.bin`)).equals(big)).toBe(true);
    expect((await readFile(join(local, 'out/big.bin'))).equals(big)).toBe(true);
    expect(await readFile(join(local, 'out/link'), 'utf8')).toBe('#!/bin/sh\n');
  } finally {
    await rm(local, { recursive: true });
  }
});

test('fast-glob finds', async () => {
  const at = `${folder}/glob`;
  await mfs.mkdir(`${at}/src/deep`, { recursive: true });
  for (const name of ['a.ts', 'b.js', 'src/c.ts', 'src/deep/d.ts', 'src/.hidden.ts'])
    await mfs.writeFile(`${at}/${name}`, name);
  await mfs.symlink('src', `${at}/link`);
  const fs = mfs.callbacks as Partial<FileSystemAdapter>;
  expect((await fastGlob('**/*.ts', { cwd: at, fs, followSymbolicLinks: false })).sort()).toEqual(
    ['a.ts', 'src/c.ts', 'src/deep/d.ts'].sort(),
  );
  const stats = await fastGlob('*.js', { cwd: at, fs, stats: true });
  expect(stats.map(({ name, stats: found }) => [name, found?.size])).toEqual([['b.js', 4]]);
  const streamed: unknown[] = [];
  const stream = fastGlob.stream('link/**', { cwd: at, fs });
  stream.on('data', (path) => streamed.push(path));
  await once(stream, 'end');
  expect(streamed.sort()).toEqual(['link/c.ts', 'link/deep/d.ts']);
});

test('webpack reads its sources and writes its bundle through the callback form', async () => {
  const at = `${folder}/bundle`;
  await mfs.mkdir(`${at}/src`, { recursive: true });
  await mfs.writeFile(`${at}/src/index.js`, `import { antlers } from './antlers.js'; globalThis.found = antlers * 2;`);
  await mfs.writeFile(`${at}/src/antlers.js`, 'export const antlers = 21;');
  const compiler = webpack({
    mode: 'production',
    context: at,
    entry: './src/index.js',
    output: { path: `${at}/dist`, filename: 'bundle.js' },
  });
  const fs = mfs.callbacks as unknown;
  compiler.inputFileSystem = fs as NonNullable<typeof compiler.inputFileSystem>;
  compiler.outputFileSystem = fs as NonNullable<typeof compiler.outputFileSystem>;
  compiler.intermediateFileSystem = fs as NonNullable<typeof compiler.intermediateFileSystem>;
  const stats = await new Promise<webpack.Stats>((resolve, reject) => {
    compiler.run((error, result) => {
      if (error !== null) reject(error);
      else resolve(result!);
    });
  });
  expect(stats.toJson({ errors: true }).errors).toEqual([]);
  const bundle = await mfs.readFile(`${at}/dist/bundle.js`, 'utf8');
  expect(bundle).toContain('42');
});
