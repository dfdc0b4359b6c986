/**
 * Memory of one size that is used again and again: making it anew each time costs more than copying into it, and the garbage
 * collector runs for memory that it does not manage as it does for its own.
 */
import type { MemoryBudget } from './memory-budget.ts';

/** What a pool is for. */
export interface BufferPoolOptions {
  /** Bytes of each buffer. */
  readonly size: number;
  /** Buffers that are kept for the next use whatever is going on. */
  readonly kept: number;
  /** Counts what is in use: no more than that is kept beside it, so that a rush leaves nothing behind. */
  readonly budget: MemoryBudget;
}

/** See above. */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  readonly #free: Buffer[] = [];

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** Buffers that wait for their next use. */
  get free(): number {
    return this.#free.length;
  }

  /** A buffer; what stands in it is anything. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#options.size);
  }

  /** Takes a buffer back that nobody uses any more; one of another size is let go. */
  give(buffer: Buffer): void {
    const { size, kept, budget } = this.#options;
    if (buffer.length !== size) return;
    if (this.#free.length < Math.max(kept, budget.used / size)) this.#free.push(buffer);
  }
}
