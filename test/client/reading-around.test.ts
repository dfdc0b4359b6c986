/** Reads around a replica that is slow or wrong: hedged reads, and what the operator is told of a wrong checksum. */
import { describe, expect, it } from 'vitest';
import type { ReplicaFault, ServedBy } from '../../src/index.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { withoutLeaks } from '../support/leaks.ts';
import { pattern } from '../support/pattern.ts';

const BLOCK = 65_536;
const data = pattern(3 * BLOCK, 1);
/** Longer than any test here may take: what is not hedged waits for it. */
const STALL_MS = 10_000;

describe('a hedged read', () => {
  it('takes the second replica when the first is slow, and leaves nothing of the first behind', async () => {
    await withoutLeaks(async () => {
      await using cluster = await FakeCluster.start();
      await using mfs = await cluster.connect({ read: { hedgeMs: 30, stallMs: STALL_MS } });
      const faults: ReplicaFault[] = [];
      mfs.on('replicaFault', (fault) => faults.push(fault));
      await mfs.writeFile('/f', data);
      // It gives the first block and then no more.
      cluster.cs(1).outgoing = (packet) => (packet.name === 'READ_DATA' && packet.value.block === 0 ? 'send' : 'hold');
      let servedBy: readonly ServedBy[] = [];
      const startedAt = performance.now();
      const found = await mfs.readFile('/f', { onServedBy: (list) => (servedBy = list) });
      expect(performance.now() - startedAt).toBeLessThan(STALL_MS / 2);
      expect(found.equals(data)).toBe(true);
      expect(servedBy.map(({ server, bytes }) => [server, bytes])).toEqual([[cluster.cs(2).address, data.length]]);
      expect(faults).toEqual([]);
    });
  });

  it('takes the first replica when that is sooner after all', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ read: { hedgeMs: 30, stallMs: STALL_MS } });
    await mfs.writeFile('/f', data);
    const [first, second] = [cluster.cs(1), cluster.cs(2)];
    for (const server of [first, second]) server.outgoing = () => 'hold';
    const reading = mfs.readFile('/f');
    await cluster.timeline.until({ server: 'cs2', kind: 'received', name: 'READ' });
    first.release();
    expect((await reading).equals(data)).toBe(true);
  });

  it('fails over as ever when one of the two fails, and when both do says why', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ ioTimeoutMs: 1000, read: { hedgeMs: 30, stallMs: 300 } });
    await mfs.writeFile('/f', data);
    cluster.cs(1).outgoing = () => 'reset';
    expect((await mfs.readFile('/f')).equals(data)).toBe(true);
    cluster.cs(2).outgoing = () => 'hold';
    await expect(mfs.readFile('/f')).rejects.toMatchObject({ code: 'EIO' });
  });

  it('is not made where nobody asked for it', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ read: { stallMs: STALL_MS } });
    await mfs.writeFile('/f', data);
    cluster.cs(1).outgoing = () => 'hold';
    const reading = mfs.readFile('/f');
    await cluster.timeline.until({ server: 'cs1', kind: 'held', name: 'READ_STATUS' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    cluster.cs(1).release();
    await reading;
    expect(cluster.timeline.count({ server: 'cs2', kind: 'received', name: 'READ' })).toBe(0);
  });
});

describe('a wrong checksum', () => {
  it('is told with file, chunk and server, and read around', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    const faults: ReplicaFault[] = [];
    mfs.on('replicaFault', (fault) => faults.push(fault));
    await mfs.writeFile('/f', data);
    cluster.cs(1).outgoing = (packet, { bytes }) => {
      if (packet.name !== 'READ_DATA' || packet.value.block !== 1) return 'send';
      bytes[bytes.length - 1]! ^= 0xff;
      return bytes;
    };
    expect((await mfs.readFile('/f')).equals(data)).toBe(true);
    const { id } = cluster.master.tree.at('/f').chunks[0]!;
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ path: '/f', chunk: 0, chunkId: id, server: cluster.cs(1).address });
    expect(faults[0]!.error.message).toMatch(/CRC|checksum/i);
  });
});
