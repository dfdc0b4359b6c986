/** How many bytes all open files of a client hold together, so that two hundred uploads cost no more memory than ten. */
export class MemoryBudget {
  readonly #limit: number;
  #used = 0;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Bytes that are taken. */
  get used(): number {
    return this.#used;
  }

  get isHalfFull(): boolean {
    return this.#used >= this.#limit / 2;
  }

  get isFull(): boolean {
    return this.#used >= this.#limit;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  /** Gives bytes back, and wakes who waits longest: one at a time, or all would come for the same room. */
  give(bytes: number): void {
    this.#used -= bytes;
    if (!this.isFull) this.#waiting.shift()?.();
  }

  /** Calls back once when there is room; the returned function takes that back. */
  whenRoom(callback: () => void): () => void {
    this.#waiting.push(callback);
    return () => {
      const at = this.#waiting.indexOf(callback);
      if (at >= 0) this.#waiting.splice(at, 1);
      // It was woken and does not come: the next one may.
      else if (!this.isFull) this.#waiting.shift()?.();
    };
  }
}
