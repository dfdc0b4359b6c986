/** The state of the cluster, as code and as `mfs status` see it: a cluster of its own, whose servers are known and can be ended. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { formatAddress } from '../support/cluster/address.ts';
import { sharedCluster, startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { runMfs, spawnMfs } from '../support/run-mfs.ts';

describe.skipIf(sharedCluster().provider === 'external')('a cluster of three chunkservers', () => {
  let cluster: Cluster;
  let mfs: MooseFS;
  let isOld: boolean;
  const options: string[] = [];
  const run = (...words: string[]) => runMfs([...words, ...options], { master: cluster.master });

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: 3, labels: ['A', 'B', 'B,C'] });
    isOld = cluster.version.startsWith('3.');
    mfs = await MooseFS.connect({
      master: cluster.master,
      info: 'a test',
      chunkserverAddress: (address) => cluster.mapAddress(address),
    });
    for (const server of cluster.chunkservers) {
      const dialled = formatAddress(cluster.mapAddress(server));
      if (dialled !== formatAddress(server)) options.push('--map', `${formatAddress(server)}=${dialled}`);
    }
    await mfs.mkdir('/three');
    await mfs.storageClass.set('/three', isOld ? '3' : '3CP');
    for (const name of ['a', 'b']) await mfs.writeFile(`/three/${name}`, pattern(100_000, 1));
    for (const name of ['a', 'b']) await mfs.waitForReplication(`/three/${name}`);
  });
  afterAll(async () => {
    await mfs.close();
    await cluster.stop();
  });

  test('info', async () => {
    const info = await mfs.cluster.info();
    expect(info).toMatchObject({ master: mfs.session.master, version: cluster.version, files: 2, directories: 2 });
    expect(info).toMatchObject({ nodes: 4, chunks: 2, parts: 0 });
    await expect.poll(async () => (await mfs.cluster.info()).copies, { timeout: 60_000 }).toBe(6);
    expect(info.totalBytes).toBeGreaterThan(info.availableBytes);
    expect(info.memoryBytes).toBeGreaterThan(1_000_000);
    // Clocks of one machine.
    expect(Math.abs(info.clock!.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('servers and disks', async () => {
    const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
    const servers = (await mfs.cluster.servers()).map((each) => ({ ...each, name: `${each.host}:${each.port}` }));
    const expected = cluster.chunkservers.map((each, i) => ({
      name: formatAddress(each),
      labels: [['A'], ['B'], ['B', 'C']][i],
      version: cluster.version,
      connected: true,
      maintenance: false,
    }));
    expect(servers.sort(byName)).toMatchObject(expected.sort(byName));
    await expect
      .poll(async () => (await mfs.cluster.servers()).map(({ chunks }) => chunks), { timeout: 60_000 })
      .toEqual([2, 2, 2]);
    const disks = await mfs.cluster.disks();
    expect(disks.map(({ server }) => server).sort()).toEqual(expected.map(({ name }) => name).sort());
    for (const { disks: list, error } of disks) {
      expect(error).toBeUndefined();
      expect(list).toHaveLength(1);
      expect(list[0]).toMatchObject({ damaged: false, markedForRemoval: false, chunks: 2 });
      expect(list[0]!.totalBytes).toBeGreaterThan(list[0]!.usedBytes);
    }
  });

  test('sessions, open files, locks and paths', async () => {
    await using handle = await mfs.open('/three/a', 'r+');
    await using lock = await handle.lock({ exclusive: true, start: 10, end: 20 });
    expect(lock).toBeDefined();
    const { ino } = await handle.stat();
    // A master is told of what is open, and counts it, within a moment.
    await expect
      .poll(async () => (await mfs.cluster.openFiles()).map(({ inode, sessionId }) => [inode, sessionId]), {
        timeout: 60_000,
      })
      .toContainEqual([ino, mfs.session.id]);
    const own = (await mfs.cluster.sessions()).find(({ id }) => id === mfs.session.id)!;
    expect(own).toMatchObject({ connected: true, info: 'a test', root: '/', readOnly: false, admin: true });
    expect(own.thisHour.lookup! + own.lastHour.lookup!).toBeGreaterThan(0);
    const { locks, complete } = await mfs.cluster.locks();
    expect(complete).toBe(true);
    expect(locks).toMatchObject([
      { inode: ino, sessionId: mfs.session.id, kind: 'posix', exclusive: true, start: 10n },
    ]);
    expect(await mfs.pathsOf(ino)).toEqual(['/three/a']);
    await mfs.link('/three/a', '/another');
    expect((await mfs.pathsOf(ino)).sort()).toEqual(['/another', '/three/a']);
    await mfs.unlink('/another');
    await expect(mfs.pathsOf(4_000_000)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('memory and missing chunks', async () => {
    const memory = await mfs.cluster.memory();
    expect(memory.map(({ name }) => name)).toContain('nodes');
    for (const { allocatedBytes, usedBytes } of memory) expect(allocatedBytes).toBeGreaterThanOrEqual(usedBytes);
    expect(await mfs.cluster.missingChunks()).toEqual([]);
  });

  test('the chunk matrix', async () => {
    await expect.poll(async () => (await mfs.cluster.chunkMatrix()).settled, { timeout: 60_000 }).toBe(true);
    const { all, regular } = await mfs.cluster.chunkMatrix();
    expect(all.cells[3]![3]).toBe(2);
    expect(all).toMatchObject({ missing: 0, endangered: 0, underGoal: 0, atGoal: 2, overGoal: 0 });
    expect(regular).toEqual(all);
  });

  test('mfs status on one screen, as JSON and as metrics', async () => {
    const text = await run('status');
    expect(text).toMatchObject({ status: 0, stderr: '' });
    const lines = text.stdout.split('\n');
    expect(lines.length).toBeLessThan(24);
    expect(lines[0]).toContain(`MooseFS ${cluster.version}`);
    expect(text.stdout).toMatch(/^contents +2 files, 2 folders, 2 chunks; /m);
    expect(text.stdout).toMatch(/^chunks +0 missing, 0 endangered, 0 under goal, 2 as they should be, 0 over goal/m);
    expect(text.stdout).not.toMatch(/^!/m);
    for (const server of cluster.chunkservers)
      expect(text.stdout).toMatch(new RegExp(`^${formatAddress(server)} +${cluster.version} +\\S+ +ok +2 .* 1$`, 'm'));

    const json = JSON.parse((await run('status', '--json')).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ info: { files: 2 }, chunks: { all: { missing: 0 } } });
    expect(json['servers']).toHaveLength(3);

    const metrics = (await run('status', '--prometheus')).stdout;
    expect(metrics).toContain('moosefs_chunks_by_health{health="missing"} 0\n');
    expect(metrics).toContain('moosefs_nodes{kind="files"} 2\n');
    expect(metrics).toMatch(/^moosefs_space_bytes\{kind="available"\} \d+$/m);
    // Every line is a comment or a sample.
    for (const line of metrics.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) moosefs_\w+ .+|moosefs_\w+(\{(\w+="[^"\n]*",?)+\})? -?\d+(\.\d+)?)$/);
  });

  test('mfs status --watch goes on until it is interrupted', async () => {
    const child = spawnMfs(['status', '--watch', '--interval', '1', '--json', ...options], { master: cluster.master });
    let lines = 0;
    child.stdout.on('data', (piece: Buffer) => (lines += piece.toString().split('\n').length - 1));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await expect.poll(() => lines, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
  });

  // The last test: it leaves the cluster without one.
  test('a chunkserver that is gone is seen', async () => {
    const [gone] = cluster.chunkservers;
    await gone!.kill();
    const isGone = async () =>
      (await mfs.cluster.servers()).filter(({ connected }) => !connected).map(({ host, port }) => `${host}:${port}`);
    await expect.poll(isGone, { timeout: 60_000 }).toEqual([formatAddress(gone!)]);
    await expect.poll(async () => (await mfs.cluster.chunkMatrix()).all.underGoal, { timeout: 60_000 }).toBe(2);
    const { stdout, status } = await run('status');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^! chunkserver ${formatAddress(gone!)} is not connected`, 'm'));
    expect(stdout).toMatch(/^chunks +0 missing, 0 endangered, 2 under goal/m);
    expect((await mfs.cluster.disks()).length).toBe(2);
  });
});
