/** Questions about one replica to the chunkserver that has it: how many blocks, which recorded checksums. */
import { ConnectionError, MooseFSError, ProtocolError, StatusError } from '../errors.ts';
import { CHUNKSERVER_BODY_LIMIT, NOP } from '../protocol/frame.ts';
import { decodePacket, encodePacket } from '../protocol/message.ts';
import type { Packet } from '../protocol/message.ts';
import * as packets from '../protocol/messages/chunkserver.ts';
import { Status, statusInfo } from '../protocol/status.ts';
import type { Deadline } from '../transport/deadline.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { oneAnswer } from './one-answer.ts';
import type { Volume } from './volume.ts';

/** A replica as a chunkserver knows it. */
export interface ReplicaName {
  readonly chunkId: bigint;
  readonly chunkVersion: number;
}

/** How many blocks of 64 KiB a replica has. */
export async function replicaBlocks(
  volume: Volume,
  endpoint: Endpoint,
  replica: ReplicaName,
  deadline: Deadline,
): Promise<number> {
  const reply = await ask(volume, endpoint, packets.getChunkBlocks, packets.chunkBlocks, replica, deadline);
  if (reply.status !== Status.OK) throw queryError(reply.status, endpoint);
  return reply.blocks;
}

/** The CRC table of a replica: 1024 numbers of 32 bits, as they are recorded (the data is not read). */
export async function replicaChecksums(
  volume: Volume,
  endpoint: Endpoint,
  replica: ReplicaName,
  deadline: Deadline,
): Promise<Buffer> {
  const { table } = await ask(
    volume,
    endpoint,
    packets.getChunkChecksumTable,
    packets.chunkChecksumTable,
    replica,
    deadline,
  );
  return Buffer.from(table);
}

function queryError(status: number, { host, port }: Endpoint): StatusError {
  const { name, code, text } = statusInfo(status);
  return new StatusError(status, `${host}:${port} answered ${name}: ${text}`, { code, peer: `${host}:${port}` });
}

async function ask<R extends { readonly chunkId: bigint; readonly chunkVersion: number }>(
  volume: Volume,
  endpoint: Endpoint,
  question: Packet<ReplicaName>,
  answer: Packet<R>,
  replica: ReplicaName,
  deadline: Deadline,
  fresh = false,
): Promise<R> {
  const { connection, reused } = await volume.pool.acquire(endpoint, deadline, { fresh });
  try {
    const what = `${question.name} at ${connection.peer}`;
    const packet = encodePacket(question, { chunkId: replica.chunkId, chunkVersion: replica.chunkVersion }, 0);
    const reply = await oneAnswer<R>(
      connection,
      { what, packet, bodyLimit: CHUNKSERVER_BODY_LIMIT, deadline },
      (type, body, verdict) => {
        if (type === NOP) return;
        if (type !== answer.type)
          throw new ProtocolError(`${connection.peer} answered ${question.name} with a packet of type ${type}`);
        if (body.length === packets.CHUNK_QUERY_STATUS_SIZE) {
          verdict.refuse(queryError(decodePacket(packets.chunkQueryStatus, body, 0).status, endpoint));
          return;
        }
        const found = decodePacket(answer, body, 0);
        if (found.chunkId !== replica.chunkId) throw new ProtocolError(`${connection.peer} answered for another chunk`);
        verdict.answer(found);
      },
    );
    volume.pool.release(connection);
    return reply;
  } catch (error) {
    if (error instanceof StatusError) volume.pool.release(connection);
    else volume.pool.discard(connection);
    // A kept connection may have been closed by the server meanwhile.
    if (reused && error instanceof ConnectionError && error.code !== 'ETIMEDOUT')
      return ask(volume, endpoint, question, answer, replica, deadline, true);
    throw error instanceof MooseFSError ? error : new ConnectionError(String(error), { code: 'EIO', cause: error });
  }
}
