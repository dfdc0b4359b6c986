/**
 * Servers die one after another while a file is written to, and come back with copies that are too old. When a single server is left
 * that has everything, it must not be written to alone: as soon as it is away the master takes the old copies for good.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { startCluster } from '../support/cluster/cluster.ts';

/** How long a killed chunkserver stays away. */
const AWAY_MS = 2000;
/** For the master to have heard of it, and to have judged the chunk once. */
const NOTICED_MS = 3000;

test(
  'what was written while servers die one after another is there when the last of them has died too',
  { timeout: 180_000 },
  async () => {
    await using cluster = await startCluster({ chunkservers: 3 });
    await using mfs = await MooseFS.connect({ master: cluster.master });
    await mfs.mkdir('/chain');
    await mfs.storageClass.set('/chain', cluster.version.startsWith('3.') ? '2' : '2CP');
    const path = '/chain/file';
    const handle = await mfs.open(path, 'w');
    const hash = createHash('md5');
    const holders = (): string[] => handle.replication[0]!.servers.map((address) => address.split(':')[0]!);
    const lists: number[] = [];
    const put = async (): Promise<void> => {
      const piece = randomBytes(50_000);
      hash.update(piece);
      await handle.write(piece);
      await handle.sync();
      lists.push(holders().length);
    };
    const serverAt = (host: string) => cluster.chunkservers.find((server) => server.host === host)!;
    await put();
    // Each holder in turn: every other server has an old copy in the end, and there is nowhere to copy the chunk to.
    for (let round = 0; round < 4; round++) {
      const victim = serverAt(holders()[round % holders().length]!);
      await victim.kill();
      const back = sleep(AWAY_MS).then(() => victim.start());
      await put();
      await back;
      await sleep(NOTICED_MS);
    }
    await handle.close();
    // Now those that were written to last are away for a moment, one after another.
    for (const host of holders()) {
      const victim = serverAt(host);
      await victim.kill();
      await sleep(NOTICED_MS);
      await victim.start();
      await sleep(NOTICED_MS);
    }
    await cluster.ready();
    process.stderr.write(`one after another, MooseFS ${cluster.version}: servers listed ${lists.join(', ')}\n`);
    const want = hash.digest('hex');
    const { digests } = await mfs.verify(path, { method: 'md5' });
    expect(digests.length).toBeGreaterThan(0);
    for (const digest of digests) expect(digest).toBe(want);
  },
);
