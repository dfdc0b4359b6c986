/** A write that is given up while the master has not yet answered its WRITE_CHUNK: the chunk is free for others as soon as it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { Cluster } from '../support/live.ts';
import { makeFolder, sharedCluster, startCluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';

const MIB = 1024 * 1024;
/** A master waits for a stopped chunkserver until it drops it, after about 10 s; this is well before. */
const STOPPED_MS = 3000;
/** A lock that nobody ends stays for two minutes; whoever asks meanwhile waits 30 s at a time. */
const FREE_MS = 5000;

describe.skipIf(sharedCluster().provider === 'external')('a chunkserver is stopped, so that WRITE_CHUNK waits', () => {
  let cluster: Cluster;
  let folder: string;
  const connect = () =>
    MooseFS.connect({ master: cluster.master, chunkserverAddress: (address) => cluster.mapAddress(address) });

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: 2 });
    await using mfs = await connect();
    folder = await makeFolder(mfs, 'late', 2);
  });
  afterAll(() => cluster.stop());

  test.each(['is closed before', 'is open still'])('given up by a signal; the client %s', async (how) => {
    const [server] = cluster.chunkservers;
    const path = `${folder}/${how}`;
    const mfs = await connect();
    await using other = await connect();
    await server!.pause();
    try {
      const abort = new AbortController();
      const writing = mfs.writeFile(path, pattern(MIB, 1), { signal: abort.signal });
      const failure = writing.catch((error: unknown) => error);
      // The file is made at once, so what is left is the WRITE_CHUNK.
      await sleep(1000);
      await expect.poll(() => mfs.resources).toMatchObject({ activeChunks: 1, waitingCalls: 1 });
      const abortedAt = performance.now();
      abort.abort();
      expect(await failure).toMatchObject({ name: 'AbortError' });
      expect(performance.now() - abortedAt).toBeLessThan(1000);
      expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
      // The master takes back what it has not answered when the client goes.
      if (how === 'is closed before') await mfs.close();
      await sleep(STOPPED_MS);
    } finally {
      await server!.resume();
    }
    await cluster.ready();
    const startedAt = performance.now();
    const data = pattern(MIB, 2);
    await using file = await other.open(path, 'r+');
    await file.write(data, 0, data.length, 0);
    await file.close();
    const tookMs = Math.round(performance.now() - startedAt);
    process.stderr.write(`late answers: ${cluster.version}, the client ${how}: another one wrote in ${tookMs} ms\n`);
    expect(tookMs).toBeLessThan(FREE_MS);
    expect((await other.readFile(path)).equals(data)).toBe(true);
    await mfs.close();
  });
});
