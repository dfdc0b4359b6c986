/** One question on a connection that nothing else is spoken on, and the wait for what answers it. Keeps nothing, closes nothing. */
import { FrameParser } from '../protocol/frame.ts';
import type { Deadline } from '../transport/deadline.ts';
import type { Connection } from '../transport/tcp.ts';

/** What a question is, and how long and how large its answer may be. */
export interface Question {
  /** The sentence's subject when it is not answered in time. */
  readonly what: string;
  readonly packet: Uint8Array;
  readonly bodyLimit: number;
  readonly deadline: Deadline;
}

/** How the wait ends. */
export interface Verdict<R> {
  answer(value: R): void;
  refuse(error: unknown): void;
}

/** Sends it and hands over every packet that comes, until one of them ends the wait; what the handler throws ends it, too. */
export function oneAnswer<R>(
  connection: Connection,
  { what, packet, bodyLimit, deadline }: Question,
  frame: (type: number, body: Buffer, verdict: Verdict<R>) => void,
): Promise<R> {
  return deadline.wait<R>(what, (answer, refuse) => {
    const parser = new FrameParser({ bodyLimit }, { frame: (type, body) => frame(type, body, { answer, refuse }) });
    connection.handler = {
      bytes: (chunk) => {
        try {
          parser.push(chunk);
        } catch (error) {
          refuse(error);
        }
      },
      closed: refuse,
    };
    connection.write([packet]);
    return undefined;
  });
}
