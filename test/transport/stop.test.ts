import { describe, expect, it } from 'vitest';
import { Deadline } from '../../src/transport/deadline.ts';
import { Stop, stopWith } from '../../src/transport/stop.ts';

describe('Stop', () => {
  it('tells who listens once, with its reason', () => {
    const stop = new Stop();
    const told: unknown[] = [];
    const gone = (): void => void told.push('gone');
    stop.addEventListener('abort', () => told.push(stop.reason));
    stop.addEventListener('abort', gone);
    stop.removeEventListener('abort', gone);
    expect(stop.aborted).toBe(false);
    stop.abort('enough');
    stop.abort('more');
    expect(stop).toMatchObject({ aborted: true, reason: 'enough' });
    expect(told).toEqual(['enough']);
  });

  it('lets a listener leave while all are told', () => {
    const stop = new Stop();
    const told: number[] = [];
    const leave = (): void => {
      told.push(1);
      stop.removeEventListener('abort', leave);
    };
    stop.addEventListener('abort', leave);
    stop.addEventListener('abort', () => told.push(2));
    stop.abort();
    expect(told).toEqual([1, 2]);
  });

  it('ends the wait of a deadline, one that begins later too', async () => {
    const stop = new Stop();
    const wait = (): Promise<void> => Deadline.in(60_000, stop).sleep(60_000, 'waiting');
    const first = wait();
    stop.abort(new Error('enough'));
    for (const each of [first, wait()])
      await expect(each).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'enough' } });
  });

  it.each(['before', 'after'])('follows the signal of a caller that aborts %s', (when) => {
    const caller = new AbortController();
    const stop = new Stop();
    if (when === 'before') caller.abort('enough');
    stopWith(stop, caller.signal);
    if (when === 'after') caller.abort('enough');
    expect(stop).toMatchObject({ aborted: true, reason: 'enough' });
  });

  it('lets any number listen to one signal of a caller without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const caller = new AbortController();
    const waits = Array.from({ length: 50 }, () => Deadline.in(60_000, caller.signal).sleep(60_000, 'waiting'));
    caller.abort();
    for (const each of await Promise.allSettled(waits)) expect(each.status).toBe('rejected');
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('follows it no longer than wanted, and not back', () => {
    const caller = new AbortController();
    const [left, own] = [new Stop(), new Stop()];
    stopWith(left, caller.signal)();
    stopWith(own, caller.signal);
    own.abort();
    expect(caller.signal.aborted).toBe(false);
    caller.abort();
    expect(left.aborted).toBe(false);
  });
});
