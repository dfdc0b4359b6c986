/** Quotas of folders. */
import { bytes32, gated, record, repeated, u32, u64, u8 } from '../layout.ts';
import { call, packet } from '../message.ts';
import { since } from '../version.ts';

/** Bits that name limits: of the soft ones; the hard ones are four bits further up. */
export const QuotaFlag = { inodes: 0x01, length: 0x02, size: 0x04, realSize: 0x08 } as const;
/** How far the bits of hard limits are shifted. */
export const QUOTA_HARD_SHIFT = 4;

const soft = [u32('softInodes'), u64('softLength'), u64('softSize'), u64('softRealSize')] as const;
const hard = [u32('hardInodes'), u64('hardLength'), u64('hardSize'), u64('hardRealSize')] as const;
const current = [u32('inodes'), u64('length'), u64('size'), u64('realSize')] as const;

/** `graceFlags` 1: the grace period is the master's default. */
const quotaReply = record(
  u8('flags'),
  gated(since('4.51.0'), u8('graceFlags')),
  u32('grace'),
  ...soft,
  ...hard,
  ...current,
);

/** Reads the quota of a folder; with flags it removes those limits first. */
export const getQuota = call({
  name: 'QUOTACONTROL (read or delete)',
  type: 476,
  request: record(u32('inode'), u8('flags')),
  reply: quotaReply,
  whenReplyLost: 'repeat',
});

/**
 * Sets the limits that the flags name. The form without `grace` is not declared: on 4.x it sets the grace period back. A `grace`
 * that keeps the one there was: 0, from 4.51 on {@link GRACE_KEEP}.
 */
export const setQuota = call({
  name: 'QUOTACONTROL (set)',
  type: 476,
  request: record(u32('inode'), u8('flags'), u32('grace'), ...soft, ...hard),
  reply: quotaReply,
  whenReplyLost: 'repeat',
});

/** From 4.51 on: leave the grace period as it is. */
export const GRACE_KEEP = 0xffff_ffff;

/** Asks for all quotas. No session is needed. */
export const getQuotas = packet('QUOTA_INFO', 518, record());
/** All quotas. `timeToBlock` 0xffffffff: nothing is exceeded. */
export const quotas = packet(
  'QUOTA_INFO reply',
  519,
  record(
    repeated(
      'quotas',
      record(
        u32('inode'),
        bytes32('path'),
        u32('grace'),
        u8('exceeded'),
        u8('flags'),
        u32('timeToBlock'),
        ...soft,
        ...hard,
        ...current,
      ),
    ),
  ),
);
