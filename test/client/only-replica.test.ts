/**
 * A chunkserver stores the checksums of a session's blocks when the session ends: one that dies before leaves blocks that nobody
 * can read. Where it is the only one, what it acknowledged is not believed until the session has ended and it has answered again.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MooseFSError } from '../../src/index.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { withoutLeaks } from '../support/leaks.ts';
import { pattern } from '../support/pattern.ts';

const BLOCK = 65_536;

function expectStored(cluster: FakeCluster, path: string, data: Buffer): void {
  const file = cluster.master.tree.at(path);
  expect(file.length).toBe(data.length);
  expect(cluster.cs(1).replicas.read(file.chunks[0]!.id, 0, data.length).equals(data)).toBe(true);
  expect(cluster.violations).toEqual([]);
}

const written = (cluster: FakeCluster): unknown[] =>
  cluster.timeline.all({ server: 'cs1', kind: 'received', name: 'WRITE_DATA' }).map(({ value }) => value!['block']);

describe('the only replica of a chunk', () => {
  it('that dies at the end of the session is given every block of it again', async () => {
    await withoutLeaks(async () => {
      await using cluster = await FakeCluster.start({ servers: 1 });
      await using mfs = await cluster.connect();
      const data = pattern(3 * BLOCK, 1);
      cluster.cs(1).incoming = (packet, { index }) =>
        packet.name === 'WRITE_FINISH' && index === 0 ? 'reset' : 'accept';
      await mfs.writeFile('/f', data);
      expect(written(cluster)).toEqual([0, 1, 2, 0, 1, 2]);
      expectStored(cluster, '/f', data);
    });
  });

  it('never makes a write resolve that it does not confirm', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    const mfs = await cluster.connect({ ioTimeoutMs: 1000, write: { flushTimeoutMs: 3000 } });
    cluster.cs(1).incoming = (packet) => (packet.name === 'WRITE_FINISH' ? 'reset' : 'accept');
    const handle = await mfs.open('/f', 'w');
    await handle.write(pattern(1000, 1));
    const error: unknown = await handle.sync().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(MooseFSError);
    expect((error as MooseFSError).message).toContain(cluster.cs(1).address);
    await handle.close().catch(() => undefined);
    // What is not safe does not count: the master was told of no byte.
    expect(cluster.master.tree.at('/f').length).toBe(0);
    await mfs.close();
  });

  it('is given overlapping writes again in their order', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await using mfs = await cluster.connect();
    const [old, later] = [pattern(2 * BLOCK, 1), pattern(BLOCK, 2)];
    let resets = 1;
    // Of the first session only the second write of block 0 is acknowledged.
    cluster.cs(1).outgoing = (packet) => {
      if (packet.name !== 'WRITE_STATUS' || resets === 0) return 'send';
      if (packet.value.writeId === 1) return 'drop';
      if (packet.value.writeId < 3) return 'send';
      setTimeout(() => {
        resets = 0;
        cluster.cs(1).resetAll();
      }, 50);
      return 'send';
    };
    const handle = await mfs.open('/f', 'w');
    await handle.write(old, 0, old.length, 0);
    await handle.write(later, 0, later.length, 0);
    await handle.close();
    expectStored(cluster, '/f', Buffer.concat([later, old.subarray(BLOCK)]));
  });

  it('has its session ended before the buffer is full of blocks that are kept', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await using mfs = await cluster.connect({ write: { bufferBytes: 8 * BLOCK } });
    const data = pattern(64 * BLOCK, 3);
    const stream = mfs.createWriteStream('/f');
    stream.end(data);
    await once(stream, 'finish');
    expect(written(cluster)).toHaveLength(64);
    const sessions = cluster.timeline.count({ server: 'cs1', kind: 'received', name: 'WRITE_FINISH' });
    expect(sessions).toBeGreaterThan(3);
    expect(mfs.resources.activeChunks).toBe(0);
    expectStored(cluster, '/f', data);
  });

  it('stays locked between sessions that end only to have blocks stored, on one connection', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await using mfs = await cluster.connect({ write: { bufferBytes: 8 * BLOCK } });
    const data = pattern(64 * BLOCK, 4);
    await mfs.writeFile('/f', data);
    expect(cluster.timeline.count({ server: 'cs1', kind: 'received', name: 'WRITE_FINISH' })).toBeGreaterThan(3);
    expect(cluster.timeline.count({ kind: 'received', name: 'WRITE_CHUNK' })).toBe(1);
    expect(cluster.timeline.count({ kind: 'received', name: 'WRITE_CHUNK_END' })).toBe(1);
    expect(cluster.cs(1).accepted).toBe(1);
    expectStored(cluster, '/f', data);
  });

  it('that hangs up between two of these is connected to again, and written no block twice', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await using mfs = await cluster.connect({ write: { bufferBytes: 8 * BLOCK } });
    const data = pattern(64 * BLOCK, 5);
    cluster.cs(1).incoming = (packet, { index }) => (packet.name === 'WRITE' && index === 1 ? 'reset' : 'accept');
    await mfs.writeFile('/f', data);
    expect(cluster.cs(1).accepted).toBe(2);
    expect(cluster.timeline.count({ kind: 'received', name: 'WRITE_CHUNK' })).toBe(1);
    expect(written(cluster)).toEqual(Array.from({ length: 64 }, (_, block) => block));
    expectStored(cluster, '/f', data);
  });
});
