/** Packets of a chunkserver's data port. They are the same in every version. */
import * as m from '../../../src/protocol/messages/chunkserver.ts';
import { anyFrom, describeMessages, every, hex, packetCase, raw } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const table = Array.from({ length: 1024 }, (_, i) => (i < 2 ? '352441c2' : 'd7978eeb')).join('');
/** A part of an erasure-coded chunk: the code stands in the top byte, beyond what a double holds. */
const PART = 0x1300_0000_0000_0529n;

describeMessages('chunkserver', [
  packetCase(m.read, ALL, '000000c8 00000015 01 0000000000000517 00000001 0000fffa 0000000c', {
    protocol: 1,
    chunkId: 0x517n,
    chunkVersion: 1,
    offset: 65530,
    size: 12,
  }),
  packetCase(m.read, ALL, '000000c8 00000015 01 1300000000000529 00000002 03ffffff 00000001', {
    protocol: 1,
    chunkId: PART,
    chunkVersion: 2,
    offset: 0x3ff_ffff,
    size: 1,
  }),
  packetCase(
    m.readData,
    ALL,
    '000000ca 0000001a 0000000000000517 0000 fffa 00000006 c07ccb04 e0d758fd394b',
    { chunkId: 0x517n, block: 0, offset: 0xfffa, size: 6, crc: 0xc07ccb04, data: hex('e0d758fd394b') },
    { otherLengths: anyFrom(20), note: 'the size is checked by the machine' },
  ),
  packetCase(
    m.readData,
    ALL,
    '000000ca 0000001a 0000000000000517 0001 0000 00000006 99084e64 1e31f0418287',
    { chunkId: 0x517n, block: 1, offset: 0, size: 6, crc: 0x99084e64, data: hex('1e31f0418287') },
    { otherLengths: anyFrom(20) },
  ),
  packetCase(m.readStatus, ALL, '000000c9 00000009 0000000000000517 00', { chunkId: 0x517n, status: 0 }),
  packetCase(m.readStatus, ALL, '000000c9 00000009 ffffffffffffffff 1d', {
    chunkId: 0xffff_ffff_ffff_ffffn,
    status: 29,
  }),
  packetCase(
    m.write,
    ALL,
    '000000d2 00000013 01 0000000000000041 00000001 0a4d000d4bde',
    { protocol: 1, chunkId: 0x41n, chunkVersion: 1, chain: [{ ip: 0x0a4d000d, port: 0x4bde }] },
    { otherLengths: every(6, 13) },
  ),
  packetCase(
    m.write,
    ALL,
    '000000d2 0000000d 01 0000000000000041 00000001',
    { protocol: 1, chunkId: 0x41n, chunkVersion: 1, chain: [] },
    { otherLengths: every(6, 13), note: 'one copy' },
  ),
  packetCase(
    m.write,
    ALL,
    '000000d2 00000019 01 0000000000000041 00000001 0a4d000d4bde ffffffffffff',
    {
      protocol: 1,
      chunkId: 0x41n,
      chunkVersion: 1,
      chain: [
        { ip: 0x0a4d000d, port: 0x4bde },
        { ip: 0xffff_ffff, port: 0xffff },
      ],
    },
    { otherLengths: every(6, 13), note: 'three copies' },
  ),
  packetCase(m.writeStatus, ALL, '000000d3 0000000d 0000000000000041 00000000 00', {
    chunkId: 0x41n,
    writeId: 0,
    status: 0,
  }),
  packetCase(m.writeStatus, ALL, '000000d3 0000000d 0000000000000041 fffffffe 1d', {
    chunkId: 0x41n,
    writeId: 0xffff_fffe,
    status: 29,
  }),
  packetCase(
    m.writeData,
    ALL,
    '000000d4 0000001b 0000000000000041 00000001 0002 0005 00000003 352441c2 "abc"',
    { chunkId: 0x41n, writeId: 1, block: 2, offset: 5, size: 3, crc: 0x352441c2, data: raw('abc') },
    { otherLengths: anyFrom(24) },
  ),
  packetCase(m.writeFinish, ALL, '000000d5 0000000c 0000000000000041 00000001', { chunkId: 0x41n, chunkVersion: 1 }),

  packetCase(m.getChunkBlocks, ALL, '000000fa 0000000c 000000000000000f 00000001', { chunkId: 0xfn, chunkVersion: 1 }),
  packetCase(m.chunkBlocks, ALL, '000000fb 0000000f 000000000000000f 00000001 0005 00', {
    chunkId: 0xfn,
    chunkVersion: 1,
    blocks: 5,
    status: 0,
  }),
  packetCase(
    m.chunkBlocks,
    ALL,
    '000000fb 0000000f 0000000000000529 00000002 0000 13',
    { chunkId: 0x529n, chunkVersion: 2, blocks: 0, status: 19 },
    { note: 'wrong version' },
  ),
  packetCase(m.getChunkChecksum, ALL, '0000012c 0000000c 000000000000000f 00000001', {
    chunkId: 0xfn,
    chunkVersion: 1,
  }),
  packetCase(m.chunkChecksum, ALL, '0000012d 00000010 000000000000000f 00000001 66ed92fd', {
    chunkId: 0xfn,
    chunkVersion: 1,
    checksum: 0x66ed92fd,
  }),
  packetCase(m.getChunkChecksumTable, ALL, '0000012e 0000000c 000000000000000f 00000001', {
    chunkId: 0xfn,
    chunkVersion: 1,
  }),
  packetCase(m.chunkChecksumTable, ALL, `0000012f 0000100c 000000000000000f 00000001 ${table}`, {
    chunkId: 0xfn,
    chunkVersion: 1,
    table: hex(table),
  }),
  packetCase(m.chunkQueryStatus, ALL, '0000012f 0000000d 0000000000000529 00000001 0d', {
    chunkId: 0x529n,
    chunkVersion: 1,
    status: 13,
  }),
]);
