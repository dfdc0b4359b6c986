/** Sessions of a capture: registration in all its forms, and calls whose every frame is recorded. */
import { createHash } from 'node:crypto';
import { NOP } from '../../../src/protocol/frame.ts';
import { decodePacket, decodeReply, encodePacket, encodeRequest } from '../../../src/protocol/message.ts';
import type { Call, Packet, Reply } from '../../../src/protocol/message.ts';
import * as monitor from '../../../src/protocol/messages/monitor.ts';
import { pushes } from '../../../src/protocol/messages/push.ts';
import * as m from '../../../src/protocol/messages/session.ts';
import { passwordDigest } from '../../../src/protocol/conversations/registration.ts';
import { OURS, effective, fromWire } from '../../../src/protocol/version.ts';
import type { Version } from '../../../src/protocol/version.ts';
import { RawConnection } from '../raw-connection.ts';
import type { Recorder } from './recorder.ts';

/** Where a server listens. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

const md5 = (data: Uint8Array) => createHash('md5').update(data).digest();
const text = (value: string) => Buffer.from(`${value}\0`);

/** A bare connection to a master, recorded. */
export class MasterConnection {
  readonly raw: RawConnection;
  readonly recorder: Recorder;
  version: Version = OURS;

  private constructor(raw: RawConnection, recorder: Recorder) {
    this.raw = raw;
    this.recorder = recorder;
  }

  /** Connects and asks for the version. */
  static async open(recorder: Recorder, { host, port }: Target): Promise<MasterConnection> {
    const connection = new MasterConnection(await RawConnection.open(host, port), recorder);
    const { version } = await connection.exchange(m.getVersion, {}, m.versionReply);
    connection.version = effective(OURS, fromWire(version));
    return connection;
  }

  /** Sends a packet. */
  tell<V extends object>(message: Packet<V>, value: V): void {
    const bytes = encodePacket(message, value, this.version);
    this.recorder.add(message.name, 'body', 'master', bytes);
    this.raw.send(bytes);
  }

  /** Sends a packet and takes the next one. */
  async exchange<Q extends object, R extends object>(message: Packet<Q>, value: Q, reply: Packet<R>): Promise<R> {
    this.tell(message, value);
    return this.expect(reply);
  }

  /** Takes the next packet of a type. */
  async expect<R extends object>(reply: Packet<R>): Promise<R> {
    const packet = await this.raw.next(reply.type);
    this.recorder.addPacket(reply.name, 'body', 'master', packet);
    return decodePacket(reply, packet.body, this.version);
  }
}

/** A registered session. */
export class MasterSession {
  #connection: MasterConnection;
  readonly #target: Target;
  readonly #identity: { readonly sessionId: number; readonly metaId: bigint };
  #lastMsgid = 0;

  private constructor(target: Target, connection: MasterConnection, identity: { sessionId: number; metaId: bigint }) {
    this.#target = target;
    this.#connection = connection;
    this.#identity = identity;
  }

  /** Registers, with a digest although no password is asked for, which does no harm. */
  static async open(recorder: Recorder, target: Target): Promise<MasterSession> {
    const connection = await MasterConnection.open(recorder, target);
    const { random } = await connection.exchange(m.registerGetRandom, {}, m.registerRandom);
    const digest = passwordDigest(random, md5(Buffer.from('secret')), md5);
    const identity = await connection.exchange(
      m.registerNewSession,
      newSession(connection, '/', digest),
      m.registerSession,
    );
    return new MasterSession(target, connection, identity);
  }

  get version(): Version {
    return this.#connection.version;
  }

  get connection(): MasterConnection {
    return this.#connection;
  }

  get recorder(): Recorder {
    return this.#connection.recorder;
  }

  /** Asks and records; `undefined` where this server does not know the call. */
  async ask<Q extends object, R extends object>(message: Call<Q, R>, value: Q): Promise<Reply<R> | undefined> {
    const { raw, recorder, version } = this.#connection;
    if (message.gate?.includes(version) === false) return undefined;
    const request = encodeRequest(message, ++this.#lastMsgid, value, version);
    recorder.add(message.name, 'request', 'master', request);
    raw.send(request);
    const packet = await raw.next(message.type + 1, 35_000);
    const part = packet.body.length === 5 ? 'status' : 'reply';
    recorder.addPacket(message.name, part, 'master', packet);
    return decodeReply(message, packet.body, version);
  }

  /** Asks for what must succeed. */
  async must<Q extends object, R extends object>(message: Call<Q, R>, value: Q): Promise<R> {
    const reply = await this.ask(message, value);
    if (reply?.value === undefined) throw new Error(`${message.name}: ${JSON.stringify(reply)}`);
    return reply.value;
  }

  /** Waits for a push of this kind, then records all that have come. */
  async pushes(message: Packet<object>): Promise<void> {
    const { raw, recorder } = this.#connection;
    raw.packets.unshift(await raw.next(message.type));
    for (const packet of raw.packets.splice(0)) {
      const name = pushes.find((each) => each.type === packet.type)?.name;
      if (name === undefined) throw new Error(`packet of type ${packet.type} came unasked`);
      recorder.addPacket(name, 'body', 'master', packet);
    }
  }

  /** Loses the connection and comes back to the session. */
  async reconnect(): Promise<void> {
    await this.#connection.raw[Symbol.asyncDispose]();
    const next = await MasterConnection.open(this.recorder, this.#target);
    const value = { ...this.#identity, version: next.version };
    const { status } = await next.exchange(m.registerReconnect, value, m.registerReconnected);
    if (status !== 0) throw new Error(`reconnect: status ${status}`);
    this.#connection = next;
  }

  /** Ends the session. */
  async close(): Promise<void> {
    const { status } = await this.#connection.exchange(m.registerCloseSession, this.#identity, m.registerStatus);
    if (status !== 0) throw new Error(`close: status ${status}`);
    await this.#connection.raw.end();
  }
}

function newSession(connection: MasterConnection, path: string, digest: Uint8Array = Buffer.alloc(0)) {
  const info = text('capture');
  return { version: connection.version, info, path: text(path), sessionId: 0, metaId: 0n, digest };
}

/** What anyone may ask. */
export async function captureMonitoring(recorder: Recorder, target: Target): Promise<void> {
  const connection = await MasterConnection.open(recorder, target);
  await connection.exchange(monitor.getInfo, {}, monitor.info);
  await connection.exchange(monitor.getChunkservers, {}, monitor.chunkservers);
  connection.tell(m.nop, { padding: Buffer.alloc(4) });
  await captureNop(connection);
  await connection.raw[Symbol.asyncDispose]();
}

/** The master's own NOP, which RawConnection keeps to itself. */
async function captureNop({ raw, recorder }: MasterConnection): Promise<void> {
  const bytes = await new Promise<Buffer>((resolve) => raw.socket.once('data', resolve));
  if (bytes.readUInt32BE(0) === NOP)
    recorder.add(m.nop.name, 'body', 'master', bytes.subarray(0, 8 + bytes.readUInt32BE(4)));
}

/** Registrations that are refused, and one to the meta file system. */
export async function captureRefusals(recorder: Recorder, target: Target): Promise<void> {
  const connection = await MasterConnection.open(recorder, target);
  await connection.exchange(m.registerNewSession, newSession(connection, '/is/not/there'), m.registerStatus);
  await connection.raw[Symbol.asyncDispose]();

  const stranger = await MasterConnection.open(recorder, target);
  const nobody = { sessionId: 0x7fff_fff0, metaId: 1n, version: stranger.version };
  await stranger.exchange(m.registerReconnect, nobody, m.registerReconnected);
  await stranger.raw[Symbol.asyncDispose]();

  const meta = await MasterConnection.open(recorder, target);
  const { version, info, sessionId, metaId, digest } = newSession(meta, '.');
  const value = { version, info, sessionId, metaId, digest };
  const granted = await meta.exchange(m.registerNewMetaSession, value, m.registerMetaSession);
  await meta.exchange(m.registerCloseSession, granted, m.registerStatus);
  await meta.raw.end();
}
