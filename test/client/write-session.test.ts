/** How much is on its way to the servers at once, and when a session that has nothing to send ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../../src/index.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { pattern } from '../support/pattern.ts';

const BLOCK = 65_536;
const CHUNK = 1024 * BLOCK;

describe('blocks on their way', () => {
  /** How many are sent while none is acknowledged, to servers that take their time for the opening. */
  async function sentTo({ openingMs, ...options }: ConnectOptions & { openingMs: number }): Promise<number> {
    await using cluster = await FakeCluster.start({ servers: 2 });
    await using mfs = await cluster.connect(options);
    const head = cluster.cs(1);
    head.outgoing = (packet) => (packet.name === 'WRITE_STATUS' ? 'hold' : 'send');
    const done = mfs.writeFile('/f', pattern(100 * BLOCK, 1));
    await cluster.timeline.until({ server: 'cs1', kind: 'held', value: { writeId: 0 } });
    await sleep(openingMs);
    // With the opening the first of them are acknowledged, so that the next half of a window may leave.
    head.release();
    await sleep(200);
    const sent = cluster.timeline.count({ server: 'cs1', kind: 'received', name: 'WRITE_DATA' });
    const acknowledged = cluster.timeline.count({ server: 'cs1', kind: 'sent', name: 'WRITE_STATUS' }) - 1;
    head.outgoing = undefined;
    head.release();
    await done;
    return sent - acknowledged;
  }

  it('are more where the opening took long, up to the limit', async () => {
    expect(await sentTo({ openingMs: 100 })).toBe(64);
  });

  it('are never more than the option says', async () => {
    expect(await sentTo({ openingMs: 100, write: { windowBlocks: 8 } })).toBe(8);
  });

  it('are few before the chain stands', async () => {
    await using cluster = await FakeCluster.start({ servers: 2 });
    await using mfs = await cluster.connect();
    const head = cluster.cs(1);
    head.outgoing = (packet) => (packet.name === 'WRITE_STATUS' ? 'hold' : 'send');
    const done = mfs.writeFile('/f', pattern(100 * BLOCK, 2));
    await cluster.timeline.until({ server: 'cs1', kind: 'received', name: 'WRITE_DATA' }, { count: 15 });
    await sleep(100);
    // The opening counts as one.
    expect(cluster.timeline.count({ server: 'cs1', kind: 'received', name: 'WRITE_DATA' })).toBe(15);
    head.outgoing = undefined;
    head.release();
    await done;
    expect(cluster.violations).toEqual([]);
  });
});

it('a session ends at once when the chunk has got its end, and waits for more otherwise', async () => {
  await using cluster = await FakeCluster.start({ servers: 2 });
  await using mfs = await cluster.connect();
  const handle = await mfs.open('/f', 'w');
  await handle.write(pattern(BLOCK, 3), 0, BLOCK, CHUNK);
  await cluster.timeline.until({ kind: 'received', name: 'WRITE_CHUNK' });
  await handle.write(pattern(BLOCK, 4), 0, BLOCK, CHUNK - BLOCK);
  const first = { kind: 'received', name: 'WRITE_CHUNK_END', value: { chunkIndex: 0 } } as const;
  await cluster.timeline.until({ kind: 'received', name: 'WRITE_CHUNK_END' }, { count: 2 });
  expect(cluster.timeline.before(first, { kind: 'received', name: 'WRITE_CHUNK_END', value: { chunkIndex: 1 } })).toBe(
    true,
  );
  await handle.close();
  expect(cluster.violations).toEqual([]);
});
