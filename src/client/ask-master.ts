/** Questions that a master answers to anyone, each on a connection of its own: such answers have no message id. */
import { MASTER_BODY_LIMIT } from '../protocol/frame.ts';
import { decodePacket, encodePacket } from '../protocol/message.ts';
import type { Packet } from '../protocol/message.ts';
import type { Version } from '../protocol/version.ts';
import type { Deadline } from '../transport/deadline.ts';
import { Connection } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { withPeer, withSite } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { oneAnswer } from './one-answer.ts';
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
    const what = `${question.name} at ${connection.peer}`;
    const packet = encodePacket(question, value, version);
    return await oneAnswer<R>(
      connection,
      { what, packet, bodyLimit: MASTER_BODY_LIMIT, deadline },
      (type, body, verdict) => {
        // Signs of life, and whatever else it says by itself, are no answer.
        if (type === answer.type) verdict.answer(decodePacket(answer, body, version));
      },
    );
  } catch (error) {
    throw withPeer(error, connection.peer);
  } finally {
    connection.handler = undefined;
    connection.destroy();
  }
}
