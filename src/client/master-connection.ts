/** One registered connection to a master: many requests at once, NOPs both ways, and the moment it is lost. */
import createDebug from 'debug';
import { AbortError, ConnectionError, MooseFSError, ProtocolError, StatusError } from '../errors.ts';
import { Calls } from '../protocol/conversations/calls.ts';
import type { Push } from '../protocol/conversations/calls.ts';
import { Registration } from '../protocol/conversations/registration.ts';
import type { RegistrationRequest, SessionGrant } from '../protocol/conversations/registration.ts';
import { ipText } from '../protocol/address.ts';
import { FrameParser, MASTER_BODY_LIMIT } from '../protocol/frame.ts';
import { encodePacket } from '../protocol/message.ts';
import type { Call, Packet, Reply } from '../protocol/message.ts';
import { nop } from '../protocol/messages/session.ts';
import { ANSWER_MS, otherMasterError } from './other-master.ts';
import { Connection } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import type { Deadline } from '../transport/deadline.ts';
import { onAbort } from '../transport/stop.ts';
import { Watch } from '../transport/watch.ts';

const debug = createDebug('moosefs:master');

/** We say something at least this often; the master drops clients that are silent for 10 s. */
const KEEP_ALIVE_MS = 1000;
/** A master says something every second, however busy it is; one that is silent for so long is stopped, or cut off. */
const SILENCE_MS = 10_000;

/** Bytes taken from the socket at once. */
const RECEIVE_BYTES = 64 * 1024;
/** With more requests than this on their way, many answers come in one turn of the event loop. */
const FEW_REQUESTS = 4;

const NOP_PACKET = encodePacket(nop, { padding: new Uint8Array(4) }, 0);

/** What the owner of a connection is told. */
export interface MasterConnectionHandler {
  push(push: Push): void;
  lost(error: MooseFSError): void;
}

/** The connection was lost while a request waited; `sent` says whether the master may have seen it. */
export class LostReplyError extends ConnectionError {
  readonly sent: boolean;

  constructor(cause: MooseFSError, message: string, sent: boolean) {
    super(`${message}: ${cause.message}`, {
      code: cause.code,
      retryable: true,
      cause,
      ...(cause.peer !== undefined && { peer: cause.peer }),
    });
    this.sent = sent;
  }
}

/** Who waits for a reply, and for how long. */
interface Pending {
  readonly deadline: Deadline;
  readonly resolve: (reply: Reply<object>) => void;
  readonly reject: (error: unknown) => void;
  /** Listens for the caller's abort, where there is a signal. */
  onAbort: (() => void) | undefined;
  /** Told when the caller gives up. */
  readonly gaveUp: ((late: Promise<Reply<object> | undefined>) => void) | undefined;
  /** Since the caller gave up: its reply, or undefined when it will not come any more. */
  late: ((reply: Reply<object> | undefined) => void) | undefined;
}

/** A follower told us to go to another master. */
export class RedirectError extends ConnectionError {
  readonly leader: Endpoint | undefined;

  constructor(peer: string, leader: Endpoint | undefined) {
    super(leader === undefined ? `${peer} follows no leader at the moment` : `${peer} follows ${leader.host}`, {
      code: 'EAGAIN',
      peer,
      retryable: true,
    });
    this.leader = leader;
  }
}

/** A connection on which a session is registered. */
export class MasterConnection {
  readonly session: SessionGrant;
  readonly #connection: Connection;
  readonly #calls: Calls<Pending>;
  readonly #handler: MasterConnectionHandler;
  readonly #timer: NodeJS.Timeout;
  /** Ends requests whose time is over. */
  readonly #watch = new Watch((now) => this.#giveUpOverdue(now));
  #outgoing: Uint8Array[] = [];
  #silenceMs = SILENCE_MS;
  #closing: (() => void) | undefined;

  private constructor(
    connection: Connection,
    frames: FrameSink,
    session: SessionGrant,
    handler: MasterConnectionHandler,
    firstMsgid: number,
  ) {
    this.session = session;
    this.#connection = connection;
    this.#handler = handler;
    this.#calls = new Calls(session.version, firstMsgid);
    frames.frame = (type, body) => this.#frame(type, body);
    frames.failed = (error) => this.fail(error);
    frames.closed = (error) => this.#lost(error);
    this.#timer = setInterval(() => this.#tick(), KEEP_ALIVE_MS).unref();
  }

  /** Connects to one master and registers. */
  static async open(
    endpoint: Endpoint,
    request: RegistrationRequest,
    handler: MasterConnectionHandler,
    { deadline, firstMsgid }: { deadline: Deadline; firstMsgid: number },
  ): Promise<MasterConnection> {
    const receiveBuffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
    const connection = await Connection.connect(endpoint, { deadline, receiveBuffer });
    const frames = receiveFrames(connection);
    try {
      const session = await register(connection, frames, request, leavingTimeToAsk(deadline));
      debug(
        '%s: session %d, server %s, resumed %s',
        connection.peer,
        session.sessionId,
        session.serverVersion.toString(16),
        session.resumed,
      );
      return new MasterConnection(connection, frames, session, handler, firstMsgid);
    } catch (error) {
      connection.handler = undefined;
      connection.destroy();
      const failure = notRegistered(error, connection.peer);
      // A master that had a session of ours is one, and one that sends us elsewhere too.
      if (request.resume !== undefined || error instanceof RedirectError || !isStrange(failure)) throw failure;
      const other = await otherMasterError(endpoint, deadline);
      throw other ?? failure;
    }
  }

  get peer(): string {
    return this.#connection.peer;
  }

  get endpoint(): Endpoint {
    return this.#connection.endpoint;
  }

  get lost(): boolean {
    return this.#connection.error !== undefined;
  }

  /** Milliseconds since the master was last heard of. */
  get silentMs(): number {
    return performance.now() - this.#connection.receivedAt;
  }

  /** How many requests wait for a reply. */
  get waiting(): number {
    return this.#calls.waiting;
  }

  /** Where a next connection of the session goes on counting. */
  get nextMsgid(): number {
    return this.#calls.nextMsgid;
  }

  /**
   * Sends a request and waits for its reply. Rejects with {@link LostReplyError} when the connection is lost meanwhile. When the
   * wait is over before, `gaveUp` is told, with the reply that may come all the same; undefined when the connection is lost before.
   */
  call<Q extends object, R extends object>(
    message: Call<Q, R>,
    value: Q,
    deadline: Deadline,
    gaveUp?: (late: Promise<Reply<R> | undefined>) => void,
  ): Promise<Reply<R>> {
    return new Promise<Reply<R>>((resolve, reject) => {
      deadline.check(`${message.name} at ${this.peer}`);
      if (this.#connection.error !== undefined)
        throw new LostReplyError(this.#connection.error, `${message.name} was not sent`, false);
      const pending: Pending = {
        deadline,
        resolve: resolve as Pending['resolve'],
        reject,
        onAbort: undefined,
        gaveUp: gaveUp as Pending['gaveUp'],
        late: undefined,
      };
      const { msgid, bytes } = this.#calls.request(message, value, pending);
      const { signal } = deadline;
      if (signal !== undefined) {
        pending.onAbort = () => this.#giveUp(msgid, pending, new AbortError(signal.reason));
        onAbort(signal, pending.onAbort);
      }
      this.#watch.by(deadline.at);
      this.#send(bytes);
    });
  }

  /** Nobody waits for this reply any more. Who must know what it grants is told of it when it comes. */
  #giveUp(msgid: number, pending: Pending, error: Error): void {
    this.#calls.abandon(msgid);
    pending.gaveUp?.(new Promise((settle) => (pending.late = settle)));
    this.#settled(pending).reject(error);
  }

  #giveUpOverdue(now: number): number {
    let next = Infinity;
    for (const { msgid, message, token } of this.#calls.unanswered()) {
      const { deadline } = token;
      if (deadline.at > now) next = Math.min(next, deadline.at);
      else this.#giveUp(msgid, token, deadline.timeout(`${message.name} at ${this.peer}`));
    }
    return next;
  }

  #settled(pending: Pending): Pending {
    if (pending.onAbort !== undefined) pending.deadline.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }

  /** Sends a packet that has no reply. */
  post<V extends object>(message: Packet<V>, value: V): void {
    if (this.#connection.error === undefined) this.#send(encodePacket(message, value, this.session.version));
  }

  /** Sends the last packet of the session and waits until the master has closed, at most until the deadline. */
  async closeSession<V extends object>(message: Packet<V>, value: V, deadline: Deadline): Promise<void> {
    if (this.#connection.error !== undefined) return;
    await deadline
      .wait<void>(`closing the session at ${this.peer}`, (resolve) => {
        this.#closing = resolve;
        this.post(message, value);
        return undefined;
      })
      .catch(() => undefined);
    this.destroy();
  }

  /** Ends the connection; waiting requests fail. */
  destroy(): void {
    clearInterval(this.#timer);
    this.#connection.destroy();
  }

  /** Ends the connection because of `error`. */
  fail(error: unknown): void {
    const reason =
      error instanceof MooseFSError
        ? new ConnectionError(`${error.message} (from ${this.peer})`, {
            code: error.code,
            peer: this.peer,
            cause: error,
          })
        : new ConnectionError(String(error), { code: 'EIO', peer: this.peer, cause: error });
    this.#connection.destroy(reason);
  }

  /**
   * Requests of one turn of the event loop leave together: replies come in bundles, and what follows them is asked in one. Where
   * there are few, those of one callback do, which is sooner by a look at every socket.
   */
  #send(bytes: Uint8Array): void {
    if (this.#outgoing.length === 0) {
      if (this.#calls.waiting > FEW_REQUESTS) setImmediate(this.#flush);
      else process.nextTick(this.#flush);
    }
    this.#outgoing.push(bytes);
  }

  readonly #flush = (): void => {
    const all = this.#outgoing;
    this.#outgoing = [];
    this.#connection.write(all);
  };

  #frame(type: number, body: Buffer): void {
    // The answer to the last packet of a session: the master closes next.
    if (this.#closing !== undefined && body.length === 1) return;
    const event = this.#calls.receive(type, body);
    if (event.kind === 'reply') this.#settled(event.waiting.token).resolve(event.reply);
    else if (event.kind === 'late') {
      debug('%s: late reply to %s: status %d', this.peer, event.waiting.message.name, event.reply.status);
      event.waiting.token.late?.(event.reply);
    } else if (event.kind === 'push') {
      if (event.push.name === 'FORCE_TIMEOUT') this.#silenceMs = Math.max(SILENCE_MS, event.push.seconds * 1000);
      this.#handler.push(event.push);
    }
  }

  #tick(): void {
    if (this.silentMs > this.#silenceMs) {
      this.#connection.destroy(
        new ConnectionError(`the master ${this.peer} was silent for ${Math.round(this.silentMs)} ms`, {
          code: 'ETIMEDOUT',
          peer: this.peer,
          retryable: true,
        }),
      );
    } else if (performance.now() - this.#connection.sentAt >= KEEP_ALIVE_MS) {
      this.#connection.write([NOP_PACKET]);
    }
  }

  #lost(error: ConnectionError): void {
    clearInterval(this.#timer);
    this.#watch.stop();
    debug('%s: lost: %s', this.peer, error.message);
    this.#closing?.();
    const { waiting, abandoned } = this.#calls.lost();
    for (const { message, token } of waiting)
      this.#settled(token).reject(new LostReplyError(error, `${message.name} has no reply`, true));
    for (const { token } of abandoned) token.late?.(undefined);
    this.#handler.lost(error);
  }
}

/** Who gets the packets of a connection: first the registration, then the session. */
interface FrameSink {
  frame(type: number, body: Buffer): void;
  /** What came is no packet, or not one that belongs here. */
  failed(error: unknown): void;
  closed(error: ConnectionError): void;
}

/** One parser for the connection's whole life: bytes of a packet may come before and after the registration ends. */
function receiveFrames(connection: Connection): FrameSink {
  const sink: FrameSink = { frame: () => undefined, failed: () => undefined, closed: () => undefined };
  const parser = new FrameParser({ bodyLimit: MASTER_BODY_LIMIT }, { frame: (type, body) => sink.frame(type, body) });
  connection.handler = {
    bytes: (chunk) => {
      try {
        // What is decoded may refer to it. Node's own way takes 64 KiB for each read, however little comes.
        parser.push(Buffer.from(chunk));
      } catch (error) {
        sink.failed(error);
      }
    },
    closed: (error) => sink.closed(error),
  };
  return sink;
}

async function register(
  connection: Connection,
  frames: FrameSink,
  request: RegistrationRequest,
  deadline: Deadline,
): Promise<SessionGrant> {
  const registration = new Registration(request);
  const { peer } = connection;
  return deadline.wait<SessionGrant>(`registering at ${peer}`, (resolve, reject) => {
    frames.frame = (type, body) => {
      const step = registration.receive(type, body);
      if (step.kind === 'send') connection.write([step.bytes]);
      else if (step.kind === 'registered') resolve(step.session);
      else if (step.kind === 'redirected') {
        reject(
          new RedirectError(
            peer,
            step.leader === 0 ? undefined : { host: ipText(step.leader), port: connection.endpoint.port },
          ),
        );
      }
    };
    frames.failed = reject;
    frames.closed = reject;
    connection.write([registration.start()]);
    return undefined;
  });
}

/** It made no sense, or was lost: a refusal of a master has a status. */
function isStrange(failure: unknown): boolean {
  return failure instanceof ProtocolError || failure instanceof ConnectionError;
}

/** The relatives of MooseFS may be silent to a packet they do not know: some of the time is kept to find that out. */
function leavingTimeToAsk(deadline: Deadline): Deadline {
  return deadline.remainingMs > 3 * ANSWER_MS ? deadline.within(deadline.remainingMs - ANSWER_MS) : deadline;
}

/** What became of a registration, in a sentence that names the server and says what may be wrong. */
function notRegistered(error: unknown, peer: string): unknown {
  if (!(error instanceof MooseFSError) || error instanceof RedirectError || error.name === 'AbortError') return error;
  const { code, message } = error;
  const details = { code, peer, syscall: 'connect', cause: error };
  if (error instanceof StatusError) return new StatusError(error.status, `${peer}: ${message}`, details);
  if (error instanceof ProtocolError) {
    const what = code === 'EPROTO' ? `${peer} does not answer as a MooseFS master does` : peer;
    return new ProtocolError(`${what}: ${message}`, details);
  }
  const why =
    code === 'ETIMEDOUT'
      ? `${message}: it took the connection and does not answer, so it is stopped or no MooseFS master`
      : `${message} during the registration: it is no MooseFS master, or it refuses this client`;
  return new ConnectionError(why, { ...details, retryable: true });
}
