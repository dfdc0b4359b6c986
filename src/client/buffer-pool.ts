/**
 * Memory for blocks of 64 KiB that are on their way, used again and again: making it anew for every block costs more than copying
 * into it.
 */
import { BLOCK_SIZE } from '../protocol/geometry.ts';

/** Blocks that are kept for the next use: 8 MiB. */
const KEPT = 128;

/** See above. */
export class BlockPool {
  readonly #free: Buffer[] = [];

  /** Memory of one block; what stands in it is anything. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE);
  }

  /** Takes memory back that nobody uses any more. */
  give(block: Buffer): void {
    if (block.length === BLOCK_SIZE && this.#free.length < KEPT) this.#free.push(block);
  }
}
