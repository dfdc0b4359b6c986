/**
 * Things that come and go thousands of times a second, such as what waits for an answer. A `Set` would do, but V8 rebuilds its table every
 * few of them, and each dead table points to the next one: as soon as one is old, a collection of young objects frees none that was in any
 * later one. Reads kept 60 MiB of buffers alive so, until V8 collected everything.
 */

/** See above. In no order. */
export class Bag<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Adds a thing, which must not be in it already. */
  add(item: T): void {
    this.#items.push(item);
  }

  /** Takes a thing out; nothing happens where it is not in it. */
  delete(item: T): void {
    const at = this.#items.indexOf(item);
    if (at < 0) return;
    const last = this.#items.pop()!;
    if (at < this.#items.length) this.#items[at] = last;
  }

  /** What is in it now: a copy, so that things may go while it is walked through. */
  all(): T[] {
    return [...this.#items];
  }

  clear(): void {
    this.#items.length = 0;
  }
}
