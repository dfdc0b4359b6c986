/**
 * When files were read and written. Writing data moves no time on the master: the client must tell, by the master's clock.
 * Collected here, sent by the session every second and whenever somebody is about to look.
 */
export class InodeTimes {
  readonly #pending = new Map<number, { atime: number; mtime: number }>();
  /** Master's clock minus ours, milliseconds. */
  #offsetMs = 0;

  /** The master's clock showed `milliseconds` since 1970 just now. */
  clockIs(milliseconds: number): void {
    this.#offsetMs = milliseconds - Date.now();
  }

  /** The master's clock now, in whole seconds. */
  now(): number {
    return Math.floor((Date.now() + this.#offsetMs) / 1000);
  }

  read(inode: number): void {
    this.#of(inode).atime = this.now();
  }

  written(inode: number): void {
    this.#of(inode).mtime = this.now();
  }

  #of(inode: number): { atime: number; mtime: number } {
    let times = this.#pending.get(inode);
    if (times === undefined) this.#pending.set(inode, (times = { atime: 0, mtime: 0 }));
    return times;
  }

  /** After an explicit change of times: what was collected before must not overwrite it. */
  forget(inode: number): void {
    this.#pending.delete(inode);
  }

  has(inode: number): boolean {
    return this.#pending.has(inode);
  }

  /** Everything collected, to be sent. */
  take(): { inode: number; atime: number; mtime: number }[] {
    const all = [...this.#pending].map(([inode, { atime, mtime }]) => ({ inode, atime, mtime }));
    this.#pending.clear();
    return all;
  }
}
