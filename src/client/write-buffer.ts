/** Bytes of one chunk that are not acknowledged yet, as blocks in the order in which they must be written. No sockets, no timers. */
import type { BufferPool } from './buffer-pool.ts';
import type { BlockWrite } from '../protocol/conversations/chunk-write.ts';
import { BLOCK_SIZE, leftInBlock } from '../protocol/geometry.ts';

/** A block on its way. */
export class PendingBlock implements BlockWrite {
  readonly block: number;
  readonly offset: number;
  /** Counts up in the order of writing, over all chunks' blocks of a buffer. */
  readonly sequence: number;
  /** Our own memory, when bytes were copied: holds the block from {@link offset} on. */
  #own: Buffer | undefined;
  readonly #pool: BufferPool | undefined;
  #pieces: Uint8Array[];
  #size: number;

  constructor(block: number, offset: number, sequence: number, bytes: Uint8Array, copyInto: BufferPool | undefined) {
    this.block = block;
    this.offset = offset;
    this.sequence = sequence;
    this.#size = bytes.length;
    this.#pool = copyInto;
    if (copyInto === undefined) {
      this.#pieces = [bytes];
    } else {
      this.#own = this.#memory(bytes.length);
      this.#own.set(bytes);
      this.#pieces = [this.#own.subarray(0, bytes.length)];
    }
  }

  /** Its own memory, to be used again once the block is acknowledged. */
  get memory(): Buffer | undefined {
    return this.#own;
  }

  get size(): number {
    return this.#size;
  }

  get data(): readonly Uint8Array[] {
    return this.#pieces;
  }

  /** Whether it reaches to the end of its block: nothing can be added behind. */
  get full(): boolean {
    return this.offset + this.#size === BLOCK_SIZE;
  }

  /**
   * Takes bytes that touch or overlap what is here, if that can be done without a second block. Returns by how much it grew, or
   * undefined.
   */
  merge(offset: number, bytes: Uint8Array, keep: boolean): number | undefined {
    const end = this.offset + this.#size;
    if (offset < this.offset || offset > end) return undefined;
    const newEnd = Math.max(end, offset + bytes.length);
    if (keep && offset === end) {
      this.#own = undefined;
      this.#pieces.push(bytes);
    } else {
      this.#room(newEnd - this.offset).set(bytes, offset - this.offset);
      this.#pieces = [this.#own!.subarray(0, newEnd - this.offset)];
    }
    this.#size = newEnd - this.offset;
    return newEnd - end;
  }

  /** Memory of the pool, if that is not far too much: a small file does not need that of a whole block. */
  #memory(size: number): Buffer {
    return this.#pool !== undefined && size * 2 > BLOCK_SIZE ? this.#pool.take() : Buffer.allocUnsafe(size);
  }

  /** Our own memory with room for `size` bytes and all present bytes in it. */
  #room(size: number): Buffer {
    if (this.#own !== undefined && this.#own.length >= size) return this.#own;
    // Doubling, so that a file written in small pieces is not copied over and over.
    const capacity = Math.min(BLOCK_SIZE - this.offset, Math.max(size, 2 * this.#size));
    const grown = this.#memory(capacity);
    let at = 0;
    for (const piece of this.#pieces) {
      grown.set(piece, at);
      at += piece.length;
    }
    this.#own = grown;
    return grown;
  }
}

/** What one chunk has to write. */
export class WriteBuffer {
  readonly #pool: BufferPool;
  #queue: PendingBlock[] = [];
  #sequence = 0;
  #bytes = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Bytes that are not acknowledged, sent or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether anything waits to be sent. */
  get hasUnsent(): boolean {
    return this.#queue.length > 0;
  }

  /** The number of the oldest block that was not sent. */
  get nextSequence(): number | undefined {
    return this.#queue[0]?.sequence;
  }

  /** The number of the newest block: everything up to it is what a flush must wait for. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /**
   * Adds bytes at `offset` in the chunk; they end inside the chunk. With `keep` they are used by reference and must not change
   * until acknowledged, otherwise they are copied. Returns how many bytes more are to be acknowledged.
   */
  add(offset: number, bytes: Uint8Array, keep: boolean): number {
    let grown = 0;
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(leftInBlock(offset + at), bytes.length - at);
      grown += this.#addToBlock(
        Math.floor((offset + at) / BLOCK_SIZE),
        (offset + at) % BLOCK_SIZE,
        bytes.subarray(at, at + size),
        keep,
      );
      at += size;
    }
    this.#bytes += grown;
    return grown;
  }

  #addToBlock(block: number, offset: number, bytes: Uint8Array, keep: boolean): number {
    // Only the newest block may take more: overlapping writes must keep their order.
    const newest = this.#queue.at(-1);
    const grown = newest?.block === block ? newest.merge(offset, bytes, keep) : undefined;
    if (grown !== undefined) return grown;
    this.#queue.push(new PendingBlock(block, offset, ++this.#sequence, bytes, keep ? undefined : this.#pool));
    return bytes.length;
  }

  /**
   * The next block to send, up to sequence number `upTo`. The last one stays while it is not full and `force` is not set: more may
   * come for it.
   */
  next({ force, upTo }: { force: boolean; upTo: number }): PendingBlock | undefined {
    const first = this.#queue[0];
    if (first === undefined || first.sequence > upTo) return undefined;
    if (this.#queue.length === 1 && !first.full && !force) return undefined;
    return this.#queue.shift();
  }

  /** A block is on every replica. */
  acknowledged(block: PendingBlock): void {
    this.#bytes -= block.size;
    if (block.memory !== undefined) this.#pool.give(block.memory);
  }

  /** Blocks whose fate is unknown go to the front again, in their order. */
  takeBack(blocks: readonly PendingBlock[]): void {
    this.#queue = [...blocks, ...this.#queue];
  }

  /** Drops everything; returns how many bytes were not acknowledged. */
  clear(): number {
    const lost = this.#bytes;
    this.#queue = [];
    this.#bytes = 0;
    return lost;
  }
}
