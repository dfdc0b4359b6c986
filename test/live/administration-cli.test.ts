/** The commands of administration on real servers: what they print, as text and JSON, and how they end. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, sharedCluster } from '../support/live.ts';
import { runMfs } from '../support/run-mfs.ts';

const { master, version } = sharedCluster();
const isOld = version.startsWith('3.');
const [two, three] = isOld ? ['2', '3'] : ['2CP', '3CP'];

let mfs: MooseFS;
/** A tree of two folders and two files. */
let root: string;

const run = (...words: string[]) => runMfs(words, { master });
const done = (stdout: string) => ({ status: 0, stderr: '', stdout });
async function json(...words: string[]): Promise<Record<string, unknown>[]> {
  const { status, stderr, stdout } = await run(...words, '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

beforeAll(async () => {
  mfs = await connectShared();
  root = `/cli-${randomUUID()}`;
  await mfs.mkdir(`${root}/inner`, { recursive: true });
  await mfs.storageClass.set(root, two, { recursive: true });
  for (const path of ['a', 'inner/b']) await mfs.writeFile(`${root}/${path}`, `this is ${path}`);
});
afterAll(async () => {
  await mfs.rm(root, { recursive: true, force: true });
  await mfs.close();
});

describe('placement', () => {
  test('sclass', async () => {
    expect(await run('sclass', 'get', root)).toMatchObject(done(`${root}: ${two}\n`));
    expect(await run('sclass', 'set', three, `${root}/a`)).toMatchObject(
      done(`${root}/a: 1 changed, 0 had it already\n`),
    );
    expect(await run('sclass', 'get', '-r', root)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`  ${three}: 1 file\n`),
    });
    expect(await json('sclass', 'get', '-r', root)).toMatchObject([
      { path: root, directories: [{ storageClass: two, count: 2 }] },
    ]);
    expect((await json('sclass', 'list')).map(({ name }) => name)).toEqual(await mfs.storageClass.list());
    const name = `c-${randomUUID()}`;
    expect(await run('sclass', 'create', '--keep', '2A,B', '--archive-delay', '24', name)).toMatchObject(done(''));
    expect((await run('sclass', 'show', name)).stdout).toMatch(/keep: A,A,B\n(.*\n)*.*archived after: 24 hours/);
    expect(await json('sclass', 'change', name, '--admin-only', 'yes')).toMatchObject([
      { adminOnly: true, keep: { copies: ['A', 'A', 'B'] } },
    ]);
    expect(await run('sclass', 'rename', name, `${name}-2`)).toMatchObject(done(''));
    expect(await run('sclass', 'delete', `${name}-2`)).toMatchObject(done(''));
    expect(await run('sclass', 'delete', name)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        `mfs: sclass delete: ${name}: EINVAL: invalid argument (no such storage class: ${name})`,
      ),
    });
    expect((await run('sclass', 'create', name)).status).toBe(2);
  });

  test('goal', async () => {
    expect(await run('goal', 'set', '-r', '2', root)).toMatchObject({ status: 0 });
    expect(await run('goal', 'get', `${root}/a`, `${root}/nothing`)).toMatchObject({
      status: 1,
      stdout: `${root}/a: 2\n`,
      stderr: expect.stringContaining(`${root}/nothing: ENOENT`),
    });
    expect((await run('goal', 'set', '0', root)).status).toBe(2);
  });

  test('archive', async () => {
    expect(await run('archive', 'set', root)).toMatchObject(done(`${root}: 2 changed, 0 had it already\n`));
    expect(await json('archive', 'get', root)).toMatchObject([{ archivedChunks: 2, otherChunks: 0 }]);
    expect((await run('archive', 'clear', root)).status).toBe(0);
  });
});

describe('the trash', () => {
  test('get, set, list, restore and purge', async () => {
    expect(await run('trash', 'set', '-r', '36h', root)).toMatchObject({ status: 0 });
    expect(await run('trash', 'get', root)).toMatchObject(done(`${root}: 1d 12h\n`));
    expect(await json('trash', 'get', '-r', root)).toEqual([
      { path: root, files: [{ seconds: 129_600, count: 2 }], directories: [{ seconds: 129_600, count: 2 }] },
    ]);
    expect((await run('rm', `${root}/inner/b`)).status).toBe(0);
    const [entry] = await json('trash', 'list', `${root}/**`);
    expect(entry).toMatchObject({ path: `${root}/inner/b`, size: 15 });
    expect((await run('trash', 'list')).stdout).toMatch(new RegExp(`^\\d{4}-.* 15 +\\d+ +${root}/inner/b$`, 'm'));
    expect(await run('trash', 'restore', `${root}/inner/b`)).toMatchObject(done(`restored ${root}/inner/b\n`));
    expect((await run('cat', `${root}/inner/b`)).stdout).toBe('this is inner/b');
    expect(await run('trash', 'restore', `${root}/inner/b`)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not in the trash'),
    });
    expect((await run('rm', `${root}/inner/b`)).status).toBe(0);
  });

  test('a purge asks for --yes', async () => {
    const refused = await run('trash', 'purge', `${root}/inner/*`);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--yes') });
    expect(await json('trash', 'list', `${root}/**`)).toHaveLength(1);
    expect(await run('trash', 'purge', '--yes', `${root}/inner/*`)).toMatchObject(done(`purged ${root}/inner/b\n`));
    expect(await json('trash', 'list', `${root}/**`)).toEqual([]);
  });
});

test('snapshots go into folders as copies do', async () => {
  await mfs.mkdir(`${root}/shots`);
  expect(await run('snapshot', `${root}/a`, `${root}/inner`, `${root}/shots`)).toMatchObject(done(''));
  expect((await run('ls', `${root}/shots`)).stdout).toBe('a\ninner\n');
  expect(await run('snapshot', `${root}/shots`, `${root}/renamed`)).toMatchObject(done(''));
  expect((await run('cat', `${root}/renamed/a`)).stdout).toBe('this is a');
  expect(await run('snapshot', `${root}/a`, `${root}/renamed`)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('EEXIST'),
  });
  expect((await run('rmsnapshot', root)).status).toBe(1);
  expect(await run('rmsnapshot', `${root}/renamed`)).toMatchObject(done(''));
});

test('concat, check, info and wait', async () => {
  expect(await run('concat', `${root}/all`, `${root}/a`, `${root}/a`)).toMatchObject(done(''));
  expect((await mfs.stat(`${root}/all`)).size).toBe(64 * 1024 * 1024 + 9);
  expect(await run('wait', '--timeout', '2m', `${root}/all`)).toMatchObject(done(''));
  expect(await run('check', `${root}/all`)).toMatchObject(done(`${root}/all:\n  2 chunks with 2 copies\n`));
  expect(await json('info', `${root}/inner`)).toMatchObject([{ inodes: 1, directories: 1, files: 0 }]);
  expect((await run('info', `${root}/all`)).stdout).toContain('  length: 67108873 (64.0 MiB)\n');
});

test('a repair asks for --yes', async () => {
  expect(await run('repair', `${root}/a`)).toMatchObject({ status: 2, stderr: expect.stringContaining('--yes') });
  expect((await run('repair', '--yes', '--erase', `${root}/a`)).stdout).toMatch(
    /: 0 repaired, 0 erased, \d+ as they were\n/,
  );
});

test('quota', async () => {
  const folder = `${root}/inner`;
  const set = await json('quota', 'set', '--hard-length', '1G', '--soft-inodes', '10', '--grace', '1d', folder);
  expect(set).toMatchObject([
    { path: folder, hard: { length: 1024 ** 3 }, soft: { inodes: 10 }, graceSeconds: 86_400 },
  ]);
  expect((await run('quota', 'get', folder)).stdout).toMatch(
    /grace period 1d\n.*\n +inodes +\d+ +10 +-\n +length +\d+ +- +1\.0G\n/,
  );
  expect((await run('quota', 'list')).stdout).toMatch(new RegExp(`^${folder} +inodes 10 +length 1\\.0G +ok$`, 'm'));
  expect(await json('quota', 'set', '--soft-inodes', 'none', folder)).toMatchObject([{ soft: {} }]);
  expect(await run('quota', 'remove', folder)).toMatchObject(done(''));
  expect((await run('quota', 'list')).stdout).not.toContain(folder);
  expect((await run('quota', 'set', folder)).status).toBe(2);
});

test('eattr', async () => {
  expect(await run('eattr', 'add', '-r', 'noowner,nodatacache', `${root}/inner`)).toMatchObject({ status: 0 });
  expect(await run('eattr', 'get', `${root}/inner`)).toMatchObject(done(`${root}/inner: noowner,nodatacache\n`));
  expect(await run('eattr', 'set', 'none', `${root}/inner`)).toMatchObject({ status: 0 });
  expect((await run('eattr', 'add', 'nonsense', root)).status).toBe(2);
});

test('xattr and acl', async () => {
  const path = `${root}/a`;
  expect(await run('xattr', 'set', 'user.camera', 'Zenit', path)).toMatchObject(done(''));
  expect(await run('xattr', 'get', 'user.camera', path)).toMatchObject(done(`${path}: "Zenit"\n`));
  expect(await run('xattr', 'list', '-v', path)).toMatchObject(done(`${path}: user.camera="Zenit"\n`));
  expect(await run('xattr', 'remove', 'user.camera', path)).toMatchObject(done(''));
  expect(await run('xattr', 'get', 'user.camera', path)).toMatchObject({ status: 1 });
  expect(await run('acl', 'set', 'u::rw,u:1000:rw,g::r,m::rw,o::-', path)).toMatchObject(done(''));
  expect((await run('acl', 'get', path)).stdout).toBe(
    `# file: ${path}\nuser::rw-\nuser:1000:rw-\ngroup::r--\nmask::rw-\nother::---\n\n`,
  );
  expect(await run('acl', 'remove', path)).toMatchObject(done(''));
  expect(await json('acl', 'get', path)).toEqual([{ path, acl: null }]);
  expect((await run('acl', 'set', 'u:rw', path)).status).toBe(2);
});
