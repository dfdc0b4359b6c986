/**
 * Locks on open files: flock-like on the whole, POSIX-like on a range. The master keeps them for the session, over lost connections
 * and its own restarts, until they are unlocked, the handle is closed, or the session is gone.
 *
 * A waiting request has no reply until it is granted. To give one up it is interrupted, and its own reply says whether the lock
 * was granted meanwhile: 46 interrupted, 0 granted (then it is unlocked again). That is why the request itself has no time-out,
 * unlike every other: with one, the client would stop listening while the master may still grant. It ends with its reply, or at
 * the latest {@link INTERRUPT_MS} after its caller's wait has ended, when it is unlocked blindly.
 */
import createDebug from 'debug';
import { AbortError, MooseFSError } from '../errors.ts';
import type { Reply } from '../protocol/message.ts';
import * as messages from '../protocol/messages/lock.ts';
import { Status } from '../protocol/status.ts';
import { version } from '../protocol/version.ts';
import { Backoff } from '../transport/backoff.ts';
import { Deadline } from '../transport/deadline.ts';
import { checkInteger, outOfRange } from './arguments.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import type { CallOptions, CallOutcome } from './session.ts';
import type { Volume } from './volume.ts';

const debug = createDebug('moosefs:lock');

/** Pauses between tries where waiting is not safe. */
const POLL = { firstMs: 5, factor: 2, maxMs: 250 };
/** How long an interrupt may take before the request is dropped. */
const INTERRUPT_MS = 5000;
/** These masters are damaged by a client that is lost while it waits for a flock: there we only try. */
const waitingHarms = { from: version('4.56.0'), to: version('4.58.0') };

/** Options of {@link FileHandle.lock}. */
export interface LockOptions {
  /** True (default): nobody else may hold a lock. False: shared with others that are not exclusive. */
  readonly exclusive?: boolean | undefined;
  /** True (default): wait until it is free. False: reject with EAGAIN when it is not. */
  readonly wait?: boolean | undefined;
  /** First byte of a range. With neither `start` nor `end` the whole file is locked, as by flock(2). */
  readonly start?: number | undefined;
  /** The byte after the last of a range. Default: to the end of the file, however long it grows. */
  readonly end?: number | undefined;
  /** Gives up the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait at most; then it rejects with ETIMEDOUT. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/** Whoever holds locks: a file handle. */
export interface LockOwner {
  readonly inode: number;
  readonly path: string | undefined;
  /** Unique in the session. */
  readonly owner: bigint;
}

/**
 * A lock that is held. Unlock it, or declare it with `await using`; closing the handle unlocks it, too.
 *
 * @example
 * ```ts
 * await using file = await mfs.open('/counter', 'r+');
 * await using lock = await file.lock({ exclusive: true });
 * // Nobody else is in here.
 * ```
 */
export class FileLock {
  readonly exclusive: boolean;
  /** First byte of the range; undefined: the whole file. */
  readonly start: number | undefined;
  /** The byte after the range; undefined: to the end. */
  readonly end: number | undefined;
  readonly #release: (lock: FileLock) => Promise<void>;
  readonly #lost = new AbortController();
  #held = true;

  /** @internal */
  constructor(options: LockOptions, release: (lock: FileLock) => Promise<void>) {
    this.exclusive = options.exclusive ?? true;
    this.start = options.start;
    this.end = options.end;
    this.#release = release;
  }

  /** Whether it is held still, as far as this client knows. */
  get held(): boolean {
    return this.#held;
  }

  /** Aborted when the lock is lost with the session: what it protects is not protected any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Unlocks. What was written under the lock is written out first, so that the next holder sees it.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/counter', 'r+');
   * const lock = await file.lock();
   * await file.write('7', 0);
   * await lock.unlock();
   * ```
   */
  async unlock(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await this.#release(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unlock();
  }

  /** @internal it is not held any more; with an error: by no will of ours */
  gone(error?: MooseFSError): void {
    if (!this.#held) return;
    this.#held = false;
    if (error !== undefined) this.#lost.abort(error);
  }
}

/** The locks of one client. */
export class Locks {
  readonly #volume: () => Volume;
  readonly #held = new Map<FileLock, LockOwner>();
  /** How many requests each owner has under way. */
  readonly #asking = new Map<bigint, number>();
  #lastRequestId = 0;

  constructor(volume: () => Volume) {
    this.#volume = volume;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Takes a lock. `flush` writes out what was written under it, before it is unlocked. */
  async lock(owner: LockOwner, options: LockOptions, flush: () => Promise<void>): Promise<FileLock> {
    const range = rangeOf(options);
    const request = range === undefined ? new FlockRequest(options) : new RangeRequest(options, range);
    const site: CallSite = { syscall: request.syscall, path: owner.path };
    const { wait = true, signal, timeoutMs = this.#volume().settings.requestTimeoutMs } = options;
    const deadline = Deadline.in(timeoutMs, signal);
    deadline.check('locking');
    const made = (before: () => Promise<void>): FileLock =>
      new FileLock(options, async (each) => {
        this.#held.delete(each);
        await before();
        await this.#unlock(owner, request, site);
      });
    const end = this.#begin(owner.owner);
    try {
      const onGivenUp: CallOptions['onGivenUp'] = (late) =>
        void this.#late(owner, late, () => made(() => Promise.resolve()));
      if (!wait) await this.#try(owner, request, { deadline, site, onGivenUp });
      else if (this.#mayWait(range)) await this.#wait(owner, request, deadline, site);
      else await this.#poll(owner, request, { deadline, site, onGivenUp });
    } finally {
      end();
    }
    const lock = made(flush);
    this.#held.set(lock, owner);
    return lock;
  }

  /** Counts the requests of an owner that are under way. */
  #begin(owner: bigint): () => void {
    this.#asking.set(owner, (this.#asking.get(owner) ?? 0) + 1);
    return () => {
      const left = this.#asking.get(owner)! - 1;
      if (left > 0) this.#asking.set(owner, left);
      else this.#asking.delete(owner);
    };
  }

  /**
   * A try was given up before its answer came. A lock that it was granted all the same is nobody's, and is unlocked; at once where the
   * owner has no other, for the master takes away whatever the owner holds there, and otherwise when its handle is closed.
   */
  async #late(owner: LockOwner, late: Promise<Reply<object> | undefined>, made: () => FileLock): Promise<void> {
    const reply = await late;
    // Lost with the connection: granted or not.
    if (reply !== undefined && reply.status !== Status.OK) return;
    const lock = made();
    const isAlone =
      !this.#asking.has(owner.owner) && ![...this.#held.values()].some((each) => each.owner === owner.owner);
    this.#held.set(lock, owner);
    if (isAlone) await lock.unlock().catch((error: unknown) => debug('inode %d: %s', owner.inode, error));
  }

  /** Unlocks everything that a handle holds. */
  async releaseAll(owner: LockOwner): Promise<void> {
    const locks = [...this.#held].filter(([, each]) => each.owner === owner.owner).map(([lock]) => lock);
    await Promise.all(locks.map((lock) => lock.unlock()));
  }

  /** Unlocks everything: the client is about to be closed. */
  async unlockAll(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((lock) => lock.unlock()));
  }

  /** The session is gone, and with it every lock. */
  sessionLost(error: MooseFSError): void {
    const locks = [...this.#held.keys()];
    this.#held.clear();
    for (const lock of locks) lock.gone(error);
  }

  #mayWait(range: Range | undefined): boolean {
    const { version: running } = this.#volume().session;
    return range !== undefined || running < waitingHarms.from || running > waitingHarms.to;
  }

  async #try(owner: LockOwner, request: LockRequest, options: CallOptions): Promise<void> {
    const { status } = await request.send(this.#volume(), owner, { how: 'try', id: 0 }, options);
    if (status !== Status.OK) throw statusError(status, options.site, request.syscall);
  }

  async #poll(owner: LockOwner, request: LockRequest, options: CallOptions): Promise<void> {
    const { deadline, site } = options;
    for (const pauses = new Backoff(POLL); ;) {
      const { status } = await request.send(this.#volume(), owner, { how: 'try', id: 0 }, options);
      if (status === Status.OK) return;
      if (status !== Status.EAGAIN) throw statusError(status, site, request.syscall);
      await deadline.sleep(pauses.next(), 'waiting for the lock').catch((error: unknown) => {
        throw asLockError(error, site);
      });
    }
  }

  async #wait(owner: LockOwner, request: LockRequest, deadline: Deadline, site: CallSite): Promise<void> {
    const id = this.#nextRequestId();
    // Its reply is awaited also after we gave up: only it says whether the lock is ours. So `deadline` does not end it.
    const dropped = new AbortController();
    const unbounded = Deadline.in(Infinity, dropped.signal);
    const waiting = request.send(this.#volume(), owner, { how: 'wait', id }, { deadline: unbounded, site });
    let outcome: CallOutcome<object>;
    try {
      outcome = await deadline.bound(waiting, 'waiting for the lock');
    } catch (error) {
      if (!(error instanceof AbortError) && !(error instanceof MooseFSError && error.code === 'ETIMEDOUT')) throw error;
      await this.#giveUp(owner, request, { id, waiting, drop: () => dropped.abort() }, site);
      throw asLockError(error, site);
    }
    if (outcome.status !== Status.OK) throw statusError(outcome.status, site, request.syscall);
  }

  async #giveUp(owner: LockOwner, request: LockRequest, wait: LockWait, site: CallSite): Promise<void> {
    const { id, waiting, drop } = wait;
    const unlockIfGranted = waiting.then(
      async ({ status }) => {
        if (status === Status.OK) await this.#unlock(owner, request, site);
      },
      () => undefined,
    );
    const deadline = Deadline.in(INTERRUPT_MS);
    try {
      await request.send(this.#volume(), owner, { how: 'interrupt', id }, { deadline, site });
      await deadline.bound(unlockIfGranted, 'interrupting the wait for a lock');
    } catch (error) {
      // The master is away. The request must not be asked again when it is back; what it may have granted is unlocked then.
      debug('inode %d: %s', owner.inode, error);
      drop();
      this.#unlock(owner, request, site).catch((failure: unknown) => debug('inode %d: %s', owner.inode, failure));
    }
  }

  async #unlock(owner: LockOwner, request: LockRequest, site: CallSite): Promise<void> {
    const volume = this.#volume();
    // With a deadline of its own: the call that wants it may be over.
    const deadline = Deadline.in(volume.settings.requestTimeoutMs);
    const { status } = await request.send(volume, owner, { how: 'unlock', id: 0 }, { deadline, site });
    if (status !== Status.OK) throw statusError(status, site, request.syscall);
  }

  #nextRequestId(): number {
    this.#lastRequestId = this.#lastRequestId >= 0xffff_ffff ? 1 : this.#lastRequestId + 1;
    return this.#lastRequestId;
  }
}

function asLockError(error: unknown, site: CallSite): unknown {
  if (!(error instanceof MooseFSError) || error.code !== 'ETIMEDOUT') return error;
  return fsError('ETIMEDOUT', site, { cause: error, detail: 'somebody else holds the lock', retryable: true });
}

function rangeOf({ start, end }: LockOptions): Range | undefined {
  if (start === undefined && end === undefined) return undefined;
  const from = checkInteger(start ?? 0, 'start', 0);
  if (end === undefined || end === Infinity) return { start: BigInt(from), end: messages.LOCK_TO_END };
  if (checkInteger(end, 'end', 0) <= from) throw outOfRange('end', `> "start" (here: ${from})`, end);
  return { start: BigInt(from), end: BigInt(end) };
}

/** A request that waits for its lock. */
interface LockWait {
  readonly id: number;
  readonly waiting: Promise<CallOutcome<object>>;
  /** Ends it on our side: its reply is not listened to any more. */
  readonly drop: () => void;
}

interface Action {
  readonly how: 'try' | 'wait' | 'interrupt' | 'unlock';
  readonly id: number;
}

interface LockRequest {
  readonly syscall: string;
  send(volume: Volume, owner: LockOwner, action: Action, options: CallOptions): Promise<CallOutcome<object>>;
}

class FlockRequest implements LockRequest {
  readonly syscall = 'flock';
  readonly #exclusive: boolean;

  constructor({ exclusive = true }: LockOptions) {
    this.#exclusive = exclusive;
  }

  send(
    volume: Volume,
    { inode, owner }: LockOwner,
    { how, id }: Action,
    options: CallOptions,
  ): Promise<CallOutcome<object>> {
    const { FlockCommand } = messages;
    const command = {
      try: this.#exclusive ? FlockCommand.tryExclusive : FlockCommand.tryShared,
      wait: this.#exclusive ? FlockCommand.exclusive : FlockCommand.shared,
      interrupt: FlockCommand.interrupt,
      unlock: FlockCommand.unlock,
    }[how];
    return volume.session.tryCall(messages.flock, { inode, requestId: id, owner, command }, options);
  }
}

class RangeRequest implements LockRequest {
  readonly syscall = 'fcntl';
  readonly #exclusive: boolean;
  readonly #range: Range;

  constructor({ exclusive = true }: LockOptions, range: Range) {
    this.#exclusive = exclusive;
    this.#range = range;
  }

  send(
    volume: Volume,
    { inode, owner }: LockOwner,
    { how, id }: Action,
    options: CallOptions,
  ): Promise<CallOutcome<object>> {
    const { PosixLockCommand, PosixLockType } = messages;
    const command = {
      try: PosixLockCommand.trySet,
      wait: PosixLockCommand.set,
      interrupt: PosixLockCommand.interrupt,
      unlock: PosixLockCommand.set,
    }[how];
    const lockType =
      how === 'unlock' ? PosixLockType.unlock : this.#exclusive ? PosixLockType.write : PosixLockType.read;
    return volume.session.tryCall(
      messages.posixLock,
      { inode, requestId: id, owner, pid: process.pid, command, lockType, ...this.#range },
      options,
    );
  }
}
