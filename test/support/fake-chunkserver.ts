/**
 * A chunkserver for client tests, on loopback. It keeps blocks in memory, speaks the declared messages, forwards writes along
 * the chain as a real one does, and lets a test decide about every packet:
 *
 * @example
 * ```ts
 * await using cs = await FakeChunkserver.start();
 * cs.replicas.create(7n, 1);
 * cs.outgoing = (packet) => (packet.name === 'WRITE_STATUS' && packet.value.writeId === 2 ? 'hold' : 'send');
 * // … let the client write two blocks …
 * await cs.timeline.until({ kind: 'held', name: 'WRITE_STATUS' });
 * expect(cs.timeline.first({ name: 'WRITE_FINISH' })).toBeUndefined();
 * cs.release();
 * await cs.timeline.until({ kind: 'received', name: 'WRITE_FINISH' });
 * expect(cs.violations).toEqual([]);
 * ```
 */
import { ipNumber } from '../../src/protocol/address.ts';
import type { Address } from '../../src/protocol/address.ts';
import { crc32 } from '../../src/protocol/crc32.ts';
import { NOP } from '../../src/protocol/frame.ts';
import { BLOCK_SIZE, CHUNK_BLOCKS, CHUNK_SIZE } from '../../src/protocol/geometry.ts';
import { decodePacket, encodePacket } from '../../src/protocol/message.ts';
import type { Packet } from '../../src/protocol/message.ts';
import * as packets from '../../src/protocol/messages/chunkserver.ts';
import { getVersion, versionReply } from '../../src/protocol/messages/session.ts';
import { Status } from '../../src/protocol/status.ts';
import { formatVersion } from '../../src/protocol/version.ts';
import { Downstream } from './fake-chain.ts';
import { incomingPackets } from './fake-packets.ts';
import type {
  HeldPacket,
  IncomingAction,
  IncomingPacket,
  OutgoingAction,
  OutgoingPacket,
  PacketContext,
  ValueOfPacket,
} from './fake-packets.ts';
import { FakeReplicas } from './fake-replicas.ts';
import { FakeServer } from './fake-server.ts';
import type { FakeConnection, FakeServerOptions } from './fake-server.ts';

/** The largest body that a real chunkserver takes. */
const BODY_LIMIT = 100_000;

type WriteData = ValueOfPacket<typeof packets.writeData>;
type Query = ValueOfPacket<typeof packets.getChunkBlocks>;

interface WriteSession {
  readonly kind: 'writing';
  readonly chunkId: bigint;
  readonly version: number;
  /** Ids (0: the opening) whose status has not gone out. */
  readonly unacknowledged: Set<number>;
  /** Blocks that wait for the next server's status: at a FINISH they are lost, as in a real head's queue. */
  readonly queued: Map<number, WriteData>;
  readonly next: Downstream | undefined;
}

/** What a connection is in the middle of. */
type State = { readonly kind: 'idle' } | { readonly kind: 'reading' } | WriteSession;
const IDLE: State = { kind: 'idle' };

/** See the head of this file. */
export class FakeChunkserver extends FakeServer {
  /** Decides about every packet that comes, before anything is done with it. */
  incoming: ((packet: IncomingPacket, context: PacketContext) => IncomingAction) | undefined;
  /** Decides about every packet that would go to the client, or to the server before this one in the chain. */
  outgoing: ((packet: OutgoingPacket, context: PacketContext) => OutgoingAction) | undefined;
  /** What it stores. */
  readonly replicas = new FakeReplicas();
  readonly #held: HeldPacket[] = [];
  readonly #states = new Map<FakeConnection, State>();
  readonly #counts = new Map<string, number>();

  private constructor(options: FakeServerOptions) {
    super(options, 'chunkserver', BODY_LIMIT, 0);
  }

  /** Starts one on a free port of 127.0.0.1. */
  static async start(options: FakeServerOptions = {}): Promise<FakeChunkserver> {
    return new FakeChunkserver(options).listen();
  }

  /** Its address as the wire has it. */
  get location(): Address {
    return { ip: ipNumber(this.host), port: this.port };
  }

  /** What hooks held back and nobody released yet, in the order in which it would have gone out. */
  get held(): readonly HeldPacket[] {
    return this.#held;
  }

  /** Sends what was held back: all of it or the first `count`; `reversed`: the last first. */
  release({ count = Infinity, reversed = false } = {}): void {
    const now = reversed ? [...this.#held].reverse() : [...this.#held];
    for (const held of now.slice(0, count)) held.release();
  }

  protected receive(connection: FakeConnection, type: number, body: Buffer): void {
    if (type === NOP) return;
    if (type === getVersion.type) {
      const text = Buffer.from(formatVersion(this.version));
      connection.send(encodePacket(versionReply, { version: this.version, text }, this.version));
      return;
    }
    const message = incomingPackets.find((each) => each.type === type);
    if (message === undefined) {
      this.violate(connection, `packet of type ${type}`);
      return;
    }
    const value = decodePacket<object>(message, body, this.version);
    const packet = { name: message.name, value } as IncomingPacket;
    this.#note('received', connection, packet);
    const index = this.#count(`in ${packet.name}`);
    const action = this.incoming?.(packet, { connection, bytes: body, index });
    if (action === 'ignore') return;
    if (action === 'reset') connection.reset();
    else if (action === 'end') connection.end();
    else if (typeof action === 'number') this.#answerStatus(connection, packet, action);
    else this.#execute(connection, packet);
  }

  protected closed(connection: FakeConnection): void {
    const state = this.#states.get(connection);
    this.#states.delete(connection);
    if (state?.kind === 'writing') state.next?.close();
  }

  #execute(connection: FakeConnection, packet: IncomingPacket): void {
    const state = this.#states.get(connection) ?? IDLE;
    if (packet.name === 'WRITE_DATA' || packet.name === 'WRITE_FINISH') {
      if (state.kind !== 'writing') this.violate(connection, `${packet.name} outside of a write session`);
      else if (packet.name === 'WRITE_DATA') this.#writeData(connection, state, packet.value);
      else this.#finish(connection, state, packet.value);
    } else if (state.kind !== 'idle') {
      this.violate(connection, `${packet.name} while ${state.kind}`);
    } else if (packet.name === 'READ') {
      this.#read(connection, packet.value);
    } else if (packet.name === 'WRITE') {
      void this.#open(connection, packet.value);
    } else {
      this.#query(connection, packet);
    }
  }

  #read(connection: FakeConnection, value: ValueOfPacket<typeof packets.read>): void {
    const { chunkId, chunkVersion, offset, size } = value;
    this.#states.set(connection, { kind: 'reading' });
    let status: number = size === 0 ? Status.OK : this.replicas.check(chunkId, chunkVersion);
    if (size > CHUNK_SIZE || offset + size > CHUNK_SIZE) status = Status.WRONGSIZE;
    for (let at = 0; status === Status.OK && at < size;) {
      const position = offset + at;
      const inside = position % BLOCK_SIZE;
      const data = this.replicas.read(chunkId, position, Math.min(BLOCK_SIZE - inside, size - at));
      const head = { chunkId, block: Math.floor(position / BLOCK_SIZE), offset: inside, size: data.length };
      this.#send(connection, packets.readData, { ...head, crc: crc32(data), data });
      at += data.length;
    }
    this.#send(connection, packets.readStatus, { chunkId, status });
  }

  async #open(connection: FakeConnection, value: ValueOfPacket<typeof packets.write>): Promise<void> {
    const { chunkId, chunkVersion, chain } = value;
    const status = this.replicas.check(chunkId, chunkVersion);
    if (status !== Status.OK) {
      this.#send(connection, packets.writeStatus, { chunkId, writeId: 0, status });
      return;
    }
    const [head, ...rest] = chain;
    const next =
      head &&
      new Downstream(head, {
        status: (writeId, nextStatus) => this.#nextStatus(connection, writeId, nextStatus),
        closed: () => connection.end(),
      });
    const unacknowledged = new Set([0]);
    const session: State = { kind: 'writing', chunkId, version: chunkVersion, unacknowledged, queued: new Map(), next };
    this.#states.set(connection, session);
    next?.send(encodePacket(packets.write, { ...value, chain: rest }, this.version));
    if (next === undefined) this.#acknowledge(connection, session, 0);
    else if (!(await next.connected)) this.#fail(connection, chunkId, 0, Status.CANTCONNECT);
  }

  #nextStatus(connection: FakeConnection, writeId: number, status: number): void {
    const state = this.#states.get(connection);
    if (state?.kind !== 'writing') return;
    // As a real server: it does not pass an error on, it hangs up.
    if (status !== Status.OK) connection.end();
    else this.#acknowledge(connection, state, writeId);
  }

  #writeData(connection: FakeConnection, session: WriteSession, value: WriteData): void {
    const { writeId, size, data } = value;
    if (size !== data.length) {
      this.violate(connection, `WRITE_DATA of ${data.length} bytes says ${size}`);
      return;
    }
    if (size === 0) this.violations.push('WRITE_DATA of size 0, which makes replicas longer');
    if (writeId === 0) this.violations.push('WRITE_DATA with id 0, which is the opening’s');
    const status = writeDataStatus(session, value);
    if (status !== Status.OK) {
      this.violations.push(`WRITE_DATA ${writeId} earns status ${status}`);
      if (session.next === undefined) this.#fail(connection, value.chunkId, writeId, status);
      else connection.end();
      return;
    }
    session.unacknowledged.add(writeId);
    session.queued.set(writeId, value);
    if (session.next === undefined) this.#acknowledge(connection, session, writeId);
    else session.next.send(encodePacket(packets.writeData, value, this.version));
  }

  /** The block is executed here and everywhere behind: stores it and says so. */
  #acknowledge(connection: FakeConnection, session: WriteSession, writeId: number): void {
    const value = session.queued.get(writeId);
    session.queued.delete(writeId);
    if (value !== undefined) this.replicas.write(session.chunkId, value.block, value.offset, value.data);
    this.#send(connection, packets.writeStatus, { chunkId: session.chunkId, writeId, status: Status.OK });
  }

  #finish(connection: FakeConnection, session: WriteSession, value: Query): void {
    if (value.chunkId !== session.chunkId || value.chunkVersion !== session.version) {
      this.violate(connection, 'WRITE_FINISH for another chunk or version');
      return;
    }
    // What a real server does, too: what is queued is lost, and the connection looks well.
    const lost = [...session.unacknowledged];
    if (lost.length > 0) this.violations.push(`WRITE_FINISH with ids ${lost.join()} unacknowledged`);
    else session.next?.send(encodePacket(packets.writeFinish, value, this.version));
    session.next?.close();
    this.#states.set(connection, IDLE);
  }

  #query(connection: FakeConnection, { name, value }: { readonly name: string; readonly value: Query }): void {
    const status = this.replicas.check(value.chunkId, value.chunkVersion);
    if (name === packets.getChunkBlocks.name) {
      const blocks = status === Status.OK ? this.replicas.blockCount(value.chunkId) : 0;
      this.#send(connection, packets.chunkBlocks, { ...value, blocks, status });
      return;
    }
    const one = name === packets.getChunkChecksum.name;
    if (status !== Status.OK) {
      const type = one ? packets.chunkChecksum.type : packets.chunkChecksumTable.type;
      this.#send(connection, { ...packets.chunkQueryStatus, type }, { ...value, status });
      return;
    }
    const { table, checksum } = this.replicas.checksums(value.chunkId);
    if (one) this.#send(connection, packets.chunkChecksum, { ...value, checksum });
    else this.#send(connection, packets.chunkChecksumTable, { ...value, table });
  }

  #answerStatus(connection: FakeConnection, packet: IncomingPacket, status: number): void {
    const { chunkId } = packet.value;
    if (packet.name === 'READ') this.#send(connection, packets.readStatus, { chunkId, status });
    else this.#fail(connection, chunkId, packet.name === 'WRITE_DATA' ? packet.value.writeId : 0, status);
  }

  #fail(connection: FakeConnection, chunkId: bigint, writeId: number, status: number): void {
    const state = this.#states.get(connection);
    if (state?.kind === 'writing') state.next?.close();
    this.#states.set(connection, IDLE);
    this.#send(connection, packets.writeStatus, { chunkId, writeId, status });
  }

  #send<V extends object>(connection: FakeConnection, message: Packet<V>, value: V): void {
    const bytes = encodePacket(message, value, this.version);
    // A caller names only messages of outgoingPackets.
    const packet = { name: message.name, value } as unknown as OutgoingPacket;
    const index = this.#count(`out ${packet.name}`);
    const action = this.outgoing?.(packet, { connection, bytes, index }) ?? 'send';
    if (action === 'hold') this.#hold(connection, packet, bytes);
    else if (action === 'reset') connection.reset();
    else if (action === 'end') connection.end();
    else if (action === 'send') this.#sent(connection, packet, bytes);
    else if (action instanceof Uint8Array) this.#sent(connection, packet, action);
    else if (action !== 'drop') setTimeout(() => this.#sent(connection, packet, bytes), action.delayMs).unref();
  }

  #hold(connection: FakeConnection, packet: OutgoingPacket, bytes: Buffer): void {
    const held: HeldPacket = {
      packet,
      release: () => {
        const at = this.#held.indexOf(held);
        if (at < 0) return;
        this.#held.splice(at, 1);
        this.#sent(connection, packet, bytes);
      },
    };
    this.#held.push(held);
    this.#note('held', connection, packet);
  }

  #sent(connection: FakeConnection, packet: OutgoingPacket, bytes: Uint8Array): void {
    if (!connection.open) return;
    const state = this.#states.get(connection);
    if (packet.name === 'WRITE_STATUS' && state?.kind === 'writing') state.unacknowledged.delete(packet.value.writeId);
    if (packet.name === 'READ_STATUS') this.#states.set(connection, IDLE);
    this.#note('sent', connection, packet);
    connection.send(bytes);
  }

  #count(key: string): number {
    const index = this.#counts.get(key) ?? 0;
    this.#counts.set(key, index + 1);
    return index;
  }

  #note(
    kind: 'received' | 'held' | 'sent',
    connection: FakeConnection,
    { name, value }: IncomingPacket | OutgoingPacket,
  ): void {
    this.timeline.add({ server: this.name, connection: connection.number, kind, name, value: { ...value } });
  }
}

/** The status that a WRITE_DATA earns, as a real server checks it. */
function writeDataStatus(session: WriteSession, { chunkId, block, offset, size, crc, data }: WriteData): number {
  if (chunkId !== session.chunkId) return 27;
  if (block >= CHUNK_BLOCKS) return 23;
  if (size > BLOCK_SIZE) return Status.WRONGSIZE;
  if (offset + size > BLOCK_SIZE) return 25;
  return crc32(data) === crc ? Status.OK : Status.CRC;
}
