/**
 * The session with the master, over however many connections it takes: it reconnects, repeats what may be repeated, waits out
 * statuses that mean "later", says which files are held open and when they were read and written, and passes on what the
 * master sends unasked. The one place with a retry loop for calls.
 */
import createDebug from 'debug';
import { ConnectionError, MooseFSError } from '../errors.ts';
import type { Push } from '../protocol/conversations/calls.ts';
import type { SessionGrant, SessionIdentity } from '../protocol/conversations/registration.ts';
import type { Call, Reply } from '../protocol/message.ts';
import * as messages from '../protocol/messages/session.ts';
import { Status, statusInfo } from '../protocol/status.ts';
import type { Version } from '../protocol/version.ts';
import { Backoff } from '../transport/backoff.ts';
import { Deadline } from '../transport/deadline.ts';
import { endpointText } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { masterChannel, traced } from './diagnostics.ts';
import { ClusterSpace } from './cluster-space.ts';
import { fsError, statusError, withSite } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { HeldInodes } from './held-inodes.ts';
import { InodeTimes } from './inode-times.ts';
import { LostReplyError, MasterConnection, RedirectError } from './master-connection.ts';
import { md5 } from './options.ts';
import type { Settings } from './options.ts';

const debug = createDebug('moosefs:session');

/** How often the list of held inodes is sent, and the clock compared. */
const HOUSEKEEPING_MS = 60_000;
/** How often times of files in use are sent. */
const TIMES_MS = 1000;
/** Pauses between attempts to reconnect: short ones while the master may be restarting, a refused connection costs nothing. */
const RECONNECT = { firstMs: 50, factor: 2, maxMs: 1000, early: { maxMs: 200, forMs: 10_000 } };
/** Pauses after a status that means "soon": a lock is held for milliseconds, a chunkserver is back in about a second. */
const SOON = { firstMs: 2, factor: 2, maxMs: 300, early: { maxMs: 100, forMs: 30_000 } };
/** One attempt to reconnect: a master that accepts and says nothing is tried again, it may have been stopped meanwhile. */
const RECONNECT_ATTEMPT_MS = 5000;
/** For so long after it is back a master may not know of all servers yet: they try to reach it every few seconds. */
const SETTLING_MS = 8000;
/** How long close() waits for the master's good-bye. */
const CLOSE_MS = 2000;

/** How a call is made. */
export interface CallOptions<R extends object = object> {
  readonly deadline: Deadline;
  readonly site: CallSite;
  /**
   * Statuses that mean "later" are waited out: chunk calls. `'again'` asks the same again; a function may change the request first
   * (WRITE_CHUNK after a lost reply).
   */
  readonly patient?: boolean;
  /** How long statuses that mean "no server" or "no space" are waited out. Default: `retry.unavailableMs`. */
  readonly unavailableMs?: number | undefined;
  /** Overrides the message's own word on lost replies, when the caller knows better: it handles a repetition itself. */
  readonly whenReplyLost?: 'repeat' | 'doubt';
  /** Called before a request is sent again because its reply was lost. */
  readonly onRepeat?: () => void;
  /** Awaited before each sending to a master that has just come back, and may not know of all servers yet. */
  readonly beforeAsking?: (() => Promise<void>) | undefined;
  /**
   * Called when the call ends, by its time or its signal, while a request is on its way: the master may carry it out all the same.
   * For calls whose success holds something. `late` gives that reply, or undefined when the connection is lost before it comes.
   */
  readonly onGivenUp?: ((late: Promise<Reply<R> | undefined>) => void) | undefined;
}

/** What a call came to. */
export interface CallOutcome<R> {
  readonly status: number;
  /** Undefined where the status is not OK. */
  readonly value?: R;
  /** The request was sent more than once, because a reply was lost: the first may have been carried out. */
  readonly repeated: boolean;
}

/** What the owner of a session is told. */
export interface SessionHandler {
  push(push: Push): void;
  /** The connection is back. `resumed` false: a new session, in which nothing is open and no lock is held. */
  reconnected(info: { master: Endpoint; resumed: boolean; downMs: number }): void;
  /** All masters are tried in turn; the one that answered is another one than before. */
  failover(info: { from: Endpoint; to: Endpoint }): void;
  /** The session could not be kept, or was closed. */
  closed(error?: MooseFSError): void;
}

/** One connection of a session, as those see it who must know whether it is still the same. */
export interface Connected {
  /** When it was lost, on the clock of `performance.now()`; undefined while it lasts. */
  lostAt: number | undefined;
}

/** A session with a master. */
export class Session {
  readonly #settings: Settings;
  readonly #handler: SessionHandler;
  readonly held = new HeldInodes();
  readonly times = new InodeTimes();
  readonly #space = new ClusterSpace();
  #connection: MasterConnection | undefined;
  #reconnecting: Promise<MasterConnection> | undefined;
  #identity: SessionIdentity | undefined;
  #grant!: SessionGrant;
  #lastEndpoint: Endpoint | undefined;
  #nextMsgid = 1;
  #timers: NodeJS.Timeout[] = [];
  #closed = false;
  #connected: Connected = { lostAt: undefined };
  #backAt = -Infinity;

  private constructor(settings: Settings, handler: SessionHandler) {
    this.#settings = settings;
    this.#handler = handler;
  }

  /** Connects to the first master that answers and registers a session. */
  static async open(settings: Settings, handler: SessionHandler, signal?: AbortSignal): Promise<Session> {
    const session = new Session(settings, handler);
    const deadline = Deadline.in(settings.connectTimeoutMs, signal);
    await session.#connect(deadline, true);
    session.#timers = [
      setInterval(() => session.#housekeeping(), HOUSEKEEPING_MS).unref(),
      setInterval(() => session.#sendTimes(), TIMES_MS).unref(),
    ];
    session.#housekeeping();
    return session;
  }

  /** The server's version, as a number that can be compared. */
  get version(): Version {
    return this.#grant.version;
  }

  /** What the master granted at the last registration of a new session. */
  get grant(): SessionGrant {
    return this.#grant;
  }

  /** The master that the session is registered at, or was last. */
  get master(): Endpoint {
    return this.#lastEndpoint!;
  }

  /** Milliseconds since this master was last heard of on the session's connection; undefined where there is none to it now. */
  silentMs(endpoint: Endpoint): number | undefined {
    const connection = this.#connection;
    if (connection === undefined || connection.lost) return undefined;
    return endpointText(connection.endpoint) === endpointText(endpoint) ? connection.silentMs : undefined;
  }

  /** Whether the connection was lost and is back since a short while ago. */
  get isSettling(): boolean {
    return performance.now() - this.#backAt < SETTLING_MS;
  }

  /** The connection that is there, or was there last. */
  get connected(): Connected {
    return this.#connected;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Requests that wait for a reply. */
  get waiting(): number {
    return this.#connection?.waiting ?? 0;
  }

  /**
   * Asks the master. Rejects with an error in node's shape. Repeats what may be repeated when the connection is lost, and with
   * `patient` waits out statuses that mean "later", both inside the deadline.
   */
  async call<Q extends object, R extends object>(message: Call<Q, R>, request: Q, options: CallOptions<R>): Promise<R> {
    const reply = await this.tryCall(message, request, options);
    if (reply.value !== undefined) return reply.value;
    throw statusError(reply.status, options.site, message.name, endpointText(this.master));
  }

  /** As {@link call}, but gives the status instead of an error, for callers to whom some statuses are no error. */
  tryCall<Q extends object, R extends object>(
    message: Call<Q, R>,
    request: Q,
    options: CallOptions<R>,
  ): Promise<CallOutcome<R>> {
    const connection = this.#connection;
    const mustWait = connection === undefined || connection.lost || this.#closed;
    if (mustWait || (options.beforeAsking !== undefined && this.isSettling))
      return this.#persist(message, request, options);
    // Nearly every call ends with its first answer: what the loop needs for others would cost each of them.
    const first = this.#ask(connection, message, request, options);
    return first.then(
      (reply) =>
        reply.status === Status.OK || options.patient !== true
          ? outcomeOf(reply, false)
          : this.#persist(message, request, options, { connection, reply: first }),
      () => this.#persist(message, request, options, { connection, reply: first }),
    );
  }

  #ask<Q extends object, R extends object>(
    connection: MasterConnection,
    message: Call<Q, R>,
    request: Q,
    { deadline, onGivenUp }: Pick<CallOptions<R>, 'deadline' | 'onGivenUp'>,
  ): Promise<Reply<R>> {
    return traced(
      masterChannel,
      () => ({ request: message.name, server: connection.peer }),
      () => connection.call(message, request, deadline, onGivenUp),
    );
  }

  /** Asks until there is an answer that counts; `first` was asked already. */
  async #persist<Q extends object, R extends object>(
    message: Call<Q, R>,
    request: Q,
    {
      deadline,
      site,
      patient = false,
      unavailableMs = this.#settings.retry.unavailableMs,
      whenReplyLost = message.whenReplyLost,
      onRepeat,
      beforeAsking,
      onGivenUp,
    }: CallOptions<R>,
    first?: { readonly connection: MasterConnection; readonly reply: Promise<Reply<R>> },
  ): Promise<CallOutcome<R>> {
    let repeated = false;
    const soon = new Backoff(SOON);
    let unavailableSince: number | undefined;
    for (let asked = first; ; asked = undefined) {
      try {
        const connection = asked?.connection ?? (await this.#ready(deadline));
        if (asked === undefined && this.isSettling) await beforeAsking?.();
        const reply = await (asked?.reply ?? this.#ask(connection, message, request, { deadline, onGivenUp }));
        if (reply.status === Status.OK || !patient) return outcomeOf(reply, repeated);
        const { retry } = statusInfo(reply.status);
        if (retry !== 'soon' && retry !== 'later') return outcomeOf(reply, repeated);
        if (retry === 'later') {
          unavailableSince ??= performance.now();
          if (performance.now() - unavailableSince > unavailableMs) return outcomeOf(reply, repeated);
          // Full disks do not empty themselves; servers that are not back yet do come back.
          const noSpace = reply.status === Status.NOSPACE || reply.status === Status.NOCHUNKSERVERS;
          if (noSpace && (await this.#space.isFull(connection.endpoint, this.#grant.serverVersion)))
            return outcomeOf(reply, repeated);
        }
        const pause = soon.next();
        // Out of time: the status says more than a time-out would.
        if (pause >= deadline.remainingMs) return outcomeOf(reply, repeated);
        debug('%s: status %d, again in %d ms', message.name, reply.status, pause);
        await deadline.sleep(pause, message.name);
      } catch (error) {
        if (!(error instanceof LostReplyError)) throw withSite(error, site);
        if (error.sent && whenReplyLost === 'doubt') {
          const detail = `the connection to the master was lost before the answer came: whether it was done is not known`;
          throw fsError('ECONNRESET', site, {
            cause: error,
            detail,
            retryable: false,
            peer: endpointText(this.master),
          });
        }
        debug('%s: %s; asked again', message.name, error.message);
        if (error.sent) {
          repeated = true;
          onRepeat?.();
        }
      }
    }
  }

  /** Sends what is known of times of files now, so that a following GETATTR shows it. */
  flushTimes(): void {
    this.#sendTimes();
  }

  /** Ends the session: the master releases its files and locks. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    const connection = this.#connection;
    if (connection !== undefined && !connection.lost) {
      this.#sendTimes();
      connection.post(messages.sustainedInodes, { inodes: [] });
      await connection.closeSession(messages.registerCloseSession, { ...this.#identity! }, Deadline.in(CLOSE_MS));
    }
    this.#handler.closed();
  }

  /** The connection, once there is one. */
  async #ready(deadline: Deadline): Promise<MasterConnection> {
    if (this.#closed) throw new ConnectionError('the client is closed', { code: 'ECONNABORTED' });
    if (this.#connection !== undefined && !this.#connection.lost) return this.#connection;
    this.#reconnecting ??= this.#reconnect().finally(() => (this.#reconnecting = undefined));
    return deadline.bound(this.#reconnecting, `reconnecting to ${this.#settings.masters.map(endpointText).join(', ')}`);
  }

  /** Tries until it succeeds, the session is closed, or the master refuses for good. Each caller bounds its own wait. */
  async #reconnect(): Promise<MasterConnection> {
    const backoff = new Backoff(RECONNECT);
    for (;;) {
      try {
        return await this.#connect(Deadline.in(RECONNECT_ATTEMPT_MS), false);
      } catch (error) {
        if (!(error instanceof MooseFSError && error.retryable)) throw error;
        debug('reconnecting: %s', error.message);
      }
      const pause = backoff.next();
      await Deadline.in(pause + RECONNECT_ATTEMPT_MS).sleep(pause, 'reconnecting');
      if (this.#closed) throw new ConnectionError('the client is closed', { code: 'ECONNABORTED' });
    }
  }

  /** One round over all masters, beginning with the last one that answered. */
  async #connect(deadline: Deadline, first: boolean): Promise<MasterConnection> {
    const queue = [...(this.#lastEndpoint === undefined ? [] : [this.#lastEndpoint]), ...this.#settings.masters];
    const tried = new Set<string>();
    const failures: MooseFSError[] = [];
    for (let endpoint = queue.shift(); endpoint !== undefined; endpoint = queue.shift()) {
      if (tried.has(endpointText(endpoint))) continue;
      tried.add(endpointText(endpoint));
      // Several masters share the time, or the first one that is silent would use it all up.
      const share = deadline.within(
        Math.max(1000, deadline.remainingMs / (1 + queue.filter((each) => !tried.has(endpointText(each))).length)),
      );
      try {
        return this.#established(await this.#attempt(endpoint, share), endpoint, first);
      } catch (error) {
        debug('%s: %s', endpointText(endpoint), error);
        if (!(error instanceof MooseFSError) || error.name === 'AbortError') throw error;
        if (error instanceof RedirectError && error.leader !== undefined) queue.unshift(error.leader);
        failures.push(error);
      }
    }
    throw noMaster(failures);
  }

  #attempt(endpoint: Endpoint, deadline: Deadline): Promise<MasterConnection> {
    const { root, info, passwordMd5 } = this.#settings;
    const connection: { current?: MasterConnection } = {};
    return MasterConnection.open(
      endpoint,
      { root, info, passwordMd5, resume: this.#identity, md5 },
      {
        push: (push) => this.#handler.push(push),
        lost: (error) => this.#connectionLost(connection.current, error),
      },
      { deadline, firstMsgid: this.#nextMsgid },
    ).then((opened) => (connection.current = opened));
  }

  #established(connection: MasterConnection, endpoint: Endpoint, first: boolean): MasterConnection {
    const previous = this.#lastEndpoint;
    const lostAt = this.#connected.lostAt ?? performance.now();
    const { session } = connection;
    this.#connection = connection;
    this.#connected = { lostAt: undefined };
    this.#lastEndpoint = endpoint;
    this.#identity = { sessionId: session.sessionId, metaId: session.metaId };
    // A reconnect does not repeat what the session may do.
    this.#grant = session.flags === undefined ? { ...this.#grant, ...defined(session) } : session;
    if (this.#closed) {
      connection.destroy();
      throw new ConnectionError('the client is closed', { code: 'ECONNABORTED' });
    }
    if (!first) {
      this.#backAt = performance.now();
      // Also in a new session: what is open here is to be open there.
      this.#sendHeld();
      this.#handler.reconnected({
        master: endpoint,
        resumed: session.resumed,
        downMs: Math.round(performance.now() - lostAt),
      });
      if (previous !== undefined && endpointText(previous) !== endpointText(endpoint))
        this.#handler.failover({ from: previous, to: endpoint });
    }
    return connection;
  }

  #connectionLost(connection: MasterConnection | undefined, error: MooseFSError): void {
    if (connection === undefined || connection !== this.#connection) return;
    this.#nextMsgid = connection.nextMsgid;
    this.#connection = undefined;
    this.#connected.lostAt = performance.now();
    if (this.#closed) return;
    debug('lost: %s', error.message);
    // At once, not at the next call: open files and locks are kept by being there.
    this.#reconnecting ??= this.#reconnect().finally(() => (this.#reconnecting = undefined));
    this.#reconnecting.catch((failure: unknown) => {
      if (this.#closed) return;
      this.#closed = true;
      for (const timer of this.#timers) clearInterval(timer);
      this.#handler.closed(failure instanceof MooseFSError ? failure : error);
    });
  }

  #housekeeping(): void {
    this.#sendHeld();
    const connection = this.#connection;
    if (connection === undefined || connection.lost) return;
    const asked = performance.now();
    connection
      .call(messages.timeSync, {}, Deadline.in(RECONNECT_ATTEMPT_MS))
      .then((reply) => {
        if (reply.value !== undefined)
          this.times.clockIs(reply.value.microseconds / 1000 + (performance.now() - asked) / 2);
      })
      .catch(() => undefined);
  }

  #sendHeld(): void {
    // A list sent while a CREATE is on its way would release the new file: its inode is not known yet.
    this.held.whenStable((inodes) =>
      this.#connection?.post(messages.sustainedInodes, { inodes: inodes.map((inode) => ({ inode })) }),
    );
  }

  #sendTimes(): void {
    if (this.#connection === undefined || this.#connection.lost) return;
    const times = this.times.take();
    if (times.length > 0) this.#connection.post(messages.amtimeInodes, { times });
  }
}

function outcomeOf<R>({ status, value }: Reply<R>, repeated: boolean): CallOutcome<R> {
  return value === undefined ? { status, repeated } : { status, value, repeated };
}

/** What to tell when no master took us: a refusal says more than masters that are down; of those each is named. */
function noMaster(failures: readonly MooseFSError[]): MooseFSError {
  const last = failures.at(-1)!;
  const refusal = failures.find((error) => !error.retryable);
  if (refusal !== undefined || failures.length === 1) return refusal ?? last;
  return new ConnectionError(`no master can be reached: ${failures.map(({ message }) => message).join('; ')}`, {
    code: last.code,
    syscall: 'connect',
    retryable: true,
    cause: new AggregateError(failures),
  });
}

function defined(grant: SessionGrant): Partial<SessionGrant> {
  return Object.fromEntries(Object.entries(grant).filter(([, value]) => value !== undefined));
}
