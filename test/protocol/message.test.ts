import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { record, u32, u8 } from '../../src/protocol/layout.ts';
import {
  call,
  decodePacket,
  decodeReply,
  decodeRequest,
  encodePacket,
  encodeReply,
  encodeRequest,
  encodeStatusReply,
  packet,
  readMsgid,
} from '../../src/protocol/message.ts';
import { OURS, since } from '../../src/protocol/version.ts';
import { declaredCalls, declaredPackets, messageFiles } from '../support/declared-messages.ts';
import { hex } from '../support/message-cases.ts';

const ask = call({
  name: 'ASK',
  type: 900,
  request: record(u32('a')),
  reply: record(u32('b')),
  whenReplyLost: 'repeat',
});
const tell = call({ name: 'TELL', type: 902, request: record(), reply: record(), whenReplyLost: 'doubt' });
const either = call({
  name: 'EITHER',
  type: 904,
  request: record(),
  reply: record(u8('b')),
  whenReplyLost: 'repeat',
  gate: since('4.0.0'),
  bareStatus: true,
});

describe('a packet', () => {
  const one = packet('ONE', 7, record(u8('x')));
  it('has a header and no msgid', () => {
    expect(encodePacket(one, { x: 5 }, OURS)).toEqual(hex('00000007 00000001 05'));
    expect(decodePacket(one, hex('05'), OURS)).toEqual({ x: 5 });
  });
  it('is named in the error when it is malformed', () => {
    expect(() => decodePacket(one, hex('0506'), OURS)).toThrow(ProtocolError);
    expect(() => decodePacket(one, hex('0506'), OURS)).toThrow(/malformed ONE of 2 bytes .*4\.59\.2.*1 bytes too many/);
  });
});

describe('a call', () => {
  it('is a request and a reply of the next type, both with the msgid', () => {
    expect(encodeRequest(ask, 0xfffffffe, { a: 1 }, OURS)).toEqual(hex('00000384 00000008 fffffffe 00000001'));
    expect(decodeRequest(ask, hex('fffffffe 00000001'), OURS)).toEqual({ msgid: 0xfffffffe, value: { a: 1 } });
    expect(encodeReply(ask, 2, { b: 3 }, OURS)).toEqual(hex('00000385 00000008 00000002 00000003'));
    expect(decodeReply(ask, hex('00000002 00000003'), OURS)).toEqual({ status: 0, value: { b: 3 } });
  });
  it('fails with five bytes', () => {
    expect(encodeStatusReply(ask, 2, 13)).toEqual(hex('00000385 00000005 00000002 0d'));
    expect(decodeReply(ask, hex('00000002 0d'), OURS)).toEqual({ status: 13 });
    expect(decodeReply(tell, hex('00000002 ff'), OURS)).toEqual({ status: 255 });
  });
  it('that returns nothing succeeds with status 0, and with nothing else', () => {
    expect(encodeReply(tell, 2, {}, OURS)).toEqual(hex('00000387 00000005 00000002 00'));
    expect(decodeReply(tell, hex('00000002 00'), OURS)).toEqual({ status: 0, value: {} });
    expect(() => decodeReply(tell, hex('00000002'), OURS)).toThrow(ProtocolError);
    expect(() => decodeReply(tell, hex('00000002 0000'), OURS)).toThrow(ProtocolError);
  });
  it('that returns something does not succeed without it, unless declared so', () => {
    expect(() => decodeReply(ask, hex('00000002 00'), OURS)).toThrow(/OK and nothing else/);
    expect(decodeReply(either, hex('00000002 00'), OURS)).toEqual({ status: 0, value: {} });
  });
  it('has a msgid', () => {
    expect(readMsgid(hex('00000002 00'), 'it')).toBe(2);
    for (const body of ['', '00', '000000']) expect(() => readMsgid(hex(body), 'it')).toThrow(ProtocolError);
    for (const body of ['', '00', '000000']) expect(() => decodeRequest(ask, hex(body), OURS)).toThrow(ProtocolError);
  });
});

describe('the declarations', () => {
  it.each(messageFiles)('%s has a test of its own', (file) => {
    const test = new URL(`messages/${file}.test.ts`, import.meta.url);
    expect(existsSync(test)).toBe(true);
    expect(readFileSync(test, 'utf8')).toContain(`describeMessages('${file}'`);
  });
  it('have names of their own', () => {
    const names = [...declaredCalls, ...declaredPackets].map(({ message }) => message.name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
  it('never name the call that crashes masters', () => {
    expect(declaredCalls.filter(({ message }) => message.type === 484)).toEqual([]);
  });
  it('say of every call that makes or removes something that a lost reply leaves doubt', () => {
    const doubtful = declaredCalls
      .filter(({ message }) => message.whenReplyLost === 'doubt')
      .map((each) => each.exportName);
    for (const name of [
      'create',
      'mkdir',
      'mknod',
      'symlink',
      'link',
      'unlink',
      'rmdir',
      'rename',
      'appendSlice',
      'truncate',
    ]) {
      expect(doubtful, name).toContain(name);
    }
  });
});
