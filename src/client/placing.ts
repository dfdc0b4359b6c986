/** Where a file that was just made shall keep its data: its storage class, set before any data is there. */
import { MooseFSError } from '../errors.ts';
import { fsError } from './fs-errors.ts';
import { removeName } from './names.ts';
import { closeFile } from './opening.ts';
import type { Opened, OpenRequest } from './opening.ts';
import type { PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Sets the class of a file that this open made or emptied. When that fails the file is closed, and removed if it was made. */
export async function placeOpened(
  volume: Volume,
  path: PathLike,
  opened: Opened,
  { flags, deadline, site, storageClass }: OpenRequest & { readonly storageClass: string },
): Promise<void> {
  const isEmpty = opened.created || (flags.truncate && opened.file !== undefined);
  if (!isEmpty) return;
  try {
    const { uid } = volume.settings;
    const { notPermitted } = await volume.classes.set(opened.inode, storageClass, { uid, deadline, site });
    if (notPermitted > 0) throw fsError('EPERM', site, { detail: `the storage class ${storageClass} may not be set` });
  } catch (error) {
    closeFile(volume, opened);
    if (opened.created) await removeName(volume, path, { deadline, site }).catch(() => undefined);
    throw error instanceof MooseFSError && error.code === 'EINVAL'
      ? fsError('EINVAL', site, { cause: error.cause, detail: `no such storage class: ${storageClass}` })
      : error;
  }
}
