/** One TCP connection: connecting within a deadline, writing without copying, telling when it was last heard of. */
import { Socket } from 'node:net';
import type { SocketConnectOpts } from 'node:net';
import { ConnectionError } from '../errors.ts';
import type { Deadline } from './deadline.ts';

/** Where to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Texts of endpoints that cannot change and are used again and again: a new text would have to be hashed each time as a key. */
const texts = new WeakMap<Endpoint, string>();

/** `host:port`, for people and for keys. */
export function endpointText(endpoint: Endpoint): string {
  const known = texts.get(endpoint);
  if (known !== undefined) return known;
  const { host, port } = endpoint;
  const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if (Object.isFrozen(endpoint)) texts.set(endpoint, text);
  return text;
}

/** So little is copied into one piece: the socket has more to do for each piece than that takes. */
const COPIED_BYTES = 16 * 1024;

/** What the owner of a connection is told. */
export interface ConnectionHandler {
  /** Bytes came. With a shared receive buffer they are valid only during the call. */
  bytes(chunk: Uint8Array): void;
  /** The connection is over, once; nothing comes after. */
  closed(error: ConnectionError): void;
}

/** How to connect. */
export interface ConnectOptions {
  readonly deadline: Deadline;
  /**
   * Receive into this buffer instead of a new one for each read. May be shared by any number of connections, because bytes are
   * handed over before the next read begins.
   */
  readonly receiveBuffer?: Uint8Array;
}

/** A connected socket. */
export class Connection {
  readonly endpoint: Endpoint;
  /** The endpoint as text. */
  readonly peer: string;
  /** Whoever uses the connection now. Set by the owner; bytes without a handler end the connection. */
  handler: ConnectionHandler | undefined;
  /** When bytes last came, on the clock of `performance.now()`. */
  receivedAt = performance.now();
  /** When bytes were last handed to the socket. */
  sentAt = performance.now();
  readonly #socket: Socket;
  #closed: ConnectionError | undefined;

  private constructor(endpoint: Endpoint, socket: Socket) {
    this.endpoint = endpoint;
    this.peer = endpointText(endpoint);
    this.#socket = socket;
  }

  /** Connects, with TCP_NODELAY. Rejects with a {@link ConnectionError} that names the endpoint. */
  static connect(endpoint: Endpoint, { deadline, receiveBuffer }: ConnectOptions): Promise<Connection> {
    const peer = endpointText(endpoint);
    const what = `connecting to ${peer}`;
    const start = (resolve: (connection: Connection) => void, reject: (error: unknown) => void) => {
      const target: SocketConnectOpts = { host: endpoint.host, port: endpoint.port, noDelay: true };
      if (receiveBuffer !== undefined) {
        // One buffer for many sockets: libuv reads into it and calls back before any other socket reads.
        target.onread = {
          buffer: receiveBuffer,
          callback: (size, buffer) => {
            connection.#receive(buffer.subarray(0, size));
            return true;
          },
        };
      }
      // With `onread` the option counts at construction, not at connect().
      const socket = new Socket(target as object);
      const connection = new Connection(endpoint, socket);
      let connected = false;
      if (receiveBuffer === undefined) socket.on('data', (chunk) => connection.#receive(chunk));
      socket.once('connect', () => {
        connected = true;
        connection.receivedAt = connection.sentAt = performance.now();
        resolve(connection);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const failure = new ConnectionError(
          `${connected ? `connection to ${peer} failed` : `${what} failed`}: ${error.message}`,
          {
            code: error.code ?? 'EIO',
            ...(error.errno !== undefined && { errno: error.errno }),
            syscall: error.syscall ?? 'connect',
            peer,
            retryable: true,
            cause: error,
          },
        );
        if (connected) connection.#close(failure);
        else reject(failure);
      });
      socket.on('end', () => connection.#close(connection.#hungUp()));
      socket.on('close', () => connection.#close(connection.#hungUp()));
      socket.connect(target);
      return () => {
        if (!connected) socket.destroy();
      };
    };
    return deadline.wait<Connection>(what, start, peer);
  }

  /** Why the connection is over; undefined while it is open. */
  get error(): ConnectionError | undefined {
    return this.#closed;
  }

  /** Bytes handed over that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends buffers in one go, large ones by reference: they must not change before the peer has answered. Nothing happens once closed. */
  write(parts: readonly Uint8Array[]): void {
    if (this.#closed !== undefined) return;
    this.sentAt = performance.now();
    if (parts.length === 1) {
      this.#socket.write(parts[0]!);
      return;
    }
    let size = 0;
    for (const { length } of parts) size += length;
    if (size <= COPIED_BYTES) {
      this.#socket.write(Buffer.concat(parts, size));
      return;
    }
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  /** Ends the connection at once. The handler is told with `error`, or that we closed it. */
  destroy(error?: ConnectionError): void {
    this.#close(
      error ??
        new ConnectionError(`connection to ${this.peer} was closed by us`, { code: 'ECONNABORTED', peer: this.peer }),
    );
  }

  #hungUp(): ConnectionError {
    return new ConnectionError(`connection to ${this.peer} was closed by the peer`, {
      code: 'ECONNRESET',
      peer: this.peer,
      retryable: true,
    });
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed !== undefined) return;
    this.receivedAt = performance.now();
    if (this.handler === undefined) {
      this.destroy(new ConnectionError(`unexpected bytes from ${this.peer}`, { code: 'EPROTO', peer: this.peer }));
      return;
    }
    this.handler.bytes(chunk);
  }

  #close(error: ConnectionError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#socket.destroy();
    const handler = this.handler;
    this.handler = undefined;
    handler?.closed(error);
  }
}
