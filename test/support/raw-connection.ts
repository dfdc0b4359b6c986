/** A bare connection that knows frames and nothing more: for tests of the fakes, and to ask real servers. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FrameParser, NOP, frame } from '../../src/protocol/frame.ts';

/** A packet as it lay on the wire. */
export interface RawPacket {
  readonly type: number;
  readonly body: Buffer;
}

/** See the head of this file. */
export class RawConnection implements AsyncDisposable {
  /** Every packet but NOPs, in the order of arrival, that nobody has taken by {@link next}. */
  readonly packets: RawPacket[] = [];
  readonly socket: Socket;
  #ended = false;
  #changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    const parser = new FrameParser(
      { bodyLimit: 100_000_000 },
      {
        frame: (type, body) => {
          if (type !== NOP) this.packets.push({ type, body: Buffer.from(body) });
        },
      },
    );
    socket.on('data', (bytes) => {
      parser.push(bytes);
      this.#changed();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  static async open(host: string, port: number): Promise<RawConnection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Whether the peer hung up. */
  get ended(): boolean {
    return this.#ended;
  }

  send(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.socket.write(piece);
  }

  /** The next packet, or the next of one type (others stay); rejects when the peer hangs up or `timeoutMs` have passed. */
  async next(type?: number, timeoutMs = 5000): Promise<RawPacket> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const at = this.packets.findIndex((each) => type === undefined || each.type === type);
      if (at >= 0) return this.packets.splice(at, 1)[0]!;
      const what = type === undefined ? 'a packet' : `a packet of type ${type}`;
      if (this.#ended) throw new Error(`the peer hung up before ${what} came`);
      if (!(await this.#wait(deadline - Date.now()))) throw new Error(`${what} did not come`);
    }
  }

  /** Resolves when the peer has hung up. */
  async end(timeoutMs = 5000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#ended) if (!(await this.#wait(deadline - Date.now()))) throw new Error('the peer did not hang up');
  }

  /** Keeps the connection alive: a NOP, which the peer does not answer. */
  nop(): void {
    this.send(frame(NOP, Buffer.alloc(0)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await new Promise((resolve) => this.socket.once('close', resolve).destroy());
  }

  /** False when the time was over first. */
  #wait(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), Math.max(0, timeoutMs));
      this.#changed = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
