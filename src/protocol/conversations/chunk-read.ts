/**
 * One READ of a range of one replica, without a socket. Bytes go straight from the network's chunk to their place in the
 * caller's buffer: one copy. Every piece is checked (order, place, size, CRC) before it counts as verified.
 *
 *     state    event                                  next
 *     new      request                                reading   READ is sent
 *     reading  READ_DATA, the next piece, CRC right   reading   verified grows
 *     reading  READ_STATUS OK, all verified           done      the connection may be used again
 *     reading  READ_STATUS not OK                     failed    StatusError; verified bytes stay good
 *     reading  CRC wrong                              failed    StatusError CRC; verified bytes stay good
 *     reading  anything else                          failed    ProtocolError; verified bytes stay good
 *     any      NOP                                              ignored
 *
 * A read cannot be cancelled but by closing the connection.
 */
import { ProtocolError, StateError, StatusError } from '../../errors.ts';
import { crc32 } from '../crc32.ts';
import { READ_DATA_HEAD, readReadDataHead } from '../data-packets.ts';
import type { ReadDataHead } from '../data-packets.ts';
import { FrameParser, NOP } from '../frame.ts';
import { BLOCK_SIZE, CHUNK_SIZE } from '../geometry.ts';
import { decodePacket, encodePacket } from '../message.ts';
import * as packets from '../messages/chunkserver.ts';
import { Status, statusInfo } from '../status.ts';

/** What to read. */
export interface ChunkReadOptions {
  /** With the part's code in the top byte, for a part of an erasure-coded chunk. */
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  /** Offset in the chunk, any. */
  readonly offset: number;
  /** Where the bytes go; its length is how many are read, at least one. */
  readonly into: Uint8Array;
}

/** See the table above. */
export type ChunkReadState = 'new' | 'reading' | 'done' | 'failed';

/** READ_STATUS and NOP are all that a server sends beside data. */
const STATUS_LIMIT = READ_DATA_HEAD + BLOCK_SIZE;

/** One attempt to read one range from one replica. */
export class ChunkRead {
  readonly #options: ChunkReadOptions;
  readonly #parser: FrameParser;
  #state: ChunkReadState = 'new';
  #verified = 0;
  /** Bytes written into the buffer, the unverified piece included. */
  #filled = 0;
  #head: ReadDataHead | undefined;

  constructor(options: ChunkReadOptions) {
    const { offset, into } = options;
    if (into.length === 0 || offset < 0 || offset + into.length > CHUNK_SIZE) {
      throw new StateError(`no range of a chunk: offset ${offset}, ${into.length} bytes`);
    }
    this.#options = options;
    this.#parser = new FrameParser(
      { bodyLimit: STATUS_LIMIT, streamType: packets.readData.type, streamHeadSize: READ_DATA_HEAD },
      {
        frame: (type, body) => this.#frame(type, body),
        streamHead: (head, remaining) => this.#pieceBegins(head, remaining),
        streamed: (bytes, remaining) => this.#pieceContinues(bytes, remaining),
      },
    );
  }

  get state(): ChunkReadState {
    return this.#state;
  }

  /** Whether the read is over and no packet has begun since: only then may the connection be used again. */
  get reusable(): boolean {
    return this.#state === 'done' && this.#parser.atBoundary;
  }

  /** How many bytes at the start of the buffer have come and have the right CRC. They stay good when the read fails. */
  get verified(): number {
    return this.#verified;
  }

  /** The packet that asks for the range. */
  request(): Uint8Array {
    if (this.#state !== 'new') throw new StateError(`request in state ${this.#state}`);
    this.#state = 'reading';
    const { chunkId, chunkVersion, offset, into } = this.#options;
    return encodePacket(
      packets.read,
      { protocol: packets.DATA_PROTOCOL, chunkId, chunkVersion, offset, size: into.length },
      0,
    );
  }

  /** Takes bytes from the server. */
  receive(bytes: Uint8Array): ChunkReadState {
    if (this.#state !== 'reading') throw new StateError(`receive in state ${this.#state}`);
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
    return this.#state;
  }

  /** The connection broke, or stayed silent too long. */
  lost(): void {
    if (this.#state !== 'done') this.#state = 'failed';
  }

  #pieceBegins(bytes: Buffer, remaining: number): void {
    this.#notAfterTheEnd();
    const head = readReadDataHead(bytes);
    const position = this.#options.offset + this.#verified;
    const wanted = Math.min(BLOCK_SIZE - (position % BLOCK_SIZE), this.#options.into.length - this.#verified);
    if (
      wanted === 0 ||
      head.chunkId !== this.#options.chunkId ||
      head.block !== Math.floor(position / BLOCK_SIZE) ||
      head.offset !== position % BLOCK_SIZE ||
      head.size !== wanted ||
      remaining !== wanted
    ) {
      throw new ProtocolError(
        `data of chunk ${head.chunkId.toString(16)}, block ${head.block}, offset ${head.offset}, ${head.size} of ${remaining} bytes ` +
          `where chunk ${this.#options.chunkId.toString(16)}, position ${position}, ${wanted} bytes were next`,
      );
    }
    this.#head = head;
  }

  #pieceContinues(bytes: Buffer, remaining: number): void {
    this.#options.into.set(bytes, this.#filled);
    this.#filled += bytes.length;
    if (remaining > 0) return;
    const { size, crc, block } = this.#head!;
    const found = crc32(this.#options.into.subarray(this.#verified, this.#filled));
    if (found !== crc) {
      throw new StatusError(
        Status.CRC,
        `wrong checksum in block ${block}: ${found.toString(16)} where the server sent ${crc.toString(16)}`,
        { code: 'EIO' },
      );
    }
    this.#verified += size;
  }

  #frame(type: number, body: Buffer): void {
    if (type === NOP) return;
    this.#notAfterTheEnd();
    if (type !== packets.readStatus.type) throw new ProtocolError(`packet of type ${type} in a read`);
    const { chunkId, status } = decodePacket(packets.readStatus, body, 0);
    if (chunkId !== this.#options.chunkId)
      throw new ProtocolError(
        `read status for chunk ${chunkId.toString(16)}, not ${this.#options.chunkId.toString(16)}`,
      );
    if (status !== Status.OK) {
      const { name, code, text } = statusInfo(status);
      throw new StatusError(status, `read status ${name} after ${this.#verified} bytes: ${text}`, { code });
    }
    if (this.#verified !== this.#options.into.length) {
      throw new ProtocolError(`the read ended well after ${this.#verified} of ${this.#options.into.length} bytes`);
    }
    this.#state = 'done';
  }

  #notAfterTheEnd(): void {
    if (this.#state === 'done') throw new ProtocolError('packets after the end of a read');
  }
}
