/** Chunks as the master knows them. */
import * as m from '../../../src/protocol/messages/chunk.ts';
import { describeMessages, every, recordCase, replyCase, requestCase } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const ROOT = '00000000 00000001 00000000';
const server = (ip: number, port: number) => ({ ip, port, version: 0x00043b04, labels: 0 });
const copies = {
  protocol: 2,
  chunkId: 0x10n,
  chunkVersion: 1,
  servers: [server(0x0a4d000d, 0x72ee), server(0x0a4d000c, 0x72ee)],
};
const COPIES = '0a4d000d 72ee 00043b04 00000000 0a4d000c 72ee 00043b04 00000000';
const reply = { otherLengths: every(14, 25) };

describeMessages('chunk', [
  recordCase(m.serverEntry, 'serverEntry', ALL, '0a4d000d 72ee 00043b04 02000001', {
    ip: 0x0a4d000d,
    port: 0x72ee,
    version: 0x00043b04,
    labels: 0x02000001,
  }),
  recordCase(m.chunkLocation, 'chunkLocation', ALL, `02 0000000000000010 00000001 ${COPIES}`, copies, {
    otherLengths: every(14, 13),
  }),

  requestCase(m.readChunk, ALL, '000001b0 0000000d 0000005b 00000023 7fffffff 00', {
    inode: 0x23,
    chunkIndex: 0x7fff_ffff,
    flags: 0,
  }),
  replyCase(
    m.readChunk,
    ALL,
    `000001b1 00000035 0000005b 02 0000000000001388 0000000000000010 00000001 ${COPIES}`,
    { length: 5000, ...copies },
    reply,
  ),
  replyCase(
    m.readChunk,
    ALL,
    '000001b1 00000019 0000005a 02 0000000000000000 0000000000000000 00000000',
    { protocol: 2, length: 0, chunkId: 0n, chunkVersion: 0, servers: [] },
    { ...reply, note: 'a hole' },
  ),
  replyCase(
    m.readChunk,
    ALL,
    `000001b1 00000051 00000003 03 0000000000100000 0000000000000008 00000001
     0a4d001d c10e 00043b04 00000000 0a4d001b c10e 00043b04 00000000
     0a4d0017 c10e 00043b04 00000000 0a4d0016 c10e 00043b04 00000000`,
    {
      protocol: 3,
      length: 0x100000,
      chunkId: 8n,
      chunkVersion: 1,
      servers: [0x0a4d001d, 0x0a4d001b, 0x0a4d0017, 0x0a4d0016].map((ip) => server(ip, 0xc10e)),
    },
    { ...reply, note: 'four parts' },
  ),
  requestCase(m.writeChunk, ALL, '000001b2 0000000d 0000005b 00000023 00000000 02', {
    inode: 0x23,
    chunkIndex: 0,
    flags: m.ChunkOpFlag.continueOperation,
  }),
  replyCase(
    m.writeChunk,
    ALL,
    `000001b3 00000035 0000005b 02 0000000000000000 0000000000000010 00000001 ${COPIES}`,
    { length: 0, ...copies },
    reply,
  ),
  requestCase(
    m.writeChunkEnd,
    '3.0.115 3.0.117 4.25.0 4.39.0',
    '000001b4 0000001d 00000056 000000000000002d 0000002b 00000000 0000000000001388 00',
    { chunkId: 0x2dn, inode: 0x2b, chunkIndex: 0, length: 5000, flags: 0 },
    { note: 'without region' },
  ),
  requestCase(
    m.writeChunkEnd,
    '4.40.0 4.57.5 4.59.2',
    '000001b4 00000025 0000005c 0000000000000010 00000023 00000000 0000000000001388 00 00000000 00001388',
    { chunkId: 0x10n, inode: 0x23, chunkIndex: 0, length: 5000, flags: 0, offset: 0, size: 5000 },
    { note: 'with region' },
  ),
  replyCase(m.writeChunkEnd, ALL, '000001b5 00000005 0000005c 00', {}),
  requestCase(m.appendSlice, ALL, `000001b6 00000021 00000025 00 00000010 0000000d 00000000 80000000 ${ROOT}`, {
    flags: 0,
    destination: 0x10,
    source: 0x0d,
    from: 0,
    to: 0x8000_0000,
    uid: 0,
    gids: [0],
  }),
  replyCase(m.appendSlice, ALL, '000001b7 00000005 00000025 00', {}),

  requestCase(
    m.checkChunk,
    '3.0.115 3.0.117',
    '000001b8 0000000c 00000028 00000016 00000000',
    { inode: 0x16, chunkIndex: 0 },
    { note: 'without mode' },
  ),
  requestCase(
    m.checkChunk,
    '4.22.0 4.25.0 4.57.5 4.59.2',
    '000001b8 0000000d 0000002f 01 00000016 00000000',
    { mode: m.CHECK_WITH_PARTS, inode: 0x16, chunkIndex: 0 },
    { note: 'with mode' },
  ),
  replyCase(
    m.checkChunk,
    '3.0.115 3.0.117',
    '000001b9 0000001e 00000028 000000000000000f 00000001 0a4d000c 4bde 00 0a4d000d 4bde 02',
    {
      chunkId: 0xfn,
      chunkVersion: 1,
      replicas: [
        { ip: 0x0a4d000c, port: 0x4bde, state: 0 },
        { ip: 0x0a4d000d, port: 0x4bde, state: 2 },
      ],
    },
    { otherLengths: every(7, 16) },
  ),
  replyCase(
    m.checkChunk,
    '4.22.0 4.25.0 4.57.5 4.59.2',
    '000001b9 00000020 0000002f 000000000000000c 00000001 0a4d000b 72ee 00 00 0a4d000d 72ee 04 14',
    {
      chunkId: 0xcn,
      chunkVersion: 1,
      parts: [
        { ip: 0x0a4d000b, port: 0x72ee, state: 0, partCode: 0 },
        { ip: 0x0a4d000d, port: 0x72ee, state: 4, partCode: 0x14 },
      ],
    },
    { otherLengths: every(8, 16) },
  ),
]);
