/** Reading a file from front to back through a handle: what is asked for ahead, and what is never handed out. */
import { describe, expect, it } from 'vitest';
import type { FileHandle, MooseFS } from '../../src/index.ts';
import { chunkHasChanged } from '../../src/protocol/messages/push.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { withoutLeaks } from '../support/leaks.ts';
import { pattern } from '../support/pattern.ts';

const KIB = 1024;
const SIZE = 4 * 1024 * KIB + 5;
const data = pattern(SIZE, 7);

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Reads of `step` bytes from `from` to the end of the file. */
async function readOn(handle: FileHandle, from: number, step: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = from; ; at += step) {
    const piece = await readAt(handle, at, step);
    pieces.push(piece);
    if (piece.length < step) return Buffer.concat(pieces);
  }
}

const readsOf = (cluster: FakeCluster): number => cluster.timeline.count({ kind: 'received', name: 'READ' });

async function withFile(work: (cluster: FakeCluster, mfs: MooseFS) => Promise<void>): Promise<void> {
  await using cluster = await FakeCluster.start();
  await using mfs = await cluster.connect();
  await mfs.writeFile('/f', data);
  await work(cluster, mfs);
}

describe('reads in order', () => {
  it.each([1, 4, 100, 512, 1024].map((kib) => kib * KIB + (kib % 2)))(
    'of %i bytes give every byte, and ask for much more at once',
    async (step) => {
      await withFile(async (cluster, mfs) => {
        await using handle = await mfs.open('/f');
        expect((await readOn(handle, 0, step)).equals(data)).toBe(true);
        expect(readsOf(cluster)).toBeLessThan(40);
        expect(handle.servedBy.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(SIZE);
      });
    },
  );

  it('from the middle, without a position, by readv and as a web stream give the same', async () => {
    await withFile(async (_cluster, mfs) => {
      await using handle = await mfs.open('/f');
      expect((await readOn(handle, 1_000_001, 7000)).equals(data.subarray(1_000_001))).toBe(true);
      const [a, b] = [Buffer.alloc(70_000), Buffer.alloc(300_000)];
      await handle.read(a);
      await handle.readv([a, b]);
      expect(Buffer.concat([a, b]).equals(data.subarray(70_000, 440_000))).toBe(true);
      await using other = await mfs.open('/f');
      const whole = await new Response(other.readableWebStream()).arrayBuffer();
      expect(Buffer.from(whole).equals(data)).toBe(true);
    });
  });

  it('asked for all at once give every byte', async () => {
    await withFile(async (_cluster, mfs) => {
      await using handle = await mfs.open('/f');
      const step = 50_000;
      const starts = Array.from({ length: Math.ceil(SIZE / step) }, (_, i) => i * step);
      const pieces = await Promise.all(starts.map((at) => readAt(handle, at, step)));
      expect(Buffer.concat(pieces).equals(data)).toBe(true);
    });
  });
});

describe('what is not in order', () => {
  it('asks for nothing ahead', async () => {
    await withFile(async (cluster, mfs) => {
      await using handle = await mfs.open('/f');
      const before = readsOf(cluster);
      for (const at of [300_000, 100_000, 2_000_000, 4096]) {
        expect((await readAt(handle, at, 4096)).equals(data.subarray(at, at + 4096))).toBe(true);
      }
      expect(readsOf(cluster) - before).toBe(4);
    });
  });
});

describe('bytes read ahead', () => {
  it('are not handed out once this client has written', async () => {
    await withFile(async (_cluster, mfs) => {
      await using handle = await mfs.open('/f', 'r+');
      for (let at = 0; at < 400_000; at += 100_000) await readAt(handle, at, 100_000);
      await handle.write(Buffer.alloc(200_000, 'new'), 0, 200_000, 400_000);
      expect((await readAt(handle, 400_000, 200_000)).equals(Buffer.alloc(200_000, 'new'))).toBe(true);
      expect((await readAt(handle, 600_000, 1000)).equals(data.subarray(600_000, 601_000))).toBe(true);
    });
  });

  it('are not handed out once the master has said that the chunk changed, or the file was cut', async () => {
    await withFile(async (cluster, mfs) => {
      await using handle = await mfs.open('/f');
      for (let at = 0; at < 400_000; at += 100_000) await readAt(handle, at, 100_000);
      const before = readsOf(cluster);
      const { changes } = handle.volume.files.get(handle.inode)!;
      const { id: chunkId, version } = cluster.master.tree.at('/f').chunks[0]!;
      const change = { zero: 0, inode: handle.inode, chunkIndex: 0, chunkId, version, length: SIZE, truncated: 0 };
      cluster.master.push(chunkHasChanged, { ...change, offset: 0, size: 0 });
      await expect.poll(() => handle.volume.files.get(handle.inode)!.changes).toBeGreaterThan(changes);
      await readAt(handle, 400_000, 100_000);
      expect(readsOf(cluster)).toBeGreaterThan(before);
      await using other = await mfs.open('/f', 'r+');
      await other.truncate(450_000);
      expect((await readAt(handle, 400_000, 100_000)).length).toBe(50_000);
      expect((await readAt(handle, 450_000, 100_000)).length).toBe(0);
    });
  });

  it('that are older than a second are asked for again', { timeout: 10_000 }, async () => {
    await withFile(async (cluster, mfs) => {
      await using handle = await mfs.open('/f');
      for (let at = 0; at < 400_000; at += 100_000) await readAt(handle, at, 100_000);
      const before = readsOf(cluster);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await readAt(handle, 400_000, 4096);
      expect(readsOf(cluster)).toBeGreaterThan(before);
    });
  });

  it('that could not be had cost nothing but another try', async () => {
    await withFile(async (cluster, mfs) => {
      await using handle = await mfs.open('/f');
      await readAt(handle, 0, 100_000);
      let broken = true;
      for (const server of [cluster.cs(1), cluster.cs(2)])
        server.outgoing = (packet) => (broken && packet.name === 'READ_DATA' ? 'reset' : 'send');
      const second = readAt(handle, 100_000, 100_000);
      setTimeout(() => (broken = false), 100);
      expect((await second).equals(data.subarray(100_000, 200_000))).toBe(true);
      expect((await readOn(handle, 200_000, 100_000)).equals(data.subarray(200_000))).toBe(true);
    });
  });

  it('are let go of also by a read that is aborted while it waits for several of them', async () => {
    await withFile(async (cluster, mfs) => {
      const handle = await mfs.open('/f');
      for (let at = 0; at < 400_000; at += 100_000) await readAt(handle, at, 100_000);
      for (const server of [cluster.cs(1), cluster.cs(2)]) server.outgoing = () => 'hold';
      // What is asked for from here on does not come.
      await readAt(handle, 400_000, 4096);
      const stop = new AbortController();
      const waiting = handle.read({ buffer: Buffer.alloc(1_900_000), position: 404_096, signal: stop.signal });
      setTimeout(() => stop.abort(), 50);
      await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
      const { readBudget } = handle.volume;
      await handle.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(readBudget.used).toBe(0);
    });
  });

  it('are let go of when the handle closes, whatever is on its way', async () => {
    await withoutLeaks(async () => {
      await withFile(async (cluster, mfs) => {
        const handle = await mfs.open('/f');
        for (const at of [0, 100_000]) await readAt(handle, at, 100_000);
        for (const server of [cluster.cs(1), cluster.cs(2)]) server.outgoing = () => 'hold';
        await readAt(handle, 200_000, 4096);
        const { readBudget } = handle.volume;
        await handle.close();
        await new Promise((resolve) => setImmediate(resolve));
        expect(readBudget.used).toBe(0);
      });
    });
  });
});
