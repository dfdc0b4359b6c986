/** What is done with a node that a path or handle names: attributes, permissions, owners, times, lengths. */
import { NodeType } from '../protocol/attributes.ts';
import type { Attributes } from '../protocol/attributes.ts';
import * as inodeMessages from '../protocol/messages/inode.ts';
import * as messages from '../protocol/messages/namespace.ts';
import { Status } from '../protocol/status.ts';
import type { Deadline } from '../transport/deadline.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { invalidType } from './arguments.ts';
import { parseMode } from './flags.ts';
import { findPath } from './paths.ts';
import type { PathLike } from './paths.ts';
import type { StatFs } from './stats.ts';
import type { Volume } from './volume.ts';

/** A time as node:fs takes it: seconds since 1970 as number or text, or a Date. */
export type TimeLike = number | string | Date;

/** What every call below needs. */
export interface CallContext {
  readonly site: CallSite;
  readonly deadline: Deadline;
}

/** A number for `stats.dev`: the same for all files of one cluster. */
export function deviceOf(volume: Volume): number {
  return Number(volume.session.grant.metaId & 0x7fff_ffffn);
}

/** Attributes of what a path leads to, the length of a file that is being written here included. */
export async function attributesAt(
  volume: Volume,
  path: PathLike,
  follow: boolean,
  context: CallContext,
): Promise<{ inode: number; attributes: Attributes }> {
  // The master knows of reads and writes only what it was told.
  volume.session.flushTimes();
  const { inode, attributes } = await findPath(volume, path, { ...context, follow });
  const open = volume.files.get(inode);
  if (open?.isDirty !== true) return { inode, attributes };
  return { inode, attributes: { ...attributes, length: Math.max(attributes.length, open.length) } };
}

/** Whether the caller may; rejects with EACCES or EROFS where not. `mask`: 4 read, 2 write, 1 execute, 0 existence. */
export async function checkAccess(volume: Volume, path: PathLike, mask: number, context: CallContext): Promise<void> {
  const { inode } = await findPath(volume, path, { ...context, follow: true });
  if (mask === 0) return;
  const { uid, gids } = volume.settings;
  const { status } = await volume.session.tryCall(messages.access, { inode, uid, gids, mask }, context);
  if (status !== Status.OK) throw statusError(status, context.site, messages.access.name);
}

interface AttributeChange {
  readonly setMask: number;
  readonly mode?: number;
  readonly newUid?: number;
  readonly newGid?: number;
  readonly atime?: number;
  readonly mtime?: number;
}

async function setAttributes(
  volume: Volume,
  inode: number,
  change: AttributeChange,
  context: CallContext,
): Promise<Attributes> {
  const { uid, gids } = volume.settings;
  const { attributes } = await volume.session.call(
    inodeMessages.setattr,
    {
      inode,
      opened: 1,
      uid,
      gids,
      mode: 0,
      newUid: 0,
      newGid: 0,
      atime: 0,
      mtime: 0,
      winattr: 0,
      sugidClear: inodeMessages.SUGID_CLEAR_EXT,
      ...change,
    },
    context,
  );
  return attributes;
}

export async function changeMode(
  volume: Volume,
  inode: number,
  mode: number | string,
  context: CallContext,
): Promise<void> {
  await setAttributes(volume, inode, { setMask: inodeMessages.SetMask.mode, mode: parseMode(mode) }, context);
}

/** -1 leaves an id as it is. */
export async function changeOwner(
  volume: Volume,
  inode: number,
  uid: number,
  gid: number,
  context: CallContext,
): Promise<void> {
  const { SetMask } = inodeMessages;
  const setMask =
    (uid === -1 || uid === 0xffff_ffff ? 0 : SetMask.uid) | (gid === -1 || gid === 0xffff_ffff ? 0 : SetMask.gid);
  if (setMask === 0) return;
  await setAttributes(volume, inode, { setMask, newUid: uid >>> 0, newGid: gid >>> 0 }, context);
}

/** Checks times before anything is asked, as node does. */
export function checkTimes(atime: TimeLike | null, mtime: TimeLike | null): void {
  if (atime !== null) secondsOf(atime, 'atime');
  if (mtime !== null) secondsOf(mtime, 'mtime');
}

/** Sets times, null leaving one as it is; MooseFS keeps whole seconds from 1970 to 2106. */
export async function changeTimes(
  volume: Volume,
  inode: number,
  atime: TimeLike | null,
  mtime: TimeLike | null,
  context: CallContext,
): Promise<void> {
  const { SetMask } = inodeMessages;
  // What was collected of reads and writes before must not overwrite what the caller says now.
  if (atime === null || mtime === null) volume.session.flushTimes();
  else volume.session.times.forget(inode);
  const setMask = (atime === null ? 0 : SetMask.atime) | (mtime === null ? 0 : SetMask.mtime);
  if (setMask === 0) return;
  const times = {
    atime: atime === null ? 0 : secondsOf(atime, 'atime'),
    mtime: mtime === null ? 0 : secondsOf(mtime, 'mtime'),
  };
  await setAttributes(volume, inode, { setMask, ...times }, context);
}

/** Whole seconds of a time as node takes it; a negative number means now, as in node. */
export function secondsOf(time: unknown, name: string): number {
  const seconds =
    time instanceof Date ? time.getTime() / 1000 : typeof time === 'string' && time.trim() !== '' ? Number(time) : time;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds))
    throw invalidType(name, 'an instance of Date or a time in seconds', time);
  const now = !(time instanceof Date) && typeof time !== 'string' && seconds < 0;
  return Math.min(0xffff_ffff, Math.max(0, Math.floor(now ? Date.now() / 1000 : seconds)));
}

/** The block that space is counted in. */
const SPACE_BLOCK = 65_536;
/** The number by which Linux knows FUSE file systems: the official mount's. */
const FUSE_TYPE = 0x6573_5546;

/** Space and inodes of the file system that a path lies in. */
export async function spaceOf(volume: Volume, path: PathLike, context: CallContext): Promise<StatFs> {
  await findPath(volume, path, { ...context, follow: true });
  const { total, available, free, inodes } = await volume.session.call(messages.statfs, {}, context);
  return {
    type: FUSE_TYPE,
    bsize: SPACE_BLOCK,
    blocks: Math.floor(total / SPACE_BLOCK),
    bfree: Math.floor(free / SPACE_BLOCK),
    bavail: Math.floor(available / SPACE_BLOCK),
    files: 0xffff_ffff,
    ffree: 0xffff_ffff - inodes,
  };
}

/** Sets the length of a file by its path. */
export async function truncatePath(
  volume: Volume,
  path: PathLike,
  length: number,
  context: CallContext,
): Promise<void> {
  const { inode, attributes } = await findPath(volume, path, { ...context, follow: true });
  if (attributes.type === NodeType.directory) throw fsError('EISDIR', context.site);
  if (attributes.type !== NodeType.file) throw fsError('EINVAL', context.site);
  const open = volume.files.get(inode);
  await open?.flush(context.deadline);
  const { uid, gids } = volume.settings;
  const changed = await volume.session.call(
    inodeMessages.truncate,
    { inode, flags: 0, uid, gids, length: Math.max(0, length) },
    { ...context, patient: true, whenReplyLost: 'repeat' },
  );
  volume.files.cut(inode, length);
  open?.locations.forgetAll();
  open?.learn(changed.attributes);
}
