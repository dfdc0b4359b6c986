/**
 * A master for client tests, on loopback: sessions, a small file system in memory and chunks on fake chunkservers, built from
 * the same declared messages as the client. Every call can be overridden by a handler. Where a real master parks a request up to
 * 30 s (a chunk that is locked by a write), this one answers LOCKED at once; it checks no permissions, and pushes only by push().
 *
 * @example
 * ```ts
 * const timeline = new Timeline();
 * await using cs = await FakeChunkserver.start({ timeline });
 * await using master = await FakeMaster.start({ timeline, chunkservers: [cs], goal: 1 });
 * master.on(writeChunk, (_value, { call, next }) => (call < 2 ? Status.NOSPACE : next()));
 * master.on(create, async (_value, { next }) => { await next(); return 'drop'; });   // done, but the reply is lost
 * master.on(getattr, () => 'stall');
 * ```
 */
import { NOP, frame } from '../../src/protocol/frame.ts';
import {
  decodePacket,
  decodeRequest,
  encodePacket,
  encodeReply,
  encodeStatusReply,
} from '../../src/protocol/message.ts';
import type { Call, Packet } from '../../src/protocol/message.ts';
import * as monitor from '../../src/protocol/messages/monitor.ts';
import { posixLock, PosixLockCommand } from '../../src/protocol/messages/lock.ts';
import * as session from '../../src/protocol/messages/session.ts';
import { formatVersion } from '../../src/protocol/version.ts';
import { declaredCalls } from './declared-messages.ts';
import type { AnyCall } from './declared-messages.ts';
import { defaultAnswers } from './fake-answers.ts';
import type { FakeChunkserver } from './fake-chunkserver.ts';
import { clusterInfo, serverList } from './fake-monitor.ts';
import { FakeServer } from './fake-server.ts';
import type { FakeConnection, FakeServerOptions } from './fake-server.ts';
import { FakeSessions } from './fake-sessions.ts';
import type { FakeSession, RegisterHook } from './fake-sessions.ts';
import { FakeTree, Refusal } from './fake-tree.ts';

const BODY_LIMIT = 50_000_000;
const ENOTSUP = 39;

function fits(message: AnyCall, body: Buffer, version: number): boolean {
  try {
    decodeRequest<object>(message, body, version);
    return true;
  } catch {
    return false;
  }
}

/** What a fake master can be told at its start. */
export interface FakeMasterOptions extends FakeServerOptions {
  /** Where new chunks go. Default none: WRITE_CHUNK earns NOSPACE. */
  readonly chunkservers?: readonly FakeChunkserver[];
  /** How many replicas a new chunk gets. Default 2, or as many as there are servers. */
  readonly goal?: number;
  /** A password that the export needs. */
  readonly password?: string;
}

/**
 * What a handler answers:
 * - an object: the reply's value
 * - a number: a status (0: the bare OK)
 * - `stall`: never
 * - `drop`, `reset`: close the connection with FIN or RST; queued replies are lost, as with a real master
 * - bytes: send these, header and all, instead of a reply
 *
 * A promise of one of them delays this reply and no other.
 */
export type MasterAnswer<R> = R | number | 'stall' | 'drop' | 'reset' | Uint8Array;

/** What a handler knows beside the request. */
export interface CallContext<R> {
  readonly connection: FakeConnection;
  readonly session: FakeSession;
  readonly msgid: number;
  /** How many requests of this message this handler has seen before. */
  readonly call: number;
  /** What the handler before this one, or the fake itself, would answer; executes it. */
  readonly next: () => Promise<MasterAnswer<R>>;
}

/** See {@link FakeMaster.on}. */
export type MasterHandler<Q, R> = (value: Q, context: CallContext<R>) => MasterAnswer<R> | Promise<MasterAnswer<R>>;

/** A handler that is an async function; apart, so that TypeScript sees `return 'drop'` as what it is. */
type AsyncMasterHandler<Q, R> = (value: Q, context: CallContext<R>) => Promise<MasterAnswer<R>>;
type AnyHandler = MasterHandler<never, object>;

/** See the head of this file. */
export class FakeMaster extends FakeServer {
  /** The file system; a test may look into it and change it. */
  readonly tree = new FakeTree();
  /** Sessions, and a hook for registrations. */
  readonly sessions: FakeSessions;
  readonly #handlers = new Map<AnyCall, AnyHandler[]>();

  private constructor(options: FakeMasterOptions) {
    super(options, 'master', BODY_LIMIT, 4);
    this.tree.chunkservers = options.chunkservers ?? [];
    this.tree.goal = options.goal ?? 2;
    this.sessions = new FakeSessions(this.version, options.password);
  }

  /** Starts one on a free port of 127.0.0.1. */
  static async start(options: FakeMasterOptions = {}): Promise<FakeMaster> {
    return new FakeMaster(options).listen();
  }

  /** Decides about registrations: a status, `stall`, `reset`, or the leader's address for a redirect. */
  set onRegister(hook: RegisterHook | undefined) {
    this.sessions.hook = hook;
  }

  /** Answers a call in place of the fake. The last handler is asked first. Gives back a function that removes it. */
  on<Q extends object, R extends object>(message: Call<Q, R>, handler: AsyncMasterHandler<Q, R>): () => void;
  on<Q extends object, R extends object>(message: Call<Q, R>, handler: MasterHandler<Q, R>): () => void;
  on<Q extends object, R extends object>(message: Call<Q, R>, handler: MasterHandler<Q, R>): () => void {
    let call = 0;
    const counted = (value: Q, context: CallContext<R>) => handler(value, { ...context, call: call++ });
    const handlers = this.#handlers.get(message) ?? [];
    handlers.push(counted as unknown as AnyHandler);
    this.#handlers.set(message, handlers);
    return () => {
      const at = handlers.indexOf(counted as unknown as AnyHandler);
      if (at >= 0) handlers.splice(at, 1);
    };
  }

  /** Sends a push to every registered connection. */
  push<V extends object>(message: Packet<V>, value: V): void {
    for (const connection of this.connections) {
      const its = this.sessions.of(connection);
      if (its === undefined) continue;
      this.#note('sent', connection, message.name, value);
      connection.send(encodePacket(message, value, its.version));
    }
  }

  /** Sends a NOP on every connection. */
  nop(): void {
    for (const connection of this.connections) connection.send(frame(NOP, Buffer.alloc(4)));
  }

  protected receive(connection: FakeConnection, type: number, body: Buffer): void {
    if (type === NOP) return;
    if (type === session.getVersion.type) this.#version(connection, body);
    else if (type === session.REGISTER) this.#register(connection, body);
    else if (type === monitor.getInfo.type) this.#tell(connection, monitor.info, clusterInfo(this));
    else if (type === monitor.getChunkservers.type) this.#tell(connection, monitor.chunkservers, serverList(this));
    else if (this.sessions.of(connection) === undefined) {
      this.violate(connection, `packet of type ${type} before registration`);
    } else if (type === session.sustainedInodes.type || type === session.amtimeInodes.type) {
      this.#housekeeping(connection, type, body);
    } else {
      this.#call(connection, type, body);
    }
  }

  protected closed(connection: FakeConnection): void {
    this.sessions.forget(connection);
  }

  #version(connection: FakeConnection, body: Buffer): void {
    const text = Buffer.from(`${formatVersion(this.version)}-1`);
    const answer = session.versionReply.body.encode({ version: this.version, text }, this.version);
    this.#note('received', connection, session.getVersion.name, {});
    connection.send(frame(session.versionReply.type, Buffer.concat([body.subarray(0, 4), answer])));
  }

  #register(connection: FakeConnection, body: Buffer): void {
    this.#note('received', connection, 'REGISTER', { rcode: body[session.RCODE_OFFSET] });
    const answer = this.sessions.register(connection, body);
    if (answer === 'violation') this.violate(connection, 'a registration that no master takes');
    else if (answer === 'reset') connection.reset();
    else if (answer !== 'stall') {
      connection.send(frame(session.REGISTER_REPLY, answer.body));
      if (answer.closes) connection.end();
    }
  }

  #tell<V extends object>(connection: FakeConnection, message: Packet<V>, value: V): void {
    connection.send(encodePacket(message, value, this.version));
  }

  #housekeeping(connection: FakeConnection, type: number, body: Buffer): void {
    if (type === session.sustainedInodes.type) {
      const value = decodePacket(session.sustainedInodes, body, this.version);
      this.#note('received', connection, session.sustainedInodes.name, value);
      this.sessions.of(connection)!.sustained = value.inodes.map((each) => each.inode);
      return;
    }
    const value = decodePacket(session.amtimeInodes, body, this.version);
    this.#note('received', connection, session.amtimeInodes.name, value);
    for (const { inode, atime, mtime } of value.times) {
      const node = this.tree.nodes.get(inode);
      if (node === undefined) continue;
      node.atime = Math.max(node.atime, atime);
      node.mtime = Math.max(node.mtime, mtime);
    }
  }

  #call(connection: FakeConnection, type: number, body: Buffer): void {
    const its = this.sessions.of(connection)!;
    const candidates = declaredCalls.filter(({ message }) => message.type === type);
    // Several calls may share a type and differ in their forms; the length tells them apart, on the wire as here.
    const message = (candidates.find((each) => fits(each.message, body, its.version)) ?? candidates[0])?.message;
    if (message === undefined || message.gate?.includes(its.version) === false) {
      this.violate(connection, `packet of type ${type}, which ${formatVersion(its.version)} does not know`);
      return;
    }
    const { msgid, value } = decodeRequest<object>(message, body, its.version);
    if (msgid === 0) this.violations.push(`${message.name} with msgid 0`);
    this.#note('received', connection, message.name, { ...value, msgid });
    void this.#ask(connection, its, message, msgid, value).then((answer) =>
      this.#answer(connection, its, message, msgid, answer),
    );
  }

  async #ask(
    connection: FakeConnection,
    its: FakeSession,
    message: AnyCall,
    msgid: number,
    value: object,
  ): Promise<MasterAnswer<object>> {
    const chain: AnyHandler[] = [() => this.#default(its, message, value), ...(this.#handlers.get(message) ?? [])];
    const askAt = async (index: number): Promise<MasterAnswer<object>> =>
      chain[index]!(value as never, { connection, session: its, msgid, call: 0, next: () => askAt(index - 1) });
    try {
      return await askAt(chain.length - 1);
    } catch (error) {
      if (error instanceof Refusal) return error.status;
      throw error;
    }
  }

  #default(its: FakeSession, message: AnyCall, value: object): MasterAnswer<object> {
    const how = defaultAnswers.get(message);
    if (how === undefined) return ENOTSUP;
    if (message === posixLock && (value as { command: number }).command !== PosixLockCommand.get) return 0;
    return how(this.tree, value as never, its.version);
  }

  #answer(
    connection: FakeConnection,
    its: FakeSession,
    message: AnyCall,
    msgid: number,
    answer: MasterAnswer<object>,
  ): void {
    if (answer === 'stall' || !connection.open) return;
    if (answer === 'drop') connection.end();
    else if (answer === 'reset') connection.reset();
    else if (answer instanceof Uint8Array) connection.send(answer);
    else {
      const value = typeof answer === 'number' ? { status: answer } : answer;
      this.#note('sent', connection, message.name, { ...value, msgid });
      connection.send(
        typeof answer === 'number'
          ? encodeStatusReply(message, msgid, answer)
          : encodeReply<object>(message, msgid, answer, its.version),
      );
    }
  }

  #note(kind: 'received' | 'sent', connection: FakeConnection, name: string, value: object): void {
    this.timeline.add({ server: this.name, connection: connection.number, kind, name, value: { ...value } });
  }
}
