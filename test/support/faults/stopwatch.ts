/** The longest pause between two steps. */
export class Stopwatch {
  #last = performance.now();
  #worst = 0;
  #worstEndedAt = this.#last;

  /** A step is done. */
  lap(): void {
    const now = performance.now();
    if (now - this.#last > this.#worst) {
      this.#worst = now - this.#last;
      this.#worstEndedAt = now;
    }
    this.#last = now;
  }

  /** Starts anew: what was before does not count. */
  restart(): void {
    this.#last = performance.now();
    this.#worst = 0;
  }

  /** Milliseconds. */
  get worst(): number {
    return Math.round(this.#worst);
  }

  /** When the longest pause was over, on the clock of `performance.now()`. */
  get worstEndedAt(): number {
    return this.#worstEndedAt;
  }
}
