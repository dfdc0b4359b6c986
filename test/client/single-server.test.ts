/** A chunk that is left on a single server while others have old copies of it: that one is not written to alone. */
import { describe, expect, it } from 'vitest';
import { checkChunk, ReplicaState, writeChunk } from '../../src/protocol/messages/chunk.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { pattern } from '../support/pattern.ts';

const data = pattern(100_000, 3);
const blocks = (cluster: FakeCluster) => cluster.timeline.count({ kind: 'received', name: 'WRITE_DATA' });

interface Listed {
  readonly servers: readonly object[];
}
interface Checked {
  readonly replicas?: readonly object[];
  readonly parts?: readonly object[];
}

/** From now on the master lists only the first server of a chunk, and knows two old copies. */
function loseServers(cluster: FakeCluster, chunkVersion = 2): () => void {
  const listing = cluster.master.on(writeChunk, async (_value, { next }) => {
    const answer = (await next()) as Listed;
    return { ...answer, chunkVersion, servers: answer.servers.slice(0, 1) } as never;
  });
  const outdated = Array.from({ length: 2 }, (_, i) => ({
    ip: 0x0a000000 + i,
    port: 9422,
    state: ReplicaState.wrongVersion,
    partCode: 0,
  }));
  const checking = cluster.master.on(checkChunk, async (_value, { next }) => {
    const answer = (await next()) as Checked;
    const copies = [...(answer.parts ?? answer.replicas ?? []).slice(0, 1), ...outdated];
    return { ...answer, ...(answer.parts === undefined ? { replicas: copies } : { parts: copies }) } as never;
  });
  return () => {
    listing();
    checking();
  };
}

describe('a chunk on a single server', () => {
  it('is not written to while there are old copies enough to be preferred; the error says so', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ ioTimeoutMs: 1500 });
    const handle = await mfs.open('/f', 'w');
    await handle.write(data, 0, data.length, 0);
    await handle.sync();
    loseServers(cluster);
    const before = blocks(cluster);
    await handle.write(data, 0, data.length, data.length);
    await expect(handle.sync()).rejects.toMatchObject({
      code: 'EIO',
      message: expect.stringMatching(/only .* has chunk 0 as it is; .* one of 3 older copies/) as string,
    });
    expect(blocks(cluster)).toBe(before);
    const asked = cluster.timeline.count({ kind: 'received', name: 'WRITE_CHUNK' });
    expect(cluster.timeline.count({ kind: 'received', name: 'WRITE_CHUNK_END' })).toBe(asked);
    await handle.close().catch(() => undefined);
  });

  it('is written to when there is a second one again', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    await using handle = await mfs.open('/f', 'w');
    await handle.write(data, 0, data.length, 0);
    await handle.sync();
    const back = loseServers(cluster);
    const before = blocks(cluster);
    await handle.write(data, 0, data.length, data.length);
    const synced = handle.sync();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(blocks(cluster)).toBe(before);
    back();
    await synced;
    expect((await mfs.readFile('/f')).equals(Buffer.concat([data, data]))).toBe(true);
  });

  it('is written to when it has just been made: of its first version there are no old copies', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    await using handle = await mfs.open('/f', 'w');
    await handle.write(data, 0, data.length, 0);
    await handle.sync();
    loseServers(cluster, 1);
    await handle.write(data, 0, data.length, data.length);
    await handle.sync();
    expect(handle.replication[0]?.servers).toHaveLength(1);
  });
});
