/**
 * Proves declared messages against bytes written out by hand. Each case is a literal packet and the value that it means, in the
 * versions that lay it out so; it is checked both ways, cut at every byte, one byte longer, and with every field left out.
 */
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import type { RecordCodec } from '../../src/protocol/layout.ts';
import {
  decodePacket,
  decodeReply,
  decodeRequest,
  encodePacket,
  encodeReply,
  encodeRequest,
  readMsgid,
} from '../../src/protocol/message.ts';
import type { Call, Packet } from '../../src/protocol/message.ts';
import { version } from '../../src/protocol/version.ts';
import type { Version, VersionText } from '../../src/protocol/version.ts';
import { declaredCalls, declaredPackets, declaredRecords } from './declared-messages.ts';

/** Says which lengths of a body, header excluded, are whole packets although they are shorter or longer than the case. */
export type OtherLengths = (bodyLength: number) => boolean;

/** Bytes up to the end of the packet begin at `offset`: every length from there on. */
export const anyFrom =
  (offset: number): OtherLengths =>
  (length) =>
    length >= offset;
/** Records of `size` bytes begin at `offset`. */
export const every =
  (size: number, offset: number): OtherLengths =>
  (length) =>
    length >= offset && (length - offset) % size === 0;
/** These lengths and no others. */
export const only =
  (...lengths: number[]): OtherLengths =>
  (length) =>
    lengths.includes(length);

type Direction = 'body' | 'request' | 'reply' | 'record';

/** One case; made by {@link packetCase}, {@link requestCase}, {@link replyCase} and {@link recordCase}. */
export interface MessageCase {
  readonly message: object;
  readonly direction: Direction;
  readonly versions: readonly VersionText[];
  readonly title: string;
  readonly bytes: Buffer;
  readonly value: object;
  readonly otherLengths: OtherLengths;
  readonly codec: RecordCodec<object>;
  readonly headSize: number;
  readonly encode: (value: object, version: Version) => Buffer;
  readonly decode: (body: Buffer, version: Version) => object;
}

/** What a case says beside bytes and value. */
export interface CaseOptions {
  readonly otherLengths?: OtherLengths;
  readonly note?: string;
}

/** Bytes from hex digits, blanks ignored; what stands in double quotes is text. */
export function hex(text: string): Buffer {
  return Buffer.concat(
    text.split('"').map((part, i) => {
      if (i % 2 === 1) return Buffer.from(part, 'latin1');
      const digits = part.replace(/\s/g, '');
      if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`no hex: ${part}`);
      return Buffer.from(digits, 'hex');
    }),
  );
}

/** Raw bytes of a text. */
export const raw = (text: string): Buffer => Buffer.from(text, 'latin1');

const HEADER = 8;
const MSGID = 4;

function makeCase(
  message: object,
  direction: Direction,
  name: string,
  versions: string,
  text: string,
  options: CaseOptions | undefined,
  rest: Pick<MessageCase, 'value' | 'codec' | 'headSize' | 'encode' | 'decode'>,
): MessageCase {
  return {
    message,
    direction,
    versions: versions.split(' ') as VersionText[],
    title: `${name} ${direction}${options?.note === undefined ? '' : `, ${options.note}`}`,
    bytes: hex(text),
    otherLengths: options?.otherLengths ?? (() => false),
    ...rest,
  };
}

/** A packet without msgid. The versions are separated by blanks. */
export function packetCase<V extends object>(
  message: Packet<V>,
  versions: string,
  text: string,
  value: V,
  options?: CaseOptions,
): MessageCase {
  return makeCase(message, 'body', message.name, versions, text, options, {
    value,
    codec: message.body,
    headSize: HEADER,
    encode: (each, at) => encodePacket(message, each as V, at),
    decode: (body, at) => decodePacket(message, body, at),
  });
}

/** A request; its msgid is the bytes 8 to 11 of the text. */
export function requestCase<Q extends object>(
  message: Call<Q, object>,
  versions: string,
  text: string,
  value: Q,
  options?: CaseOptions,
): MessageCase {
  const msgid = hex(text).readUInt32BE(HEADER);
  return makeCase(message, 'request', message.name, versions, text, options, {
    value,
    codec: message.request,
    headSize: HEADER + MSGID,
    encode: (each, at) => encodeRequest(message, msgid, each as Q, at),
    decode: (body, at) => decodeRequest(message, body, at).value,
  });
}

/** A successful reply. */
export function replyCase<R extends object>(
  message: Call<object, R>,
  versions: string,
  text: string,
  value: R,
  options?: CaseOptions,
): MessageCase {
  const msgid = hex(text).readUInt32BE(HEADER);
  return makeCase(message, 'reply', message.name, versions, text, options, {
    value,
    codec: message.reply,
    headSize: HEADER + MSGID,
    encode: (each, at) => encodeReply(message, msgid, each as R, at),
    decode: (body, at) => {
      readMsgid(body, message.name);
      const { status, value: decoded } = decodeReply(message, body, at);
      if (decoded === undefined) throw new Error(`decoded as status ${status}`);
      return decoded;
    },
  });
}

/** A record that is exported by itself; the text is its bytes. */
export function recordCase<V extends object>(
  codec: RecordCodec<V>,
  name: string,
  versions: string,
  text: string,
  value: V,
  options?: CaseOptions,
): MessageCase {
  return makeCase(codec, 'record', name, versions, text, options, {
    value,
    codec,
    headSize: 0,
    encode: (each, at) => codec.encode(each as V, at),
    decode: (body, at) => codec.decode(body, at, name),
  });
}

/** Without the constant fields, which no caller gives. */
function plain(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'blob' && key !== 'rcode'));
}

/** The one reply that is not its message: five bytes are msgid and status. */
const STATUS_BODY = 5;

function checkLength(each: MessageCase, body: Buffer, at: Version): void {
  const isStatus = each.direction === 'reply' && body.length === STATUS_BODY;
  let decoded: object;
  try {
    decoded = each.decode(body, at);
  } catch (error) {
    if (isStatus && !(error instanceof ProtocolError) && body[MSGID] !== 0) return;
    expect(error, `${body.length} bytes`).toBeInstanceOf(ProtocolError);
    expect(each.otherLengths(body.length), `${body.length} bytes are a whole packet`).toBe(false);
    return;
  }
  if (isStatus) return;
  expect(each.otherLengths(body.length), `${body.length} bytes were taken for a whole packet`).toBe(true);
  const again = each.encode(decoded, at);
  expect(again.subarray(again.length - body.length).equals(body), `${body.length} bytes, encoded again`).toBe(true);
}

function checkCase(each: MessageCase, text: VersionText): void {
  const at = version(text);
  const head = each.direction === 'record' ? 0 : HEADER;
  const body = each.bytes.subarray(head);

  it('means what it says', () => {
    if (head > 0) expect(each.bytes.readUInt32BE(4), 'the length written in the case').toBe(body.length);
    expect(plain(each.decode(body, at))).toEqual(each.value);
  });
  it('is what is sent', () => {
    expect(each.encode(each.value, at).toString('hex')).toBe(each.bytes.toString('hex'));
    if (each.codec.isEmpty) return;
    const dirty = Buffer.alloc(each.bytes.length - each.headSize, 0xaa);
    expect(each.codec.encodeAt(each.value, dirty, 0, at)).toBe(dirty.length);
    expect(dirty.toString('hex'), 'over old bytes').toBe(each.bytes.toString('hex', each.headSize));
  });
  it('is refused when cut or too long', () => {
    for (let length = 0; length < body.length; length++) checkLength(each, body.subarray(0, length), at);
    for (const extra of [0x00, 0x01, 0xff]) checkLength(each, Buffer.concat([body, Buffer.of(extra)]), at);
  });
  it('is not sent when a field is missing', () => {
    for (const [key, value] of Object.entries(each.value)) {
      if (value === undefined) continue;
      const without = Object.fromEntries(Object.entries(each.value).filter(([name]) => name !== key));
      const send = () => each.encode(without, at);
      if (key === OPTIONAL_TAIL) expect(send).not.toThrow();
      else expect(send, key).toThrow(TypeError);
    }
  });
}

/** The one field that may be missing: the tail of a LOOKUP reply. */
const OPTIONAL_TAIL = 'chunk';

/** The versions of which every message needs a case, unless its gate says that they do not have it. */
const LANDMARKS = ['3.0.117', '4.59.2'] as const;

function missingCases(file: string, cases: readonly MessageCase[]): string[] {
  const wanted: { name: string; message: object; direction: Direction; since?: Call<object, object>['gate'] }[] = [
    ...declaredPackets.map((each) => ({ ...each, directions: ['body'] as const })),
    ...declaredCalls.map((each) => ({ ...each, directions: ['request', 'reply'] as const })),
    ...declaredRecords.map((each) => ({ ...each, directions: ['record'] as const })),
  ]
    .filter((each) => each.file === file)
    .flatMap(({ exportName, message, directions }) =>
      directions.map((direction) => ({
        name: exportName,
        message,
        direction,
        since: 'gate' in message ? message.gate : undefined,
      })),
    );
  return wanted.flatMap(({ name, message, direction, since }) =>
    LANDMARKS.filter((landmark) => since?.includes(version(landmark)) ?? true)
      .filter(
        (landmark) =>
          !cases.some(
            (each) => each.message === message && each.direction === direction && each.versions.includes(landmark),
          ),
      )
      .map((landmark) => `${name} ${direction} ${landmark}`),
  );
}

/** Declares the tests of one file of messages. Fails when the file declares something that no case covers. */
export function describeMessages(file: string, cases: readonly MessageCase[]): void {
  it(`every message of ${file} has a case`, () => expect(missingCases(file, cases)).toEqual([]));
  for (const each of cases) {
    for (const text of each.versions) describe(`${each.title} (${text})`, () => checkCase(each, text));
  }
}
