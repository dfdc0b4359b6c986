/** What the fake master and the fake chunkserver have in common: a listening socket, connections, frames, NOPs, a timeline. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { FrameParser, frame } from '../../src/protocol/frame.ts';
import { OURS, version } from '../../src/protocol/version.ts';
import type { Version, VersionText } from '../../src/protocol/version.ts';
import { Timeline } from './fake-timeline.ts';

/** What every fake server can be told at its start. */
export interface FakeServerOptions {
  /** Its name in the timeline. Default `master` or `chunkserver`. */
  readonly name?: string;
  /** Shared with other fakes, to compare across servers. Default: one of its own. */
  readonly timeline?: Timeline;
  /** The version that it says it has. Default: the newest that we speak. */
  readonly version?: VersionText;
  /** How often it sends a NOP on every connection, in milliseconds; 0: never. Default 0, so that tests see no stray packets. */
  readonly nopIntervalMs?: number;
  /** Every answer goes out in pieces of so many bytes, each in a turn of its own. Default: whole. */
  readonly chopBytes?: number;
}

/** One accepted connection. */
export class FakeConnection {
  /** Counted from 1 in the order of arrival. */
  readonly number: number;
  readonly socket: Socket;
  readonly #server: FakeServer;
  #sending: Promise<void> = Promise.resolve();

  constructor(number: number, socket: Socket, server: FakeServer) {
    this.number = number;
    this.socket = socket;
    this.#server = server;
  }

  /** Whether it has not been closed yet. */
  get open(): boolean {
    return !this.socket.destroyed;
  }

  /** Sends raw bytes, in pieces where the server chops. */
  send(...pieces: readonly Uint8Array[]): void {
    const chop = this.#server.chopBytes;
    if (chop === undefined) {
      this.socket.cork();
      for (const piece of pieces) this.socket.write(piece);
      this.socket.uncork();
      return;
    }
    const bytes = Buffer.concat(pieces);
    this.#sending = this.#sending.then(async () => {
      for (let at = 0; at < bytes.length && this.open; at += chop) {
        this.socket.write(bytes.subarray(at, at + chop));
        await turn();
      }
    });
  }

  /** Closes it with a RST: the peer sees ECONNRESET. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Closes it with a FIN after what was sent. */
  end(): void {
    void this.#sending.then(() => this.socket.end(() => this.socket.destroy()));
  }
}

/** A scripted server on loopback. Subclasses say what packets mean. */
export abstract class FakeServer implements AsyncDisposable {
  readonly name: string;
  readonly timeline: Timeline;
  readonly version: Version;
  /** See {@link FakeServerOptions.chopBytes}; may be changed at any time. */
  chopBytes: number | undefined;
  /** Called for every new connection: `mute` accepts and never reads an answer out of it, `reset` closes at once. */
  onConnect: ((connection: FakeConnection) => 'accept' | 'mute' | 'reset') | undefined;
  /** What the peer did against the protocol; a good client leaves it empty. */
  readonly violations: string[] = [];
  readonly #server: Server;
  readonly #connections = new Set<FakeConnection>();
  readonly #bodyLimit: number;
  readonly #nopTimer: NodeJS.Timeout | undefined;
  #accepted = 0;
  #port = 0;

  protected constructor(options: FakeServerOptions, name: string, bodyLimit: number, nopBody: number) {
    this.name = options.name ?? name;
    this.timeline = options.timeline ?? new Timeline();
    this.version = options.version === undefined ? OURS : version(options.version);
    this.chopBytes = options.chopBytes;
    this.#bodyLimit = bodyLimit;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    const nop = frame(0, Buffer.alloc(nopBody));
    if ((options.nopIntervalMs ?? 0) > 0) {
      this.#nopTimer = setInterval(() => {
        for (const connection of this.#connections) connection.send(nop);
      }, options.nopIntervalMs).unref();
    }
  }

  /** Always 127.0.0.1. */
  get host(): string {
    return '127.0.0.1';
  }

  /** The port that it listens on, also while it refuses. */
  get port(): number {
    return this.#port;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `${this.host}:${this.#port}`;
  }

  /** The connections that are open now. */
  get connections(): readonly FakeConnection[] {
    return [...this.#connections];
  }

  /** How many connections were ever accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Starts to listen; on the same port again after {@link refuse}. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Refuses new connections (ECONNREFUSED) until {@link listen}; open ones go on. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    // The callback of close() waits for open connections; that listening has ended is known at once.
    this.#server.close();
    await turn();
  }

  /** Resets every open connection. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Ends everything that this server holds open. */
  async close(): Promise<void> {
    clearInterval(this.#nopTimer);
    const ended = [...this.#connections].map(
      ({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy()),
    );
    this.#server.close();
    await Promise.all(ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes a packet. */
  protected abstract receive(connection: FakeConnection, type: number, body: Buffer): void;
  /** A connection is gone. */
  protected abstract closed(connection: FakeConnection): void;

  /** Writes down what the peer did wrong, and closes the connection as a real server does. */
  protected violate(connection: FakeConnection, what: string): void {
    this.violations.push(`${this.name}#${connection.number}: ${what}`);
    connection.end();
  }

  #accept(socket: Socket): void {
    const connection = new FakeConnection(++this.#accepted, socket, this);
    this.#connections.add(connection);
    const note = (kind: 'connected' | 'closed') =>
      this.timeline.add({ server: this.name, connection: connection.number, kind, name: '', value: undefined });
    note('connected');
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#connections.delete(connection);
      note('closed');
      this.closed(connection);
    });
    const answer = this.onConnect?.(connection) ?? 'accept';
    if (answer === 'reset') connection.reset();
    if (answer !== 'accept') return;
    const parser = new FrameParser(
      { bodyLimit: this.#bodyLimit },
      { frame: (type, body) => this.receive(connection, type, Buffer.from(body)) },
    );
    socket.on('data', (bytes) => {
      try {
        if (connection.open) parser.push(bytes);
      } catch (error) {
        this.violate(connection, error instanceof Error ? error.message : String(error));
      }
    });
  }
}
