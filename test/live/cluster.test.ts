/** The cluster library itself, on real servers: what other live tests rely on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../support/cluster/address.ts';
import { mountOfficial, whyNotMounted } from '../support/cluster/mount.ts';
import { inPrivateNetwork } from '../support/cluster/network.ts';
import { accepts, askMaster } from '../support/cluster/probe.ts';
import { sharedCluster, startCluster } from '../support/live.ts';

const connected = async (master: string): Promise<number> => {
  const { chunkservers } = await askMaster(parseAddress(master, 9421));
  return chunkservers.filter((server) => server.connected).length;
};

test('the shared cluster has three chunkservers and says its version', async () => {
  const { master, version, chunkservers } = sharedCluster();
  const { info } = await askMaster(parseAddress(master, 9421));
  expect(info.version).toBe(version);
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(chunkservers).toHaveLength(3);
});

// a cluster that is not ours can be used, not controlled
describe.skipIf(sharedCluster().provider === 'external')("a cluster of the test's own", () => {
  test('a killed chunkserver is missed by the master and comes back', async () => {
    await using cluster = await startCluster({ chunkservers: 2 });
    const [first] = cluster.chunkservers;
    await first!.kill();
    expect(first!.pid).toBeUndefined();
    await expect.poll(() => connected(cluster.master)).toBe(1);
    await first!.start();
    await cluster.ready();
    expect(await connected(cluster.master)).toBe(2);
  });

  test('a killed master comes back with its chunkservers', async () => {
    await using cluster = await startCluster({ chunkservers: 1 });
    await cluster.masterControl.kill();
    await expect(askMaster(parseAddress(cluster.master, 9421))).rejects.toThrow('failed');
    await cluster.masterControl.start();
    await cluster.ready();
  });

  test('a chunkserver can be added, and clusters side by side do not meet', async () => {
    await using one = await startCluster({ chunkservers: 1 });
    await using other = await startCluster({ chunkservers: 1 });
    await one.addChunkserver({ label: 'B' });
    await one.ready(2);
    expect(await connected(one.master)).toBe(2);
    expect(await connected(other.master)).toBe(1);
  });

  test('disks can be small', async () => {
    const starting = startCluster({ chunkservers: 1, diskLimit: '300MiB' });
    const { provider, version } = sharedCluster();
    if (provider !== 'docker' && !inPrivateNetwork() && version.startsWith('3.')) {
      await expect(starting).rejects.toThrow('MooseFS 3 needs a file system of its own');
      return;
    }
    await using cluster = await starting;
    const { chunkservers } = await askMaster(parseAddress(cluster.master, 9421));
    expect(chunkservers[0]!.totalBytes).toBe(300n << 20n);
  });

  test('a stopped cluster leaves neither process nor folder', async () => {
    const cluster = await startCluster({ chunkservers: 1 });
    const { pid, folder } = cluster.masterControl;
    await cluster.stop();
    expect(cluster.masterControl.pid).toBeUndefined();
    if (pid !== undefined) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    if (folder !== undefined) expect(existsSync(folder)).toBe(false);
  });

  test("a client outside the servers' network reaches each of them at its mapped address", async () => {
    await using cluster = await startCluster({ chunkservers: 2 });
    for (const server of [cluster.masterControl, ...cluster.chunkservers]) {
      const { host, port } = cluster.mapAddress(server);
      expect(await accepts({ host, port }, 1000), `${server.name} at ${host}:${port}`).toBe(true);
    }
  });

  test('a paused chunkserver keeps its process and answers again', async () => {
    await using cluster = await startCluster({ chunkservers: 1 });
    const [server] = cluster.chunkservers;
    const { pid } = server!;
    await server!.pause();
    await server!.resume();
    expect(server!.pid).toBe(pid);
    await cluster.ready();
  });

  test("a blocked port is cut off until it is unblocked, where the network is the run's own", async () => {
    await using cluster = await startCluster({ chunkservers: 1 });
    const server = cluster.chunkservers[0]!;
    if (cluster.provider === 'docker' || !inPrivateNetwork()) {
      await expect(server.blockPort()).rejects.toThrow(/scripts\/launch\.mjs/);
      return;
    }
    for (const how of ['drop', 'reject'] as const) {
      await server.blockPort(how);
      expect(await accepts(server, 300)).toBe(false);
      await server.unblockPort();
      expect(await accepts(server, 1000)).toBe(true);
    }
  });

  test('the official client can be mounted as a witness, where there is one', async () => {
    await using cluster = await startCluster({ chunkservers: 1 });
    if (whyNotMounted(cluster) !== undefined) {
      await expect(mountOfficial(cluster)).rejects.toThrow('cannot be mounted');
      return;
    }
    await using mount = await mountOfficial(cluster);
    await writeFile(`${mount.folder}/file`, 'text');
    expect(await mount.tool('mfsfileinfo', [`${mount.folder}/file`])).toContain('copy 1: ');
  });

  test('what a killed test run started is gone soon', async () => {
    const library = new URL('../support/cluster/cluster.ts', import.meta.url).href;
    const program = `
    const { startCluster } = await import(${JSON.stringify(library)});
    const { master, masterControl } = await startCluster({ chunkservers: 1 });
    console.log(JSON.stringify({ master, folder: masterControl.folder }));
    setInterval(() => undefined, 1000);`;
    const run = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(run.stdout, 'data')) as [Buffer];
    const { master, folder } = JSON.parse(line.toString()) as { master: string; folder?: string };
    run.kill('SIGKILL');
    await expect.poll(() => accepts(parseAddress(master, 9421), 1000), { timeout: 20_000 }).toBe(false);
    await expect.poll(() => folder !== undefined && existsSync(folder), { timeout: 20_000 }).toBe(false);
  });
});
