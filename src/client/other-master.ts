/**
 * Says what it is that listens where a MooseFS master should, when a registration there has failed: an old MooseFS, or one of its
 * relatives, which have the same first packets. All of them answer INFO without a session; its size and the way in which it holds
 * the version tell them apart:
 *
 *     more than 76 bytes   MooseFS 2 and later; the version's last byte is doubled
 *     76 bytes and fewer   major 0 and 1: MooseFS 1; 2 and 3: LizardFS; from 4 on: SaunaFS; nothing is doubled
 */
import { ProtocolError } from '../errors.ts';
import { encodePacket } from '../protocol/message.ts';
import { getInfo, info } from '../protocol/messages/monitor.ts';
import { SUPPORTED_SERVERS, formatVersion, fromWire } from '../protocol/version.ts';
import { Connection } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import type { Deadline } from '../transport/deadline.ts';
import { oneAnswer } from './one-answer.ts';

/** A master answers this at once, or it will not tell. */
export const ANSWER_MS = 1000;
/** The largest INFO of LizardFS, SaunaFS and MooseFS 1. */
const OLD_INFO_BYTES = 76;
/** An INFO is no longer than this on any version. */
const INFO_LIMIT = 4096;

/** The error that names what was found; undefined where it is a MooseFS that we work with, or does not tell. Never rejects. */
export async function otherMasterError(endpoint: Endpoint, deadline: Deadline): Promise<ProtocolError | undefined> {
  try {
    const body = await askInfo(endpoint, deadline.within(ANSWER_MS));
    const found = nameOf(body);
    if (found === undefined) return undefined;
    const peer = `${endpoint.host}:${endpoint.port}`;
    const message = `${peer} is ${found}; this client works with MooseFS ${SUPPORTED_SERVERS.text}`;
    return new ProtocolError(message, { code: 'ENOTSUP', peer });
  } catch {
    return undefined;
  }
}

/** What gives this INFO; undefined where it is a MooseFS that we work with. */
export function nameOf(body: Buffer): string | undefined {
  const number = body.readUInt32BE(0);
  if (body.length > OLD_INFO_BYTES) {
    const version = fromWire(number);
    return SUPPORTED_SERVERS.includes(version) ? undefined : `MooseFS ${formatVersion(version)}`;
  }
  const major = number >>> 16;
  const name = major < 2 ? 'MooseFS' : major < 4 ? 'LizardFS' : 'SaunaFS';
  return `${name} ${major}.${(number >>> 8) & 0xff}.${number & 0xff}`;
}

async function askInfo(endpoint: Endpoint, deadline: Deadline): Promise<Buffer> {
  const connection = await Connection.connect(endpoint, { deadline });
  try {
    const what = `asking ${connection.peer} what it is`;
    const packet = encodePacket(getInfo, {}, 0);
    return await oneAnswer<Buffer>(
      connection,
      { what, packet, bodyLimit: INFO_LIMIT, deadline },
      (type, body, verdict) => {
        // Whatever else it says by itself is of no interest.
        if (type === info.type) verdict.answer(Buffer.from(body));
      },
    );
  } finally {
    connection.handler = undefined;
    connection.destroy();
  }
}
