/** Registration and the housekeeping of a session. */
import * as m from '../../../src/protocol/messages/session.ts';
import {
  anyFrom,
  describeMessages,
  every,
  hex,
  packetCase,
  raw,
  replyCase,
  requestCase,
} from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.40.0 4.57.5 4.59.2';
const BLOB = '"DjI1GAQDULI5d2YjA26ypc3ovkhjvhciTQVx3CS4nYgtBoUcsljiVpsErJENHaw0"';
const RANDOM = 'f3d46adbe07467b1a4a5d426fcb3a27424c7075e1265fbe714c8c83fd65cce73';
const DIGEST = 'e92b673067fe40be833681bcb7a7eff6';

const granted = {
  metaId: 0x6b00_8459_0154_3226n,
  flags: 8,
  umask: 0,
  rootUid: 0,
  rootGid: 0,
  mapAllUid: 999,
  mapAllGid: 999,
  minTrashRetention: 0,
  maxTrashRetention: 0xffff_ffff,
  disabled: 0,
};
const meta = { flags: 0, minTrashRetention: 0, maxTrashRetention: 0xffff_ffff };

describeMessages('session', [
  packetCase(m.nop, ALL, '00000000 00000004 00000000', { padding: hex('00000000') }, { otherLengths: anyFrom(0) }),
  packetCase(m.getVersion, ALL, '0000000a 00000000', {}),
  packetCase(
    m.versionReply,
    ALL,
    '0000000b 0000000d 000300ea "3.0.117-1"',
    { version: 0x000300ea, text: raw('3.0.117-1') },
    { otherLengths: anyFrom(4) },
  ),
  packetCase(
    m.versionReply,
    ALL,
    '0000000b 0000000c 00043b04 "4.59.2-1"',
    { version: 0x00043b04, text: raw('4.59.2-1') },
    { otherLengths: anyFrom(4) },
  ),

  packetCase(m.registerGetRandom, ALL, `00000190 00000041 ${BLOB} 01`, {}),
  packetCase(m.registerRandom, ALL, `00000191 00000020 ${RANDOM}`, { random: hex(RANDOM) }),
  packetCase(
    m.registerNewSession,
    ALL,
    `00000190 00000063 ${BLOB} 02 00043b04 00000008 "proto-a" 00 00000002 "/" 00 00000000 0000000000000000`,
    {
      version: 0x00043b04,
      info: raw('proto-a\0'),
      path: raw('/\0'),
      sessionId: 0,
      metaId: 0n,
      digest: Buffer.alloc(0),
    },
    { otherLengths: anyFrom(99) },
  ),
  packetCase(
    m.registerNewSession,
    ALL,
    `00000190 00000074 ${BLOB} 02 000300ea 00000002 "i" 00 00000009 "/exports" 00 00000035 6b00845901543226 ${DIGEST}`,
    {
      version: 0x000300ea,
      info: raw('i\0'),
      path: raw('/exports\0'),
      sessionId: 0x35,
      metaId: 0x6b00_8459_0154_3226n,
      digest: hex(DIGEST),
    },
    { otherLengths: anyFrom(100), note: 'taking an old session over, with a password' },
  ),
  packetCase(
    m.registerSession,
    '3.0.115 3.0.117 4.22.0 4.25.0 4.39.0',
    `00000191 00000031 000300ea 00000035 6b00845901543226 08 0000 00000000 00000000 000003e7 000003e7
     01 09 00000000 ffffffff 00000000`,
    { ...granted, version: 0x000300ea, sessionId: 0x35, minGoal: 1, maxGoal: 9 },
    { note: 'with goals, without process id' },
  ),
  packetCase(
    m.registerSession,
    '4.40.0 4.56.9',
    `00000191 00000039 00043812 00000035 6b00845901543226 08 0012 00000001 00000002 000003e7 000003e7
     01 09 00000e10 00015180 000080c0 6b00845e3ab61df6`,
    {
      ...granted,
      version: 0x00043812,
      sessionId: 0x35,
      umask: 0o22,
      rootUid: 1,
      rootGid: 2,
      minGoal: 1,
      maxGoal: 9,
      minTrashRetention: 3600,
      maxTrashRetention: 86400,
      disabled: 0x80c0,
      processId: 0x6b00_845e_3ab6_1df6n,
    },
    { note: 'with goals and process id' },
  ),
  packetCase(
    m.registerSession,
    '4.57.0 4.57.5 4.59.2',
    `00000191 00000039 00043b04 0000001e 6b00845ee7ff6cd3 08 0000 00000000 00000000 000003e7 000003e7
     ffff 00000000 ffffffff 00000000 6b00845e3ab61df6`,
    {
      ...granted,
      version: 0x00043b04,
      sessionId: 0x1e,
      metaId: 0x6b00_845e_e7ff_6cd3n,
      classGroups: 0xffff,
      processId: 0x6b00_845e_3ab6_1df6n,
    },
    { note: 'with class groups and process id' },
  ),
  packetCase(
    m.registerNewMetaSession,
    ALL,
    `00000190 00000062 ${BLOB} 05 000300ea 0000000d "/proto-c-meta" 00000000 0000000000000000`,
    { version: 0x000300ea, info: raw('/proto-c-meta'), sessionId: 0, metaId: 0n, digest: Buffer.alloc(0) },
    { otherLengths: anyFrom(98) },
  ),
  packetCase(
    m.registerMetaSession,
    '3.0.115 3.0.117 4.25.0 4.39.0',
    '00000191 0000001b 000300ea 00000042 6b00845901543226 00 01 09 00000000 ffffffff',
    { ...meta, version: 0x000300ea, sessionId: 0x42, metaId: 0x6b00_8459_0154_3226n, minGoal: 1, maxGoal: 9 },
  ),
  packetCase(
    m.registerMetaSession,
    '4.40.0 4.56.9',
    '00000191 00000023 00043812 00000042 6b00845901543226 00 01 09 00000000 ffffffff 6b00845e3ab61df6',
    {
      ...meta,
      version: 0x00043812,
      sessionId: 0x42,
      metaId: 0x6b00_8459_0154_3226n,
      minGoal: 1,
      maxGoal: 9,
      processId: 0x6b00_845e_3ab6_1df6n,
    },
  ),
  packetCase(
    m.registerMetaSession,
    '4.57.0 4.57.5 4.59.2',
    '00000191 00000023 00043b04 0000004a 6b00845ee7ff6cd3 00 ffff 00000000 ffffffff 6b00845e3ab61df6',
    {
      ...meta,
      version: 0x00043b04,
      sessionId: 0x4a,
      metaId: 0x6b00_845e_e7ff_6cd3n,
      classGroups: 0xffff,
      processId: 0x6b00_845e_3ab6_1df6n,
    },
  ),
  packetCase(m.registerReconnect, ALL, `00000190 00000051 ${BLOB} 03 00000035 000300ea 6b00845901543226`, {
    sessionId: 0x35,
    version: 0x000300ea,
    metaId: 0x6b00_8459_0154_3226n,
  }),
  packetCase(m.registerReconnected, '3.0.115 3.0.117 4.25.0 4.39.0', '00000191 00000005 000300ea 00', {
    version: 0x000300ea,
    status: 0,
  }),
  packetCase(m.registerReconnected, '4.40.0 4.57.5 4.59.2', '00000191 0000000d 00043b04 6b008a612a0ae397 23', {
    version: 0x00043b04,
    processId: 0x6b00_8a61_2a0a_e397n,
    status: 35,
  }),
  packetCase(m.registerCloseSession, ALL, `00000190 0000004d ${BLOB} 06 00000035 6b00845901543226`, {
    sessionId: 0x35,
    metaId: 0x6b00_8459_0154_3226n,
  }),
  packetCase(m.registerStatus, ALL, '00000191 00000001 24', { status: 36 }),
  packetCase(m.registerRedirect, ALL, '00000191 00000004 0a000007', { leader: 0x0a000007 }),

  packetCase(
    m.sustainedInodes,
    ALL,
    '000002bc 00000008 00000023 0000002a',
    { inodes: [{ inode: 0x23 }, { inode: 0x2a }] },
    { otherLengths: every(4, 0) },
  ),
  packetCase(m.sustainedInodes, ALL, '000002bc 00000000', { inodes: [] }, { otherLengths: every(4, 0), note: 'none' }),
  packetCase(
    m.amtimeInodes,
    ALL,
    '000002bd 00000018 0000002a 6b008866 00000000 0000002b 00000000 ffffffff',
    {
      times: [
        { inode: 0x2a, atime: 0x6b008866, mtime: 0 },
        { inode: 0x2b, atime: 0, mtime: 0xffff_ffff },
      ],
    },
    { otherLengths: every(12, 0) },
  ),
  requestCase(m.timeSync, ALL, '000002c0 00000004 00000070', {}),
  replyCase(m.timeSync, ALL, '000002c1 0000000c 00000070 000660b8e14be506', { microseconds: 0x660b8e14be506 }),
]);
