/**
 * The packets by which a cluster's state is read: literal bytes of real masters, one chunkserver connected and one
 * killed.
 */
import { describe, expect, test } from 'vitest';
import { decodeChunkserverList, decodeInfo, findAnswer, formatVersion } from '../support/cluster/probe.ts';
import { readyChunkservers, roomyBytes } from '../support/cluster/readiness.ts';

const packet = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

const info3 = packet(`000001ff 00000095
  000300ea 000000000c5d1000 0000000000000000 0000000000000000
  000000195d960000 000000138f2b0000 000000138f2b0000
  0000000000000000000000000000000000000000000000000000000100000001000000000000000000000000000000000000
  00000000000000ffffffff00000000000000000000000000000006ffccfd8adefbe2de000660bd15eaa3f100000000`);
const list3 = packet(`000001f5 0000008a
  00 0300ea 0a4e0a01 24ce 0001 00000005ce6b0000 000000195d960000
  00000000 0000000000000000 0000000000000000 00000000 00000000 00000000 00000000 00000000 00
  01 000000 0a4e0a02 24ce 0002 0000000000000000 0000000000000000
  00000000 0000000000000000 0000000000000000 00000000 00000000 00000000 00000000 00000000 00`);
const list4 = packet(`000001f5 00000092
  00 043b04 0a4ef201 0a4ef201 24ce 0002 00000005de51a000 000000195d960000
  00000000 0000000000000000 0000000000000000 00000000 00000000 00000000 00000000 00000000 00
  01 000000 0a4ef202 0a4ef202 24ce 0001 0000000000000000 0000000000000000
  00000000 0000000000000000 0000000000000000 00000000 00000000 00000000 00000000 00000000 00`);

const data = (frame: Buffer): Buffer => frame.subarray(8);

describe('decodeInfo', () => {
  test('reads version and space', () => {
    expect(decodeInfo(data(info3))).toEqual({
      version: '3.0.117',
      versionNumber: 0x0300ea,
      totalBytes: 0x195d960000n,
      availableBytes: 0x138f2b0000n,
    });
  });

  test('refuses an answer that ends before the space', () => {
    expect(() => decodeInfo(Buffer.alloc(43))).toThrow(RangeError);
  });
});

describe('decodeChunkserverList', () => {
  test('3.0.117: records of 69 bytes', () => {
    expect(decodeChunkserverList(data(list3), 0x0300ea)).toEqual([
      {
        connected: true,
        maintenance: false,
        version: '3.0.117',
        host: '10.78.10.1',
        port: 9422,
        usedBytes: 0x05ce6b0000n,
        totalBytes: 0x195d960000n,
      },
      {
        connected: false,
        maintenance: false,
        version: '0.0.0',
        host: '10.78.10.2',
        port: 9422,
        usedBytes: 0n,
        totalBytes: 0n,
      },
    ]);
  });

  test('4.59.2: records of 73 bytes, the address after the original one', () => {
    const list = decodeChunkserverList(data(list4), 0x043b04);
    expect(list.map(({ host, port, connected, version }) => [host, port, connected, version])).toEqual([
      ['10.78.242.1', 9422, true, '4.59.2'],
      ['10.78.242.2', 9422, false, '0.0.0'],
    ]);
    expect(list[0]!.totalBytes - list[0]!.usedBytes).toBe(0x195d960000n - 0x05de51a000n);
  });

  test('tells maintenance from the flags 2 and 4', () => {
    for (const flags of [2, 4]) {
      const bytes = Buffer.from(data(list3));
      bytes[0] = flags;
      expect(decodeChunkserverList(bytes, 0x0300ea)[0]).toMatchObject({ connected: true, maintenance: true });
    }
  });

  test('no chunkservers, one byte short and one long', () => {
    expect(decodeChunkserverList(Buffer.alloc(0), 0x0300ea)).toEqual([]);
    expect(() => decodeChunkserverList(data(list3).subarray(1), 0x0300ea)).toThrow('not a multiple of 69');
    expect(() => decodeChunkserverList(Buffer.concat([data(list4), Buffer.alloc(1)]), 0x043b04)).toThrow('of 73');
  });
});

describe('findAnswer', () => {
  test('waits for the last byte', () => {
    for (let end = 0; end < list3.length; end++) expect(findAnswer(list3.subarray(0, end), 501)).toBeUndefined();
    expect(findAnswer(list3, 501)).toEqual(data(list3));
  });

  test('passes over keep-alive packets', () => {
    expect(findAnswer(Buffer.concat([packet('00000000 00000000'), list3]), 501)).toEqual(data(list3));
  });

  test('refuses other packets and absurd lengths', () => {
    expect(() => findAnswer(list3, 511)).toThrow('packet 501 came instead of 511');
    expect(() => findAnswer(packet('48545450 2f312e31'), 511)).toThrow('is that a MooseFS master?');
    expect(() => findAnswer(packet('000001ff ffffffff'), 511)).toThrow('a packet of 4294967295 bytes');
  });
});

test('formatVersion', () => {
  expect([0x0300ea, 0x043b04, 0x043b05, 0x020109].map(formatVersion)).toEqual(['3.0.117', '4.59.2', '4.59.2', '2.1.4']);
});

describe('readyChunkservers', () => {
  const chunkservers = decodeChunkserverList(data(list3), 0x0300ea);
  const info = decodeInfo(data(info3));

  test('counts those connected with enough room, and none while the master has no space', () => {
    expect(readyChunkservers({ info: { ...info, availableBytes: 1n }, chunkservers }, roomyBytes)).toBe(1);
    expect(readyChunkservers({ info: { ...info, availableBytes: 0n }, chunkservers }, roomyBytes)).toBe(0);
    expect(readyChunkservers({ info: { ...info, availableBytes: 1n }, chunkservers }, 1n << 50n)).toBe(0);
  });
});
