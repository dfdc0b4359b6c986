/** A master that has just come back knows only some of a chunk's servers: it is not told to lock the chunk before. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { FileHandle, MooseFS } from '../../src/index.ts';
import { checkChunk, writeChunk } from '../../src/protocol/messages/chunk.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { pattern } from '../support/pattern.ts';

const data = pattern(100_000, 3);
const writeChunks = (cluster: FakeCluster) => cluster.timeline.count({ kind: 'received', name: 'WRITE_CHUNK' });

/** A file that was written to, still open. */
async function written(mfs: MooseFS): Promise<FileHandle> {
  const handle = await mfs.open('/f', 'w');
  await handle.write(data, 0, data.length, 0);
  await handle.sync();
  return handle;
}

/** Until `back` is called CHECK knows only the first of the servers. */
function forgetServers(cluster: FakeCluster): () => void {
  return cluster.master.on(checkChunk, async (_value, { next }) => {
    const answer = (await next()) as { chunkId: bigint; chunkVersion: number; replicas?: object[]; parts?: object[] };
    return { ...answer, replicas: answer.replicas?.slice(0, 1), parts: answer.parts?.slice(0, 1) } as never;
  });
}

async function loseMaster(cluster: FakeCluster, mfs: MooseFS): Promise<void> {
  const back = once(mfs, 'reconnect');
  for (const connection of cluster.master.connections) connection.reset();
  await back;
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 400));

describe('after the master is back', () => {
  it('a chunk is locked only when as many servers are known as had it before', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    await using handle = await written(mfs);
    const back = forgetServers(cluster);
    await loseMaster(cluster, mfs);
    const before = writeChunks(cluster);
    await handle.write(data, 0, data.length, data.length);
    const synced = handle.sync();
    await soon();
    expect(writeChunks(cluster)).toBe(before);
    back();
    await synced;
    expect(writeChunks(cluster)).toBe(before + 1);
    expect((await mfs.readFile('/f')).equals(Buffer.concat([data, data]))).toBe(true);
  });

  it('a WRITE_CHUNK whose answer was lost waits as well before it is sent again', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    await using handle = await written(mfs);
    const back = forgetServers(cluster);
    const answering = cluster.master.on(writeChunk, async () => 'reset');
    const lost = once(mfs, 'reconnect');
    await handle.write(data, 0, data.length, data.length);
    const synced = handle.sync();
    await lost;
    answering();
    const before = writeChunks(cluster);
    await soon();
    expect(writeChunks(cluster)).toBe(before);
    back();
    await synced;
    expect(writeChunks(cluster)).toBe(before + 1);
  });

  it('a new chunk, and one that had only one server, are not waited for', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await using mfs = await cluster.connect();
    await using handle = await written(mfs);
    await loseMaster(cluster, mfs);
    await handle.write(data, 0, data.length, data.length);
    await handle.sync();
    await mfs.writeFile('/new', data);
    expect(cluster.timeline.count({ kind: 'received', name: 'CHECK' })).toBe(0);
  });
});
