/**
 * A message is declared once, here is how: a packet (one way, no msgid) or a call (a request and its reply, matched by msgid).
 * The declaration serves both directions, so that a fake server in a test cannot disagree with the client.
 */
import { ProtocolError } from '../errors.ts';
import { HEADER_SIZE, writeHeader } from './frame.ts';
import { asBuffer } from './layout.ts';
import type { RecordCodec } from './layout.ts';
import type { Gate, Version } from './version.ts';

/** A one-way packet. */
export interface Packet<V extends object, N extends string = string> {
  readonly name: N;
  readonly type: number;
  readonly body: RecordCodec<V>;
}

/** Declares a one-way packet. */
export function packet<V extends object, const N extends string>(
  name: N,
  type: number,
  body: RecordCodec<V>,
): Packet<V, N> {
  return { name, type, body };
}

/** Encodes a packet, header included, in one buffer. */
export function encodePacket<V extends object>(message: Packet<V>, value: V, version: Version): Buffer {
  const size = message.body.sizeOf(value, version);
  const b = Buffer.allocUnsafe(HEADER_SIZE + size);
  writeHeader(b, 0, message.type, size);
  message.body.encodeAt(value, b, HEADER_SIZE, version);
  return b;
}

/** Decodes a packet's body. */
export function decodePacket<V extends object>(message: Packet<V>, body: Uint8Array, version: Version): V {
  return message.body.decode(body, version, message.name);
}

/**
 * What to do when the connection was lost between request and reply:
 * - `repeat`: asking again gives the same result
 * - `doubt`: it may have been done already; the caller must look, or be told
 */
export type WhenReplyLost = 'repeat' | 'doubt';

/** A request and its reply. */
export interface Call<Q extends object, R extends object> {
  readonly name: string;
  /** The request's type; the reply's is one more. */
  readonly type: number;
  readonly request: RecordCodec<Q>;
  readonly reply: RecordCodec<R>;
  readonly whenReplyLost: WhenReplyLost;
  /** Which servers understand it; undefined: all that we support. */
  readonly gate: Gate | undefined;
  /** Whether a success may be a bare status: always where the reply has no fields, elsewhere only where declared. */
  readonly bareStatus: boolean;
}

/** Declares a request and its reply. Both begin with a msgid, which the declaration leaves out. */
export function call<Q extends object, R extends object>(declaration: {
  name: string;
  type: number;
  request: RecordCodec<Q>;
  reply: RecordCodec<R>;
  whenReplyLost: WhenReplyLost;
  gate?: Gate;
  bareStatus?: boolean;
}): Call<Q, R> {
  return { gate: undefined, bareStatus: declaration.reply.isEmpty, ...declaration };
}

/** Bytes of the msgid. */
const MSGID_SIZE = 4;
/** A body of this size is msgid and status: the one form of every failure. */
const STATUS_REPLY_SIZE = 5;

/** A decoded reply: a status, or a value. A reply that is a status only has status 0 and an empty value when it succeeded. */
export type Reply<R> = { readonly status: number; readonly value?: never } | { readonly status: 0; readonly value: R };

/** Encodes a request, header and msgid included. */
export function encodeRequest<Q extends object>(
  message: Call<Q, object>,
  msgid: number,
  value: Q,
  version: Version,
): Buffer {
  return encodeWithMsgid(message.type, message.request, msgid, value, version);
}

/** Encodes a successful reply (for servers in tests): a bare status where the reply has no fields. */
export function encodeReply<R extends object>(
  message: Call<object, R>,
  msgid: number,
  value: R,
  version: Version,
): Buffer {
  if (message.reply.isEmpty) return encodeStatusReply(message, msgid, 0);
  return encodeWithMsgid(message.type + 1, message.reply, msgid, value, version);
}

/** Encodes a reply that is a status (for servers in tests). */
export function encodeStatusReply(message: Call<object, object>, msgid: number, status: number): Buffer {
  const b = Buffer.allocUnsafe(HEADER_SIZE + STATUS_REPLY_SIZE);
  writeHeader(b, 0, message.type + 1, STATUS_REPLY_SIZE);
  b.writeUInt32BE(msgid, HEADER_SIZE);
  b[HEADER_SIZE + MSGID_SIZE] = status;
  return b;
}

function encodeWithMsgid<V extends object>(
  type: number,
  codec: RecordCodec<V>,
  msgid: number,
  value: V,
  version: Version,
): Buffer {
  const size = MSGID_SIZE + codec.sizeOf(value, version);
  const b = Buffer.allocUnsafe(HEADER_SIZE + size);
  writeHeader(b, 0, type, size);
  b.writeUInt32BE(msgid, HEADER_SIZE);
  const end = codec.encodeAt(value, b, HEADER_SIZE + MSGID_SIZE, version);
  if (end !== b.length) throw new RangeError(`encoded ${end} bytes where ${b.length} were announced`);
  return b;
}

/** The msgid that a body begins with. */
export function readMsgid(body: Uint8Array, name: string): number {
  if (body.length < MSGID_SIZE) throw new ProtocolError(`${name} of ${body.length} bytes has no message id`);
  return asBuffer(body).readUInt32BE(0);
}

/** Decodes a request's body, for servers in tests. */
export function decodeRequest<Q extends object>(
  message: Call<Q, object>,
  body: Uint8Array,
  version: Version,
): { msgid: number; value: Q } {
  const msgid = readMsgid(body, message.name);
  return { msgid, value: message.request.decode(body.subarray(MSGID_SIZE), version, message.name) };
}

/**
 * Decodes a reply's body. The rule of nearly every pair: exactly five bytes are msgid and status, everything else is a
 * success. A status of 0 in five bytes is the success of calls that return nothing, and of no others unless declared.
 */
export function decodeReply<R extends object>(message: Call<object, R>, body: Uint8Array, version: Version): Reply<R> {
  if (body.length === STATUS_REPLY_SIZE) {
    const status = body[MSGID_SIZE]!;
    if (status !== 0) return { status };
    if (message.bareStatus) return { status: 0, value: {} as R };
    throw new ProtocolError(`reply to ${message.name} says OK and nothing else`);
  }
  if (message.reply.isEmpty) {
    throw new ProtocolError(`reply to ${message.name} of ${body.length} bytes: it has none but a status`);
  }
  return { status: 0, value: message.reply.decode(body.subarray(MSGID_SIZE), version, `reply to ${message.name}`) };
}
