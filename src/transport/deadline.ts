/**
 * One deadline object per operation: a point in time and the caller's AbortSignal. Every wait of the operation goes through it,
 * so that nothing waits for ever and an abort is noticed everywhere.
 */
import { AbortError, ConnectionError } from '../errors.ts';
import { onAbort } from './stop.ts';
import type { StopSignal } from './stop.ts';

/** The longest delay that a timer can hold. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** When an operation must be over. */
export class Deadline {
  /** On the clock of `performance.now()`; Infinity for an operation that only its signal ends. */
  readonly at: number;
  readonly signal: StopSignal | undefined;
  readonly #budgetMs: number;

  private constructor(at: number, budgetMs: number, signal: StopSignal | undefined) {
    this.at = at;
    this.#budgetMs = budgetMs;
    this.signal = signal;
  }

  /** A deadline `ms` milliseconds from now. */
  static in(ms: number, signal?: StopSignal): Deadline {
    return new Deadline(performance.now() + ms, ms, signal);
  }

  /** Milliseconds left, 0 when it has passed. */
  get remainingMs(): number {
    return Math.max(0, this.at - performance.now());
  }

  get expired(): boolean {
    return performance.now() >= this.at;
  }

  /** The same signal with less time: the sooner of this and `ms` from now. */
  within(ms: number): Deadline {
    const at = performance.now() + ms;
    return at < this.at ? new Deadline(at, ms, this.signal) : this;
  }

  /** Throws when the time is over or the caller has aborted. `what` is the sentence's subject: `connecting to a:9421`. */
  check(what: string): void {
    if (this.signal?.aborted === true) throw new AbortError(this.signal.reason);
    if (this.expired) throw this.timeout(what);
  }

  /** The error of an operation that ran out of time; `peer` is the server that it waited for. */
  timeout(what: string, peer?: string): ConnectionError {
    return new ConnectionError(`${what} timed out after ${Math.round(this.#budgetMs)} ms`, {
      code: 'ETIMEDOUT',
      retryable: true,
      ...(peer !== undefined && { peer }),
    });
  }

  /**
   * A promise that `start` settles, bounded by this deadline. The cleanup that `start` returns runs exactly once, however it
   * ends, with whether it was this deadline or signal that ended it. `peer`: see {@link timeout}.
   */
  wait<T>(
    what: string,
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => ((gaveUp: boolean) => void) | undefined,
    peer?: string,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.check(what);
      let settled = false;
      let timer: NodeJS.Timeout | undefined;
      let cleanup: ((gaveUp: boolean) => void) | undefined;
      const settle = (gaveUp: boolean, act: () => void) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        this.signal?.removeEventListener('abort', abort);
        cleanup?.(gaveUp);
        act();
      };
      const abort = () => settle(true, () => reject(new AbortError(this.signal!.reason)));
      if (this.at !== Infinity) {
        timer = setTimeout(
          () => settle(true, () => reject(this.timeout(what, peer))),
          Math.min(this.remainingMs, LONGEST_TIMER_MS),
        );
      }
      if (this.signal !== undefined) onAbort(this.signal, abort);
      try {
        cleanup = start(
          (value) => settle(false, () => resolve(value)),
          (error) => settle(false, () => reject(error)),
        );
      } catch (error) {
        settle(false, () => reject(error));
      }
      // start() may have settled before it could return its cleanup.
      if (settled as boolean) cleanup?.(false);
    });
  }

  /** Waits `ms`, or rejects at the deadline. */
  sleep(ms: number, what: string): Promise<void> {
    return this.wait(what, (resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
      return () => clearTimeout(timer);
    });
  }

  /** Waits for a promise that has its own end; what it gives after the deadline is ignored, a rejection too. */
  bound<T>(promise: Promise<T>, what: string): Promise<T> {
    // Where the time is over already nobody below would listen.
    promise.catch(() => undefined);
    return this.wait(what, (resolve, reject) => {
      promise.then(resolve, reject);
      return undefined;
    });
  }
}
