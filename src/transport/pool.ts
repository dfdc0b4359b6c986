/**
 * Connections kept for the next use. Knows nothing of what is spoken on them: what keeps an idle one alive, and what an idle one
 * may receive, is told by the owner.
 */
import { ConnectionError } from '../errors.ts';
import type { Deadline } from './deadline.ts';
import { Connection, endpointText } from './tcp.ts';
import type { Endpoint } from './tcp.ts';

/** How a pool behaves. */
export interface PoolOptions {
  /** Sent on every connection, idle or in use, on which nothing was sent for {@link keepAliveMs}. */
  readonly keepAlive: Uint8Array;
  readonly keepAliveMs: number;
  /** An idle connection is closed after this long. */
  readonly idleMs: number;
  /** No more idle connections than this are kept, over all endpoints. */
  readonly maxIdle: number;
  /** May an idle connection receive these bytes? If not it is closed: it is out of step. */
  readonly idleBytes: (chunk: Uint8Array) => boolean;
  /** Bytes of the one buffer into which all connections receive. */
  readonly receiveBufferBytes: number;
}

/** A connection in use. */
export interface Lease {
  readonly connection: Connection;
  /** It was used before: the peer may have closed it meanwhile, which says nothing about the peer. */
  readonly reused: boolean;
}

/** Connections by endpoint. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #receiveBuffer: Buffer;
  /** Most recently used last; a list that has become empty stays. */
  readonly #idle = new Map<string, { connection: Connection; since: number }[]>();
  readonly #open = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  #idleCount = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#receiveBuffer = Buffer.allocUnsafeSlow(options.receiveBufferBytes);
    this.#timer = setInterval(() => this.#tick(), options.keepAliveMs / 2).unref();
  }

  /** Connections that are open, idle or in use. */
  get open(): number {
    return this.#open.size;
  }

  /** Connections that wait for a next use. */
  get idle(): number {
    return this.#idleCount;
  }

  /** Gives an idle connection or makes one. `fresh` never gives a used one. */
  async acquire(endpoint: Endpoint, deadline: Deadline, { fresh = false } = {}): Promise<Lease> {
    const idle = fresh ? undefined : this.takeIdle(endpoint);
    if (idle !== undefined) return { connection: idle, reused: true };
    return { connection: await this.connect(endpoint, deadline), reused: false };
  }

  /** An idle connection, where there is one. */
  takeIdle(endpoint: Endpoint): Connection | undefined {
    const key = endpointText(endpoint);
    const entry = this.#idle.get(key)?.pop();
    if (entry === undefined) return undefined;
    this.#idleCount--;
    entry.connection.handler = undefined;
    return entry.connection;
  }

  /** Makes a connection. */
  async connect(endpoint: Endpoint, deadline: Deadline): Promise<Connection> {
    if (this.#closed) throw new ConnectionError('the client is closed', { code: 'ECONNABORTED' });
    const connection = await Connection.connect(endpoint, { deadline, receiveBuffer: this.#receiveBuffer });
    this.#open.add(connection);
    this.#closeIfLate(connection);
    return connection;
  }

  /** The pool may have been closed while the connection was made. */
  #closeIfLate(connection: Connection): void {
    if (!this.#closed) return;
    this.discard(connection);
    throw new ConnectionError('the client is closed', { code: 'ECONNABORTED' });
  }

  /** Takes a connection back that is ready for the next use. */
  release(connection: Connection): void {
    if (this.#closed || connection.error !== undefined || this.#idleCount >= this.#options.maxIdle) {
      this.discard(connection);
      return;
    }
    const key = connection.peer;
    let list = this.#idle.get(key);
    if (list === undefined) this.#idle.set(key, (list = []));
    list.push({ connection, since: performance.now() });
    this.#idleCount++;
    connection.handler = {
      bytes: (chunk) => {
        if (!this.#options.idleBytes(chunk)) this.discard(connection);
      },
      closed: () => this.discard(connection),
    };
  }

  /** Closes a connection that must not be used again. */
  discard(connection: Connection): void {
    this.#forgetIdle(connection);
    this.#open.delete(connection);
    connection.handler = undefined;
    connection.destroy();
  }

  /** Closes all idle connections to an endpoint, for instance because it does not answer. */
  discardIdle(endpoint: Endpoint): void {
    for (const { connection } of [...(this.#idle.get(endpointText(endpoint)) ?? [])]) this.discard(connection);
  }

  /** Closes everything. Connections in use fail for their users. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const connection of [...this.#open]) {
      this.#forgetIdle(connection);
      connection.destroy();
    }
    this.#open.clear();
  }

  #forgetIdle(connection: Connection): void {
    const key = connection.peer;
    const list = this.#idle.get(key);
    const at = list?.findIndex((each) => each.connection === connection) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    this.#idleCount--;
  }

  #tick(): void {
    const now = performance.now();
    for (const list of this.#idle.values()) {
      for (const { connection, since } of [...list]) if (now - since > this.#options.idleMs) this.discard(connection);
    }
    for (const connection of this.#open) {
      if (connection.error !== undefined) this.#open.delete(connection);
      else if (now - connection.sentAt >= this.#options.keepAliveMs && connection.unsentBytes === 0)
        connection.write([this.#options.keepAlive]);
    }
  }
}
