/**
 * Locks of uploads that hold across processes, by MooseFS's own locks. The master keeps the locks of a client that died for a day;
 * so a holder also touches its lock file every second, and one that was not touched for some seconds is broken:
 *
 *     lock                 open and locked by the holder; its mtime is the holder's heartbeat
 *     lock.wanted          somebody waits: the holder is to finish its request soon
 *     lock.broken-<inode>  a second name of a lock file whose holder is dead; only one waiter can make it, and he alone may
 *                          put a lock file of his own in its place
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lock, Locker, RequestRelease } from '@tus/server';
import type { FileHandle, FileLock, MooseFS } from '../index.ts';

/** Options of {@link MooseFSLocker}. */
export interface LockerOptions {
  /** Milliseconds to wait for a lock; then the answer is 423 and the client asks again. Default 30000. */
  readonly acquireTimeoutMs?: number | undefined;
  /** Milliseconds without a sign of life after which a holder counts as dead. At least 3000. Default 8000. */
  readonly expiryMs?: number | undefined;
  /** Milliseconds that one question to the master may take. Default 15000. */
  readonly unreachableMs?: number | undefined;
}

interface Places {
  /** The folder whose lock file stands for this id; ids without one need no lock: there is nothing to protect. */
  readonly folder: (id: string) => string | undefined;
  /** Resolves when writes of this process to it are over. */
  readonly settled: (id: string) => Promise<void>;
}

const HEARTBEAT_MS = 1000;
const POLL_MS = 200;
/** tus-js-client asks again after 423 only. */
const LOCKED = { status_code: 423, body: 'The upload is locked by another request\n' } as const;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const refuse = (cause?: unknown): Error => Object.assign(new Error('not locked', { cause }), LOCKED);

/** A {@link Locker} for `@tus/server`; `MooseFSStore` makes one. */
export class MooseFSLocker implements Locker {
  readonly #mfs: MooseFS;
  readonly #options: LockerOptions & Places;
  /** Holders in this process, by id. */
  readonly #held = new Map<string, { readonly requestRelease: RequestRelease; readonly released: Promise<void> }>();

  constructor(mfs: MooseFS, options: LockerOptions & Places) {
    this.#mfs = mfs;
    this.#options = options;
  }

  newLock(id: string): Lock {
    let release: (() => Promise<void>) | undefined;
    return {
      lock: async (signal, requestRelease) => {
        release = await this.#lock(id, signal, requestRelease);
      },
      unlock: async () => {
        await this.#options.settled(id);
        await release?.();
      },
    };
  }

  async #lock(id: string, stop: AbortSignal, requestRelease: RequestRelease): Promise<() => Promise<void>> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(this.#options.acquireTimeoutMs ?? 30_000)]);
    for (let holder = this.#held.get(id); holder !== undefined; holder = this.#held.get(id)) {
      await holder.requestRelease();
      await unlessAborted(holder.released, signal);
    }
    const { promise: released, resolve } = withResolver();
    this.#held.set(id, { requestRelease, released });
    const free = (): void => {
      this.#held.delete(id);
      resolve();
    };
    try {
      const folder = this.#options.folder(id);
      const lease =
        folder === undefined
          ? undefined
          : await new Lease(this.#mfs, folder, this.#options).take(signal, requestRelease);
      return async () => {
        await lease?.release();
        free();
      };
    } catch (error) {
      free();
      throw refuse(error);
    }
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw refuse();
  const { promise: aborted, resolve } = withResolver();
  signal.addEventListener('abort', resolve, { once: true });
  try {
    await Promise.race([
      promise,
      aborted.then(() => {
        throw refuse();
      }),
    ]);
  } finally {
    signal.removeEventListener('abort', resolve);
  }
}

/** One try to hold one lock file. */
class Lease {
  readonly #mfs: MooseFS;
  readonly #folder: string;
  readonly #expiryMs: number;
  readonly #unreachableMs: number;
  #handle: FileHandle | undefined;
  #lock: FileLock | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(mfs: MooseFS, folder: string, { expiryMs = 8000, unreachableMs = 15_000 }: LockerOptions) {
    this.#mfs = mfs;
    this.#folder = folder;
    this.#expiryMs = Math.max(3 * HEARTBEAT_MS, expiryMs);
    this.#unreachableMs = unreachableMs;
  }

  get #path(): string {
    return `${this.#folder}/lock`;
  }

  get #soon(): { signal: AbortSignal } {
    return { signal: AbortSignal.timeout(this.#unreachableMs) };
  }

  /** Waits for the lock. Undefined: there is no such folder, and so nothing to lock. */
  async take(signal: AbortSignal, requestRelease: RequestRelease): Promise<this | undefined> {
    // The sign of life is compared with itself only, so that clocks need not agree.
    let seen = { inode: -1, mtimeMs: -1, at: 0 };
    for (;;) {
      signal.throwIfAborted();
      try {
        if (await this.#try(this.#path)) break;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
      const found = await this.#mfs.stat(this.#path, this.#soon).catch(() => undefined);
      if (found !== undefined && (found.ino !== seen.inode || found.mtimeMs !== seen.mtimeMs)) {
        seen = { inode: found.ino, mtimeMs: found.mtimeMs, at: performance.now() };
        // Said again after each sign of life: whoever takes the lock next forgets it.
        await this.#want();
      } else if (performance.now() - seen.at > this.#expiryMs && (await this.#breakLock(seen.inode))) break;
      await sleep(POLL_MS, undefined, { signal });
    }
    await this.#forgetWanted();
    this.#live(requestRelease);
    return this;
  }

  /** Locks the file at a path, if that is free and still there afterwards. */
  async #try(path: string): Promise<boolean> {
    const handle = await this.#mfs.open(path, 'a', undefined, this.#soon);
    try {
      this.#lock = await handle.lock({ exclusive: true, wait: false, signal: this.#soon.signal });
      const { ino } = await this.#mfs.stat(path, this.#soon);
      if (ino !== handle.inode) throw Object.assign(new Error('replaced meanwhile'), { code: 'EAGAIN' });
      this.#handle = handle;
      return true;
    } catch (error) {
      await handle.close().catch(() => undefined);
      if (codeOf(error) === 'EAGAIN' || codeOf(error) === 'EACCES') return false;
      throw error;
    }
  }

  async #want(): Promise<void> {
    await this.#mfs.writeFile(`${this.#path}.wanted`, '', this.#soon).catch(() => undefined);
  }

  async #forgetWanted(): Promise<void> {
    await this.#mfs.rm(`${this.#path}.wanted`, { force: true, ...this.#soon }).catch(() => undefined);
  }

  /** Takes the place of a holder that shows no sign of life. */
  async #breakLock(inode: number): Promise<boolean> {
    const mark = `${this.#path}.broken-${inode}`;
    const ours = `${this.#path}.${randomUUID()}`;
    try {
      await this.#mfs.link(this.#path, mark, this.#soon);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOENT') throw error;
      // Whoever made the mark replaces the file within a moment, or has died over it.
      await sleep(this.#expiryMs);
      const now = await this.#mfs.stat(this.#path, this.#soon).catch(() => undefined);
      if (now?.ino === inode) await this.#mfs.rm(mark, { force: true });
      return false;
    }
    try {
      if ((await this.#mfs.stat(mark, this.#soon)).ino !== inode || !(await this.#try(ours))) return false;
      await this.#mfs.rename(ours, this.#path, this.#soon);
      return true;
    } finally {
      await this.#mfs.rm(mark, { force: true }).catch(() => undefined);
    }
  }

  #live(requestRelease: RequestRelease): void {
    this.#timer = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#beat(requestRelease)).catch(() => undefined);
    }, HEARTBEAT_MS);
    this.#timer.unref();
  }

  /** Says that we live, and looks whether somebody waits or has taken us for dead. */
  async #beat(requestRelease: RequestRelease): Promise<void> {
    const now = new Date();
    await this.#handle?.utimes(now, now, this.#soon);
    const [wanted, { ino }] = await Promise.all([
      this.#mfs.exists(`${this.#path}.wanted`, this.#soon),
      this.#mfs.stat(this.#path, this.#soon),
    ]);
    if (wanted || ino !== this.#handle?.inode) await requestRelease();
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await this.#forgetWanted();
    // Of a master that is away nothing is expected: closing is tried, and the heartbeat has ended.
    await this.#lock?.unlock().catch(() => undefined);
    await this.#handle?.close().catch(() => undefined);
  }
}
