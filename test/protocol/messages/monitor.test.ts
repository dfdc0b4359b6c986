/** What a master tells anyone. */
import * as m from '../../../src/protocol/messages/monitor.ts';
import {
  anyFrom,
  describeMessages,
  every,
  hex,
  only,
  packetCase,
  raw,
  recordCase,
} from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const INFO = `0000000005f5e100 000000000000000a 000000000000000b 0000004c18c20000 00000038b0183000 00000038b0183001
  00000000040927c0 00000002 0000000000000400 00000001 0000001c 00000003 00000004 00000005`;
const info = {
  memoryUsed: 100_000_000,
  systemCpu: 10n,
  userCpu: 11n,
  totalSpace: 0x4c18c20000,
  availableSpace: 0x38b0183000,
  freeSpace: 0x38b0183001,
  trashSpace: 0x40927c0,
  trashFiles: 2,
  sustainedSpace: 1024,
  sustainedFiles: 1,
  nodes: 28,
  directories: 3,
  files: 4,
  chunks: 5,
};
const SERVER = `0a4d000c d0ae 0002 0000000c82e55000 0000004c18c20000 00000007 0000000000000100 0000000000000200 00000003
  00000004 00000005 c0000000 00000001 02`;
const server = {
  ip: 0x0a4d000c,
  port: 0xd0ae,
  id: 2,
  used: 0xc82e55000,
  total: 0x4c18c20000,
  chunks: 7,
  removalUsed: 256,
  removalTotal: 512,
  removalChunks: 3,
  errors: 4,
  load: 5,
  grace: 0xc000_0000,
  labels: 1,
  removalStatus: 2,
};

const MORE = `6b008866 00000012 01 ff fe fd fc 0a4d0001 6b008867 000000000000007b 2de000660bdbbf98`;
const more = {
  savedAt: 0x6b008866,
  saveMs: 18,
  saveStatus: 1,
  state: 0xff,
  nextState: 0xfe,
  stable: 0xfd,
  synchronised: 0xfc,
  leader: 0x0a4d0001,
  stateChangedAt: 0x6b008867,
  metadataVersion: 123n,
  exportsChecksum: 0x2de000660bdbbf98n,
};
const CLOCK = '00060bdbbf983390 6b008868';
const clock = { clockMicroseconds: 0x00060bdbbf983390, changeLoggedAt: 0x6b008868 };

const SESSION = `00000007 0a4d0001 000300ea 00000002 01 ffffffff 00000003 "me." 00000002 "/." 08 0012
  00000001 00000002 000003e7 000003e8`;
const session = {
  sessionId: 7,
  ip: 0x0a4d0001,
  version: 0x000300ea,
  openFiles: 2,
  sockets: 1,
  expire: 0xffff_ffff,
  info: raw('me.'),
  path: raw('/.'),
  flags: 8,
  umask: 0o22,
  rootUid: 1,
  rootGid: 2,
  mapAllUid: 999,
  mapAllGid: 1000,
  minTrashRetention: 3600,
  maxTrashRetention: 0xffff_ffff,
  disabled: 0x80,
};
const LIMITS = '00000e10 ffffffff 00000080';
const numbers = (count: number, from: number) => Array.from({ length: count }, (_, i) => from + i);
const COUNTERS = (count: number) =>
  numbers(2 * count, 100)
    .map((each) => each.toString(16).padStart(8, '0'))
    .join(' ');
const counters = (count: number) => ({ current: numbers(count, 100), last: numbers(count, 100 + count) });
const DISK = `0b "/mnt/disk1/" 05 0000000000000011 6b008866 0000000000000022 0000000000000033 00000044 ${'ab'.repeat(192)}`;
const disk = {
  path: raw('/mnt/disk1/'),
  flags: m.DiskFlag.markedForRemoval | m.DiskFlag.scanning,
  errorChunk: 17n,
  errorTime: 0x6b008866,
  used: 34,
  total: 51,
  chunks: 68,
  statistics: Buffer.alloc(192, 0xab),
  more: Buffer.alloc(0),
};

describeMessages('monitor', [
  recordCase(m.infoMore, 'infoMore', '3.0.115 3.0.117', `00000009 00000008 ${MORE} ${CLOCK}`, {
    copies3: 9,
    regularCopies3: 8,
    ...more,
    ...clock,
  }),
  recordCase(
    m.infoMore,
    'infoMore',
    '4.57.5 4.59.2',
    `00000003 00000002 00000001 ${MORE} 6b008ffd00000001 000000000000007a 12345678
     0000000000000009 0000000000000008 0000000000000007 000000000000000a ${CLOCK}`,
    {
      copyChunks: 3,
      ec8Chunks: 2,
      ec4Chunks: 1,
      ...more,
      metadataId: 0x6b008ffd00000001n,
      savedVersion: 122n,
      savedChecksum: 0x12345678,
      copies: 9,
      ec8Parts: 8,
      ec4Parts: 7,
      hypotheticalCopies: 10,
      ...clock,
    },
  ),
  packetCase(m.getSessions, ALL, '000001fc 00000001 05', { mode: 5 }),
  packetCase(
    m.sessions,
    '3.0.115 3.0.117 4.25.0',
    `000001fd 000000c5 0010 ${SESSION} 01 09 ${LIMITS} ${COUNTERS(16)}`,
    { list: { counterCount: 16, sessions: [{ ...session, minGoal: 1, maxGoal: 9, ...counters(16) }] } },
    { otherLengths: only(2, 197) },
  ),
  packetCase(
    m.sessions,
    '4.57.5 4.59.2',
    `000001fd 00000125 001c ${SESSION} ffff ${LIMITS} ${COUNTERS(28)}`,
    { list: { counterCount: 28, sessions: [{ ...session, classGroups: 0xffff, ...counters(28) }] } },
    { otherLengths: only(2, 293) },
  ),
  packetCase(m.getChunkMatrix, ALL, '00000204 00000000', {}),
  packetCase(
    m.chunkMatrix,
    ALL,
    `00000205 000003c9 03 ${'00000001'.repeat(121)} ${'00000002'.repeat(121)}`,
    {
      progress: 3,
      matrices: [{ cells: hex('00000001'.repeat(121)) }, { cells: hex('00000002'.repeat(121)) }],
    },
    { otherLengths: every(484, 1) },
  ),
  packetCase(m.getMemory, ALL, '00000210 00000000', {}),
  packetCase(
    m.memory,
    ALL,
    '00000211 00000020 0000000000001000 0000000000000800 0000000000002000 0000000000000001',
    {
      uses: [
        { allocated: 4096, used: 2048 },
        { allocated: 8192, used: 1 },
      ],
    },
    { otherLengths: every(16, 0) },
  ),
  packetCase(m.getOpenFiles, ALL, '00000214 00000004 00000000', { sessionId: 0 }),
  packetCase(
    m.openFiles,
    ALL,
    '00000215 00000010 00000007 0000000c 00000008 0000000d',
    {
      files: [
        { sessionId: 7, inode: 12 },
        { sessionId: 8, inode: 13 },
      ],
    },
    { otherLengths: every(8, 0) },
  ),
  packetCase(m.getLocks, ALL, '00000216 00000004 00000000', { inode: 0 }),
  packetCase(
    m.locks,
    ALL,
    '00000217 00000025 0000000c 00000007 000000000000004d 00001092 0000000000000064 00000000000000c8 02',
    {
      locks: [{ inode: 12, sessionId: 7, owner: 77n, pid: 4242, start: 100n, end: 200n, lockType: 2 }],
    },
    { otherLengths: every(37, 0) },
  ),
  packetCase(m.getMissingChunks, ALL, '00000220 00000001 01', { mode: 1 }),
  packetCase(
    m.missingChunks,
    ALL,
    '00000221 00000011 0000000000000abc 0000000c 00000002 01',
    { chunks: [{ chunkId: 0xabcn, inode: 12, chunkIndex: 2, reason: 1 }] },
    { otherLengths: every(17, 0) },
  ),
  packetCase(m.getDisks, ALL, '00000258 00000000', {}),
  packetCase(
    m.disks,
    ALL,
    `00000259 000000f0 00ee ${DISK} ee`,
    { disks: [{ ...disk, more: hex('ee') }] },
    { otherLengths: only(0) },
  ),
  packetCase(m.getInfo, ALL, '000001fe 00000000', {}),
  packetCase(
    m.info,
    '3.0.115 3.0.117',
    `000001ff 00000095 000300ea ${INFO} ${'ee'.repeat(57)}`,
    { version: 0x000300ea, ...info, more: Buffer.alloc(57, 0xee) },
    { otherLengths: anyFrom(92) },
  ),
  packetCase(
    m.info,
    '4.57.5 4.59.2',
    `000001ff 000000cd 00043b04 ${INFO} ${'ee'.repeat(113)}`,
    { version: 0x00043b04, ...info, more: Buffer.alloc(113, 0xee) },
    { otherLengths: anyFrom(92) },
  ),
  packetCase(m.getChunkservers, ALL, '000001f4 00000000', {}),
  packetCase(
    m.chunkservers,
    '3.0.115 3.0.117 4.25.0',
    `000001f5 0000008a 00 0300ea ${SERVER} 01 0300e6 ${SERVER}`,
    {
      servers3: [
        { flags: 0, major: 3, middle: 0, minorDoubled: 0xea, ...server },
        { flags: 1, major: 3, middle: 0, minorDoubled: 0xe6, ...server },
      ],
    },
    { otherLengths: every(69, 0) },
  ),
  packetCase(
    m.chunkservers,
    '4.26.0 4.57.5 4.59.2',
    `000001f5 00000049 04 043b04 0a4d000d ${SERVER}`,
    {
      servers4: [{ flags: 4, major: 4, middle: 59, minorDoubled: 4, originalIp: 0x0a4d000d, ...server }],
    },
    { otherLengths: every(73, 0) },
  ),
]);
