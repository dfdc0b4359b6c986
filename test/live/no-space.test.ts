/** Disks that fill up: ENOSPC, soon, named, on every way of writing, and nothing that was promised is lost. */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { inPrivateNetwork } from '../support/cluster/network.ts';
import { sharedCluster, startCluster } from '../support/live.ts';
import { difference, pattern } from '../support/pattern.ts';

const MIB = 1024 * 1024;
/** Far more than a test may take: what is believed at once must not wait for it. */
const UNAVAILABLE_MS = 100_000;
const SOON_MS = 60_000;

const { provider, version } = sharedCluster();
/** MooseFS 3 needs a file system of its own for a small disk, which only a network of one's own comes with. */
const smallDisks =
  provider !== 'external' && (provider === 'docker' || inPrivateNetwork() || !version.startsWith('3.'));

describe.runIf(smallDisks)('a cluster that is full', () => {
  test('says ENOSPC soon, with the path, and keeps what it has', { timeout: 240_000 }, async () => {
    await using cluster = await startCluster({ chunkservers: 2, diskLimit: '300MiB' });
    await using mfs = await MooseFS.connect({
      master: cluster.master,
      retry: { unavailableMs: UNAVAILABLE_MS },
      chunkserverAddress: (address) => cluster.mapAddress(address),
    });
    const data = pattern(20 * MIB + 13, 5);
    await mfs.writeFile('/appended', data.subarray(0, MIB));

    const written: string[] = [];
    let failure: unknown;
    let tookMs = 0;
    while (failure === undefined && written.length < 60) {
      const path = `/file${written.length}`;
      const started = performance.now();
      await mfs.writeFile(path, data).then(
        () => written.push(path),
        (error: unknown) => (failure = error),
      );
      tookMs = performance.now() - started;
    }
    const refused = `/file${written.length}`;
    expect(failure).toMatchObject({ code: 'ENOSPC', errno: -28, syscall: 'write', path: refused });
    expect((failure as Error).message).toBe(`ENOSPC: no space left on device, write '${refused}'`);
    expect((failure as Error).cause).toMatchObject({ status: expect.any(Number) as number });
    expect(tookMs).toBeLessThan(SOON_MS);
    process.stdout.write(
      `MooseFS ${mfs.serverVersion}: full after ${written.length} files, told in ${Math.round(tookMs)} ms\n`,
    );

    // Every other way of writing is told the same.
    const started = performance.now();
    await expect(pipeline(Readable.from([data]), mfs.createWriteStream('/stream'))).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    const handle = await mfs.open('/handle', 'w');
    await expect(
      (async () => {
        for (let at = 0; at < data.length; at += MIB) await handle.write(data, at, Math.min(MIB, data.length - at));
        await handle.sync();
      })(),
    ).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(handle.close()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(performance.now() - started).toBeLessThan(SOON_MS);

    // Nothing that was promised is lost, and what was refused is not shown as written.
    for (const path of written) expect(difference(await mfs.readFile(path), data), path).toBeUndefined();
    expect(difference(await mfs.readFile('/appended'), data.subarray(0, MIB))).toBeUndefined();
    expect((await mfs.stat(refused)).size).toBeLessThan(data.length);
    expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0 });
  });
});

describe.skipIf(provider === 'external')('chunkservers that are not there', () => {
  test(
    'none at all: ENOSPC after retry.unavailableMs; with one that comes back in time nothing is noticed',
    { timeout: 240_000 },
    async () => {
      await using cluster = await startCluster({ chunkservers: 1 });
      const [server] = cluster.chunkservers;
      await using mfs = await MooseFS.connect({
        master: cluster.master,
        retry: { unavailableMs: 1500 },
        chunkserverAddress: (address) => cluster.mapAddress(address),
      });
      const data = pattern(3 * MIB, 9);
      await mfs.writeFile('/before', data);
      await server!.kill();
      await expect(mfs.writeFile('/none', data)).rejects.toMatchObject({ code: 'ENOSPC', path: '/none' });

      await using patient = await MooseFS.connect({
        master: cluster.master,
        retry: { unavailableMs: UNAVAILABLE_MS },
        ioTimeoutMs: UNAVAILABLE_MS,
        chunkserverAddress: (address) => cluster.mapAddress(address),
      });
      const writing = patient.writeFile('/waited', data);
      const reading = patient.readFile('/before');
      await server!.start();
      await writing;
      expect(difference(await reading, data)).toBeUndefined();
      expect(difference(await patient.readFile('/waited'), data)).toBeUndefined();
    },
  );
});
