/** Locks on whole files and on byte ranges. */
import { describe, expect, it } from 'vitest';
import { decodeReply } from '../../../src/protocol/message.ts';
import * as m from '../../../src/protocol/messages/lock.ts';
import { OURS } from '../../../src/protocol/version.ts';
import { describeMessages, hex, replyCase, requestCase } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';

describeMessages('lock', [
  requestCase(m.flock, ALL, '000001ec 00000015 00000052 00000023 00000007 ff0000000000004d 03', {
    inode: 0x23,
    requestId: 7,
    owner: 0xff00_0000_0000_004dn,
    command: m.FlockCommand.tryExclusive,
  }),
  replyCase(m.flock, ALL, '000001ed 00000005 00000052 00', {}),
  requestCase(
    m.posixLock,
    ALL,
    '000001ee 0000002a 00000055 00000023 00000000 000000000000004d 00001092 02 02 0000000000000064 00000000000000c8',
    {
      inode: 0x23,
      requestId: 0,
      owner: 0x4dn,
      pid: 0x1092,
      command: m.PosixLockCommand.trySet,
      lockType: m.PosixLockType.write,
      start: 100n,
      end: 200n,
    },
  ),
  requestCase(
    m.posixLock,
    ALL,
    '000001ee 0000002a 00000056 00000023 00000000 000000000000004e 00001093 00 01 0000000000000096 ffffffffffffffff',
    {
      inode: 0x23,
      requestId: 0,
      owner: 0x4en,
      pid: 0x1093,
      command: m.PosixLockCommand.get,
      lockType: m.PosixLockType.read,
      start: 150n,
      end: m.LOCK_TO_END,
    },
    { note: 'to the end' },
  ),
  replyCase(m.posixLock, ALL, '000001ef 00000019 00000056 00001092 02 0000000000000064 00000000000000c8', {
    pid: 0x1092,
    lockType: m.PosixLockType.write,
    start: 100n,
    end: 200n,
  }),
]);

describe('POSIX_LOCK', () => {
  it('has a bare OK for what is not a question', () => {
    expect(decodeReply(m.posixLock, hex('00000055 00'), OURS)).toEqual({ status: 0, value: {} });
  });
});
