/** Frames captured from real servers: what we decode, encoded again, is what they and we had sent. The witness that is not us. */
import { describe, expect, it } from 'vitest';
import { FrameParser } from '../../src/protocol/frame.ts';
import {
  decodePacket,
  decodeReply,
  decodeRequest,
  encodePacket,
  encodeReply,
  encodeRequest,
  encodeStatusReply,
  readMsgid,
} from '../../src/protocol/message.ts';
import type { Call, Packet } from '../../src/protocol/message.ts';
import { crc32 } from '../../src/protocol/crc32.ts';
import { readData, writeData } from '../../src/protocol/messages/chunkserver.ts';
import { fullEntries, plainEntries } from '../../src/protocol/messages/namespace.ts';
import { allStatuses } from '../../src/protocol/status.ts';
import { version } from '../../src/protocol/version.ts';
import type { Version } from '../../src/protocol/version.ts';
import { declaredCalls, declaredPackets } from '../support/declared-messages.ts';
import { fixtures } from '../support/fixtures.ts';
import type { CapturedFrame } from '../support/fixtures.ts';

const calls = new Map(declaredCalls.map(({ message }) => [message.name, message]));
const packets = new Map(declaredPackets.map(({ message }) => [message.name, message]));

/** Messages that no capture has, and why. */
const NOT_CAPTURED: Record<string, string> = {
  'REGISTER reply (redirect)': 'only Pro followers send it',
  FORCE_TIMEOUT: 'only where an administrator set one',
};

/** The frame's body, cut out by our own parser. */
function bodyOf({ hex }: CapturedFrame): { type: number; body: Buffer } {
  const seen: { type: number; body: Buffer }[] = [];
  const parser = new FrameParser({ bodyLimit: 1 << 20 }, { frame: (type, body) => seen.push({ type, body }) });
  parser.push(Buffer.from(hex, 'hex'));
  expect(seen).toHaveLength(1);
  expect(parser.atBoundary).toBe(true);
  return seen[0]!;
}

function again(frame: CapturedFrame, body: Buffer, at: Version): Buffer {
  if (frame.part === 'body') {
    const message: Packet<object> = packets.get(frame.message)!;
    return encodePacket(message, decodePacket(message, body, at), at);
  }
  const message: Call<object, object> = calls.get(frame.message)!;
  const msgid = readMsgid(body, frame.message);
  if (frame.part === 'request') return encodeRequest(message, msgid, decodeRequest(message, body, at).value, at);
  const reply = decodeReply(message, body, at);
  if (frame.part === 'reply') return encodeReply(message, msgid, reply.value!, at);
  return encodeStatusReply(message, msgid, reply.status);
}

const versions = fixtures.map((each) => each.version);

it('there is a capture of every version that we are tested with', () => {
  expect(versions).toEqual(['3.0.115', '3.0.117', '4.57.5', '4.59.2']);
});

describe.each(fixtures)('$version', (fixture) => {
  const at = version(fixture.version);

  it.each([...new Set(fixture.frames.map((each) => each.message))])('%s: decoded and encoded again', (name) => {
    for (const frame of fixture.frames.filter((each) => each.message === name)) {
      const { type, body } = bodyOf(frame);
      const message = packets.get(name) ?? calls.get(name);
      expect(message, 'is still declared').toBeDefined();
      const ours = frame.part === 'reply' || frame.part === 'status' ? message!.type + 1 : message!.type;
      expect(type).toBe(ours);
      expect(again(frame, body, at).toString('hex')).toBe(frame.hex);
    }
  });

  it('has every declared message that can be sent', () => {
    const parts = new Set(
      fixture.frames.map((each) => `${each.message} ${each.part === 'status' ? 'reply' : each.part}`),
    );
    const missing = [
      ...declaredPackets.map(({ message }) => `${message.name} body`),
      ...declaredCalls
        .filter(({ message }) => message.gate?.includes(at) ?? true)
        .flatMap(({ message }) => [`${message.name} request`, `${message.name} reply`]),
    ].filter((part) => !parts.has(part) && !(part.replace(/ \w+$/, '') in NOT_CAPTURED));
    expect(missing).toEqual([]);
  });

  it('knows every status that it met', () => {
    const met = fixture.frames.filter((each) => each.part === 'status').map((each) => bodyOf(each).body[4]!);
    expect(new Set(met).size).toBeGreaterThan(8);
    for (const status of met) expect(allStatuses()[status]).toBeDefined();
  });

  it('has right checksums over data', () => {
    const data = fixture.frames.filter((each) => [readData.name, writeData.name].includes(each.message as never));
    expect(data.length).toBeGreaterThan(3);
    for (const frame of data) {
      const message: Packet<{ data: Uint8Array; crc: number; size: number }> =
        frame.message === readData.name ? readData : writeData;
      const value = decodePacket(message, bodyOf(frame).body, at);
      expect(value.size).toBe(value.data.length);
      expect(crc32(value.data)).toBe(value.crc);
    }
  });

  it('lists folders in entries that we can read', () => {
    const lists = fixture.frames.filter((each) => each.message === 'READDIR' && each.part === 'reply');
    const read = lists.map((frame) => {
      const entries = bodyOf(frame).body.subarray(12);
      // The flag that was asked for is in the request: here the one is tried that fits.
      try {
        return { layout: plainEntries, value: plainEntries.decode(entries, at, 'entries'), entries };
      } catch {
        return { layout: fullEntries, value: fullEntries.decode(entries, at, 'entries'), entries };
      }
    });
    expect(new Set(read.map((each) => each.layout)).size).toBe(2);
    for (const { layout, value, entries } of read) {
      expect(value.entries.length).toBeGreaterThan(1);
      expect(Buffer.from(value.entries[0]!.name).toString()).toBe('.');
      expect(layout.encode(value as never, at).equals(entries)).toBe(true);
    }
  });
});
