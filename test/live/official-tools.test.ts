/**
 * Side by side with the official tools: the same questions about the same files, asked by the tools on a mount and by this client
 * without one, and the same numbers.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../../scripts/servers.mjs';
import { MooseFS } from '../../src/index.ts';
import type { Quota, TreeCounts } from '../../src/index.ts';
import { mountOfficial, whyNotMounted } from '../support/cluster/mount.ts';
import type { OfficialMount } from '../support/cluster/mount.ts';
import { sharedCluster, startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';

const { provider, version } = sharedCluster();
const isOld = version.startsWith('3.');
const [two, three] = isOld ? ['2', '3'] : ['2CP', '3CP'];
/** Only these have the tools on this machine, and servers that a mount of this machine reaches. */
const hasTools = provider === 'programs' || provider === 'packages';
const obstacle = whyNotMounted({ program: (name) => findProgram(name) });

const MIB = 1024 * 1024;
const FILES = ['/tree/a', '/tree/inner/sparse', '/tree/inner/deep/two-chunks'];
const FOLDERS = ['/tree', '/tree/inner', '/tree/inner/deep'];

if (hasTools && obstacle !== undefined) {
  // Said aloud: a machine without /dev/fuse compares nothing.
  test('nothing is compared where nothing can be mounted', async () => {
    process.stderr.write(`official tools: nothing compared, ${obstacle}\n`);
    const nowhere = { master: sharedCluster().master, program: (name: string) => findProgram(name) };
    await expect(mountOfficial(nowhere)).rejects.toThrow('cannot be mounted');
  });
} else describe.skipIf(!hasTools)('[programs] beside the official tools', compareAll);

function compareAll(): void {
  let cluster: Cluster;
  let mfs: MooseFS;
  let mount: OfficialMount;

  /** What a tool prints about a path, without the path. */
  const tool = async (name: string, path: string, ...options: string[]): Promise<string> => {
    const text = await mount.tool(name, [...options, mount.folder + path]);
    return text
      .replace(/^.* is deprecated, .*\n/, '')
      .replaceAll(mount.folder + path, '')
      .replace(/^:[ \n]?/, '')
      .trimEnd();
  };
  /** Numbers behind their names: ` chunks:   5`. */
  const numbers = (text: string): Record<string, number> =>
    Object.fromEntries([...text.matchAll(/^ *(\w+): +(\d+)$/gm)].map(([, name, value]) => [name!, Number(value)]));
  /** The counts of a tree: `files with goal  2 :   1`. */
  const counts = (text: string, what: RegExp): Record<'files' | 'directories', Record<string, number>> => {
    const found = { files: {}, directories: {} } as Record<'files' | 'directories', Record<string, number>>;
    for (const [, kind, value, count] of text.matchAll(what))
      found[kind as 'files' | 'directories'][value!] = Number(count);
    return found;
  };
  const ours = <T>({ files, directories }: TreeCounts<T>) => ({
    files: Object.fromEntries(files.map(({ value, count }) => [String(value), count])),
    directories: Object.fromEntries(directories.map(({ value, count }) => [String(value), count])),
  });

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: 3 });
    mfs = await MooseFS.connect({ master: cluster.master });
    await mfs.mkdir('/tree/inner/deep', { recursive: true });
    await mfs.storageClass.set('/tree', two, { recursive: true });
    await mfs.writeFile('/tree/a', pattern(100_000, 1));
    await mfs.storageClass.set('/tree/a', three);
    await mfs.writeFile('/tree/inner/sparse', pattern(1000, 2));
    await mfs.truncate('/tree/inner/sparse', 200 * MIB);
    await mfs.writeFile('/tree/inner/deep/two-chunks', pattern(70 * MIB, 3));
    await mfs.symlink('a', '/tree/link');
    await mfs.link('/tree/a', '/tree/inner/deep/another');
    for (const path of FILES) await mfs.waitForReplication(path);
    await mfs.trash.setRetention('/tree', 7200, { recursive: true });
    await mfs.trash.setRetention('/tree/a', 86_400);
    await mfs.eattr.set('/tree/inner', ['noowner', 'nodatacache'], { recursive: true });
    await mfs.archive.set('/tree/inner/deep');
    await mfs.quota.set('/tree', { soft: { inodes: 100 }, hard: { length: 1e9, realSize: 5e9 }, graceSeconds: 3600 });
    mount = await mountOfficial(cluster);
  });
  afterAll(async () => {
    await mount.unmount();
    await mfs.close();
    await cluster.stop();
  });

  test('mfsgetgoal and mfsgetsclass', async () => {
    const name = isOld ? 'mfsgetgoal' : 'mfsgetsclass';
    for (const path of [...FILES, ...FOLDERS]) expect(await mfs.storageClass.get(path)).toBe(await tool(name, path));
    const text = await tool(name, '/tree', '-r');
    const theirs = isOld
      ? counts(text, /^ *(files|directories) with goal +(\S+) : +(\d+)$/gm)
      : counts(text, /^ *(files|directories) with storage class : (\S+) :\n *count : +(\d+)$/gm);
    expect(Object.keys(theirs.files)).toEqual([two, three]);
    expect(ours(await mfs.storageClass.get('/tree', { recursive: true }))).toEqual(theirs);
  });

  test('mfssetgoal and mfssetsclass count what the client counts', async () => {
    await mfs.mkdir('/set/inner', { recursive: true });
    for (const path of ['/set/a', '/set/inner/b']) await mfs.writeFile(path, 'x');
    await mfs.storageClass.set('/set', two, { recursive: true });
    await mfs.storageClass.set('/set/a', three);
    const text = await mount.tool(isOld ? 'mfssetgoal' : 'mfssetsclass', ['-r', three, `${mount.folder}/set`]);
    const theirs = [...text.matchAll(/: +(\d+)$/gm)].map(([, count]) => Number(count));
    expect(await mfs.goal.get('/set/inner/b')).toBe(3);
    await mfs.storageClass.set('/set', two, { recursive: true });
    await mfs.storageClass.set('/set/a', three);
    const { changed, notChanged, notPermitted } = await mfs.storageClass.set('/set', three, { recursive: true });
    expect([changed, notChanged, notPermitted]).toEqual(theirs);
  });

  test('mfsgettrashtime', async () => {
    for (const path of [...FILES, ...FOLDERS])
      expect(await mfs.trash.getRetention(path)).toBe(Number(await tool('mfsgettrashtime', path)));
    const text = await tool('mfsgettrashtime', '/tree', '-r');
    const theirs = counts(text, /^ *(files|directories) with trashtime +(\d+) : +(\d+)$/gm);
    // One of them by two names.
    expect(theirs.files).toEqual({ 7200: 2, 86400: 2 });
    expect(ours(await mfs.trash.getRetention('/tree', { recursive: true }))).toEqual(theirs);
    // What the tool sets in its unit is what the client reads in seconds.
    if (isOld) await mount.tool('mfssettrashtime', ['10800', `${mount.folder}/tree/inner`]);
    else await mount.tool('mfssettrashretention', ['3h', `${mount.folder}/tree/inner`]);
    expect(await mfs.trash.getRetention('/tree/inner')).toBe(10_800);
  });

  test('mfsgeteattr', async () => {
    for (const path of [...FILES, ...FOLDERS]) {
      const theirs = await tool('mfsgeteattr', path);
      expect(await mfs.eattr.get(path)).toEqual(theirs === '-' ? [] : theirs.split(/[,|] ?/));
    }
    const text = await tool('mfsgeteattr', '/tree', '-r');
    const { files, directories } = await mfs.eattr.get('/tree', { recursive: true });
    for (const name of ['noowner', 'nodatacache', 'immutable'] as const) {
      const count = (list: typeof files) =>
        list.reduce((sum, each) => sum + (each.value.includes(name) ? each.count : 0), 0);
      const theirs = [...text.matchAll(new RegExp(`attribute +${name} : +(\\d+)$`, 'gm'))].map(([, each]) =>
        Number(each),
      );
      expect([count(files), count(directories)]).toEqual(theirs);
    }
  });

  test('mfsdirinfo', async () => {
    for (const path of [...FILES, ...FOLDERS]) {
      const { inodes, directories, files, chunks, length, size, realsize } = numbers(await tool('mfsdirinfo', path));
      expect(inodes).toBeGreaterThan(0);
      const theirs = { inodes, directories, files, chunks, length, size, realSize: realsize };
      expect(await mfs.directoryInfo(path)).toEqual(theirs);
    }
  });

  test('mfscheckfile', async () => {
    for (const path of FILES) {
      const text = await tool('mfscheckfile', path);
      const lines = isOld
        ? text.matchAll(/chunks with (\d+) cop(?:y|ies): +(\d+)$/gm)
        : text.matchAll(/(\d+) full cop(?:y|ies) .*: +(\d+)$/gm);
      const theirs = [...lines].map(([, copies, count]) => ({ copies: Number(copies), count: Number(count) }));
      expect(theirs.length).toBeGreaterThan(0);
      const { chunks, lost } = await mfs.checkFile(path);
      expect(chunks.map(({ copies, count }) => ({ copies, count }))).toEqual(theirs);
      expect(lost).toBe(0);
    }
  });

  test('mfsfileinfo', async () => {
    for (const path of FILES) {
      const text = await tool('mfsfileinfo', path);
      const theirs: { id: string; version: number; replicas: string[] }[] = [];
      for (const line of text.split('\n')) {
        const chunk = /^\tchunk \d+: ([0-9A-F]{16})_([0-9A-F]{8})/.exec(line);
        if (chunk !== null) {
          const id = BigInt(`0x${chunk[1]}`).toString();
          theirs.push({ id, version: parseInt(chunk[2]!, 16), replicas: [] });
        }
        const replica = /^\t\tcopy \d+: (\S+) .*status:VALID/.exec(line);
        if (replica !== null) theirs.at(-1)!.replicas.push(replica[1]!);
      }
      expect(theirs.length).toBeGreaterThan(0);
      const chunks = (await mfs.chunks(path)).filter(({ id }) => id !== undefined);
      expect(
        chunks.map((each) => ({
          id: String(each.id),
          version: each.version,
          replicas: each.replicas.map(({ host, port }) => `${host}:${port}`).sort(),
        })),
      ).toEqual(theirs.map((each) => ({ ...each, replicas: each.replicas.sort() })));
    }
  });

  test('mfsgetquota', async () => {
    const text = await tool('mfsgetquota', '/tree');
    const cells = (line: string) => line.split('|').map((cell) => cell.trim());
    const rows = new Map(
      text
        .split('\n')
        .map(cells)
        .map(([name, ...rest]) => [name!, rest]),
    );
    // 4.x has columns of percents in between.
    const hardAt = isOld ? 2 : 3;
    const quota: Quota = await mfs.quota.get('/tree');
    for (const [key, name] of [
      ['inodes', 'inodes'],
      ['length', 'length'],
      ['size', 'size'],
      ['realSize', 'realsize'],
    ] as const) {
      const row = rows.get(name)!;
      const number = (cell: string | undefined) => (cell === '-' ? undefined : Number(cell));
      expect(quota.current[key]).toBe(number(row[0]));
      expect(quota.soft[key]).toBe(number(row[1]));
      expect(quota.hard[key]).toBe(number(row[hardAt]));
    }
    expect(text).toMatch(/grace period: (3600 seconds|1h)/);
    expect(quota.graceSeconds).toBe(3600);
  });

  test('mfschkarchive and mfsfilepaths', async () => {
    expect(await tool('mfschkarchive', '/tree/a')).toContain('all chunks are archived');
    expect(await mfs.archive.get('/tree/a')).toMatchObject({ archivedChunks: 1, otherChunks: 0 });
    expect(await tool('mfschkarchive', '/tree/inner/sparse')).toContain('all chunks are not archived');
    expect(await mfs.archive.get('/tree/inner/sparse')).toMatchObject({ archivedChunks: 0, otherChunks: 1 });
    const theirs = (await tool('mfsfilepaths', '/tree/a')).split('\n').map((line) => `/${line.trim()}`);
    const { ino } = await mfs.stat('/tree/a');
    expect((await mfs.pathsOf(ino)).sort()).toEqual(theirs.sort());
    expect(theirs).toHaveLength(2);
  });

  test('mfsmakesnapshot and mfsappendchunks make what the client makes', async () => {
    await mount.tool('mfsmakesnapshot', [`${mount.folder}/tree/inner`, `${mount.folder}/theirs`]);
    await mfs.snapshot('/tree/inner', '/ours');
    expect(numbers(await tool('mfsdirinfo', '/ours'))).toEqual(numbers(await tool('mfsdirinfo', '/theirs')));
    expect(await mfs.eattr.get('/ours/sparse')).toEqual(await mfs.eattr.get('/theirs/sparse'));
    const sources = ['/tree/a', '/tree/inner/deep/two-chunks'];
    await mount.tool('mfsappendchunks', [`${mount.folder}/their-sum`, ...sources.map((path) => mount.folder + path)]);
    await mfs.concat('/our-sum', sources);
    expect((await mfs.stat('/our-sum')).size).toBe((await mfs.stat('/their-sum')).size);
    expect((await mfs.readFile('/our-sum')).equals(await mfs.readFile('/their-sum'))).toBe(true);
    expect(await mfs.removeSnapshot('/theirs')).toBe(true);
    await mount.tool('mfsrmsnapshot', [`${mount.folder}/ours`]);
    expect(await mfs.exists('/ours')).toBe(false);
  });
}
