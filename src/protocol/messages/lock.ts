/** Locks on whole files (flock) and on byte ranges (POSIX). Both need the inode open in the session. */
import { record, u32, u64, u8 } from '../layout.ts';
import { call } from '../message.ts';

/** Commands of FLOCK. */
export const FlockCommand = {
  unlock: 0,
  tryShared: 1,
  shared: 2,
  tryExclusive: 3,
  exclusive: 4,
  interrupt: 5,
  release: 6,
} as const;

/** A lock on a whole file. A waiting one has no reply until it is granted or interrupted. */
export const flock = call({
  name: 'FLOCK',
  type: 492,
  request: record(u32('inode'), u32('requestId'), u64('owner'), u8('command')),
  reply: record(),
  whenReplyLost: 'repeat',
});

/** Commands of POSIX_LOCK. */
export const PosixLockCommand = { get: 0, set: 1, trySet: 2, interrupt: 3 } as const;
/** Types of a POSIX lock. */
export const PosixLockType = { unlock: 0, read: 1, write: 2 } as const;
/** The `end` of a lock that reaches to the end of the file, however long. */
export const LOCK_TO_END = 0xffff_ffff_ffff_ffffn;

/** A lock on the bytes from `start` up to, not including, `end`. Only `get` has a reply with a body. */
export const posixLock = call({
  name: 'POSIX_LOCK',
  type: 494,
  request: record(
    u32('inode'),
    u32('requestId'),
    u64('owner'),
    u32('pid'),
    u8('command'),
    u8('lockType'),
    u64('start'),
    u64('end'),
  ),
  reply: record(u32('pid'), u8('lockType'), u64('start'), u64('end')),
  whenReplyLost: 'repeat',
  bareStatus: true,
});
