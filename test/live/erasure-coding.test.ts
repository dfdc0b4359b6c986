/** Files in parts, on as many chunkservers as a chunk has parts: read with all of them, and without any one of them. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { makeParts, startForParts, withoutSpare } from '../support/erasure-coding.ts';
import { sharedCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';

const SIZE = 200 * 1024 * 1024 + 5;
const PATH = '/parts/file';

const { provider, version } = sharedCluster();
const hasParts = provider !== 'external' && !version.startsWith('3.');
/** $MFS_TEST_EC_PARTS=4 leaves EC 8+1 out: the master takes two minutes for the parts of each. */
const kinds = ([4, 8] as const).filter((kind) => (process.env['MFS_TEST_EC_PARTS'] ?? String(kind)) === String(kind));

describe.skipIf(!hasParts).each(kinds)('[4.x] EC %d+1', (dataParts) => {
  const data = randomBytes(SIZE);
  let cluster: Cluster;
  let mfs: MooseFS;

  const connect = () =>
    MooseFS.connect({ master: cluster.master, chunkserverAddress: (address) => cluster.mapAddress(address) });
  /** By a client that knows nothing yet: it learns of a stopped server by itself. */
  const isEqual = async () => {
    await using fresh = await connect();
    return data.equals(await fresh.readFile(PATH));
  };
  const inParts = async () => (await mfs.chunks(PATH)).every(({ replicas }) => replicas.every(({ part }) => part));

  beforeAll(async () => {
    cluster = await startForParts(dataParts);
    mfs = await connect();
    await mfs.mkdir('/parts');
    await mfs.storageClass.set('/parts', `EC${dataParts}+1`);
    await mfs.writeFile(PATH, data);
    await makeParts(cluster, mfs, PATH);
    await withoutSpare(cluster, mfs, PATH);
  }, 300_000);
  afterAll(async () => {
    await mfs.close();
    await cluster.stop();
  });

  test('is read from its parts', async () => {
    const [chunk] = await mfs.chunks(PATH);
    expect(new Set(chunk!.replicas.map(({ host }) => host)).size).toBe(dataParts + 1);
    expect(await isEqual()).toBe(true);
  });

  test('is verified: each part is what the others make of it', async () => {
    for (const method of ['checksums', 'md5'] as const) {
      const found = await mfs.verify(PATH, { method });
      expect(found.ok).toBe(true);
      for (const { replicas } of found.chunks) expect(replicas.map(({ ok }) => ok)).toEqual(replicas.map(() => true));
      if (method === 'md5') expect(found.digests).toEqual([createHash('md5').update(data).digest('hex')]);
    }
  });

  test('without one chunkserver the verification says which part is missing, and still gives the digest', async () => {
    const [server] = cluster.chunkservers;
    await server!.pause();
    try {
      await using fresh = await MooseFS.connect({
        master: cluster.master,
        chunkserverAddress: (address) => cluster.mapAddress(address),
        requestTimeoutMs: 2000,
        ioTimeoutMs: 2000,
      });
      const found = await fresh.verify(PATH, { method: 'md5' });
      expect(found.ok).toBe(false);
      expect(found.digests).toEqual([createHash('md5').update(data).digest('hex')]);
      const bad = found.chunks.flatMap(({ replicas }) => replicas.filter(({ ok }) => !ok));
      expect(new Set(bad.map(({ host, port }) => `${host}:${port}`))).toEqual(
        new Set([`${server!.host}:${server!.port}`]),
      );
    } finally {
      await server!.resume();
    }
    expect(await inParts()).toBe(true);
  });

  test('is read without any one chunkserver, which the master still lists', async () => {
    for (const server of cluster.chunkservers.slice(0, -1)) {
      // Stopped, not ended: the master does not notice yet, and repairs nothing.
      await server.pause();
      try {
        expect(await isEqual(), `without ${server.name}`).toBe(true);
      } finally {
        await server.resume();
      }
    }
    expect(await inParts()).toBe(true);
  }, 300_000);

  test('ranges are read without one chunkserver, whatever stripes they touch', async () => {
    const [server] = cluster.chunkservers;
    await server!.pause();
    try {
      await using fresh = await connect();
      await using handle = await fresh.open(PATH);
      for (const [position, length] of [
        [0, 1],
        [262_143, 2],
        [262_144 * 4 - 1, 262_146],
        [64 * 1024 * 1024 - 300_000, 700_001],
        [SIZE - 5, 5],
        [SIZE - 1_500_003, 1_500_003],
      ] as const) {
        const buffer = Buffer.alloc(length);
        const { bytesRead } = await handle.read(buffer, 0, length, position);
        expect(bytesRead).toBe(length);
        expect(buffer.equals(data.subarray(position, position + length)), `${length} bytes at ${position}`).toBe(true);
      }
    } finally {
      await server!.resume();
    }
  });

  test('is written: the master makes copies again, and the client follows', async () => {
    const patch = randomBytes(300_000);
    await using handle = await mfs.open(PATH, 'r+');
    const at = 64 * 1024 * 1024 - 100_000;
    await handle.write(patch, 0, patch.length, at);
    await handle.sync();
    patch.copy(data, at);
    expect(await isEqual()).toBe(true);
    const chunks = await mfs.chunks(PATH);
    // Chunks 0 and 1 are copies now, the others still parts: one file is read from both.
    const valid = chunks.map(({ replicas }) => replicas.filter(({ state }) => state === 'valid'));
    expect(valid.slice(0, 2).every((replicas) => replicas.every(({ part }) => part === undefined))).toBe(true);
    expect(valid.slice(2).every((replicas) => replicas.every(({ part }) => part !== undefined))).toBe(true);
  });

  test('is read right after a chunkserver was killed', async () => {
    await cluster.chunkservers[1]!.kill();
    expect(await isEqual()).toBe(true);
  });
});
