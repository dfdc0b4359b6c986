/** How long files stay in the trash when they are deleted: seconds, on the wire too, on every version. Masters keep whole hours. */
import * as messages from '../protocol/messages/trash.ts';
import { SET_RECURSIVE, SetMode } from '../protocol/messages/placement.ts';
import { checkInteger, invalidValue } from './arguments.ts';
import type { TreeOptions } from './admin-call.ts';
import type { SignalOption } from './file-handle.ts';
import type { CallContext } from './nodes.ts';
import type { SetCounts } from './storage-class.ts';
import type { TreeCounts } from './storage-class-api.ts';
import type { Volume } from './volume.ts';

/** Options of `mfs.trash.setRetention`. */
export interface SetRetentionOptions extends TreeOptions {
  /** `'set'` (default), or only where it makes the time longer or shorter. */
  readonly mode?: 'set' | 'increase' | 'decrease' | undefined;
}

/** Options of `mfs.trash.getRetention`. */
export type RetentionOptions = SignalOption & TreeOptions;

/** Masters count hours in 16 bits. */
const LONGEST_SECONDS = 65_535 * 3600;

/** The retention of one node, in seconds. */
export async function retentionOf({ session }: Volume, inode: number, context: CallContext): Promise<number> {
  const { retentions } = await session.call(messages.getTrashRetention, { inode, recursive: 0 }, context);
  return [...retentions.files, ...retentions.directories][0]!.seconds;
}

/** The retentions in a tree, in seconds. */
export async function retentionsIn(
  { session }: Volume,
  inode: number,
  context: CallContext,
): Promise<TreeCounts<number>> {
  const { retentions } = await session.call(messages.getTrashRetention, { inode, recursive: 1 }, context);
  const counts = (list: readonly messages.RetentionCount[]) =>
    list.map(({ seconds, count }) => ({ value: seconds, count }));
  return { files: counts(retentions.files), directories: counts(retentions.directories) };
}

/** Sets it for a node or a tree. */
export async function setRetention(
  { session, settings }: Volume,
  inode: number,
  seconds: number,
  { recursive = false, mode = 'set' }: SetRetentionOptions,
  context: CallContext,
): Promise<SetCounts> {
  checkInteger(seconds, 'seconds', 0, LONGEST_SECONDS);
  if (!['set', 'increase', 'decrease'].includes(mode))
    throw invalidValue('mode', mode, "must be 'set', 'increase' or 'decrease'");
  const setMode = SetMode[mode] | (recursive ? SET_RECURSIVE : 0);
  return session.call(messages.setTrashRetention, { inode, uid: settings.uid, seconds, setMode }, context);
}
