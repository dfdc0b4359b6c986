/** Storage classes and goals, snapshots. */
import * as m from '../../../src/protocol/messages/placement.ts';
import {
  anyFrom,
  describeMessages,
  hex,
  raw,
  recordCase,
  replyCase,
  requestCase,
} from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const ROOT = '00000000 00000001 00000000';

const V3 = '3.0.115 3.0.117';
const V4 = '4.57.5 4.59.2';
/** Admin only, mode 1, 7 days, one label each: any server; A; A and B, or C. */
const RULES3 = ['', '00000001', '00000003 00000004'];
const DEFINITION3 = `01 01 0007 01 01 01 ${RULES3.map((each) => each.padEnd(32 + (each.includes(' ') ? 1 : 0), '0')).join(' ')}`;
const definition3 = {
  adminOnly: 1,
  labelsMode: 1,
  archiveDelay: 7,
  labels: {
    create: [Buffer.alloc(16)],
    keep: [hex('00000001 000000000000000000000000')],
    archive: [hex('00000003 00000004 0000000000000000')],
  },
};
const DEFINITION4 = `02 "hi" 00000009 02 00 01 21 0018 0000000000001000 000c 41 81 ff000102 00000001 10000000 00000002 00000003
  00 01 00 01 c0 ${'00'.repeat(127)} c0c180 ${'00'.repeat(125)}`;
const definition4 = {
  description: raw('hi'),
  priority: 9,
  exportGroup: 2,
  adminOnly: 0,
  labelsMode: 1,
  archiveMode: 0x21,
  archiveDelay: 24,
  archiveMinSize: 4096,
  minTrashRetention: 12,
  archiveEc: 0x41,
  trashEc: 0x81,
  labelsModes: hex('ff000102'),
  createUnique: 1,
  keepUnique: 0x1000_0000,
  archiveUnique: 2,
  trashUnique: 3,
  labels: {
    create: [],
    keep: [hex(`c0${'00'.repeat(127)}`)],
    archive: [],
    trash: [hex(`c0c180${'00'.repeat(125)}`)],
  },
};

describeMessages('placement', [
  requestCase(m.getStorageClass, ALL, '000001be 00000009 00000007 00000016 00', { inode: 0x16, recursive: 0 }),
  replyCase(
    m.getStorageClass,
    ALL,
    '000001bf 0000000b 00000007 01 00 02 00000001',
    { classes: { files: [{ goal: 2, count: 1 }], directories: [] } },
    { note: 'a numbered goal' },
  ),
  replyCase(
    m.getStorageClass,
    ALL,
    '000001bf 00000010 00000006 01 01 01 00000001 02 00000003',
    { classes: { files: [{ goal: 1, count: 1 }], directories: [{ goal: 2, count: 3 }] } },
    { note: 'two numbered goals' },
  ),
  replyCase(
    m.getStorageClass,
    ALL,
    '000001bf 00000018 00000006 01 01 ff 03 "2CP" 00000001 ff 03 "2CP" 00000001',
    {
      classes: {
        files: [{ name: raw('2CP'), count: 1 }],
        directories: [{ name: raw('2CP'), count: 1 }],
      },
    },
    { note: 'names' },
  ),
  requestCase(m.setStorageClass, ALL, '000001c0 00000012 00000007 0000000b 00000000 ff 04 03 "3CP"', {
    inode: 0x0b,
    uid: 0,
    byName: m.CLASS_BY_NAME,
    setMode: m.SET_RECURSIVE,
    name: raw('3CP'),
  }),
  replyCase(m.setStorageClass, ALL, '000001c1 00000010 00000007 00000002 00000000 00000001', {
    changed: 2,
    notChanged: 0,
    notPermitted: 1,
  }),
  recordCase(m.setterReply, 'setterReply', ALL, '00000002 00000000 00000001', {
    changed: 2,
    notChanged: 0,
    notPermitted: 1,
  }),
  requestCase(m.listPatterns, '4.57.5 4.59.2', '00000176 00000005 00000003 00', { format: 0 }),
  replyCase(
    m.listPatterns,
    '4.57.5 4.59.2',
    '00000177 0000001f 00000003 08 "*.doctmp" ffffffff ffffffff 00 03 03 "3CP" 0005 00 00',
    { patterns: hex('08 "*.doctmp" ffffffff ffffffff 00 03 03 "3CP" 0005 00 00') },
    { otherLengths: anyFrom(4) },
  ),
  requestCase(m.listStorageClasses, ALL, '00000168 00000005 0000002b 00', { format: 0 }),
  replyCase(
    m.listStorageClasses,
    ALL,
    '00000169 00000018 0000002b 03 "2CP" 03 "3CP" 05 "EC4+1" 05 "EC8+1"',
    { names: raw('\x032CP\x033CP\x05EC4+1\x05EC8+1') },
    { otherLengths: anyFrom(4) },
  ),
  requestCase(
    m.readStorageClass,
    ALL,
    `00000160 0000003a 00000006 03 "2CP" 06 0000 ${'00'.repeat(47)}`,
    { name: raw('2CP'), format: 6, changeMask: 0, padding: Buffer.alloc(47) },
    { otherLengths: anyFrom(11) },
  ),
  replyCase(
    m.readStorageClass,
    ALL,
    '00000161 00000010 00000006 00 00 01 0000 02 02 02 "rest"',
    { format: 0, definition: hex('00 01 0000 02 02 02 "rest"') },
    { otherLengths: anyFrom(6) },
  ),
  recordCase(m.storageClassDefinition, 'storageClassDefinition', V3, DEFINITION3, definition3),
  recordCase(m.storageClassDefinition, 'storageClassDefinition', V4, DEFINITION4, definition4),
  requestCase(m.createStorageClass, V3, `0000015e 00000040 0000000a 03 "pcX" 00 ${DEFINITION3}`, {
    name: raw('pcX'),
    format: 0,
    ...definition3,
  }),
  requestCase(m.createStorageClass, V4, `0000015e 0000013a 0000000a 03 "pcX" 06 ${DEFINITION4}`, {
    name: raw('pcX'),
    format: 6,
    ...definition4,
  }),
  replyCase(m.createStorageClass, ALL, '0000015f 00000005 0000000a 00', {}),
  requestCase(m.changeStorageClass, V3, `00000160 00000042 0000000a 03 "pcX" 00 800c ${DEFINITION3}`, {
    name: raw('pcX'),
    format: 0,
    changeMask: m.ClassChange.force | m.ClassChange.keep | m.ClassChange.create,
    ...definition3,
  }),
  requestCase(m.changeStorageClass, V4, `00000160 0000013c 0000000a 03 "pcX" 06 1c00 ${DEFINITION4}`, {
    name: raw('pcX'),
    format: 6,
    changeMask: m.ClassChange.priority | m.ClassChange.description | m.ClassChange.exportGroup,
    ...definition4,
  }),
  replyCase(m.changeStorageClass, V3, `00000161 0000003c 0000000a 00 ${DEFINITION3}`, { format: 0, ...definition3 }),
  replyCase(m.changeStorageClass, V4, `00000161 00000136 0000000a 06 ${DEFINITION4}`, { format: 6, ...definition4 }),
  requestCase(m.deleteStorageClass, ALL, '00000162 00000008 0000000a 03 "pcX"', { name: raw('pcX') }),
  replyCase(m.deleteStorageClass, ALL, '00000163 00000005 0000000a 00', {}),
  requestCase(m.duplicateStorageClass, ALL, '00000164 0000000c 0000000a 03 "2CP" 03 "pcX"', {
    name: raw('2CP'),
    newName: raw('pcX'),
  }),
  replyCase(m.duplicateStorageClass, ALL, '00000165 00000005 0000000a 00', {}),
  requestCase(m.renameStorageClass, ALL, '00000166 0000000c 0000000a 03 "pcX" 03 "pcY"', {
    name: raw('pcX'),
    newName: raw('pcY'),
  }),
  replyCase(m.renameStorageClass, ALL, '00000167 00000005 0000000a 00', {}),
  requestCase(m.archiveState, ALL, '000001f0 00000009 00000019 0000000c 02', {
    inode: 0x0c,
    command: m.ArchiveCommand.get,
  }),
  replyCase(
    m.archiveState,
    ALL,
    '000001f1 00000020 00000019 0000000000000001 0000000000000002 00000003 00000004 00000005',
    {
      archivedChunks: 1n,
      otherChunks: 2n,
      archivedFiles: 3,
      partialFiles: 4,
      otherFiles: 5,
    },
  ),
  requestCase(m.archive, ALL, '000001f0 0000000d 00000019 0000000c 01 00000000', {
    inode: 0x0c,
    command: m.ArchiveCommand.set,
    uid: 0,
  }),
  replyCase(m.archive, ALL, '000001f1 00000018 00000019 0000000000000004 0000000000000001 00000002', {
    changed: 4n,
    notChanged: 1n,
    notPermitted: 2,
  }),
  requestCase(m.snapshot, ALL, `000001d4 00000023 00000020 0000000c 00000002 07 "docsnap" ${ROOT} 08 0012`, {
    source: 0x0c,
    parent: 2,
    name: raw('docsnap'),
    uid: 0,
    gids: [0],
    mode: m.SnapshotMode.preserveHardLinks,
    umask: 0o22,
  }),
  replyCase(m.snapshot, ALL, '000001d5 00000005 00000020 00', {}),
]);
