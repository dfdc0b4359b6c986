/** Quotas of folders. */
import * as m from '../../../src/protocol/messages/quota.ts';
import { describeMessages, every, packetCase, raw, replyCase, requestCase } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const SOFT = '00000064 0000000000000001 0000000000000002 ffffffffffffffff';
const HARD = '000000c8 0000000000000004 0000000000000005 0000000000000006';
const CURRENT = '00000003 0000000000001000 0000000000011400 0000000000022800';
const soft = { softInodes: 100, softLength: 1n, softSize: 2n, softRealSize: 0xffff_ffff_ffff_ffffn };
const hard = { hardInodes: 200, hardLength: 4n, hardSize: 5n, hardRealSize: 6n };
const current = { inodes: 3, length: 4096n, size: 0x11400n, realSize: 0x22800n };

describeMessages('quota', [
  requestCase(m.getQuota, ALL, '000001dc 00000009 00000015 0000000c 00', { inode: 0x0c, flags: 0 }),
  requestCase(m.setQuota, ALL, `000001dc 00000045 00000016 0000000c 21 00000e10 ${SOFT} ${HARD}`, {
    inode: 0x0c,
    flags: m.QuotaFlag.inodes | (m.QuotaFlag.length << m.QUOTA_HARD_SHIFT),
    grace: 3600,
    ...soft,
    ...hard,
  }),
  ...[m.getQuota, m.setQuota].flatMap((message) => [
    replyCase(message, '3.0.115 3.0.117 4.25.0', `000001dd 0000005d 00000016 21 00000e10 ${SOFT} ${HARD} ${CURRENT}`, {
      flags: 0x21,
      grace: 3600,
      ...soft,
      ...hard,
      ...current,
    }),
    replyCase(message, '4.57.5 4.59.2', `000001dd 0000005e 00000016 21 01 00093a80 ${SOFT} ${HARD} ${CURRENT}`, {
      flags: 0x21,
      graceFlags: 1,
      grace: 604_800,
      ...soft,
      ...hard,
      ...current,
    }),
  ]),
  packetCase(m.getQuotas, ALL, '00000206 00000000', {}),
  packetCase(
    m.quotas,
    ALL,
    `00000207 00000072 0000000c 0000000c "/proto-c/doc" 00000e10 00 01 ffffffff ${SOFT} ${HARD} ${CURRENT}`,
    {
      quotas: [
        {
          inode: 0x0c,
          path: raw('/proto-c/doc'),
          grace: 3600,
          exceeded: 0,
          flags: 1,
          timeToBlock: 0xffff_ffff,
          ...soft,
          ...hard,
          ...current,
        },
      ],
    },
    { otherLengths: every(0x72, 0) },
  ),
]);
