/** What administrators do, from code: classes and goals, the trash, snapshots, quotas, extra attributes, checks and repair. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { TreeCounts } from '../../src/index.ts';
import { connectShared, sharedCluster, startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';

const isOld = sharedCluster().version.startsWith('3.');
const [two, three] = isOld ? ['2', '3'] : ['2CP', '3CP'];
const CHUNK = 64 * 1024 * 1024;

let mfs: MooseFS;
/** A folder of this run's own. */
let root: string;

beforeAll(async () => {
  mfs = await connectShared();
  root = `/administration-${randomUUID()}`;
  await mfs.mkdir(root);
  await mfs.storageClass.set(root, two);
});
afterAll(async () => {
  await mfs.rm(root, { recursive: true, force: true });
  await mfs.close();
});

/** A tree of three folders and four files below `root`. */
async function makeTree(name: string): Promise<string> {
  const tree = `${root}/${name}`;
  await mfs.mkdir(`${tree}/inner/deep`, { recursive: true });
  for (const path of ['a', 'b', 'inner/c', 'inner/deep/d']) await mfs.writeFile(`${tree}/${path}`, `this is ${path}`);
  return tree;
}

const total = <T>(counts: TreeCounts<T>) => ({
  files: Object.fromEntries(counts.files.map(({ value, count }) => [String(value), count])),
  directories: Object.fromEntries(counts.directories.map(({ value, count }) => [String(value), count])),
});

describe('placement', () => {
  test('a class is set for a tree, and the server counts', async () => {
    const tree = await makeTree('classes');
    expect(await mfs.storageClass.set(`${tree}/a`, three)).toEqual({ changed: 1, notChanged: 0, notPermitted: 0 });
    expect(total(await mfs.storageClass.get(tree, { recursive: true }))).toEqual({
      files: { [two]: 3, [three]: 1 },
      directories: { [two]: 3 },
    });
    expect(await mfs.storageClass.set(tree, three, { recursive: true })).toEqual({
      changed: 6,
      notChanged: 1,
      notPermitted: 0,
    });
    expect(await mfs.storageClass.get(`${tree}/inner/deep/d`)).toBe(three);
  });

  test('a goal is a number of copies on every version', async () => {
    const tree = await makeTree('goals');
    expect(await mfs.goal.get(tree)).toBe(2);
    expect(await mfs.goal.set(`${tree}/inner`, 3, { recursive: true })).toMatchObject({ changed: 4 });
    expect(await mfs.storageClass.get(`${tree}/inner`)).toBe(three);
    expect(total(await mfs.goal.get(tree, { recursive: true }))).toEqual({
      files: { 2: 2, 3: 2 },
      directories: { 2: 1, 3: 2 },
    });
    await expect(mfs.goal.set(tree, 0)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    // A fresh 4.x has no class of seven copies; that it has a class number 7 or not does not matter.
    if (!isOld) await expect(mfs.goal.set(tree, 7)).rejects.toMatchObject({ code: 'EINVAL' });
  });

  test('classes are made, read, changed, copied, renamed and deleted', async () => {
    const name = `class-${randomUUID()}`;
    await mfs.storageClass.create(name, { keep: ['A', 'B|C'], create: 1, archive: '2*', archiveDelayHours: 48 });
    try {
      expect(await mfs.storageClass.list()).toContain(name);
      const made = await mfs.storageClass.describe(name);
      expect(made).toMatchObject({ name, adminOnly: false, labelsMode: 'standard', archiveDelayHours: 48 });
      expect(made.keep.copies).toEqual(['A', 'B|C']);
      expect(made.create.copies).toEqual(['*']);
      expect(made.archive.copies).toEqual(['*', '*']);
      const changed = await mfs.storageClass.change(name, { labelsMode: 'loose', keep: 'A&B,(A|C)&D' });
      expect(changed).toMatchObject({ labelsMode: 'loose', archiveDelayHours: 48 });
      // 3.x keeps alternatives of labels, which is the same.
      expect(changed.keep.copies).toEqual(['A&B', isOld ? 'A&D|C&D' : '(A|C)&D']);
      expect(changed.create.copies).toEqual(['*']);
      await expect(mfs.storageClass.create(name, { keep: 1 })).rejects.toMatchObject({ code: 'EEXIST' });

      await mfs.storageClass.duplicate(name, `${name}-2`);
      await mfs.storageClass.rename(`${name}-2`, `${name}-3`);
      expect((await mfs.storageClass.describe(`${name}-3`)).keep.copies).toEqual(changed.keep.copies);
      await mfs.storageClass.set(root, `${name}-3`);
      await expect(mfs.storageClass.delete(`${name}-3`)).rejects.toMatchObject({ code: 'EBUSY' });
      await mfs.storageClass.set(root, two);
      await mfs.storageClass.delete(`${name}-3`);
    } finally {
      await mfs.storageClass.delete(name);
    }
    // One after another: what is not awaited yet must not reject.
    for (const call of [
      () => mfs.storageClass.describe(name),
      () => mfs.storageClass.change(name, { adminOnly: true }),
      () => mfs.storageClass.delete(name),
      () => mfs.storageClass.set(root, name),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'EINVAL' });
  });

  test.skipIf(isOld)('[4.x] classes keep all that they are given', async () => {
    const name = `class-${randomUUID()}`;
    const states = {
      keep: { copies: ['!A', 'B'], distinct: ['ip', 'C'] },
      archive: { erasureCoding: '4+1' },
    } as const;
    const plain = {
      adminOnly: true,
      labelsMode: 'strict',
      archiveRules: ['mtime', 'fast'],
      archiveDelayHours: 36,
      archiveMinSize: 5_000_000_000,
      minTrashRetentionHours: 12,
      description: 'nur für Elche',
      priority: 7,
      exportGroup: 3,
    } as const;
    await mfs.storageClass.create(name, { ...plain, ...states });
    const { keep, archive, trash, ...rest } = await mfs.storageClass.describe(name);
    expect(keep).toMatchObject({ copies: ['!A', 'B'], distinct: ['C', 'ip'] });
    expect(archive).toMatchObject({ erasureCoding: '4+1' });
    expect(trash!.copies).toEqual([]);
    expect(rest).toMatchObject(plain);
    await mfs.storageClass.delete(name);
  });

  test.skipIf(!isOld)('[3.x] what the server cannot keep is refused before it is sent', async () => {
    for (const definition of [
      { keep: 1, description: 'x' },
      { keep: 1, archive: { erasureCoding: '4+1' } },
      { keep: 1, trash: 1 },
    ])
      await expect(mfs.storageClass.create('never', definition)).rejects.toMatchObject({ code: 'ENOTSUP' });
    await expect(mfs.storageClass.create('never', { keep: '!A' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
    await expect(mfs.storageClass.change('3', { keep: 2 })).rejects.toMatchObject({ code: 'EPERM' });
  });
});

describe('the trash', () => {
  test('retention is in seconds, and masters keep whole hours', async () => {
    const tree = await makeTree('retention');
    expect(await mfs.trash.setRetention(tree, 5000, { recursive: true })).toMatchObject({ changed: 7 });
    expect(await mfs.trash.getRetention(tree)).toBe(7200);
    await mfs.trash.setRetention(`${tree}/a`, 86_400);
    expect(await mfs.trash.setRetention(tree, 10_800, { recursive: true, mode: 'increase' })).toEqual({
      changed: 6,
      notChanged: 1,
      notPermitted: 0,
    });
    expect(total(await mfs.trash.getRetention(tree, { recursive: true }))).toEqual({
      files: { 10800: 3, 86400: 1 },
      directories: { 10800: 3 },
    });
  });

  test('a deleted file is found, and restored with its content', async () => {
    const tree = await makeTree('restore');
    await mfs.trash.setRetention(tree, 86_400, { recursive: true });
    const content = pattern(300_000, 7);
    const name = `${tree}/inner/with|bar and ${'x'.repeat(200)}`;
    await mfs.writeFile(name, content);
    const before = Date.now();
    await mfs.rm(`${tree}/inner`, { recursive: true });

    const found = await mfs.trash.list({ pattern: `${tree}/**` });
    expect(found.map(({ path }) => path).sort()).toEqual([`${tree}/inner/c`, `${tree}/inner/deep/d`, name].sort());
    const entry = found.find(({ path }) => path === name)!;
    expect(entry.stats.size).toBe(content.length);
    // Clocks of the same machine; the master keeps whole seconds.
    expect(Math.abs(entry.deletedAt.getTime() - before)).toBeLessThan(60_000);

    expect((await mfs.trash.restore(name)).map(({ path }) => path)).toEqual([name]);
    expect(content.equals(await mfs.readFile(name))).toBe(true);
    const restored = await mfs.trash.restore({ pattern: `${tree}/inner/**` });
    expect(restored).toHaveLength(2);
    expect(await mfs.readFile(`${tree}/inner/deep/d`, 'utf8')).toBe('this is inner/deep/d');
    expect(await mfs.trash.list({ pattern: `${tree}/**` })).toEqual([]);
  });

  test('the last of several files of one name is restored, and not over another one', async () => {
    const tree = await makeTree('several');
    await mfs.trash.setRetention(tree, 86_400, { recursive: true });
    for (const text of ['first', 'second', 'third']) {
      await mfs.writeFile(`${tree}/twice`, text);
      await mfs.unlink(`${tree}/twice`);
    }
    await mfs.trash.restore(`${tree}/twice`);
    expect(await mfs.readFile(`${tree}/twice`, 'utf8')).toBe('third');
    await expect(mfs.trash.restore(`${tree}/twice`)).rejects.toMatchObject({ code: 'EEXIST', path: `${tree}/twice` });
    // What was refused lies where it lay.
    await expect(mfs.trash.restore(`${tree}/twice`, { to: `${tree}/a` })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await mfs.trash.list({ pattern: `${tree}/*` })).toHaveLength(2);
    const [moved] = await mfs.trash.restore(`${tree}/twice`, { to: `${tree}/new/folder/second` });
    expect(moved!.path).toBe(`${tree}/new/folder/second`);
    expect(await mfs.readFile(`${tree}/new/folder/second`, 'utf8')).toBe('second');
    const rest = await mfs.trash.list({ pattern: `${tree}/*` });
    await mfs.trash.restore({ pattern: `${tree}/tw*` }, { to: `${tree}/here` });
    expect(await mfs.readFile(`${tree}/here/twice`, 'utf8')).toBe('first');
    expect(rest).toHaveLength(1);
    await expect(mfs.trash.restore(`${tree}/twice`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('what is purged is gone, and what is not meant stays', async () => {
    const tree = await makeTree('purge');
    await mfs.trash.setRetention(tree, 86_400, { recursive: true });
    await mfs.rm(`${tree}/inner`, { recursive: true });
    await mfs.unlink(`${tree}/a`);
    expect((await mfs.trash.purge({ pattern: `${tree}/inner/**` })).map(({ path }) => path).sort()).toEqual([
      `${tree}/inner/c`,
      `${tree}/inner/deep/d`,
    ]);
    expect((await mfs.trash.list({ pattern: `${tree}/**` })).map(({ path }) => path)).toEqual([`${tree}/a`]);
    await mfs.trash.purge(`${tree}/a`);
    await expect(mfs.trash.purge(`${tree}/a`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a client of a folder sees the trash of that folder only, by its own paths', async () => {
    const tree = await makeTree('subfolder');
    await mfs.trash.setRetention(tree, 86_400, { recursive: true });
    await mfs.unlink(`${tree}/a`);
    await mfs.unlink(`${tree}/inner/c`);
    await using inner = await connectShared({ root: `${tree}/inner` });
    expect((await inner.trash.list()).map(({ path }) => path)).toEqual(['/c']);
    await inner.trash.restore('/c', { to: '/deep/e' });
    expect(await mfs.readFile(`${tree}/inner/deep/e`, 'utf8')).toBe('this is inner/c');
  });

  test('a file that is deleted while it is open is told as such', async () => {
    const path = `${root}/open`;
    await using handle = await mfs.open(path, 'w+');
    await handle.write('still here');
    await handle.sync();
    await mfs.trash.setRetention(path, 0);
    await mfs.unlink(path);
    expect((await mfs.trash.sustained()).map((each) => each.path)).toContain(path);
  });
});

describe('snapshots and concatenation', () => {
  test('a snapshot keeps what the source loses', async () => {
    const tree = await makeTree('source');
    await mfs.snapshot(tree, `${root}/shot`);
    await mfs.writeFile(`${tree}/a`, 'changed');
    await mfs.rm(`${tree}/inner`, { recursive: true });
    expect(await mfs.readFile(`${root}/shot/a`, 'utf8')).toBe('this is a');
    expect(await mfs.readFile(`${root}/shot/inner/deep/d`, 'utf8')).toBe('this is inner/deep/d');
    await expect(mfs.snapshot(tree, `${root}/shot`)).rejects.toMatchObject({ code: 'EEXIST', dest: `${root}/shot` });
    await mfs.writeFile(`${root}/replaced`, 'before');
    await mfs.snapshot(`${tree}/a`, `${root}/replaced`, { overwrite: true });
    expect(await mfs.readFile(`${root}/replaced`, 'utf8')).toBe('changed');
    await expect(mfs.snapshot(tree, `${tree}/b/c`)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(mfs.snapshot(root, `${tree}/inside`)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(await mfs.removeSnapshot(`${root}/shot`)).toBe(true);
    expect(await mfs.exists(`${root}/shot`)).toBe(false);
    await expect(mfs.removeSnapshot(tree)).rejects.toMatchObject({ code: 'EPERM' });
    await mfs.snapshot(`${tree}/b`, `${tree}/c`);
    expect(await mfs.removeSnapshot(tree, { force: true })).toBe(false);
    expect((await mfs.readdir(tree)).sort()).toEqual(['a', 'b']);
  });

  test('a snapshot has what was written here and not yet flushed', async () => {
    await using handle = await mfs.open(`${root}/dirty`, 'w');
    await handle.write(pattern(200_000, 3));
    await mfs.snapshot(`${root}/dirty`, `${root}/clean`);
    expect((await mfs.readFile(`${root}/clean`)).equals(pattern(200_000, 3))).toBe(true);
  });

  test('files are appended chunk by chunk', async () => {
    const [first, second] = [pattern(1000, 1), pattern(CHUNK + 2000, 2)];
    await mfs.writeFile(`${root}/one`, first);
    await mfs.writeFile(`${root}/two`, second);
    const length = await mfs.concat(`${root}/all`, [
      `${root}/one`,
      `${root}/two`,
      { path: `${root}/two`, from: -1 },
      { path: `${root}/two`, from: 0, to: 1 },
    ]);
    const all = await mfs.readFile(`${root}/all`);
    expect(all.length).toBe(length);
    expect(all.subarray(0, 1000).equals(first)).toBe(true);
    expect(all.subarray(1000, CHUNK).every((byte) => byte === 0)).toBe(true);
    expect(all.subarray(CHUNK, CHUNK + second.length).equals(second)).toBe(true);
    const tail = second.subarray(CHUNK);
    expect(all.subarray(3 * CHUNK, 3 * CHUNK + tail.length).equals(tail)).toBe(true);
    expect(all.subarray(4 * CHUNK, 5 * CHUNK).equals(second.subarray(0, CHUNK))).toBe(true);
    await expect(mfs.concat(`${root}/all`, [`${root}/all`])).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(mfs.concat(`${root}/all`, [root])).rejects.toMatchObject({ code: 'EISDIR', dest: root });
    await mfs.rm(`${root}/all`);
  });
});

describe('quotas', () => {
  test('are set, read, listed, enforced and removed', async () => {
    const folder = await makeTree('quota');
    const set = await mfs.quota.set(folder, {
      soft: { inodes: 100 },
      hard: { inodes: 9, length: 1_000_000 },
      graceSeconds: 3600,
    });
    expect(set).toMatchObject({ soft: { inodes: 100 }, hard: { inodes: 9, length: 1_000_000 }, graceSeconds: 3600 });
    const quota = await mfs.quota.get(folder);
    expect(quota).toEqual(set);
    expect(quota.current).toMatchObject({ inodes: 6, length: 53 });

    // The grace period stays as it is when nothing is said of it.
    expect(await mfs.quota.set(folder, { soft: { inodes: null, size: 5e9 } })).toMatchObject({
      soft: { size: 5e9 },
      hard: { inodes: 9, length: 1_000_000 },
      graceSeconds: 3600,
    });
    expect((await mfs.quota.get(folder)).soft).toEqual({ size: 5e9 });
    const listed = (await mfs.quota.list()).find(({ path }) => path === folder);
    expect(listed).toMatchObject({ soft: { size: 5e9 }, hard: { inodes: 9, length: 1_000_000 }, exceeded: false });
    expect(listed!.blockedInSeconds).toBeUndefined();

    for (const name of ['7', '8', '9']) await mfs.writeFile(`${folder}/${name}`, '');
    await expect(mfs.writeFile(`${folder}/10`, '')).rejects.toMatchObject({ code: 'EDQUOT' });
    expect(await mfs.quota.remove(folder)).toMatchObject({ soft: {}, hard: {} });
    await mfs.writeFile(`${folder}/10`, '');
    expect((await mfs.quota.list()).some(({ path }) => path === folder)).toBe(false);
    await expect(mfs.quota.get(`${folder}/a`)).rejects.toMatchObject({ code: 'EPERM' });
  });
});

describe('files and folders', () => {
  test('extra attributes', async () => {
    const tree = await makeTree('eattr');
    expect(await mfs.eattr.get(tree)).toEqual([]);
    expect(await mfs.eattr.set(tree, ['noowner', 'nodatacache'], { recursive: true })).toMatchObject({ changed: 7 });
    expect(await mfs.eattr.get(`${tree}/a`)).toEqual(['noowner', 'nodatacache']);
    expect(await mfs.eattr.remove(`${tree}/a`, ['noowner'])).toMatchObject({ changed: 1 });
    expect(await mfs.eattr.add(`${tree}/a`, ['undeletable', 'nodatacache'])).toMatchObject({ changed: 1 });
    expect(total(await mfs.eattr.get(tree, { recursive: true }))).toEqual({
      files: { 'noowner,nodatacache': 3, 'nodatacache,undeletable': 1 },
      directories: { 'noowner,nodatacache': 3 },
    });
    await expect(mfs.unlink(`${tree}/a`)).rejects.toMatchObject({ code: 'EPERM' });
    await mfs.eattr.set(`${tree}/a`, []);
    await mfs.unlink(`${tree}/a`);
    await expect(mfs.eattr.set(tree, ['nope' as 'noowner'])).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });

  test('the archive flag', async () => {
    const tree = await makeTree('archive');
    expect(await mfs.archive.get(tree)).toMatchObject({ archivedChunks: 0, otherChunks: 4, otherFiles: 4 });
    expect(await mfs.archive.set(tree)).toEqual({ changed: 4, notChanged: 0, notPermitted: 0 });
    expect(await mfs.archive.get(tree)).toMatchObject({ archivedChunks: 4, otherChunks: 0, archivedFiles: 4 });
    expect(await mfs.archive.clear(`${tree}/a`)).toMatchObject({ changed: 1 });
  });

  test('checkFile and directoryInfo count what was written', async () => {
    const tree = await makeTree('check');
    await mfs.writeFile(`${tree}/big`, pattern(CHUNK + 1, 4));
    await mfs.truncate(`${tree}/big`, 3 * CHUNK);
    await mfs.waitForReplication(`${tree}/big`);
    expect(await mfs.checkFile(`${tree}/big`)).toEqual({
      chunks: [{ copies: 2, ec8Parts: 0, ec4Parts: 0, count: 2 }],
      // A tail without chunks is not counted by the master.
      holes: 0,
      lost: 0,
    });
    const info = await mfs.directoryInfo(tree);
    expect(info).toMatchObject({ inodes: 8, directories: 3, files: 5, chunks: 6 });
    expect(info.length).toBe(3 * CHUNK + 53);
    expect(info.realSize).toBe(2 * info.size);
    await expect(mfs.checkFile(tree)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await mfs.repair(`${tree}/a`, { erase: true })).toMatchObject({ erased: 0, repaired: 0 });
  });

  test('waitForReplication resolves when a file has the copies that it was given', async () => {
    const path = `${root}/replicated`;
    await mfs.writeFile(path, pattern(100_000, 5));
    await mfs.storageClass.set(path, three);
    const seen: number[] = [];
    const done = await mfs.waitForReplication(path, { onProgress: ({ fewest }) => seen.push(fewest) });
    expect(done).toEqual({ chunks: 1, ready: 1, fewest: 3, wanted: 3 });
    expect(seen.at(-1)).toBe(3);
    await expect(mfs.waitForReplication(path, { copies: 9, timeoutMs: 5000 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      path,
      message: expect.stringContaining('0 of 1 chunks have 9 copies; one has 3') as string,
    });
    const abort = new AbortController();
    const waiting = mfs.waitForReplication(path, { copies: 9, signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe.skipIf(sharedCluster().provider === 'external')('when the only copy is lost', () => {
  let cluster: Cluster;
  let alone: MooseFS;
  const path = '/lost';

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: 1 });
    alone = await MooseFS.connect({
      master: cluster.master,
      chunkserverAddress: (address) => cluster.mapAddress(address),
    });
    await alone.writeFile(path, pattern(100_000, 6));
    await cluster.chunkservers[0]!.kill();
  });
  afterAll(async () => {
    await alone.close();
    await cluster.stop();
  });

  test('checkFile says so, and repair makes the file readable as zeros', async () => {
    await expect.poll(async () => (await alone.checkFile(path)).lost, { timeout: 30_000 }).toBe(1);
    if (isOld) {
      await expect(alone.repair(path)).rejects.toMatchObject({ code: 'ENOTSUP' });
      expect(await alone.repair(path, { erase: true })).toEqual({ notChanged: 0, erased: 1, repaired: 0 });
      expect((await alone.readFile(path)).equals(Buffer.alloc(100_000))).toBe(true);
    } else {
      expect(await alone.repair(path)).toEqual({ notChanged: 0, erased: 0, repaired: 1 });
      expect(await alone.repair(path, { erase: true })).toMatchObject({ erased: 1 });
      expect((await alone.readFile(path)).equals(Buffer.alloc(100_000))).toBe(true);
    }
  });
});
