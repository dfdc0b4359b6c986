/** Growing pauses between tries. */

/** How pauses grow. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** No pause is longer than `maxMs` of this while all pauses together are not longer than `forMs`: most absences are short. */
  readonly early?: { readonly maxMs: number; readonly forMs: number };
}

/** The pauses of one operation, each a little random so that many clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #tries = 0;
  #pausedMs = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many pauses were given out since the start or the last {@link reset}. */
  get tries(): number {
    return this.#tries;
  }

  /** The next pause in milliseconds. */
  next(): number {
    const { firstMs, factor, maxMs, early } = this.#options;
    const limit = early !== undefined && this.#pausedMs < early.forMs ? early.maxMs : maxMs;
    const pause = Math.min(limit, firstMs * factor ** this.#tries++) * (0.75 + Math.random() / 2);
    this.#pausedMs += pause;
    return pause;
  }

  /** After a success: the next pause is the first again. */
  reset(): void {
    this.#tries = 0;
    this.#pausedMs = 0;
  }
}
