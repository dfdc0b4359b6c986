/**
 * So many at once and no more; who comes later waits for its turn. Every small file that is written goes through two of these: a
 * queue of p-queue's, which does much more, took a tenth of this client's time for one.
 */

/** See above. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `work` when there is a place for it, in the order of coming. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the next one as it is: nobody who comes meanwhile can take it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
