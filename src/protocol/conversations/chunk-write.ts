/**
 * One write session on one chunk, without a socket: the heart of this project.
 *
 * The bug that this package exists to end: a client sent WRITE_FINISH without waiting for the second WRITE_STATUS. The servers
 * then free what is still queued, and replicas lose their tails under an unchanged version. So there is one way to WRITE_FINISH,
 * and it is closed while anything is unacknowledged:
 *
 *     state      event                              next
 *     new        open                               opening      WRITE is sent
 *     opening    sendBlock, pending < window        opening      data may be sent before the chain stands
 *     opening    status(0) OK                       streaming    every server of the chain has the chunk open
 *     opening    status(n) OK, n pending            opening      order is not promised: n may overtake 0
 *     streaming  sendBlock, pending < window        streaming
 *     streaming  status(n) OK, n pending            streaming    every server of the chain has executed n
 *     streaming  finish, pending = 0                finished     WRITE_FINISH is sent; the connection may be used again
 *     streaming  finish, pending = 0, one server    confirming   the same, and GET_VERSION behind it
 *     confirming VERSION                            finished     WRITE_FINISH has been carried out
 *     any live   status not OK                      failed       StatusError; carries every unacknowledged block
 *     any live   status(n), n not pending           failed       ProtocolError
 *     any live   another packet, another chunk      failed       ProtocolError
 *     any live   lost                               failed       the connection broke or stalled
 *     any        NOP                                             ignored
 *     any other pair                                             StateError (our own misuse)
 *
 * A server writes the checksums of a session's blocks to its disk when the session ends; one that is killed before has blocks that
 * nobody can read. Where there are other replicas the master forgets that one. The only replica must not be believed before:
 * WRITE_FINISH has no answer, but one connection is served in order, so the answer to a next request says that it is done.
 *
 * No reset: one machine is one attempt. Recovery takes {@link ChunkWrite.unacknowledged} to a new machine on a new chain.
 */
import { ProtocolError, StateError, StatusError } from '../../errors.ts';
import type { Address } from '../address.ts';
import { crc32Of } from '../crc32.ts';
import { encodeWriteDataHead } from '../data-packets.ts';
import { FrameParser, NOP } from '../frame.ts';
import { BLOCK_SIZE, CHUNK_BLOCKS } from '../geometry.ts';
import { decodePacket, encodePacket } from '../message.ts';
import * as packets from '../messages/chunkserver.ts';
import { getVersion, versionReply } from '../messages/session.ts';
import { Status, statusInfo } from '../status.ts';

/** Bytes for one block of the chunk: what one WRITE_DATA carries. Never empty, never across a block's border. */
export interface BlockWrite {
  /** 0 to 1023. */
  readonly block: number;
  /** Offset inside the block. */
  readonly offset: number;
  readonly size: number;
  /** The bytes, in one piece or several; kept by reference until acknowledged. */
  readonly data: readonly Uint8Array[];
}

/** What a write session needs to know. */
export interface ChunkWriteOptions {
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  /** The servers after the one that this machine talks to. */
  readonly chain: readonly Address[];
  /** How many blocks may be unacknowledged at once. The opening counts as one. */
  readonly windowBlocks: number;
}

/** See the table above. */
export type ChunkWriteState = 'new' | 'opening' | 'streaming' | 'confirming' | 'finished' | 'failed';

/** Packets of a server in a write session are tiny; nothing longer is believed. */
const STATUS_LIMIT = 64;
/** The write id of the chain's opening. */
const OPENING_ID = 0;

/** One attempt to write blocks of one chunk to one chain. */
export class ChunkWrite<B extends BlockWrite = BlockWrite> {
  readonly #options: ChunkWriteOptions;
  readonly #parser: FrameParser;
  readonly #pending = new Map<number, B>();
  #acknowledged: B[] = [];
  #state: ChunkWriteState = 'new';
  #opened = false;
  #lastWriteId = OPENING_ID;

  constructor(options: ChunkWriteOptions) {
    this.#options = options;
    this.#parser = new FrameParser({ bodyLimit: STATUS_LIMIT }, { frame: (type, body) => this.#frame(type, body) });
  }

  get state(): ChunkWriteState {
    return this.#state;
  }

  /** Answers that have not come yet, those to the opening and to the end included. */
  get pending(): number {
    return this.#pending.size + (this.#state === 'opening' || this.#state === 'confirming' ? 1 : 0);
  }

  /** Blocks that may be unacknowledged at once. */
  get windowBlocks(): number {
    return this.#options.windowBlocks;
  }

  /** Whether {@link sendBlock} is allowed now. */
  get canSend(): boolean {
    return (this.#state === 'opening' || this.#state === 'streaming') && this.pending < this.#options.windowBlocks;
  }

  /** Whether {@link finish} is allowed now. */
  get canFinish(): boolean {
    return this.#state === 'streaming' && this.#pending.size === 0;
  }

  /** Whether the chain has confirmed that all of it stands. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Whether the session is over and no packet has begun since: only then may the connection be used again. */
  get reusable(): boolean {
    return this.#state === 'finished' && this.#parser.atBoundary;
  }

  /** The blocks that the last {@link receive} acknowledged: also those before the status at which it threw. */
  get acknowledged(): readonly B[] {
    return this.#acknowledged;
  }

  /** Every block that was sent and not acknowledged, in the order sent: it must be written again. */
  get unacknowledged(): B[] {
    return [...this.#pending.values()];
  }

  /** The packet that opens the session. */
  open(): Uint8Array {
    if (this.#state !== 'new') throw new StateError(`open in state ${this.#state}`);
    this.#state = 'opening';
    const { chunkId, chunkVersion, chain } = this.#options;
    return encodePacket(packets.write, { protocol: packets.DATA_PROTOCOL, chunkId, chunkVersion, chain }, 0);
  }

  /** The packet for one block: its head, then the caller's own pieces. */
  sendBlock(block: B): Uint8Array[] {
    if (!this.canSend)
      throw new StateError(
        `sendBlock in state ${this.#state} with ${this.pending} of ${this.#options.windowBlocks} pending`,
      );
    const size = block.data.reduce((sum, piece) => sum + piece.length, 0);
    // A WRITE_DATA of size 0 is accepted by the servers and makes replicas longer: never send one.
    if (
      size === 0 ||
      size !== block.size ||
      block.offset < 0 ||
      block.offset + size > BLOCK_SIZE ||
      block.block < 0 ||
      block.block >= CHUNK_BLOCKS
    ) {
      throw new StateError(
        `no block of a chunk: block ${block.block}, offset ${block.offset}, ${size} of ${block.size} bytes`,
      );
    }
    const writeId = ++this.#lastWriteId;
    this.#pending.set(writeId, block);
    const crc = crc32Of(block.data);
    const head = { chunkId: this.#options.chunkId, writeId, block: block.block, offset: block.offset, size, crc };
    return [encodeWriteDataHead(head), ...block.data];
  }

  /** Takes bytes from the server; gives back the blocks that they acknowledge. See {@link acknowledged} when it throws. */
  receive(bytes: Uint8Array): readonly B[] {
    if (this.#state !== 'opening' && this.#state !== 'streaming' && this.#state !== 'confirming')
      throw new StateError(`receive in state ${this.#state}`);
    this.#acknowledged = [];
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
    return this.#acknowledged;
  }

  /** The packets that end the session. Only when every status has come. See the table for a chain of one server. */
  finish(): Uint8Array {
    if (!this.canFinish)
      throw new StateError(
        `finish in state ${this.#state} with ${this.pending} unacknowledged: replicas would lose their tails`,
      );
    const { chunkId, chunkVersion, chain } = this.#options;
    this.#state = chain.length === 0 ? 'confirming' : 'finished';
    const end = encodePacket(packets.writeFinish, { chunkId, chunkVersion }, 0);
    return chain.length === 0 ? Buffer.concat([end, encodePacket(getVersion, {}, 0)]) : end;
  }

  /** The connection broke, or stayed silent too long. */
  lost(): void {
    if (this.#state !== 'finished') this.#state = 'failed';
  }

  #frame(type: number, body: Buffer): void {
    if (type === NOP) return;
    if (this.#state === 'confirming' && type === versionReply.type) {
      this.#state = 'finished';
      return;
    }
    if (type !== packets.writeStatus.type) throw new ProtocolError(`packet of type ${type} in a write session`);
    const { chunkId, writeId, status } = decodePacket(packets.writeStatus, body, 0);
    if (chunkId !== this.#options.chunkId)
      throw new ProtocolError(
        `write status for chunk ${chunkId.toString(16)}, not ${this.#options.chunkId.toString(16)}`,
      );
    if (status !== Status.OK) {
      const { name, code, text } = statusInfo(status);
      throw new StatusError(
        status,
        `write status ${name} for ${writeId === OPENING_ID ? 'the opening of the chain' : `block ${this.#pending.get(writeId)?.block ?? '?'}`}: ${text}`,
        { code },
      );
    }
    if (writeId === OPENING_ID) {
      if (this.#opened) throw new ProtocolError('the opening was acknowledged twice');
      this.#opened = true;
      this.#state = 'streaming';
      return;
    }
    const block = this.#pending.get(writeId);
    if (block === undefined) throw new ProtocolError(`write status for id ${writeId}, which is not pending`);
    this.#pending.delete(writeId);
    this.#acknowledged.push(block);
  }
}
