/** The trash: retentions, and what a meta session asks. */
import * as m from '../../../src/protocol/messages/trash.ts';
import { FILE } from '../../support/attribute-bytes.ts';
import { describeMessages, raw, replyCase, requestCase } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const ENTRY = '0b "proto-c|tr0" 0000003a';
const entry = { name: raw('proto-c|tr0'), inode: 0x3a };
/** A msgid, with nothing or an entry behind it. */
const entries = (length: number) => length === 4 || length === 20;

describeMessages('trash', [
  requestCase(m.getTrashRetention, ALL, '000001ba 00000009 0000000b 0000000c 01', { inode: 0x0c, recursive: 1 }),
  replyCase(
    m.getTrashRetention,
    ALL,
    '000001bb 00000024 0000000b 00000002 00000001 00001c20 00000001 00015180 00000002 00000e10 00000003',
    {
      retentions: {
        files: [
          { seconds: 7200, count: 1 },
          { seconds: 86_400, count: 2 },
        ],
        directories: [{ seconds: 3600, count: 3 }],
      },
    },
  ),
  requestCase(m.setTrashRetention, ALL, '000001bc 00000011 0000000a 0000000c 00000000 00001388 04', {
    inode: 0x0c,
    uid: 0,
    seconds: 5000,
    setMode: 4,
  }),
  replyCase(m.setTrashRetention, ALL, '000001bd 00000010 0000000a 00000002 00000001 00000000', {
    changed: 2,
    notChanged: 1,
    notPermitted: 0,
  }),
  requestCase(m.listTrash, ALL, '000001c2 00000008 00000002 0000003a', { bucket: 0x3a }),
  replyCase(m.listTrash, ALL, `000001c3 00000014 00000002 ${ENTRY}`, { entries: [entry] }, { otherLengths: entries }),
  requestCase(m.detachedAttributes, ALL, '000001c4 00000009 00000003 0000003a 01', {
    inode: 0x3a,
    kind: m.DetachedKind.trash,
  }),
  replyCase(m.detachedAttributes, ALL, `000001c5 00000028 00000003 ${FILE.bytes}`, { attributes: FILE.value }),
  requestCase(m.trashPath, ALL, '000001c6 00000008 00000006 0000003a', { inode: 0x3a }),
  replyCase(m.trashPath, ALL, '000001c7 00000014 00000006 0000000c "proto-c/tr0" 00', { path: raw('proto-c/tr0\0') }),
  requestCase(m.setTrashPath, ALL, '000001c8 00000010 00000007 0000003a 00000004 "back"', {
    inode: 0x3a,
    path: raw('back'),
  }),
  replyCase(m.setTrashPath, ALL, '000001c9 00000005 00000007 00', {}),
  requestCase(m.undelete, ALL, '000001ca 00000008 00000008 0000003a', { inode: 0x3a }),
  replyCase(m.undelete, ALL, '000001cb 00000005 00000008 00', {}),
  requestCase(m.purge, ALL, '000001cc 00000008 0000000b 0000003b', { inode: 0x3b }),
  replyCase(m.purge, ALL, '000001cd 00000005 0000000b 00', {}),
  requestCase(m.listSustained, ALL, '000001d6 00000004 0000000c', {}),
  replyCase(
    m.listSustained,
    ALL,
    `000001d7 00000014 0000000c ${ENTRY}`,
    { entries: [entry] },
    { otherLengths: entries },
  ),
]);
