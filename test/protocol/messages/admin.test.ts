/** What administrators do with files and trees. */
import * as m from '../../../src/protocol/messages/admin.ts';
import { describeMessages, every, replyCase, requestCase } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const ROOT = '00000000 00000001 00000000';
const root = { uid: 0, gids: [0] };
const COPIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const SIZES = '0000000000001388 0000000000011400 0000000000022800';
const info = { inodes: 15, directories: 2, files: 12, chunks: 5, length: 5000, size: 0x11400, realSize: 0x22800 };

describeMessages('admin', [
  requestCase(m.getExtraAttributes, ALL, '000001d8 00000009 0000000d 0000000c 01', { inode: 0x0c, recursive: 1 }),
  replyCase(m.getExtraAttributes, ALL, '000001d9 00000010 0000000d 01 01 01 00000001 80 00000002', {
    counts: { files: [{ bits: 1, count: 1 }], directories: [{ bits: 0x80, count: 2 }] },
  }),
  requestCase(m.setExtraAttributes, ALL, '000001da 0000000e 0000000c 0000000c 00000000 01 05', {
    inode: 0x0c,
    uid: 0,
    bits: m.ExtraAttribute.noOwner,
    setMode: m.ExtraAttributeMode.add | 4,
  }),
  replyCase(m.setExtraAttributes, ALL, '000001db 00000010 0000000c 00000002 00000000 00000001', {
    changed: 2,
    notChanged: 0,
    notPermitted: 1,
  }),
  requestCase(m.checkFile, ALL, '000001b8 00000008 00000028 00000016', { inode: 0x16 }),
  replyCase(
    m.checkFile,
    ALL,
    `000001b9 00000034 00000028 ${COPIES.map((n) => `000000${(0xa0 + n).toString(16)}`).join(' ')} 00000007`,
    {
      copies0: 0xa0,
      copies1: 0xa1,
      copies2: 0xa2,
      copies3: 0xa3,
      copies4: 0xa4,
      copies5: 0xa5,
      copies6: 0xa6,
      copies7: 0xa7,
      copies8: 0xa8,
      copies9: 0xa9,
      copies10: 0xaa,
      empty: 7,
    },
  ),
  requestCase(m.checkFileClasses, '4.57.5 4.59.2', '000001b8 00000009 00000032 03 00000017', {
    mode: m.CHECK_CLASSES,
    inode: 0x17,
  }),
  replyCase(
    m.checkFileClasses,
    '4.57.5 4.59.2',
    '000001b9 00000010 00000032 0004 00000002 03e0 00000001',
    {
      classes: [
        { class: 4, count: 2 },
        { class: 992, count: 1 },
      ],
    },
    { otherLengths: every(6, 4) },
  ),
  requestCase(m.directoryInfo, ALL, '000001ce 00000008 0000000f 0000000c', { inode: 0x0c }),
  replyCase(
    m.directoryInfo,
    '3.0.115 3.0.117',
    `000001cf 0000003c 0000000f 0000000f 00000002 0000000c 00000000 00000000 00000005 00000000 00000000 ${SIZES}`,
    { ...info, zero1: 0, zero2: 0, zero3: 0, zero4: 0 },
  ),
  replyCase(
    m.directoryInfo,
    '4.25.0 4.57.5 4.59.2',
    `000001cf 0000002c 0000000f 0000000f 00000002 0000000c 00000005 ${SIZES}`,
    info,
  ),
  requestCase(m.repair, '3.0.115 3.0.117 4.25.0', `000001d2 00000014 0000001f 0000000d ${ROOT}`, {
    inode: 0x0d,
    ...root,
  }),
  requestCase(m.repair, '4.57.5 4.59.2', `000001d2 00000015 0000001f 0000000d ${ROOT} 01`, {
    inode: 0x0d,
    ...root,
    flags: m.REPAIR_ERASE,
  }),
  replyCase(m.repair, ALL, '000001d3 00000010 0000001f 00000003 00000002 00000001', {
    notChanged: 3,
    erased: 2,
    repaired: 1,
  }),
]);
