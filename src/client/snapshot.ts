/** Snapshots: copies of files and trees that share their chunks until one of both is changed. */
import * as messages from '../protocol/messages/placement.ts';
import { treeDeadline } from './admin-call.ts';
import { startCall } from './calls.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError } from './fs-errors.ts';
import { findPath, lookupName, resolveName } from './paths.ts';
import type { PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Options of a snapshot, as mfsmakesnapshot has them. */
export interface SnapshotOptions extends SignalOption {
  /** Merge into what is there: files are replaced, folders filled (`-o`). Default false: reject with EEXIST. */
  readonly overwrite?: boolean | undefined;
  /** Owner, umask and times as cp makes them, instead of those of the source (`-c`). Default false. */
  readonly asCopy?: boolean | undefined;
  /** Two names of one file in the source are so in the snapshot (`-p`). Default false. */
  readonly preserveHardLinks?: boolean | undefined;
}

/** Options of removing a snapshot, as mfsrmsnapshot has them. */
export interface RemoveSnapshotOptions extends SignalOption {
  /**
   * Also where something in it is no snapshot (`-f`): that stays, with the folders above it. Default false: reject with EPERM, and
   * nothing is removed.
   */
  readonly force?: boolean | undefined;
}

const whenMaking = { root: 'EEXIST', dot: 'EEXIST', dotdot: 'EEXIST' } as const;
const whenRemoving = { root: 'EBUSY', dot: 'EINVAL', dotdot: 'ENOTEMPTY' } as const;

/** Makes `destination`, which is the new name itself. */
export function makeSnapshot(
  volume: Volume,
  source: PathLike,
  destination: PathLike,
  { overwrite = false, asCopy = false, preserveHardLinks = false, signal }: SnapshotOptions,
): Promise<void> {
  return startCall(volume, { method: 'snapshot', path: source, dest: destination, signal }, async (context) => {
    const from = await findPath(volume, source, { ...context, follow: true });
    const { parent, name, found } = await resolveName(volume, destination, context, whenMaking);
    if (found !== undefined && !overwrite) throw fsError('EEXIST', context.site);
    const deadline = treeDeadline(volume, signal);
    // A chunk that is shared has what was acknowledged, no more.
    await Promise.all(volume.files.values().map((file) => file.flush(deadline)));
    const { SnapshotMode } = messages;
    await send(
      volume,
      {
        source: from.inode,
        parent,
        name,
        mode:
          (overwrite ? SnapshotMode.overwrite : 0) |
          (asCopy ? SnapshotMode.copyLike : 0) |
          (preserveHardLinks ? SnapshotMode.preserveHardLinks : 0),
      },
      { ...context, deadline },
    );
  });
}

/** Removes a snapshot; with `force` what of a tree is one. Gives whether all of it is gone. */
export function removeSnapshot(
  volume: Volume,
  path: PathLike,
  { force = false, signal }: RemoveSnapshotOptions,
): Promise<boolean> {
  return startCall(volume, { method: 'removeSnapshot', path, signal }, async (context) => {
    const { parent, name, found } = await resolveName(volume, path, context, whenRemoving);
    if (found === undefined) throw fsError('ENOENT', context.site);
    const { SnapshotMode } = messages;
    const mode = SnapshotMode.remove | (force ? SnapshotMode.force : 0);
    await send(volume, { source: 0, parent, name, mode }, { ...context, deadline: treeDeadline(volume, signal) });
    return !force || (await lookupName(volume, parent, name, context)) === undefined;
  });
}

async function send(
  { session, settings, names, files }: Volume,
  request: { readonly source: number; readonly parent: number; readonly name: Buffer; readonly mode: number },
  context: Parameters<Volume['session']['call']>[2],
): Promise<void> {
  const { uid, gids, umask } = settings;
  try {
    await session.call(messages.snapshot, { ...request, uid, gids, umask }, context);
  } finally {
    names.clear();
    for (const file of files.values()) file.locations.forgetAll();
  }
}
