/** Liveness: a master that answers, one that is mute for a while, one that is gone, and one of several. */
import { describe, expect, it } from 'vitest';
import { health } from '../../src/index.ts';
import { getVersion } from '../../src/protocol/messages/session.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { FakeMaster } from '../support/fake-master.ts';
import { withoutLeaks } from '../support/leaks.ts';

describe('health', () => {
  it('alive: says how long connecting and the answer took, and the version', async () => {
    await using master = await FakeMaster.start({ version: '3.0.117' });
    const found = await withoutLeaks(() => health(master.address));
    expect(found).toMatchObject({ state: 'alive', master: master.address, version: '3.0.117', error: undefined });
    expect(found.connectMs).toBeGreaterThanOrEqual(0);
    expect(found.answerMs).toBeGreaterThanOrEqual(0);
    expect(found.masters).toHaveLength(1);
    // No session was opened: nothing but the question came.
    expect(getVersion.type).toBe(10);
    expect(master.timeline.count({ name: 'REGISTER' })).toBe(0);
  });

  it('busy: accepted and mute, within the time that was given', async () => {
    await using master = await FakeMaster.start();
    master.onConnect = () => 'mute';
    const startedAt = performance.now();
    const found = await withoutLeaks(() => health(master.address, { timeoutMs: 300 }));
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(found).toMatchObject({ state: 'busy', version: undefined });
    expect(found.error?.code).toBe('ETIMEDOUT');
    expect(found.reason).toContain(master.address);
  });

  it('unreachable: refused, and when a connection was reset', async () => {
    const master = await FakeMaster.start();
    master.onConnect = () => 'reset';
    expect((await health(master.address, { timeoutMs: 2000 })).state).toBe('unreachable');
    await master.close();
    const found = await health(master.address, { timeoutMs: 2000 });
    expect(found).toMatchObject({ state: 'unreachable', connectMs: undefined, silentMs: undefined });
    expect(found.error?.code).toBe('ECONNREFUSED');
  });

  it('unreachable: connected and silent for longer than any master is', { timeout: 30_000 }, async () => {
    await using master = await FakeMaster.start();
    master.onConnect = () => 'mute';
    const found = await health(master.address, { timeoutMs: 10_500 });
    expect(found.state).toBe('unreachable');
    expect(found.silentMs).toBeGreaterThanOrEqual(10_000);
    expect(found.reason).toContain('stopped or hung');
  });

  it(
    'a session that still hears the master tells busy from dead, however long the probe is mute',
    { timeout: 30_000 },
    async () => {
      await using cluster = await FakeCluster.start({ servers: 1, master: { nopIntervalMs: 500 } });
      const mfs = await cluster.connect();
      cluster.master.onConnect = () => 'mute';
      const found = await mfs.health({ timeoutMs: 10_500 });
      expect(found.state).toBe('busy');
      expect(found.silentMs).toBeLessThan(5000);
      cluster.master.onConnect = undefined;
      expect((await mfs.health()).state).toBe('alive');
      await mfs.close();
    },
  );

  it('of several masters the best counts, and each is told', async () => {
    const gone = await FakeMaster.start();
    await gone.close();
    await using master = await FakeMaster.start();
    const found = await health([gone.address, master.address]);
    expect(found).toMatchObject({ state: 'alive', master: master.address });
    expect(found.masters.map(({ state }) => state)).toEqual(['unreachable', 'alive']);
  });

  it('refuses what is no address and no time, and ends by its signal', async () => {
    await expect(health('a:b:c')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    await expect(health('a', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    await using master = await FakeMaster.start();
    master.onConnect = () => 'mute';
    await expect(health(master.address, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
