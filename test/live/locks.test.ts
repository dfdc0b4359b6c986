/** Locks between two real processes, of both kinds: they exclude each other, end with their holder, and a wait can be given up. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileHandle, MooseFS } from '../../src/index.ts';
import { connectShared, sharedCluster } from '../support/live.ts';
import { OtherProcess } from '../support/other-process.ts';
import type { Remote } from '../support/other-process.ts';

/** Clusters of these tests keep the session of a client that is gone for 60 s, and look every 10 s, but not in their first 120 s. */
const SESSION_END_MS = 300_000;

let mfs: MooseFS;
let other: OtherProcess;
let folder: string;
const start = () => OtherProcess.start({ master: sharedCluster().master });

/** Both hold locks of both kinds; one is killed, the other stopped until its session is gone. What became of it is asked last. */
const lost = { killed: '', stopped: '' };
let stopped: OtherProcess;
let stoppedLock: Remote;

async function lockBothKinds(from: OtherProcess, path: string): Promise<Remote> {
  await mfs.writeFile(path, 'x'.repeat(100));
  const file = await from.open(path, 'r+');
  await file.call('lock', { start: 10, end: 20 });
  return file.call<Remote>('lock', {});
}

beforeAll(async () => {
  mfs = await connectShared();
  folder = await mfs.mkdtemp('/locks-');
  other = await start();
  lost.killed = `${folder}/killed`;
  lost.stopped = `${folder}/stopped`;
  const killed = await start();
  await lockBothKinds(killed, lost.killed);
  await killed.signal('SIGKILL');
  stopped = await start();
  stoppedLock = await lockBothKinds(stopped, lost.stopped);
  await stopped.signal('SIGSTOP');
});

afterAll(async () => {
  await stopped.signal('SIGKILL');
  await other[Symbol.asyncDispose]();
  await mfs.rm(folder, { recursive: true });
  await mfs.close();
});

interface Pair extends AsyncDisposable {
  readonly path: string;
  readonly ours: FileHandle;
  readonly theirs: Remote;
}

/** One file, open here and in the other process. */
async function openBoth(): Promise<Pair> {
  const path = `${folder}/${randomUUID()}`;
  await mfs.writeFile(path, `${'0'.padEnd(19)}\n${'x'.repeat(80)}`);
  const ours = await mfs.open(path, 'r+');
  const theirs = await other.open(path, 'r+');
  const close = async () => {
    await ours.close();
    await theirs.call('close');
  };
  return { path, ours, theirs, [Symbol.asyncDispose]: close };
}

/** Whether a lock is to be had at once. */
async function isFree(handle: FileHandle | Remote, options: object): Promise<boolean> {
  try {
    if ('inode' in handle) await (await handle.lock({ ...options, wait: false })).unlock();
    else await (await handle.call<Remote>('lock', { ...options, wait: false })).call('unlock');
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAGAIN' });
    return false;
  }
}

describe.each([
  { kind: 'flock', options: {} },
  { kind: 'POSIX range', options: { start: 0, end: 20 } },
])('$kind', ({ kind, options }) => {
  const syscall = kind === 'flock' ? 'flock' : 'fcntl';

  test('two processes exclude each other, and who waits gets it next', async () => {
    await using pair = await openBoth();
    const { ours, theirs, path } = pair;
    const lock = await ours.lock(options);
    expect(await isFree(theirs, options)).toBe(false);
    expect(await isFree(theirs, { ...options, exclusive: false })).toBe(false);
    let granted = false;
    const waiting = theirs.call<Remote>('lock', options).then((each) => {
      granted = true;
      return each;
    });
    // A round trip of each process: the request is with the master by then.
    await theirs.call('stat');
    expect(granted).toBe(false);
    await lock.unlock();
    const next = await waiting;
    await expect(ours.lock({ ...options, wait: false })).rejects.toMatchObject({ code: 'EAGAIN', syscall, path });
    await next.call('unlock');
    expect(await isFree(ours, options)).toBe(true);
  });

  test('shared locks stand beside each other, an exclusive one waits for both', async () => {
    await using pair = await openBoth();
    const shared = { ...options, exclusive: false };
    const first = await pair.ours.lock(shared);
    const second = await pair.theirs.call<Remote>('lock', shared);
    await using third = await mfs.open(pair.path, 'r+');
    expect(await isFree(third, options)).toBe(false);
    await first.unlock();
    expect(await isFree(third, options)).toBe(false);
    await second.call('unlock');
    expect(await isFree(third, options)).toBe(true);
  });

  test('nothing is lost between two processes that both read, add and write under it', async () => {
    await using pair = await openBoth();
    const theirs = other.call('count', pair.path, 20, options);
    for (let i = 0; i < 20; i++) {
      await using lock = await pair.ours.lock(options);
      const { buffer } = await pair.ours.read(Buffer.alloc(20), 0, 20, 0);
      await pair.ours.write(`${String(Number(buffer.toString()) + 1).padEnd(19)}\n`, 0);
      await lock.unlock();
    }
    await theirs;
    expect(Number((await mfs.readFile(pair.path, 'utf8')).slice(0, 19))).toBe(40);
  });

  test('closing the handle releases it, and so does closing the client', async () => {
    await using pair = await openBoth();
    const file = await mfs.open(pair.path, 'r+');
    const lock = await file.lock(options);
    expect(await isFree(pair.theirs, options)).toBe(false);
    await file.close();
    expect(lock.held).toBe(false);
    expect(await isFree(pair.theirs, options)).toBe(true);
    const another = await connectShared();
    await (await another.open(pair.path, 'r+')).lock(options);
    expect(await isFree(pair.theirs, options)).toBe(false);
    await another.close();
    expect(await isFree(pair.theirs, options)).toBe(true);
  });

  test('a wait that is aborted, or timed out, or whose handle is closed leaves nothing behind', async () => {
    await using pair = await openBoth();
    const held = await pair.theirs.call<Remote>('lock', options);
    const abort = new AbortController();
    const aborted = pair.ours.lock({ ...options, signal: abort.signal });
    const timedOut = pair.ours.lock({ ...options, timeoutMs: 50 });
    const leaving = await mfs.open(pair.path, 'r+');
    const left = leaving.lock(options);
    const settled = Promise.allSettled([aborted, timedOut, left]);
    await pair.ours.stat();
    abort.abort(new Error('enough'));
    await leaving.close();
    const [first, second, third] = await settled;
    expect(first).toMatchObject({ status: 'rejected', reason: { name: 'AbortError', cause: { message: 'enough' } } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ETIMEDOUT', syscall } });
    expect(third).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    expect(mfs.resources).toMatchObject({ waitingCalls: 0, locks: 0 });
    await held.call('unlock');
    // Had one of them been granted behind our back, a third client would find it taken.
    expect(await isFree(pair.theirs, options)).toBe(true);
    await expect(pair.ours.lock({ ...options, signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    expect(await isFree(pair.theirs, options)).toBe(true);
  });

  test('a wait that is aborted just when it is granted is either held or free, never in between', async () => {
    await using pair = await openBoth();
    for (let i = 0; i < 20; i++) {
      const held = await pair.theirs.call<Remote>('lock', options);
      const abort = new AbortController();
      const waiting = pair.ours.lock({ ...options, signal: abort.signal }).catch(() => undefined);
      const unlocked = held.call('unlock');
      if (i % 2 === 0) await pair.ours.stat();
      abort.abort();
      await unlocked;
      const lock = await waiting;
      expect(await isFree(pair.theirs, options)).toBe(lock === undefined);
      await lock?.unlock();
    }
    expect(mfs.resources).toMatchObject({ waitingCalls: 0, locks: 0 });
  });
});

test('ranges that do not touch do not exclude each other, and a flock excludes none', async () => {
  await using pair = await openBoth();
  await using low = await pair.ours.lock({ start: 0, end: 50 });
  expect(await isFree(pair.theirs, { start: 50, end: 60 })).toBe(true);
  expect(await isFree(pair.theirs, { start: 49, end: 50 })).toBe(false);
  expect(await isFree(pair.theirs, { start: 49 })).toBe(false);
  expect(await isFree(pair.theirs, {})).toBe(true);
  await low.unlock();
  await using end = await pair.ours.lock({ start: 1000 });
  expect(await isFree(pair.theirs, { start: 2 ** 40, end: 2 ** 40 + 1 })).toBe(false);
  expect(await isFree(pair.theirs, { start: 0, end: 1000 })).toBe(true);
  await end.unlock();
});

test('what was written under a lock is seen by the next holder, in another process', async () => {
  await using pair = await openBoth();
  const lock = await pair.ours.lock();
  await pair.ours.write('seen', 0);
  await lock.unlock();
  const next = await pair.theirs.call<Remote>('lock', {});
  expect(await other.call<string>('readFile', pair.path, 'latin1')).toMatch(/^seen/);
  await next.call('unlock');
});

// Clusters that are not ours keep sessions for a day.
const isOurs = sharedCluster().provider !== 'external';

test.skipIf(!isOurs)(
  'a killed or stopped process loses its locks with its session, and learns of it',
  { timeout: 320_000 },
  async () => {
    const waited = performance.now();
    for (const path of [lost.killed, lost.stopped]) {
      await using file = await mfs.open(path, 'r+');
      for (const options of [{}, { start: 10, end: 20 }]) {
        const lock = await file.lock({ ...options, timeoutMs: SESSION_END_MS });
        await lock.unlock();
      }
    }
    process.stderr.write(
      `locks of sessions that were lost: free after ${Math.round(performance.now() - waited)} ms more\n`,
    );
    await stopped.signal('SIGCONT');
    await expect.poll(() => stoppedLock.call('held'), { timeout: 60_000 }).toBe(false);
    expect(await stoppedLock.call('lost.aborted')).toBe(true);
  },
);
