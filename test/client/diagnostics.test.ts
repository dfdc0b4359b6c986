/** diagnostics_channel and events: what is told to who listens, and that it costs nothing where nobody does. */
import { tracingChannel } from 'node:diagnostics_channel';
import { afterEach, expect, test, vi } from 'vitest';
import { callChannel, traced } from '../../src/client/diagnostics.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

const CHANNELS = ['moosefs.call', 'moosefs.master', 'moosefs.chunk.read', 'moosefs.chunk.write'] as const;

/** Ends what a test listens to. */
const listening: (() => void)[] = [];
afterEach(() => {
  for (const end of listening.splice(0)) end();
});

interface Told {
  readonly channel: string;
  readonly event: string;
  readonly message: Record<string, unknown>;
}

/** Listens to all channels; gives what they tell. */
function listen(): Told[] {
  const told: Told[] = [];
  for (const name of CHANNELS) {
    const channel = tracingChannel(name);
    const take = (event: string) => (message: object) => {
      told.push({ channel: name, event, message: message as Record<string, unknown> });
    };
    const subscribers = {
      start: take('start'),
      end: take('end'),
      asyncStart: take('asyncStart'),
      asyncEnd: take('asyncEnd'),
      error: take('error'),
    };
    channel.subscribe(subscribers);
    listening.push(() => channel.unsubscribe(subscribers));
  }
  return told;
}

test('where nobody listens no message is made and the work is done as it is', async () => {
  const message = vi.fn(() => ({ method: 'stat' }));
  const result = Promise.resolve(7);
  const work = vi.fn(() => result);
  expect(traced(callChannel, message, work)).toBe(result);
  expect(message).not.toHaveBeenCalled();
  expect(work).toHaveBeenCalledOnce();
});

test('what it costs where nobody listens', () => {
  const TURNS = 1_000_000;
  const work = () => undefined as unknown as Promise<void>;
  const message = () => ({ method: 'stat' });
  const started = performance.now();
  for (let i = 0; i < TURNS; i++) void traced(callChannel, message, work);
  const nanoseconds = ((performance.now() - started) * 1e6) / TURNS;
  process.stderr.write(`a call that nobody traces: ${nanoseconds.toFixed(0)} ns\n`);
  // The least a call to a master takes is some 50 000.
  expect(nanoseconds).toBeLessThan(5000);
});

test('no message is published by a whole session to which nobody listens', async () => {
  await using cluster = await FakeCluster.start();
  const spies = CHANNELS.flatMap((name) =>
    Object.values(tracingChannel(name) as unknown as Record<string, unknown>)
      .filter((each): each is { publish: (message: unknown) => void } => each instanceof Object && 'publish' in each)
      .map((each) => vi.spyOn(each, 'publish')),
  );
  await using mfs = await cluster.connect();
  await mfs.writeFile('/file', 'text');
  expect(await mfs.readFile('/file', 'utf8')).toBe('text');
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  expect(mfs.eventNames()).toEqual([]);
});

test('calls, requests to the master and chunks are told, each from its start to its end', async () => {
  await using cluster = await FakeCluster.start();
  await using mfs = await cluster.connect();
  const told = listen();
  await mfs.writeFile('/file', 'text');
  await mfs.readFile('/file', 'utf8');
  const of = (channel: (typeof CHANNELS)[number], event: string) =>
    told.filter((each) => each.channel === channel && each.event === event).map(({ message }) => message);
  expect(of('moosefs.call', 'start')).toContainEqual(expect.objectContaining({ method: 'writeFile', path: '/file' }));
  expect(of('moosefs.call', 'asyncEnd')).toContainEqual(
    expect.objectContaining({ method: 'readFile', path: '/file', result: 'text' }),
  );
  const requests = of('moosefs.master', 'start');
  expect(requests.map(({ request }) => request)).toEqual(expect.arrayContaining(['CREATE', 'WRITE_CHUNK', 'LOOKUP']));
  expect(requests.every(({ server }) => server === cluster.master.address)).toBe(true);
  const [write] = of('moosefs.chunk.write', 'start');
  expect(write).toMatchObject({ chunk: 0, chunkId: expect.any(BigInt) });
  expect(write!['servers']).toHaveLength(2);
  expect(of('moosefs.chunk.read', 'asyncEnd')).toContainEqual(
    expect.objectContaining({ chunk: 0, offset: 0, length: 4, chunkId: write!['chunkId'] }),
  );
  expect(of('moosefs.call', 'asyncEnd')).toHaveLength(of('moosefs.call', 'start').length);
});

test('a call that fails is told with its error', async () => {
  await using cluster = await FakeCluster.start();
  await using mfs = await cluster.connect();
  const told = listen();
  await expect(mfs.stat('/nowhere')).rejects.toMatchObject({ code: 'ENOENT' });
  const error = told.find(({ channel, event }) => channel === 'moosefs.call' && event === 'error');
  expect(error?.message).toMatchObject({ method: 'stat', path: '/nowhere', error: { code: 'ENOENT' } });
});
