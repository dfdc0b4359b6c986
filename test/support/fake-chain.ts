/** A fake chunkserver's connection to the next server of a write's chain. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { addressText, ipText } from '../../src/protocol/address.ts';
import type { Address } from '../../src/protocol/address.ts';
import { FrameParser } from '../../src/protocol/frame.ts';
import { decodePacket } from '../../src/protocol/message.ts';
import { writeStatus } from '../../src/protocol/messages/chunkserver.ts';

/** What the next server does. */
export interface DownstreamHandler {
  status(writeId: number, status: number): void;
  /** It hung up, though nobody had asked for it. */
  closed(): void;
}

/** See the head of this file. */
export class Downstream {
  /** Resolves to whether the connection came about. */
  readonly connected: Promise<boolean>;
  readonly #socket: Socket;
  #wanted = true;

  constructor(address: Address, handler: DownstreamHandler) {
    const parser = new FrameParser(
      { bodyLimit: 1000 },
      {
        frame: (type, body) => {
          if (type === 0) return;
          if (type !== writeStatus.type) throw new Error(`packet of type ${type} from ${addressText(address)}`);
          const { writeId, status } = decodePacket(writeStatus, body, 0);
          handler.status(writeId, status);
        },
      },
    );
    this.#socket = connect({ host: ipText(address.ip), port: address.port, noDelay: true });
    let up = false;
    this.connected = new Promise((resolve) => {
      this.#socket.once('connect', () => resolve((up = true)));
      this.#socket.once('close', () => resolve(false));
    });
    this.#socket.on('data', (bytes) => parser.push(bytes));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (this.#wanted && up) handler.closed();
    });
  }

  /** Forwards a packet. */
  send(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Hangs up after what was sent. */
  close(): void {
    this.#wanted = false;
    this.#socket.end();
    this.#socket.resume();
  }
}
