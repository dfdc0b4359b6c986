/** What is done with an inode: attributes, opening, length, extended attributes, ACLs. */
import * as m from '../../../src/protocol/messages/inode.ts';
import { FILE } from '../../support/attribute-bytes.ts';
import {
  anyFrom,
  describeMessages,
  only,
  raw,
  recordCase,
  replyCase,
  requestCase,
} from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const root = { uid: 0, gids: [0] };
const ROOT = '00000000 00000001 00000000';

describeMessages('inode', [
  requestCase(m.getattr, ALL, '00000198 00000011 00000021 0000002a 01 000003e8 00000064', {
    inode: 0x2a,
    opened: 1,
    uid: 1000,
    gid: 100,
  }),
  replyCase(m.getattr, ALL, `00000199 00000028 00000021 ${FILE.bytes}`, { attributes: FILE.value }),
  requestCase(
    m.setattr,
    ALL,
    `0000019a 0000002a 00000020 0000002a 00 ${ROOT} 02 09ed 00000000 00000000 00000000 00000000 00 00`,
    {
      inode: 0x2a,
      opened: 0,
      ...root,
      setMask: 2,
      mode: 0o4755,
      newUid: 0,
      newGid: 0,
      atime: 0,
      mtime: 0,
      winattr: 0,
      sugidClear: 0,
    },
  ),
  requestCase(
    m.setattr,
    ALL,
    `0000019a 0000002a 00000020 0000002a 01 ${ROOT} 6d 01a4 00000001 00000002 00000003 ffffffff 08 04`,
    {
      inode: 0x2a,
      opened: 1,
      ...root,
      setMask: 0x6d,
      mode: 0o644,
      newUid: 1,
      newGid: 2,
      atime: 3,
      mtime: 0xffff_ffff,
      winattr: 8,
      sugidClear: 4,
    },
    { note: 'every field different' },
  ),
  replyCase(m.setattr, ALL, `0000019b 00000028 00000020 ${FILE.bytes}`, { attributes: FILE.value }),
  requestCase(m.open, ALL, `000001ae 00000015 0000004f 00000023 ${ROOT} 03`, { inode: 0x23, ...root, flags: 3 }),
  replyCase(m.open, ALL, `000001af 00000029 0000004f 04 ${FILE.bytes}`, { openedFlags: 4, attributes: FILE.value }),
  requestCase(m.create, ALL, `000001e2 0000001b 00000012 00000022 026331 01a4 0012 ${ROOT}`, {
    parent: 0x22,
    name: raw('c1'),
    mode: 0o644,
    umask: 0o22,
    ...root,
  }),
  replyCase(m.create, ALL, `000001e3 0000002d 00000012 00 0000002a ${FILE.bytes}`, {
    openedFlags: 0,
    inode: 0x2a,
    attributes: FILE.value,
  }),
  requestCase(m.truncate, ALL, `000001d0 0000001d 00000067 00000023 00 ${ROOT} 0000000000000bb8`, {
    inode: 0x23,
    flags: 0,
    ...root,
    length: 3000,
  }),
  requestCase(
    m.truncate,
    ALL,
    `000001d0 0000001d 00000067 00000023 0b ${ROOT} 001fffffffffffff`,
    { inode: 0x23, flags: 0x0b, ...root, length: Number.MAX_SAFE_INTEGER },
    { note: 'the longest that a number counts' },
  ),
  replyCase(m.truncate, ALL, `000001d1 00000030 00000067 0000000008000000 ${FILE.bytes}`, {
    previousLength: 0x8000000,
    attributes: FILE.value,
  }),

  requestCase(m.getxattr, ALL, `000001de 0000001d 0000003e 0000002a 06 "user.k" 00 00 ${ROOT}`, {
    inode: 0x2a,
    name: raw('user.k'),
    mode: 0,
    opened: 0,
    ...root,
  }),
  requestCase(
    m.getxattr,
    ALL,
    `000001de 00000017 0000003e 0000002a 00 00 01 ${ROOT}`,
    { inode: 0x2a, name: raw(''), mode: 0, opened: 1, ...root },
    { note: 'the list' },
  ),
  replyCase(m.getxattr, ALL, '000001df 0000000b 0000003e 00000003 "abc"', { value: raw('abc') }),
  replyCase(m.getxattr, ALL, '000001df 00000008 0000003e 00000000', { value: raw('') }, { note: 'empty' }),
  requestCase(m.setxattr, ALL, `000001e0 00000024 0000003a 0000002a 06 "user.k" 00000003 "abc" 00 00 ${ROOT}`, {
    inode: 0x2a,
    name: raw('user.k'),
    value: raw('abc'),
    mode: 0,
    opened: 0,
    ...root,
  }),
  replyCase(m.setxattr, ALL, '000001e1 00000005 0000003a 00', {}),
  recordCase(
    m.xattrNames,
    'xattrNames',
    ALL,
    '"user.k" 00 "user.z" 00',
    { names: raw('user.k\0user.z\0') },
    { otherLengths: anyFrom(0) },
  ),

  requestCase(m.getfacl, ALL, '000001e8 00000009 0000001c 0000000d 01', { inode: 13, aclType: 1 }),
  replyCase(m.getfacl, ALL, '000001e9 00000016 0000001c 0006 0004 0000 0006 0001 0000 000003e8 0006', {
    user: 6,
    group: 4,
    other: 0,
    mask: 6,
    entries: { users: [{ id: 1000, permissions: 6 }], groups: [] },
  }),
  requestCase(
    m.setfacl,
    ALL,
    `000001ea 00000025 00000048 0000002a 00000000 01 0006 0004 0000 0006 0001 0001
     000004d2 0006 000010e1 0004`,
    {
      inode: 0x2a,
      uid: 0,
      aclType: 1,
      user: 6,
      group: 4,
      other: 0,
      mask: 6,
      entries: { users: [{ id: 1234, permissions: 6 }], groups: [{ id: 4321, permissions: 4 }] },
    },
  ),
  requestCase(
    m.setfacl,
    ALL,
    '000001ea 00000019 00000049 0000002a 00000000 02 ffff ffff ffff ffff 0000 0000',
    {
      inode: 0x2a,
      uid: 0,
      aclType: 2,
      user: m.ACL_NONE,
      group: m.ACL_NONE,
      other: m.ACL_NONE,
      mask: m.ACL_NONE,
      entries: { users: [], groups: [] },
    },
    { note: 'which removes one' },
  ),
  replyCase(m.setfacl, ALL, '000001eb 00000005 00000048 00', {}),

  requestCase(m.paths, ALL, '000001e6 00000008 00000010 0000000d', { inode: 13 }),
  replyCase(
    m.paths,
    ALL,
    '000001e7 00000016 00000010 0000000e "proto-c/doc/d1"',
    { paths: [{ path: raw('proto-c/doc/d1') }] },
    { otherLengths: only(4) },
  ),
  replyCase(
    m.paths,
    ALL,
    '000001e7 0000000e 00000010 00000001 "a" 00000001 "b"',
    { paths: [{ path: raw('a') }, { path: raw('b') }] },
    { otherLengths: only(4, 9), note: 'two hard links' },
  ),
]);
