/**
 * Which inodes this session holds open. There is no CLOSE on the wire: the master is told the whole list now and then, and
 * releases what is missing from it, locks and deleted files included. So an inode is added before OPEN is sent, and no list
 * leaves while a CREATE is on its way.
 */
export class HeldInodes {
  readonly #counts = new Map<number, number>();
  #creating = 0;
  #wanted: ((inodes: number[]) => void) | undefined;

  /** How many inodes are held. */
  get size(): number {
    return this.#counts.size;
  }

  has(inode: number): boolean {
    return this.#counts.has(inode);
  }

  inodes(): number[] {
    return [...this.#counts.keys()];
  }

  hold(inode: number): void {
    this.#counts.set(inode, (this.#counts.get(inode) ?? 0) + 1);
  }

  release(inode: number): void {
    const count = (this.#counts.get(inode) ?? 0) - 1;
    if (count > 0) this.#counts.set(inode, count);
    else this.#counts.delete(inode);
  }

  /** Runs something that opens an inode whose number is known only afterwards. */
  async creating<T>(create: () => Promise<T>): Promise<T> {
    this.#creating++;
    try {
      return await create();
    } finally {
      this.#creating--;
      if (this.#creating === 0) {
        const wanted = this.#wanted;
        this.#wanted = undefined;
        wanted?.(this.inodes());
      }
    }
  }

  /** Gives the list now, or as soon as no create is under way; of several that wait only the last. */
  whenStable(send: (inodes: number[]) => void): void {
    if (this.#creating > 0) this.#wanted = send;
    else send(this.inodes());
  }
}
