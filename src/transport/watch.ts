/**
 * One timer for many waits. A timer for each would cost more than most of the waits themselves: nearly all of them are over long
 * before their time.
 */

/** The longest delay that a timer can hold. */
const LONGEST_MS = 0x7fff_ffff;

/** Calls back when the earliest of many points in time has come. */
export class Watch {
  readonly #onDue: (now: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  /** `onDue` looks after everything whose time has come, and gives when the next is due: Infinity where nothing waits. */
  constructor(onDue: (now: number) => number) {
    this.#onDue = onDue;
  }

  /** Something waits until `at`, on the clock of `performance.now()`. That it waits no more need not be told. */
  by(at: number): void {
    if (at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    const delay = Math.min(LONGEST_MS, Math.max(0, Math.ceil(at - performance.now())));
    // What is waited for keeps the process alive by itself: a socket.
    this.#timer = setTimeout(() => this.#due(), delay).unref();
  }

  /** Nothing waits any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }

  #due(): void {
    this.#at = Infinity;
    this.by(this.#onDue(performance.now()));
  }
}
