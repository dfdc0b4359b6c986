/**
 * The bug that this package exists to end: a client sent WRITE_FINISH before the second WRITE_STATUS had come, and replicas lost
 * their tails. Here the servers hold statuses back. Until the last of them has come no WRITE_FINISH may leave, and nothing that
 * promises "it is written" may resolve.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import type { FakeChunkserver } from '../support/fake-chunkserver.ts';
import type { OutgoingAction, OutgoingPacket } from '../support/fake-packets.ts';
import { withoutLeaks } from '../support/leaks.ts';
import { pattern } from '../support/pattern.ts';

const BLOCK = 65_536;
/** A client that does not wait finishes after 100 ms without anything to send, at the latest. */
const LONG_ENOUGH_MS = 300;

/** Holds back statuses of data blocks (ids from 1) that `which` picks. */
const holding =
  (which: (writeId: number) => boolean) =>
  (packet: OutgoingPacket): OutgoingAction =>
    packet.name === 'WRITE_STATUS' && which(packet.value.writeId) ? 'hold' : 'send';

/** What must not have happened while a status is held back. */
async function expectUnfinished(cluster: FakeCluster, done: Promise<unknown>): Promise<void> {
  let settled = 'pending';
  done.then(
    () => (settled = 'resolved'),
    () => (settled = 'rejected'),
  );
  await sleep(LONG_ENOUGH_MS);
  expect(settled).toBe('pending');
  expect(cluster.timeline.count({ name: 'WRITE_FINISH' })).toBe(0);
  expect(cluster.timeline.count({ name: 'WRITE_CHUNK_END' })).toBe(0);
  expect(cluster.violations).toEqual([]);
}

function expectReplicas(cluster: FakeCluster, path: string, data: Buffer): void {
  const chunk = cluster.master.tree.at(path).chunks[0]!;
  for (const { replicas } of cluster.chunkservers) {
    expect(replicas.read(chunk.id, 0, data.length).equals(data)).toBe(true);
  }
  expect(cluster.master.tree.at(path).length).toBe(data.length);
}

/** Everything that promises that bytes are written, as a function that begins it. */
const promises: Record<string, (mfs: MooseFS, data: Buffer) => Promise<unknown>> = {
  'writeFile()': (mfs, data) => mfs.writeFile('/f', data),
  'close()': async (mfs, data) => {
    const handle = await mfs.open('/f', 'w');
    await handle.write(data);
    await handle.close();
  },
  'sync()': async (mfs, data) => {
    const handle = await mfs.open('/f', 'w');
    await handle.write(data);
    await handle.sync();
  },
  'write() with the flag as': async (mfs, data) => {
    const handle = await mfs.open('/f', 'as');
    await handle.write(data);
  },
  "a stream's finish": async (mfs, data) => {
    const stream = mfs.createWriteStream('/f');
    stream.end(data);
    await once(stream, 'finish');
  },
  'close() of the client': async (mfs, data) => {
    const handle = await mfs.open('/f', 'w');
    await handle.write(data);
    await mfs.close();
  },
};

describe.each([1, 2, 3])('with %i servers in the chain', (servers) => {
  it.each(Object.entries(promises))(
    '%s waits for the second WRITE_STATUS, and so does WRITE_FINISH',
    async (_, begin) => {
      await withoutLeaks(async () => {
        await using cluster = await FakeCluster.start({ servers });
        await using mfs = await cluster.connect();
        // The first status, of the opening, comes at once.
        cluster.cs(1).outgoing = holding((writeId) => writeId === 1);
        const data = pattern(1000, servers);
        const done = begin(mfs, data);
        await cluster.timeline.until({ server: 'cs1', kind: 'held', name: 'WRITE_STATUS' });
        expect(
          cluster.timeline.count({ server: 'cs1', kind: 'sent', name: 'WRITE_STATUS', value: { writeId: 0 } }),
        ).toBe(1);
        await expectUnfinished(cluster, done);
        cluster.cs(1).release();
        await done;
        const statusSent = { server: 'cs1', kind: 'sent', name: 'WRITE_STATUS', value: { writeId: 1 } } as const;
        expect(cluster.timeline.before(statusSent, { server: 'cs1', name: 'WRITE_FINISH' })).toBe(true);
        expect(cluster.timeline.before(statusSent, { server: 'master', name: 'WRITE_CHUNK_END' })).toBe(true);
        expectReplicas(cluster, '/f', data);
        expect(cluster.violations).toEqual([]);
      });
    },
  );

  it('waits for the last server of the chain, whichever of many blocks it holds back', async () => {
    await using cluster = await FakeCluster.start({ servers });
    await using mfs = await cluster.connect();
    const tail = cluster.cs(servers);
    tail.outgoing = holding((writeId) => writeId === 17);
    const data = pattern(40 * BLOCK - 5, servers);
    const done = mfs.writeFile('/f', data);
    await cluster.timeline.until({ server: tail.name, kind: 'held', value: { writeId: 17 } });
    await cluster.timeline.until({ server: 'cs1', kind: 'sent', value: { writeId: 40, status: 0 } });
    await expectUnfinished(cluster, done);
    tail.release();
    await done;
    expectReplicas(cluster, '/f', data);
    expect(cluster.violations).toEqual([]);
  });

  it('takes statuses in any order, the last one counts', async () => {
    await using cluster = await FakeCluster.start({ servers });
    await using mfs = await cluster.connect();
    const head = cluster.cs(1);
    head.outgoing = holding(() => true);
    const data = pattern(30 * BLOCK, servers);
    const done = mfs.writeFile('/f', data);
    // With an opening that takes its time all of them are on their way at once.
    await cluster.timeline.until({ server: 'cs1', kind: 'held', value: { writeId: 0 } });
    await sleep(50);
    head.release({ count: 1 });
    await cluster.timeline.until({ server: 'cs1', kind: 'held', name: 'WRITE_STATUS' }, { count: 31 });
    head.release({ count: 29, reversed: true });
    expect(head.held.map(({ packet }) => packet.value)).toMatchObject([{ writeId: 1 }]);
    await expectUnfinished(cluster, done);
    head.release();
    await done;
    expectReplicas(cluster, '/f', data);
    expect(cluster.violations).toEqual([]);
  });

  it('even the opening may answer last', async () => {
    await using cluster = await FakeCluster.start({ servers });
    await using mfs = await cluster.connect();
    cluster.cs(1).outgoing = holding((writeId) => writeId === 0);
    const data = pattern(3 * BLOCK, servers);
    const done = mfs.writeFile('/f', data);
    await cluster.timeline.until({ server: 'cs1', kind: 'sent', name: 'WRITE_STATUS' }, { count: 3 });
    await expectUnfinished(cluster, done);
    cluster.cs(1).release();
    await done;
    expectReplicas(cluster, '/f', data);
    expect(cluster.violations).toEqual([]);
  });

  it('writes again what a broken connection left unacknowledged, and nothing else', async () => {
    await using cluster = await FakeCluster.start({ servers });
    await using mfs = await cluster.connect();
    const head = cluster.cs(1);
    head.outgoing = holding((writeId) => writeId === 2);
    const data = pattern(4 * BLOCK, servers);
    const done = mfs.writeFile('/f', data);
    await cluster.timeline.until({ server: 'cs1', kind: 'held' });
    await cluster.timeline.until({ server: 'cs1', kind: 'sent', value: { writeId: 4 } });
    head.outgoing = undefined;
    head.resetAll();
    await done;
    const blocks = cluster.timeline.all({ server: 'cs1', kind: 'received', name: 'WRITE_DATA' });
    // The only replica may not have stored what it acknowledged: see only-replica.test.ts.
    expect(blocks.map(({ value }) => value!['block'])).toEqual([0, 1, 2, 3, ...(servers === 1 ? [0, 1, 2, 3] : [1])]);
    expectReplicas(cluster, '/f', data);
    expect(cluster.violations).toEqual([]);
  });

  it('rejects when the status does not come in time, and never finishes that session', async () => {
    await withoutLeaks(async () => {
      await using cluster = await FakeCluster.start({ servers });
      const mfs = await cluster.connect({ write: { flushTimeoutMs: 700 } });
      for (const server of cluster.chunkservers) server.outgoing = holding((writeId) => writeId === 1);
      await expect(mfs.writeFile('/f', pattern(1000, 1))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
      expect(cluster.timeline.count({ name: 'WRITE_FINISH' })).toBe(0);
      await mfs.close();
      expect(cluster.violations).toEqual([]);
    });
  });
});

it('reuses the connection only after all of that', async () => {
  await using cluster = await FakeCluster.start({ servers: 1 });
  await using mfs = await cluster.connect();
  const head: FakeChunkserver = cluster.cs(1);
  for (let i = 0; i < 5; i++) await mfs.writeFile(`/f${i}`, pattern(3 * BLOCK, i));
  expect(head.accepted).toBe(1);
  expect(cluster.timeline.count({ server: 'cs1', kind: 'received', name: 'WRITE_FINISH' })).toBe(5);
  expect(cluster.violations).toEqual([]);
});
