/** Making, removing and moving names. The master trusts the kernel to have checked much of this; here we are the kernel. */
import { NodeType } from '../protocol/attributes.ts';
import * as messages from '../protocol/messages/namespace.ts';
import { Status } from '../protocol/status.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { checkInteger, invalidValue } from './arguments.ts';
import { parseMode } from './flags.ts';
import type { CallContext } from './nodes.ts';
import { findPath, lookupName, pathBytes, readLinkTarget, resolveLast, resolveName } from './paths.ts';
import type { Found, PathLike, Resolved } from './paths.ts';
import type { Volume } from './volume.ts';

/** The longest target of a symlink. */
const SYMLINK_TARGET_LIMIT = 4096;
/** Permission bits of a node, before the umask. */
const NODE_MODE = 0o666;

/** What Linux says of names that are none. */
const whenMaking = { root: 'EEXIST', dot: 'EEXIST', dotdot: 'EEXIST' } as const;
const whenUnlinking = { root: 'EISDIR', dot: 'EISDIR', dotdot: 'EISDIR' } as const;
const whenRemovingFolder = { root: 'EBUSY', dot: 'EINVAL', dotdot: 'ENOTEMPTY' } as const;

/** Makes one folder; the umask of the client applies. */
export async function makeFolder(volume: Volume, path: PathLike, mode: number, context: CallContext): Promise<void> {
  const { parent, name, found } = await resolveName(volume, path, context, whenMaking);
  if (found !== undefined) throw fsError('EEXIST', context.site);
  await makeFolderIn(volume, parent, name, mode, context);
}

async function makeFolderIn(
  volume: Volume,
  parent: number,
  name: Buffer,
  mode: number,
  context: CallContext,
): Promise<number> {
  const { uid, gids, umask } = volume.settings;
  const { status, value, repeated } = await volume.session.tryCall(
    messages.mkdir,
    { parent, name, mode, umask, uid, gids, copySgid: 1 },
    { ...context, whenReplyLost: 'repeat' },
  );
  if (value !== undefined) {
    volume.names.set(parent, name, value);
    return value.inode;
  }
  // Our own request may have been carried out before its answer was lost.
  const there = status === Status.EEXIST && repeated ? await lookupName(volume, parent, name, context) : undefined;
  if (there?.attributes.type === NodeType.directory) return there.inode;
  throw statusError(status, context.site, messages.mkdir.name);
}

/**
 * Makes a folder and all that are missing above it. Gives the first path that had to be made, undefined when all were there.
 * Goes up as far as names are missing and comes down again, as node does.
 */
export async function makeFolders(
  volume: Volume,
  path: PathLike,
  mode: number,
  context: CallContext,
): Promise<string | undefined> {
  const todo = [pathBytes(path)];
  let first: string | undefined;
  let above: Buffer | undefined;
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const code = await makeFolder(volume, at, mode, context).then(
      () => undefined,
      (error: unknown) => {
        const { code } = error as { code?: string };
        if (code === 'ENOENT' || code === 'EEXIST' || code === 'EISDIR') return code;
        throw error;
      },
    );
    if (code === undefined) first ??= at.toString();
    else if (code === 'ENOENT') {
      const next = folderOf(at);
      // Nothing is above, or it was there all the time.
      if (at.length === 0 || next.equals(at) || above?.equals(next) === true) throw fsError('ENOENT', context.site);
      above = next;
      todo.push(at, next);
    } else await checkFolder(volume, at, todo.length > 0, context);
  }
  return first;
}

/** What is in the way must be a folder, or lead to one. */
async function checkFolder(volume: Volume, path: Buffer, isAbove: boolean, context: CallContext): Promise<void> {
  const found = await findPath(volume, path, { ...context, follow: true }).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  });
  // A symlink that leads nowhere: nothing can be made in it, and it cannot be made itself.
  if (found === undefined && !isAbove) throw fsError('ENOENT', context.site);
  if (found?.attributes.type === NodeType.directory) return;
  if (isAbove) throw fsError('ENOTDIR', { ...context.site, path: path.toString() });
  throw fsError('EEXIST', context.site);
}

function folderOf(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end--;
  const slash = path.lastIndexOf(0x2f, end - 1);
  if (slash < 0) return Buffer.from('.');
  return slash === 0 ? path.subarray(0, 1) : path.subarray(0, slash);
}

/** Removes the name of a file, symlink or other node that is no folder. */
export async function removeName(volume: Volume, path: PathLike, context: CallContext): Promise<void> {
  const { parent, name, mustBeFolder } = await resolveName(volume, path, context, whenUnlinking, { unseen: true });
  if (!mustBeFolder) {
    const status = await tryRemoveIn(volume, messages.unlink, parent, name, context);
    if (status === Status.OK) return;
    // The master says EPERM of a folder, as of much else.
    if (status !== Status.EPERM) throw statusError(status, context.site, messages.unlink.name);
  }
  const found = await lookupName(volume, parent, name, context);
  if (found === undefined) throw fsError('ENOENT', context.site);
  if (found.attributes.type === NodeType.directory) throw fsError('EISDIR', context.site);
  throw fsError(mustBeFolder ? 'ENOTDIR' : 'EPERM', context.site);
}

/** Removes an empty folder. */
export async function removeFolder(volume: Volume, path: PathLike, context: CallContext): Promise<void> {
  const { parent, name, found } = await resolveName(volume, path, context, whenRemovingFolder);
  if (found === undefined) throw fsError('ENOENT', context.site);
  if (found.attributes.type !== NodeType.directory) throw fsError('ENOTDIR', context.site);
  await removeIn(volume, messages.rmdir, parent, name, context);
}

/** Removes one name whose folder is known. */
export async function removeIn(
  volume: Volume,
  message: typeof messages.unlink,
  parent: number,
  name: Buffer,
  context: CallContext,
): Promise<void> {
  const status = await tryRemoveIn(volume, message, parent, name, context);
  if (status !== Status.OK) throw statusError(status, context.site, message.name);
}

async function tryRemoveIn(
  volume: Volume,
  message: typeof messages.unlink,
  parent: number,
  name: Buffer,
  context: CallContext,
): Promise<number> {
  const { uid, gids } = volume.settings;
  const { status, repeated } = await volume.session.tryCall(
    message,
    { parent, name, uid, gids },
    { ...context, whenReplyLost: 'repeat' },
  );
  volume.names.forget(parent, name);
  // The answer to the first request was lost; that the name is gone now is what was wanted.
  return repeated && status === Status.ENOENT ? Status.OK : status;
}

/** Both folders must be there before anything is said of the names in them. */
async function resolveNames(
  volume: Volume,
  oldPath: PathLike,
  newPath: PathLike,
  context: CallContext,
): Promise<[Resolved & { name: Buffer }, Resolved & { name: Buffer }]> {
  const from = await resolveLast(volume, oldPath, context);
  const to = await resolveLast(volume, newPath, context);
  const named = ({ resolved, end }: Awaited<ReturnType<typeof resolveLast>>) => {
    if (end !== undefined || resolved.name === undefined) throw fsError('EBUSY', context.site);
    return { ...resolved, name: resolved.name };
  };
  return [named(from), named(to)];
}

/** Moves a name. A file or an empty folder of the new name is replaced. */
export async function moveName(
  volume: Volume,
  oldPath: PathLike,
  newPath: PathLike,
  context: CallContext,
): Promise<void> {
  const { site } = context;
  const [from, to] = await resolveNames(volume, oldPath, newPath, context);
  if (from.found === undefined) throw fsError(from.tooLong ? 'ENAMETOOLONG' : 'ENOENT', site);
  if (to.tooLong) throw fsError('ENAMETOOLONG', site);
  const fromFolder = from.found.attributes.type === NodeType.directory;
  // A folder below itself would be lost; asked for in Linux's order.
  if (to.ancestors.includes(from.found.inode)) throw fsError('EINVAL', site);
  if (to.found !== undefined && from.ancestors.includes(to.found.inode)) throw fsError('ENOTEMPTY', site);
  if ((from.mustBeFolder || to.mustBeFolder) && !fromFolder) throw fsError('ENOTDIR', site);
  // A name onto itself destroys a master's metadata; two links of one inode lose one of them. POSIX: nothing happens.
  if (from.parent === to.parent && from.name.equals(to.name)) return;
  checkNesting(from, to, site);
  if (to.found !== undefined) {
    if (to.found.inode === from.found.inode) return;
    checkReplace(from.found, to.found, context);
  }
  const { uid, gids } = volume.settings;
  const { status, value, repeated } = await volume.session.tryCall(
    messages.rename,
    { parent: from.parent, name: from.name, newParent: to.parent, newName: to.name, uid, gids, mode: 0 },
    { ...context, whenReplyLost: 'repeat' },
  );
  volume.names.forget(from.parent, from.name);
  volume.names.forget(to.parent, to.name);
  if (value !== undefined) return;
  if (
    repeated &&
    status === Status.ENOENT &&
    (await lookupName(volume, to.parent, to.name, context))?.inode === from.found.inode
  )
    return;
  throw statusError(status, site, messages.rename.name);
}

/**
 * Nothing can be moved into itself, nor over a folder that it lies in. Not left to the master: one that is told to move a folder over
 * a name inside of it may never answer again.
 */
function checkNesting(from: Resolved & { name: Buffer }, to: Resolved & { name: Buffer }, site: CallSite): void {
  const source = [...from.folders, from.name];
  const target = [...to.folders, to.name];
  const isWithin = (outer: readonly Buffer[], inner: readonly Buffer[]) =>
    outer.length < inner.length && outer.every((name, i) => name.equals(inner[i]!));
  if (isWithin(source, target)) throw fsError('EINVAL', site);
  if (isWithin(target, source)) throw fsError('ENOTEMPTY', site);
}

/** The master replaces a folder by a file and a file by a folder without a word. */
function checkReplace(from: Found, to: Found, { site }: CallContext): void {
  const fromFolder = from.attributes.type === NodeType.directory;
  const toFolder = to.attributes.type === NodeType.directory;
  if (fromFolder && !toFolder) throw fsError('ENOTDIR', site);
  if (!fromFolder && toFolder) throw fsError('EISDIR', site);
}

/** Makes another name of a file. */
export async function makeLink(
  volume: Volume,
  existingPath: PathLike,
  newPath: PathLike,
  context: CallContext,
): Promise<void> {
  const existing = await findPath(volume, existingPath, { ...context, follow: false });
  const { parent, name, found, mustBeFolder } = await resolveName(volume, newPath, context, whenMaking);
  if (found !== undefined) throw fsError('EEXIST', context.site);
  if (mustBeFolder) throw fsError('ENOENT', context.site);
  if (existing.attributes.type === NodeType.directory) throw fsError('EPERM', context.site);
  const { uid, gids } = volume.settings;
  const { status, value, repeated } = await volume.session.tryCall(
    messages.link,
    { inode: existing.inode, newParent: parent, newName: name, uid, gids },
    { ...context, whenReplyLost: 'repeat' },
  );
  if (value !== undefined) return;
  if (
    repeated &&
    status === Status.EEXIST &&
    (await lookupName(volume, parent, name, context))?.inode === existing.inode
  )
    return;
  // 3.x has no status of its own for too many links.
  if (status === Status.NOSPACE) throw fsError('EMLINK', context.site);
  throw statusError(status, context.site, messages.link.name);
}

/** Makes a symlink; the target is taken as it is. */
export async function makeSymlink(
  volume: Volume,
  target: PathLike,
  path: PathLike,
  context: CallContext,
): Promise<void> {
  const targetBytes = pathBytes(target, 'target');
  if (targetBytes.length === 0) throw fsError('ENOENT', context.site);
  if (targetBytes.length > SYMLINK_TARGET_LIMIT) throw fsError('ENAMETOOLONG', context.site);
  const { parent, name, found, mustBeFolder } = await resolveName(volume, path, context, whenMaking);
  if (found !== undefined) throw fsError('EEXIST', context.site);
  if (mustBeFolder) throw fsError('ENOENT', context.site);
  const { uid, gids } = volume.settings;
  const { status, value, repeated } = await volume.session.tryCall(
    messages.symlink,
    { parent, name, target: targetBytes, uid, gids },
    { ...context, whenReplyLost: 'repeat' },
  );
  if (value !== undefined) return;
  if (repeated && status === Status.EEXIST) {
    const there = await lookupName(volume, parent, name, context);
    if (
      there?.attributes.type === NodeType.symlink &&
      (await readLinkTarget(volume, there.inode, context)).equals(targetBytes)
    )
      return;
  }
  throw statusError(status, context.site, messages.symlink.name);
}

/** What {@link FileSystem.mknod} makes. */
export type NodeKind = 'file' | 'fifo' | 'socket' | 'blockDevice' | 'characterDevice';

/** Options of {@link FileSystem.mknod}. */
export interface MknodOptions {
  /** Permission bits, before the umask. Default 0o666. */
  readonly mode?: number | string | undefined;
  /** Of a device: its number as Linux has it (`stats.rdev`), 0 to 2^32-1. Default 0. */
  readonly device?: number | undefined;
}

const nodeKinds: readonly NodeKind[] = ['file', 'fifo', 'socket', 'blockDevice', 'characterDevice'];

/** Makes a node that is neither folder nor symlink; the umask of the client applies. */
export async function makeNode(
  volume: Volume,
  path: PathLike,
  kind: NodeKind,
  { mode, device = 0 }: MknodOptions,
  context: CallContext,
): Promise<void> {
  if (!nodeKinds.includes(kind)) throw invalidValue('type', kind);
  const isDevice = kind === 'blockDevice' || kind === 'characterDevice';
  const rdev = isDevice ? checkInteger(device, 'options.device', 0, 0xffff_ffff) : 0;
  const permissions = parseMode(mode, NODE_MODE);
  const { parent, name, found, mustBeFolder } = await resolveName(volume, path, context, whenMaking);
  if (found !== undefined) throw fsError('EEXIST', context.site);
  if (mustBeFolder) throw fsError('ENOENT', context.site);
  const { uid, gids, umask } = volume.settings;
  // The master leaves this to the kernel.
  if (isDevice && uid !== 0) throw fsError('EPERM', context.site);
  const { status, value } = await volume.session.tryCall(
    messages.mknod,
    { parent, name, nodeType: NodeType[kind], mode: permissions, umask, uid, gids, rdev },
    context,
  );
  if (value === undefined) throw statusError(status, context.site, messages.mknod.name);
}

/** Where a symlink points. */
export async function readSymlink(volume: Volume, path: PathLike, context: CallContext): Promise<Buffer> {
  const { inode, attributes } = await findPath(volume, path, { ...context, follow: false });
  if (attributes.type !== NodeType.symlink) throw fsError('EINVAL', context.site);
  return readLinkTarget(volume, inode, context);
}
