/** From a path and flags to an open file: making it, opening it, cutting it, as open(2) does. */
import { NodeType } from '../protocol/attributes.ts';
import type { Attributes } from '../protocol/attributes.ts';
import * as messages from '../protocol/messages/inode.ts';
import { Status } from '../protocol/status.ts';
import type { Deadline } from '../transport/deadline.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import type { OpenMode } from './flags.ts';
import type { OpenFile } from './open-file.ts';
import { namelessEnd, pathBytes, resolvePath } from './paths.ts';
import type { Found, PathLike, Resolved } from './paths.ts';
import type { Volume } from './volume.ts';

/** What an open led to: a regular file that is shared by all its handles, or a folder (which can only be looked at). */
export interface Opened {
  readonly inode: number;
  readonly attributes: Attributes;
  /** Undefined for a folder. */
  readonly file: OpenFile | undefined;
  /** The server allows nothing but appending. */
  readonly appendOnly: boolean;
  /** It did not exist before. */
  readonly created: boolean;
}

/** What an open needs beside the path. */
export interface OpenRequest {
  readonly flags: OpenMode;
  /** Permission bits of a new file, before the umask. */
  readonly mode: number;
  readonly deadline: Deadline;
  readonly site: CallSite;
}

const SLASH = 0x2f;

/** Opens a path. The result is held in the session until {@link closeFile}. */
export async function openPath(volume: Volume, path: PathLike, request: OpenRequest): Promise<Opened> {
  const { flags, site, deadline } = request;
  if (flags.create && pathBytes(path).at(-1) === SLASH) {
    // Linux makes no file where a folder is asked for, and looks no further than the folder above.
    await resolvePath(volume, path, { site, deadline, follow: false, nameOnly: true });
    throw fsError('EISDIR', site);
  }
  const made = await createUnseen(volume, path, request);
  if (made !== undefined) return made;
  // A file that is there may vanish between the look and the open, and one that is not may appear: look again then.
  for (let attempt = 0; ; attempt++) {
    const resolved = await resolvePath(volume, path, {
      site,
      deadline,
      follow: !flags.exclusive && !flags.noFollow,
      creating: flags.create && namelessEnd(pathBytes(path)) === undefined,
    });
    const { found } = resolved;
    if (found === undefined && namelessEnd(pathBytes(path)) === 'dot') throw fsError('ENOENT', site);
    if (found === undefined) {
      const created = await create(volume, resolved, request, attempt);
      if (created !== undefined) return created;
    } else {
      const opened = await openFound(volume, found, request, attempt);
      if (opened !== undefined) return opened;
    }
  }
}

/**
 * Makes a file without looking first whether it is there, which saves a round trip for every new file. Gives undefined where that
 * was wrong, whatever the reason: the ordinary way finds it again, and says what is to be said.
 */
async function createUnseen(volume: Volume, path: PathLike, request: OpenRequest): Promise<Opened | undefined> {
  const { flags, site, deadline } = request;
  if (!flags.create || !(flags.truncate || flags.exclusive)) return undefined;
  const resolved = await resolvePath(volume, path, { site, deadline, follow: false, unseen: true });
  if (resolved.name === undefined || resolved.mustBeFolder) return undefined;
  return create(volume, resolved, request, 'unseen');
}

/** How often a race for a name is entered again before its error is given to the caller. */
const RACES = 5;

async function create(
  volume: Volume,
  resolved: Resolved,
  request: OpenRequest,
  attempt: number | 'unseen',
): Promise<Opened | undefined> {
  const { flags, site, deadline, mode } = request;
  const { parent, name, mustBeFolder } = resolved;
  if (!flags.create || name === undefined) throw fsError('ENOENT', site);
  if (mustBeFolder) throw fsError('EISDIR', site);
  const { uid, gids, umask } = volume.settings;
  return volume.session.held.creating(async () => {
    const { status, value, repeated } = await volume.session.tryCall(
      messages.create,
      { parent, name, mode, umask, uid, gids },
      { deadline, site, whenReplyLost: flags.exclusive ? 'doubt' : 'repeat' },
    );
    // Somebody was faster, or it was our own request, whose answer was lost: without O_EXCL it is there, which is what we want.
    if (attempt === 'unseen' && value === undefined) return undefined;
    if (status === Status.EEXIST && !flags.exclusive && (repeated || Number(attempt) < RACES)) return undefined;
    if (value === undefined) throw statusError(status, site, messages.create.name);
    const { inode, attributes, openedFlags } = value;
    volume.session.held.hold(inode);
    const file = volume.files.made(volume, inode, attributes, site.path);
    file.createdIn = parent;
    return {
      inode,
      attributes,
      file,
      appendOnly: (openedFlags & messages.OpenedFlag.appendOnly) !== 0,
      created: true,
    };
  });
}

async function openFound(
  volume: Volume,
  found: Found,
  request: OpenRequest,
  attempt: number,
): Promise<Opened | undefined> {
  const { flags, site, deadline } = request;
  const { inode, attributes } = found;
  if (flags.exclusive) throw fsError('EEXIST', site);
  if (attributes.type === NodeType.symlink) throw fsError('ELOOP', site);
  if (attributes.type === NodeType.directory) {
    if (flags.write || flags.create) throw fsError('EISDIR', site);
    return { inode, attributes, file: undefined, appendOnly: false, created: false };
  }
  if (flags.directory) throw fsError('ENOTDIR', site);
  // Fifos and devices are things of one machine's kernel: there is nothing behind them here.
  if (attributes.type !== NodeType.file) throw fsError('ENXIO', site);
  const { uid, gids } = volume.settings;
  const { read, write, truncate } = messages.OpenFlag;
  // What is on its way to a file that is about to be emptied goes out first, or it would come after.
  const shared = volume.files.get(inode);
  if (flags.truncate && shared?.isDirty === true) await shared.flush(deadline);
  // Held before it is asked for, so that no list of held inodes releases it again.
  volume.session.held.hold(inode);
  try {
    const bits = (flags.read ? read : 0) | (flags.write ? write : 0) | (flags.truncate ? truncate : 0);
    const { status, value } = await volume.session.tryCall(
      messages.open,
      { inode, uid, gids, flags: bits },
      { deadline, site },
    );
    if (status === Status.ENOENT && attempt < RACES) {
      volume.session.held.release(inode);
      return undefined;
    }
    if (value === undefined) throw statusError(status, site, messages.open.name);
    const file = volume.files.acquire(volume, inode, value.attributes, site.path);
    if (flags.truncate) {
      volume.files.cut(inode, 0);
      file.locations.forgetAll();
    } else if (found.chunk !== undefined && attributes.mtime === value.attributes.mtime)
      file.locations.learn(0, found.chunk);
    return {
      inode,
      attributes: value.attributes,
      file,
      appendOnly: (value.openedFlags & messages.OpenedFlag.appendOnly) !== 0,
      created: false,
    };
  } catch (error) {
    volume.session.held.release(inode);
    throw error;
  }
}

/** Lets a file go: the session does not hold it for this handle any more. */
export function closeFile(volume: Volume, { file, inode }: Opened): void {
  if (file === undefined) return;
  volume.files.release(file);
  volume.session.held.release(inode);
}
