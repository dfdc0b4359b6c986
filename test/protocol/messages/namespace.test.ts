/** Names: looking them up, making, removing, moving and listing them. */
import { describe, expect, it } from 'vitest';
import * as m from '../../../src/protocol/messages/namespace.ts';
import { version } from '../../../src/protocol/version.ts';
import { DEVICE, FILE, FOLDER, NOTHING, SYMLINK } from '../../support/attribute-bytes.ts';
import {
  anyFrom,
  describeMessages,
  every,
  hex,
  only,
  raw,
  recordCase,
  replyCase,
  requestCase,
} from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const root = { uid: 0, gids: [0] };
const ROOT = '00000000 00000001 00000000';
const dot = { name: raw('.'), inode: 0x22 };
const dots = { name: raw('..'), inode: 0x21 };
const c1 = { name: raw('c1'), inode: 0x2a };

describeMessages('namespace', [
  requestCase(m.statfs, ALL, '00000192 00000004 00000001', {}),
  replyCase(
    m.statfs,
    ALL,
    `00000193 00000030 00000001 0000004c18c20000 00000038b0183000 00000038b0183000 00000000040927c0
     0000000000000000 0000001c`,
    {
      total: 0x4c18c20000,
      available: 0x38b0183000,
      free: 0x38b0183000,
      trash: 0x40927c0,
      sustained: 0,
      inodes: 28,
    },
  ),
  requestCase(m.access, ALL, '00000194 00000016 00000014 0000002a 000003e8 00000001 000003e8 0004', {
    inode: 0x2a,
    uid: 1000,
    gids: [1000],
    mask: 4,
  }),
  requestCase(
    m.access,
    ALL,
    '00000194 0000001e 00000014 0000002a 000003e8 00000003 000003e8 00000004 ffffffff 0007',
    { inode: 0x2a, uid: 1000, gids: [1000, 4, 0xffff_ffff], mask: 7 },
    { note: 'three groups' },
  ),
  replyCase(m.access, ALL, '00000195 00000005 00000014 00', {}),

  requestCase(m.lookup, ALL, `00000196 00000017 00000016 00000022 026331 ${ROOT}`, {
    parent: 0x22,
    name: raw('c1'),
    ...root,
  }),
  requestCase(
    m.lookup,
    ALL,
    `00000196 00000114 00000016 00000022 ff ${'c3'.repeat(255)} ${ROOT}`,
    { parent: 0x22, name: hex('c3'.repeat(255)), ...root },
    { note: 'the longest name, not UTF-8' },
  ),
  replyCase(
    m.lookup,
    ALL,
    `00000197 0000002e 00000016 0000002a ${FILE.bytes} 00ff`,
    { inode: 0x2a, attributes: FILE.value, lookupFlags: 0xff, chunk: undefined },
    { otherLengths: every(14, 59) },
  ),
  replyCase(
    m.lookup,
    ALL,
    `00000197 00000057 0000005f 00000023 ${FILE.bytes} 05ff 02 0000000000000010 00000001
     0a4d000d 72ee 00043b04 00000000 0a4d000c 72ee 00043b04 00000000`,
    {
      inode: 0x23,
      attributes: FILE.value,
      lookupFlags: 0x5ff,
      chunk: {
        protocol: 2,
        chunkId: 0x10n,
        chunkVersion: 1,
        servers: [
          { ip: 0x0a4d000d, port: 0x72ee, version: 0x00043b04, labels: 0 },
          { ip: 0x0a4d000c, port: 0x72ee, version: 0x00043b04, labels: 0 },
        ],
      },
    },
    { otherLengths: (length) => length === 46 || every(14, 59)(length), note: 'with chunk 0' },
  ),
  requestCase(m.pathLookup, '4.14.0 4.57.5 4.59.2', `00000186 0000001e 00000031 00000001 00000006 "/a/b/c" ${ROOT}`, {
    base: 1,
    path: raw('/a/b/c'),
    ...root,
  }),
  replyCase(m.pathLookup, '4.14.0 4.57.5 4.59.2', `00000187 00000032 00000031 00000022 01 "c" 0000002a ${FILE.bytes}`, {
    parent: 0x22,
    name: raw('c'),
    inode: 0x2a,
    attributes: FILE.value,
  }),
  replyCase(
    m.pathLookup,
    '4.14.0 4.59.2',
    `00000187 00000032 00000031 00000022 01 "x" 00000000 ${NOTHING.bytes}`,
    { parent: 0x22, name: raw('x'), inode: 0, attributes: NOTHING.value },
    { note: 'the last name is missing' },
  ),

  requestCase(m.readlink, ALL, '0000019c 00000008 00000010 0000002a', { inode: 0x2a }),
  replyCase(m.readlink, ALL, '0000019d 0000000e 00000010 00000006 "../n1" 00', { target: raw('../n1\0') }),
  requestCase(m.symlink, ALL, `0000019e 0000001f 0000000f 00000022 01 "l" 00000005 "../n1" ${ROOT}`, {
    parent: 0x22,
    name: raw('l'),
    target: raw('../n1'),
    ...root,
  }),
  replyCase(m.symlink, ALL, `0000019f 0000002c 0000000f 0000002b ${SYMLINK.bytes}`, {
    inode: 0x2b,
    attributes: SYMLINK.value,
  }),
  requestCase(m.mknod, ALL, `000001a0 0000001f 0000000c 00000022 01 "c" 06 0180 0012 ${ROOT} 01030005`, {
    parent: 0x22,
    name: raw('c'),
    nodeType: 6,
    mode: 0o600,
    umask: 0o22,
    ...root,
    rdev: 0x01030005,
  }),
  replyCase(m.mknod, ALL, `000001a1 0000002c 0000000c 0000002c ${DEVICE.bytes}`, {
    inode: 0x2c,
    attributes: DEVICE.value,
  }),
  requestCase(m.mkdir, ALL, `000001a2 0000001b 00000011 00000001 01 "d" 05ed 0012 ${ROOT} 01`, {
    parent: 1,
    name: raw('d'),
    mode: 0o2755,
    umask: 0o22,
    ...root,
    copySgid: 1,
  }),
  replyCase(m.mkdir, ALL, `000001a3 0000002c 00000011 00000022 ${FOLDER.bytes}`, {
    inode: 0x22,
    attributes: FOLDER.value,
  }),
  requestCase(m.unlink, ALL, `000001a4 00000017 0000001a 00000022 026331 ${ROOT}`, {
    parent: 0x22,
    name: raw('c1'),
    ...root,
  }),
  replyCase(m.unlink, ALL, '000001a5 00000008 0000001a 0000002a', { inode: 0x2a }),
  requestCase(m.rmdir, ALL, `000001a6 00000017 0000001a 00000022 026331 ${ROOT}`, {
    parent: 0x22,
    name: raw('c1'),
    ...root,
  }),
  replyCase(m.rmdir, ALL, '000001a7 00000008 0000001a 00000000', { inode: 0 }),
  requestCase(
    m.rename,
    '3.0.115 3.0.117 4.17.0',
    `000001a8 0000001e 0000001c 00000022 026331 00000023 026332 ${ROOT}`,
    { parent: 0x22, name: raw('c1'), newParent: 0x23, newName: raw('c2'), ...root },
    { note: 'without mode' },
  ),
  requestCase(
    m.rename,
    '4.18.0 4.25.0 4.57.5 4.59.2',
    `000001a8 0000001f 0000001c 00000022 026331 00000023 026332 ${ROOT} 01`,
    { parent: 0x22, name: raw('c1'), newParent: 0x23, newName: raw('c2'), ...root, mode: 1 },
    { note: 'with mode' },
  ),
  replyCase(m.rename, ALL, `000001a9 0000002c 0000001c 0000002a ${FILE.bytes}`, {
    inode: 0x2a,
    attributes: FILE.value,
  }),
  requestCase(m.link, ALL, `000001aa 0000001b 0000001d 0000002a 00000022 026332 ${ROOT}`, {
    inode: 0x2a,
    newParent: 0x22,
    newName: raw('c2'),
    ...root,
  }),
  replyCase(m.link, ALL, `000001ab 0000002c 0000001d 0000002a ${FILE.bytes}`, {
    inode: 0x2a,
    attributes: FILE.value,
  }),

  requestCase(m.readdir, ALL, `000001ac 00000021 0000002b 00000022 ${ROOT} 00 00000003 0000000000000000`, {
    inode: 0x22,
    ...root,
    flags: 0,
    maxEntries: 3,
    startId: 0n,
  }),
  replyCase(
    m.readdir,
    ALL,
    '000001ad 00000023 0000002b 7fffffffffffffd5 012e 00000022 02 022e2e 00000021 02 026331 0000002a 01',
    {
      nextId: 0x7fff_ffff_ffff_ffd5n,
      entries: hex('012e 00000022 02 022e2e 00000021 02 026331 0000002a 01'),
    },
    { otherLengths: anyFrom(12) },
  ),
  recordCase(
    m.plainEntries,
    'plainEntries',
    ALL,
    '012e 00000022 02 022e2e 00000021 02 026331 0000002a 01',
    {
      entries: [
        { ...dot, nodeType: 2 },
        { ...dots, nodeType: 2 },
        { ...c1, nodeType: 1 },
      ],
    },
    { otherLengths: only(0, 7, 15) },
  ),
  recordCase(
    m.fullEntries,
    'fullEntries',
    ALL,
    `012e 00000022 ${FOLDER.bytes} 026331 0000002a ${FILE.bytes}`,
    {
      entries: [
        { ...dot, attributes: FOLDER.value },
        { ...c1, attributes: FILE.value },
      ],
    },
    { otherLengths: only(0, 42) },
  ),
]);

describe('readdirPaging', () => {
  it('is what 4.58 brought', () => {
    expect(
      (['3.0.117', '4.57.9', '4.58.0', '4.59.2'] as const).map((text) => m.readdirPaging.includes(version(text))),
    ).toEqual([false, false, true, true]);
  });
});
