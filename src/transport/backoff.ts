/** Growing pauses between tries. */

/** How pauses grow. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** The pauses of one operation, each a little random so that many clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #tries = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many pauses were given out since the start or the last {@link reset}. */
  get tries(): number {
    return this.#tries;
  }

  /** The next pause in milliseconds. */
  next(): number {
    const { firstMs, factor, maxMs } = this.#options;
    const pause = Math.min(maxMs, firstMs * factor ** this.#tries++);
    return pause * (0.75 + Math.random() / 2);
  }

  /** After a success: the next pause is the first again. */
  reset(): void {
    this.#tries = 0;
  }
}
