/**
 * Framing: every packet on every connection is `type u32, length u32, body`. Cuts a stream of bytes into packets, however
 * they arrive, spends memory only on bytes that have come, and copies nothing while a packet lies whole in one chunk.
 */
import { ProtocolError } from '../errors.ts';
import { asBuffer } from './layout.ts';

/** Bytes before every body. */
export const HEADER_SIZE = 8;

/** The type of the packet that means nothing: both sides send it to show that they live. */
export const NOP = 0;

/** A NOP for chunkservers: no body. */
export const CHUNKSERVER_NOP: Uint8Array = Buffer.alloc(HEADER_SIZE);

/** The longest body a chunkserver sends (its replies to queries about disks included). */
export const CHUNKSERVER_BODY_LIMIT = 16 * 1024 * 1024;
/** The longest body taken from a master. Only READDIR of a huge folder comes near it. */
export const MASTER_BODY_LIMIT = 256 * 1024 * 1024;

/** Writes a packet's header. */
export function writeHeader(b: Buffer, at: number, type: number, length: number): void {
  b.writeUInt32BE(type, at);
  b.writeUInt32BE(length, at + 4);
}

/** A whole packet. */
export function frame(type: number, body: Uint8Array): Buffer {
  const b = Buffer.allocUnsafe(HEADER_SIZE + body.length);
  writeHeader(b, 0, type, body.length);
  b.set(body, HEADER_SIZE);
  return b;
}

/** What a {@link FrameParser} tells. A body may lie in the chunk that was pushed: it is valid as long as that chunk is. */
export interface FrameHandler {
  /** A packet is complete. */
  frame(type: number, body: Buffer): void;
  /**
   * A packet of the streamed type has begun: its first bytes, and how many more will come by {@link streamed}. Throws to refuse.
   */
  streamHead?(head: Buffer, remaining: number): void;
  /** The next bytes of the packet that {@link streamHead} announced. */
  streamed?(bytes: Buffer, remaining: number): void;
}

/** What a {@link FrameParser} is told at its making. */
export interface FrameOptions {
  /** A longer body is a protocol error. */
  readonly bodyLimit: number;
  /** Packets of this type are not gathered: their head comes first, then the rest in the pieces that arrive. */
  readonly streamType?: number;
  /** Bytes of the head of the streamed type. */
  readonly streamHeadSize?: number;
}

const NOTHING = Buffer.alloc(0);

/** Cuts a byte stream into packets. States: in a header, in a body, in a streamed body. */
export class FrameParser {
  readonly #handler: FrameHandler;
  readonly #options: FrameOptions;
  /** What has come of an unfinished header, body or head: copied, so that the owner of a chunk may use it again. */
  #held: Buffer = NOTHING;
  #heldBytes = 0;
  #type = -1;
  #length = 0;
  /** Bytes of a streamed body still to come; -1 outside of one. */
  #streaming = -1;

  constructor(options: FrameOptions, handler: FrameHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  /** True between packets: the peer may close here without cutting one. */
  get atBoundary(): boolean {
    return this.#type === -1 && this.#heldBytes === 0;
  }

  /** Takes the next bytes of the stream. */
  push(chunk: Uint8Array): void {
    const b = asBuffer(chunk);
    for (let at = 0; at < b.length;) {
      const left = b.length - at;
      if (this.#streaming >= 0) {
        const take = Math.min(this.#streaming, left);
        this.#streaming -= take;
        const remaining = this.#streaming;
        if (remaining === 0) this.#nextPacket();
        this.#handler.streamed!(b.subarray(at, at + take), remaining);
        at += take;
        continue;
      }
      const wanted = this.#wanted();
      const take = Math.min(wanted - this.#heldBytes, left);
      if (take === wanted) {
        this.#complete(b, at, wanted);
      } else {
        this.#hold(b.subarray(at, at + take), wanted);
        if (this.#heldBytes === wanted) this.#completeHeld();
      }
      at += take;
    }
  }

  #completeHeld(): void {
    const whole = this.#held;
    const size = this.#heldBytes;
    this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#complete(whole, 0, size);
  }

  /** Grows by doubling: an announced length costs no memory before the bytes are there. */
  #hold(bytes: Buffer, wanted: number): void {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.min(wanted, Math.max(needed, 2 * this.#held.length, 1024)));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #wanted(): number {
    if (this.#type === -1) return HEADER_SIZE;
    return this.#isStreamed() ? this.#options.streamHeadSize! : this.#length;
  }

  #isStreamed(): boolean {
    return this.#type === this.#options.streamType;
  }

  /** A header, a body or the head of a streamed one is there, of `size` bytes from `at` on. */
  #complete(b: Buffer, at: number, size: number): void {
    if (this.#type === -1) {
      this.#header(b.readUInt32BE(at), b.readUInt32BE(at + 4));
    } else if (this.#isStreamed()) {
      const remaining = this.#length - size;
      this.#streaming = remaining;
      this.#handler.streamHead!(b.subarray(at, at + size), remaining);
      if (remaining === 0) this.#nextPacket();
    } else {
      const type = this.#type;
      this.#nextPacket();
      this.#handler.frame(type, b.subarray(at, at + size));
    }
  }

  #header(type: number, length: number): void {
    if (length > this.#options.bodyLimit) {
      throw new ProtocolError(
        `a packet of type ${type} announces ${length} bytes, the limit is ${this.#options.bodyLimit}: this is no MooseFS server, or the stream is out of step`,
      );
    }
    this.#type = type;
    this.#length = length;
    if (this.#isStreamed()) {
      if (length < this.#options.streamHeadSize!)
        throw new ProtocolError(`a packet of type ${type} has only ${length} bytes`);
    } else if (length === 0) {
      this.#nextPacket();
      this.#handler.frame(type, NOTHING);
    }
  }

  #nextPacket(): void {
    this.#type = -1;
    this.#streaming = -1;
  }
}
