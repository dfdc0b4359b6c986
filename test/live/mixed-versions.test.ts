/**
 * A cluster whose chunkservers are not all of the master's version, as while it is upgraded: three copies of everything, so that the
 * odd one is in every chain. $MFS_TEST_OTHER_PROGRAMS is a folder with the other version's mfschunkserver; without it the tests are
 * skipped, and their mark says why.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { difference, pattern } from '../support/pattern.ts';
import { makeFolder, sharedCluster, startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';
import { compareAll, uploadAll } from '../support/uploads.ts';

const COPIES = 3;
const FILES = 60;
const CHUNK = 64 * 1024 * 1024;
const SIZES = [0, 1, 65_537, CHUNK - 1, CHUNK + 65_537];

const programs = process.env['MFS_TEST_OTHER_PROGRAMS'];
const isPossible = programs !== undefined && ['programs', 'packages'].includes(sharedCluster().provider);

describe.skipIf(!isPossible)('[programs] [mixed] with one chunkserver of another version', () => {
  let cluster: Cluster;
  let mfs: MooseFS;
  let folder: string;

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: COPIES, programs: [undefined, programs] });
    mfs = await MooseFS.connect({ master: cluster.master });
    folder = await makeFolder(mfs, 'mixed', COPIES);
  });
  afterAll(async () => {
    await mfs.close();
    await cluster.stop();
  });

  test('one replica of each chunk is there, and the others on servers of the master’s version', async () => {
    const path = `${folder}/where`;
    await mfs.writeFile(path, 'a replica on every server');
    const [chunk] = await mfs.chunks(path);
    expect(chunk!.replicas).toHaveLength(COPIES);
    const odd = chunk!.replicas.filter(({ serverVersion }) => serverVersion !== cluster.version);
    expect(odd.map(({ host, port }) => `${host}:${port}`)).toEqual([
      `${cluster.chunkservers[1]!.host}:${cluster.chunkservers[1]!.port}`,
    ]);
    expect(odd[0]!.serverVersion?.split('.')[0]).toBe(cluster.version.split('.')[0]);
    process.stdout.write(`mixed: master ${cluster.version}, one chunkserver of ${odd[0]!.serverVersion}\n`);
  });

  test.each(SIZES)('%d bytes are written, read, and verified in each way', { timeout: 300_000 }, async (size) => {
    const path = `${folder}/${size}`;
    const data = pattern(size, size + 1);
    await mfs.writeFile(path, data);
    expect(difference(await mfs.readFile(path), data)).toBeUndefined();
    const chunks = await mfs.chunks(path);
    for (const { replicas } of chunks) expect(replicas).toHaveLength(COPIES);

    const digest = createHash('md5').update(data).digest('hex');
    const verified = await mfs.verify(path, { method: 'md5' });
    expect(verified.ok).toBe(true);
    expect(verified.digests).toEqual(Array.from({ length: size === 0 ? 1 : COPIES }, () => digest));
    expect(await mfs.verify(path)).toMatchObject({ ok: true, method: 'checksums' });
    if (size === 0) return;
    for (const replica of cluster.chunkservers)
      expect(difference(await mfs.readFile(path, { replica }), data), replica.name).toBeUndefined();
  });

  test(
    `${FILES} concurrent uploads: every replica equals what was written`,
    {
      timeout: 300_000,
    },
    async () => {
      const uploads = `${folder}/uploads`;
      await mfs.mkdir(uploads);
      await uploadAll(mfs, uploads, FILES);
      expect(await compareAll(mfs, uploads, FILES)).toEqual({ compared: FILES * COPIES, differences: [] });
      expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
    },
  );

  test('what was written while the odd chunkserver was away is right afterwards, and new files have a replica there', async () => {
    const path = `${folder}/back`;
    const [before, after] = [pattern(300_001, 1), pattern(200_003, 2)];
    await mfs.writeFile(path, before);
    const odd = cluster.chunkservers[1]!;
    await odd.kill();
    await mfs.appendFile(path, after);
    await odd.start();
    await cluster.ready();
    const data = Buffer.concat([before, after]);
    expect(difference(await mfs.readFile(path), data)).toBeUndefined();
    // Its replica is of an older version now, which counts for nothing; when the master makes a new one is the master's affair.
    const { chunks, digests } = await mfs.verify(path, { method: 'md5' });
    const valid = chunks.flatMap(({ replicas }) => replicas.filter(({ state }) => state === 'valid'));
    expect(valid.length).toBeGreaterThanOrEqual(COPIES - 1);
    expect(valid.filter(({ ok }) => !ok)).toEqual([]);
    expect(new Set(digests)).toEqual(new Set([createHash('md5').update(data).digest('hex')]));

    await using patient = await MooseFS.connect({ master: cluster.master, write: { replicas: 'goal' } });
    await patient.writeFile(`${folder}/new`, data);
    const again = await mfs.verify(`${folder}/new`, { method: 'md5' });
    expect(again.ok).toBe(true);
    expect(again.chunks[0]!.replicas.map(({ host, port }) => `${host}:${port}`)).toContain(`${odd.host}:${odd.port}`);
  });
});
