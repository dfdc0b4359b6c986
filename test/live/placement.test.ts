/** Where data lies and where it is read from: storage classes at creation, preferred labels, and who served. */
import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { ConnectOptions, ServedBy } from '../../src/index.ts';
import { formatAddress } from '../support/cluster/address.ts';
import { sharedCluster, startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';

const DATA = randomBytes(3_000_000);

describe.skipIf(sharedCluster().provider === 'external')('with labelled chunkservers', () => {
  let cluster: Cluster;
  let mfs: MooseFS;
  /** A class other than the default. 3.x has goals, and a fresh 4.x classes of copies. */
  let [one, three] = ['', ''];

  const connect = (options: ConnectOptions = {}) =>
    MooseFS.connect({
      master: cluster.master,
      chunkserverAddress: (address) => cluster.mapAddress(address),
      ...options,
    });

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: 3, labels: ['A', 'B', 'B,C'] });
    mfs = await connect();
    [one, three] = cluster.version.startsWith('3.') ? ['1', '3'] : ['2CP', '3CP'];
  });
  afterAll(async () => {
    await mfs.close();
    await cluster.stop();
  });

  test('writeFile, open and streams make a file in a class, before its data is written', async () => {
    await mfs.writeFile('/written', DATA, { storageClass: three });
    await using handle = await mfs.open('/opened', 'w', 0o644, { storageClass: three });
    await handle.write(DATA);
    await handle.sync();
    await pipeline(Readable.from([DATA]), mfs.createWriteStream('/streamed', { storageClass: three }));
    for (const path of ['/written', '/opened', '/streamed']) {
      expect(await mfs.storageClass.get(path)).toBe(three);
      const [chunk] = await mfs.chunks(path);
      // At once: nothing had to be copied afterwards.
      expect(chunk!.replicas).toHaveLength(3);
    }
  });

  test('a file that is emptied changes its class, one that keeps its data does not', async () => {
    await mfs.writeFile('/changed', DATA, { storageClass: three });
    await mfs.appendFile('/changed', 'more', { storageClass: one });
    expect(await mfs.storageClass.get('/changed')).toBe(three);
    await mfs.writeFile('/changed', DATA, { storageClass: one });
    expect(await mfs.storageClass.get('/changed')).toBe(one);
  });

  test('an unknown class is refused, and nothing is made', async () => {
    await expect(mfs.writeFile('/nowhere', DATA, { storageClass: 'nope' })).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('no such storage class: nope') as string,
    });
    expect(await mfs.exists('/nowhere')).toBe(false);
  });

  test('reads come from the servers with the preferred label, and are told', async () => {
    await mfs.writeFile('/near', DATA, { storageClass: three });
    const addresses = cluster.chunkservers.map(formatAddress);
    for (const [preferLabels, expected] of [
      ['A', 0],
      ['C', 2],
      [['Z', 'BC'], 2],
    ] as const) {
      await using near = await connect({ read: { preferLabels } });
      let served: readonly ServedBy[] = [];
      const bytes = await near.readFile('/near', { onServedBy: (told) => (served = told) });
      expect(DATA.equals(bytes)).toBe(true);
      expect(served.map(({ server, bytes: count, chunk }) => ({ server, count, chunk }))).toEqual([
        { server: addresses[expected]!, count: DATA.length, chunk: 0 },
      ]);
      const stream = near.createReadStream('/near');
      await stream.forEach(() => undefined);
      expect(stream.servedBy.map(({ server }) => server)).toEqual([addresses[expected]]);
      expect(stream.servedBy[0]!.labels).toEqual([['A'], ['B'], ['B', 'C']][expected]);
    }
  });

  test('a preferred server that does not answer is passed over', async () => {
    await mfs.writeFile('/near', DATA, { storageClass: three });
    await using near = await connect({ read: { preferLabels: 'A' } });
    await using handle = await near.open('/near');
    await cluster.chunkservers[0]!.pause();
    try {
      const bytes = await handle.readFile();
      expect(DATA.equals(bytes)).toBe(true);
      const servers = handle.servedBy.map(({ server }) => server);
      expect(servers).not.toContain(formatAddress(cluster.chunkservers[0]!));
      expect(servers.length).toBeGreaterThan(0);
    } finally {
      await cluster.chunkservers[0]!.resume();
    }
  });
});
