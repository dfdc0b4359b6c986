/**
 * A master that is killed comes back without its last changes, though it had acknowledged them: it writes its log of changes in the
 * background. Here the process that does so is stopped first, so that what is forgotten is known.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { FileHandle } from '../../src/index.ts';
import { startCluster } from '../support/cluster/cluster.ts';
import type { Cluster } from '../support/cluster/cluster.ts';
import type { ChunkserverControl } from '../support/cluster/control.ts';

const PIECE = 100_000;
/** Long enough for the log to be written, and for a short block to be sent. */
const SETTLED_MS = 500;
/** The lock that the master remembers would be there for two minutes. */
const SOON_MS = 30_000;

let cluster: Cluster;
let mfs: MooseFS;

beforeAll(async () => {
  cluster = await startCluster({ chunkservers: 6 });
  mfs = await MooseFS.connect({ master: cluster.master });
  await mfs.mkdir('/forgotten');
  await mfs.storageClass.set('/forgotten', cluster.version.startsWith('3.') ? '3' : '3CP');
}, 60_000);
afterAll(async () => {
  await mfs.close();
  await cluster[Symbol.asyncDispose]();
}, 60_000);

/** A file that is being written, and what was given to it. */
async function written(
  name: string,
): Promise<{ path: string; handle: FileHandle; put(): Promise<void>; md5(): string }> {
  const path = `/forgotten/${name}`;
  const handle = await mfs.open(path, 'w');
  const pieces: Buffer[] = [];
  return {
    path,
    handle,
    put: async () => {
      const piece = randomBytes(PIECE);
      pieces.push(piece);
      await handle.write(piece);
    },
    md5: () => createHash('md5').update(Buffer.concat(pieces)).digest('hex'),
  };
}

async function masterDies(): Promise<void> {
  await cluster.masterControl.kill();
  await cluster.masterControl.start();
}

/** Digests of all replicas once there are three, or what there are in the end. */
async function digests(path: string): Promise<string[]> {
  let found: string[] = [];
  for (let tries = 0; tries < 60 && found.length !== 3; tries++) {
    if (tries > 0) await sleep(500);
    found = (await mfs.verify(path, { method: 'md5' })).digests.slice();
  }
  return found;
}

async function firstServerOf(path: string): Promise<ChunkserverControl> {
  const { chunks } = await mfs.verify(path);
  const { host } = chunks[0]!.replicas[0]!;
  return cluster.chunkservers.find((server) => server.host === host)!;
}

describe('a master that forgets', () => {
  test('the end of a file: it is told again before the file is closed', { timeout: 120_000 }, async () => {
    const { path, handle, put, md5 } = await written('end');
    await put();
    await handle.sync();
    await sleep(SETTLED_MS);
    await cluster.masterControl.stopSaving();
    await put();
    await handle.sync();
    await masterDies();
    expect((await mfs.stat(path)).size).toBe(PIECE);
    await handle.close();
    expect((await mfs.stat(path)).size).toBe(2 * PIECE);
    expect(await digests(path)).toEqual([md5(), md5(), md5()]);
  });

  test('that a chunk was unlocked: its writer goes on', { timeout: 180_000 }, async () => {
    const { path, handle, put, md5 } = await written('unlocked');
    await put();
    await sleep(SETTLED_MS);
    await cluster.masterControl.stopSaving();
    await handle.sync();
    await masterDies();
    const startedAt = performance.now();
    await put();
    await handle.close();
    expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
    expect(await digests(path)).toEqual([md5(), md5(), md5()]);
  });

  test.each([
    ['closed', false],
    ['written to', true],
  ])(
    'the version of a chunk: the file is refused when it is %s, for bytes are lost',
    { timeout: 180_000 },
    async (what, more) => {
      const { path, handle, put } = await written(`version-${what}`);
      await put();
      await handle.sync();
      await sleep(SETTLED_MS);
      await cluster.masterControl.stopSaving();
      const server = await firstServerOf(path);
      await server.kill();
      await sleep(SETTLED_MS);
      await put();
      await handle.sync();
      await masterDies();
      await server.start();
      if (more) await put();
      await expect(handle.close()).rejects.toMatchObject({
        code: 'EIO',
        message: expect.stringMatching(
          /acknowledged bytes are lost: the master came back without changes .*version 2/,
        ) as string,
      });
      await cluster.ready();
    },
  );

  test('a chunk: the file is refused, for bytes are lost', { timeout: 120_000 }, async () => {
    const { handle, put } = await written('chunk');
    await sleep(SETTLED_MS);
    await cluster.masterControl.stopSaving();
    await put();
    await handle.sync();
    await masterDies();
    await expect(handle.close()).rejects.toMatchObject({
      code: 'EIO',
      message: expect.stringMatching(/acknowledged bytes are lost: .*chunk 0, .* is not there now/) as string,
    });
  });

  test(
    'a file: its handle is refused, and nothing of it gets into the next file, which has its inode',
    { timeout: 120_000 },
    async () => {
      await cluster.masterControl.stopSaving();
      const lost = await written('lost');
      await lost.put();
      await masterDies();
      await mfs.stat('/forgotten');
      const next = await written('next');
      expect(next.handle.inode).toBe(lost.handle.inode);
      await next.put();
      await expect(lost.handle.close()).rejects.toMatchObject({ code: 'EIO' });
      await next.handle.close();
      expect(await digests(next.path)).toEqual([next.md5(), next.md5(), next.md5()]);
    },
  );

  test('the end of a file that was closed already: it is told again', { timeout: 120_000 }, async () => {
    const { path, handle, put, md5 } = await written('closed');
    await put();
    await handle.sync();
    await sleep(SETTLED_MS);
    await cluster.masterControl.stopSaving();
    await put();
    await handle.close();
    await masterDies();
    await vi.waitFor(async () => expect((await mfs.stat(path)).size).toBe(2 * PIECE), 10_000);
    expect(await digests(path)).toEqual([md5(), md5(), md5()]);
  });

  test('a file that was closed already: an event tells', { timeout: 120_000 }, async () => {
    await cluster.masterControl.stopSaving();
    const { path, handle, put } = await written('gone');
    await put();
    await handle.close();
    const { inode } = handle;
    const told = once(mfs, 'forgotten');
    await masterDies();
    expect(await told).toMatchObject([{ path, inode, error: { code: 'ENOENT' } }]);
  });

  test('nothing: a file that was written before is closed', { timeout: 120_000 }, async () => {
    const { path, handle, put, md5 } = await written('nothing');
    await put();
    await handle.sync();
    await sleep(SETTLED_MS);
    await masterDies();
    await handle.close();
    expect(await digests(path)).toEqual([md5(), md5(), md5()]);
  });
});
