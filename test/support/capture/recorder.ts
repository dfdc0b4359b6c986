/** Keeps the frames of a capture; drops a frame whose like (message, part, server and bytes) it has already. */
import { frame } from '../../../src/protocol/frame.ts';
import type { CapturedFrame } from '../fixtures.ts';
import type { RawPacket } from '../raw-connection.ts';

/** See the head of this file. */
export class Recorder {
  readonly #frames = new Map<string, CapturedFrame>();

  get frames(): readonly CapturedFrame[] {
    return [...this.#frames.values()];
  }

  /** Adds a frame, header included. */
  add(message: string, part: CapturedFrame['part'], server: CapturedFrame['server'], bytes: Uint8Array): void {
    const hex = Buffer.from(bytes).toString('hex');
    this.#frames.set(`${message} ${part} ${server} ${hex}`, { message, part, server, hex });
  }

  /** Adds a packet that came. */
  addPacket(message: string, part: CapturedFrame['part'], server: CapturedFrame['server'], packet: RawPacket): void {
    this.add(message, part, server, frame(packet.type, packet.body));
  }
}
