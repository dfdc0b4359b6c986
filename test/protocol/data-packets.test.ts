import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DataPacket,
  READ_DATA_HEAD,
  WRITE_DATA_HEAD,
  encodeReadDataHead,
  encodeWriteDataHead,
  readReadDataHead,
  readWriteDataHead,
} from '../../src/protocol/data-packets.ts';
import { decodePacket, encodePacket } from '../../src/protocol/message.ts';
import * as declared from '../../src/protocol/messages/chunkserver.ts';
import { hex } from '../support/message-cases.ts';

const head = {
  chunkId: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  block: fc.nat(0xffff),
  offset: fc.nat(0xffff),
  crc: fc.nat(0xffff_ffff),
};
const data = fc.uint8Array({ maxLength: 70 });

describe('the heads written by hand', () => {
  it('are the bytes of the wire', () => {
    const write = { chunkId: 0x41n, writeId: 1, block: 2, offset: 5, size: 3, crc: 0x352441c2 };
    const bytes = hex('000000d4 0000001b 0000000000000041 00000001 0002 0005 00000003 352441c2');
    expect(encodeWriteDataHead(write).equals(bytes)).toBe(true);
    expect(readWriteDataHead(bytes.subarray(8))).toEqual(write);
    const read = { chunkId: 0x517n, block: 0, offset: 0xfffa, size: 6, crc: 0xc07ccb04 };
    const readBytes = hex('000000ca 0000001a 0000000000000517 0000 fffa 00000006 c07ccb04');
    expect(encodeReadDataHead(read).equals(readBytes)).toBe(true);
    expect(readReadDataHead(readBytes.subarray(8))).toEqual(read);
  });
  it('of READ_DATA are the declared record', () => {
    fc.assert(
      fc.property(fc.record(head), data, (fields, body) => {
        const value = { ...fields, size: body.length };
        const whole = Buffer.concat([encodeReadDataHead(value), body]);
        expect(whole.equals(encodePacket(declared.readData, { ...value, data: body }, 0))).toBe(true);
        const { data: found, ...rest } = decodePacket(declared.readData, whole.subarray(8), 0);
        expect(readReadDataHead(whole.subarray(8, 8 + READ_DATA_HEAD))).toEqual(rest);
        expect(Buffer.from(found).equals(body)).toBe(true);
      }),
    );
  });
  it('of WRITE_DATA are the declared record', () => {
    fc.assert(
      fc.property(fc.record({ ...head, writeId: fc.nat(0xffff_ffff) }), data, (fields, body) => {
        const value = { ...fields, size: body.length };
        const whole = Buffer.concat([encodeWriteDataHead(value), body]);
        expect(whole.equals(encodePacket(declared.writeData, { ...value, data: body }, 0))).toBe(true);
        const { data: found, ...rest } = decodePacket(declared.writeData, whole.subarray(8), 0);
        expect(readWriteDataHead(whole.subarray(8, 8 + WRITE_DATA_HEAD))).toEqual(rest);
        expect(Buffer.from(found).equals(body)).toBe(true);
      }),
    );
  });
  it('have the declared types', () => {
    for (const [name, type] of Object.entries(DataPacket)) {
      expect(declared[name as keyof typeof DataPacket].type, name).toBe(type);
    }
  });
});
