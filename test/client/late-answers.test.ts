/**
 * A call that was given up before its answer came: what the master does all the same must not stay. A chunk would be locked for two
 * minutes, a lock would be held by nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/protocol/message.ts';
import { writeChunk } from '../../src/protocol/messages/chunk.ts';
import { FlockCommand, flock } from '../../src/protocol/messages/lock.ts';
import { Status } from '../../src/protocol/status.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { withoutLeaks } from '../support/leaks.ts';
import { pattern } from '../support/pattern.ts';

const END = { name: 'WRITE_CHUNK_END', kind: 'received' } as const;
const ASKED = { name: 'WRITE_CHUNK', kind: 'received' } as const;

/** Answers that are held back until the test lets them go. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** The first call of this kind is carried out, and answered, when the gate opens. */
function holdFirst<Q extends object, R extends object>(cluster: FakeCluster, message: Call<Q, R>): Gate {
  const gate = new Gate();
  cluster.master.on(message, async (_value, { call, next }) => {
    if (call === 0) await gate.opened;
    return next();
  });
  return gate;
}

const locked = (cluster: FakeCluster): boolean => cluster.master.tree.at('/f').chunks[0]?.locked === true;

describe('a WRITE_CHUNK that was given up', () => {
  it('because time was over is unlocked when it is granted, also after the file is closed', async () => {
    await withoutLeaks(async () => {
      await using cluster = await FakeCluster.start();
      await using mfs = await cluster.connect({ ioTimeoutMs: 300 });
      const gate = holdFirst(cluster, writeChunk);
      await expect(mfs.writeFile('/f', 'text')).rejects.toMatchObject({
        code: expect.stringMatching(/^E(IO|TIMEDOUT)$/) as string,
      });
      expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
      expect(cluster.timeline.count(END)).toBe(0);
      gate.open();
      await cluster.timeline.until(END);
      expect(cluster.timeline.all(END).map(({ value }) => value)).toMatchObject([{ length: 0, chunkIndex: 0 }]);
      expect(locked(cluster)).toBe(false);
      await using other = await cluster.connect({ ioTimeoutMs: 1000 });
      await other.writeFile('/f', 'of another session');
      expect(cluster.violations).toEqual([]);
    });
  });

  it('by a signal ends at once, and is unlocked when it is granted', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    const gate = holdFirst(cluster, writeChunk);
    const abort = new AbortController();
    const startedAt = performance.now();
    const writing = mfs.writeFile('/f', pattern(1000, 1), { signal: abort.signal });
    await cluster.timeline.until(ASKED);
    abort.abort();
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    gate.open();
    await cluster.timeline.until(END);
    expect(locked(cluster)).toBe(false);
  });

  it('and is refused at last needs no unlocking', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ ioTimeoutMs: 200 });
    cluster.master.on(writeChunk, async (_value, { call, next }) => {
      if (call > 0) return next();
      await sleep(400);
      return Status.EPERM;
    });
    await expect(mfs.writeFile('/f', 'text')).rejects.toMatchObject({
      code: expect.stringMatching(/^E(IO|TIMEDOUT)$/) as string,
    });
    await sleep(400);
    expect(cluster.timeline.count(END)).toBe(0);
    await mfs.writeFile('/f', 'text');
  });

  it('is over before the same client asks for that chunk again: unlocking does not ask whose lock it is', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ ioTimeoutMs: 1000 });
    const gate = holdFirst(cluster, writeChunk);
    const abort = new AbortController();
    const writing = mfs.writeFile('/f', 'text', { signal: abort.signal });
    await cluster.timeline.until(ASKED);
    abort.abort();
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
    const again = mfs.writeFile('/f', 'again');
    await sleep(100);
    expect(cluster.timeline.count(ASKED)).toBe(1);
    gate.open();
    await again;
    const [first, second] = cluster.timeline.all(ASKED);
    const [ended] = cluster.timeline.all(END);
    expect(first!.order).toBeLessThan(ended!.order);
    expect(ended!.order).toBeLessThan(second!.order);
    expect(await mfs.readFile('/f', 'utf8')).toBe('again');
  });

  it('and whose connection was lost may have locked the chunk: our next writer passes over that, and nothing is unlocked blindly', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect({ ioTimeoutMs: 1000 });
    const flags: number[] = [];
    cluster.master.on(writeChunk, async (value, { call, next }) => {
      flags.push(value.flags);
      const answer = await next();
      return call === 0 ? 'stall' : answer;
    });
    const abort = new AbortController();
    const writing = mfs.writeFile('/f', 'text', { signal: abort.signal });
    await cluster.timeline.until(ASKED);
    abort.abort();
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
    expect(locked(cluster)).toBe(true);
    cluster.master.resetAll();
    await sleep(300);
    expect(cluster.timeline.count(END)).toBe(0);
    await mfs.writeFile('/f', 'again');
    await mfs.writeFile('/f', 'and again');
    expect(flags).toEqual([0, 2, 0]);
    expect(locked(cluster)).toBe(false);
  });

  it('is waited for by the client’s close(), as long as that is worth it', async () => {
    for (const answers of [true, false]) {
      await withoutLeaks(async () => {
        await using cluster = await FakeCluster.start();
        const mfs = await cluster.connect({ ioTimeoutMs: 200 });
        const gate = holdFirst(cluster, writeChunk);
        await expect(mfs.writeFile('/f', 'text')).rejects.toMatchObject({
          code: expect.stringMatching(/^E(IO|TIMEDOUT)$/) as string,
        });
        const startedAt = performance.now();
        if (answers) setTimeout(gate.open, 100);
        await mfs.close();
        expect(performance.now() - startedAt).toBeLessThan(5000);
        expect(cluster.timeline.count(END)).toBe(answers ? 1 : 0);
        gate.open();
      });
    }
  });
});

it('close() of a client unlocks the chunk of a write that it gives up', async () => {
  await using cluster = await FakeCluster.start({ servers: 1 });
  const mfs = await cluster.connect({ write: { flushTimeoutMs: 200 } });
  cluster.cs(1).outgoing = (packet) => (packet.name === 'WRITE_STATUS' ? 'drop' : 'send');
  const handle = await mfs.open('/f', 'w');
  await handle.write(pattern(1000, 1));
  await cluster.timeline.until(ASKED);
  await expect(mfs.close()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(locked(cluster)).toBe(false);
});

describe('a lock that was tried and given up', () => {
  const unlocks = (cluster: FakeCluster): number =>
    cluster.timeline
      .all({ name: 'FLOCK', kind: 'received' })
      .filter(({ value }) => value!['command'] === FlockCommand.unlock).length;

  it('is unlocked when it is granted', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    const gate = holdFirst(cluster, flock);
    await using file = await mfs.open('/f', 'w');
    await expect(file.lock({ wait: false, timeoutMs: 100 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(unlocks(cluster)).toBe(0);
    gate.open();
    await expect.poll(() => unlocks(cluster)).toBe(1);
    expect(mfs.resources.locks).toBe(0);
  });

  it('and taken again meanwhile stays until the handle is closed', async () => {
    await using cluster = await FakeCluster.start();
    await using mfs = await cluster.connect();
    const gate = holdFirst(cluster, flock);
    const file = await mfs.open('/f', 'w');
    await expect(file.lock({ wait: false, timeoutMs: 100 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const lock = await file.lock({ wait: false });
    gate.open();
    await sleep(100);
    expect(unlocks(cluster)).toBe(0);
    expect(lock.held).toBe(true);
    await file.close();
    expect(unlocks(cluster)).toBeGreaterThan(0);
    expect(mfs.resources.locks).toBe(0);
  });
});
