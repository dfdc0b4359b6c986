/** Questions that a master answers to anyone, each on a connection of its own: such answers have no message id. */
import { FrameParser, MASTER_BODY_LIMIT } from '../protocol/frame.ts';
import { decodePacket, encodePacket } from '../protocol/message.ts';
import type { Packet } from '../protocol/message.ts';
import type { Version } from '../protocol/version.ts';
import type { Deadline } from '../transport/deadline.ts';
import { Connection } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { withPeer, withSite } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import type { Volume } from './volume.ts';

/** Asks the master where the client's session is. Rejects with an error in node's shape. */
export async function askMaster<Q extends object, R extends object>(
  { session }: Volume,
  question: Packet<Q>,
  value: Q,
  answer: Packet<R>,
  { deadline, site }: CallContext,
): Promise<R> {
  try {
    return await askEndpoint(session.master, session.grant.serverVersion, question, value, answer, deadline);
  } catch (error) {
    throw withSite(error, site);
  }
}

/** Asks one server; its version says how question and answer are laid out. */
export async function askEndpoint<Q extends object, R extends object>(
  endpoint: Endpoint,
  version: Version,
  question: Packet<Q>,
  value: Q,
  answer: Packet<R>,
  deadline: Deadline,
): Promise<R> {
  const connection = await Connection.connect(endpoint, { deadline });
  try {
    return await deadline.wait<R>(`${question.name} at ${connection.peer}`, (resolve, reject) => {
      const parser = new FrameParser(
        { bodyLimit: MASTER_BODY_LIMIT },
        {
          frame: (type, body) => {
            // Signs of life, and whatever else it says by itself, are no answer.
            if (type === answer.type) resolve(decodePacket(answer, body, version));
          },
        },
      );
      connection.handler = {
        bytes: (chunk) => {
          try {
            parser.push(chunk);
          } catch (error) {
            reject(withPeer(error, connection.peer));
          }
        },
        closed: reject,
      };
      connection.write([encodePacket(question, value, version)]);
      return undefined;
    });
  } finally {
    connection.handler = undefined;
    connection.destroy();
  }
}
