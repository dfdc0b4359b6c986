/** Paths: from what a user gives to inodes, name by name, following symlinks as POSIX says. */
import { fileURLToPath } from 'node:url';
import { NodeType } from '../protocol/attributes.ts';
import type { Attributes } from '../protocol/attributes.ts';
import { getattr } from '../protocol/messages/inode.ts';
import * as messages from '../protocol/messages/namespace.ts';
import { Status } from '../protocol/status.ts';
import type { Deadline } from '../transport/deadline.ts';
import { locationOf } from './chunk-locations.ts';
import type { ChunkLocation } from './chunk-locations.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { invalidType, invalidValue } from './arguments.ts';
import type { Volume } from './volume.ts';

/** A path: text, raw bytes for names that are no UTF-8, or a `file:` or `mfs:` URL. Always counted from the root. */
export type PathLike = string | Uint8Array | URL;

/** The exported folder. */
export const ROOT_INODE = 1;
/** The longest name that fits on the wire. */
const NAME_LIMIT = 255;
/** As many symlinks as Linux follows in one path. */
const SYMLINK_LIMIT = 40;

/** An inode that a path leads to. */
export interface Found {
  readonly inode: number;
  readonly attributes: Attributes;
  /** Access bits of the lookup, where there was one: bit m says whether the rwx mask m is granted. */
  readonly lookupFlags: number | undefined;
  /** Where chunk 0 lies, if the master told it by the way. */
  readonly chunk: ChunkLocation | undefined;
}

/** Where a path leads. */
export interface Resolved {
  /** The folder that holds the last name. */
  readonly parent: number;
  /** The last name; undefined where the path ends in the root or in `..`. */
  readonly name: Buffer | undefined;
  /** What is there; undefined where the last name does not exist. */
  readonly found: Found | undefined;
  /** The path ends in a slash: only a folder will do. */
  readonly mustBeFolder: boolean;
  /** The names from the root to `parent`, without symlinks. */
  readonly folders: readonly Buffer[];
  /** The inodes from the root to `parent`. */
  readonly ancestors: readonly number[];
  /** The last name is longer than any that exists. Only where the name itself was asked for; elsewhere it is an error at once. */
  readonly tooLong: boolean;
}

/** A path as errors show it. */
export function pathText(path: PathLike): string {
  if (typeof path === 'string') return path;
  if (path instanceof URL) return path.protocol === 'mfs:' ? decodeURIComponent(path.pathname) : fileURLToPath(path);
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString();
}

/** A path as bytes. Throws as node does where it is no path. */
export function pathBytes(path: PathLike, argument = 'path'): Buffer {
  if (typeof path !== 'string' && !(path instanceof Uint8Array) && !(path instanceof URL))
    throw invalidType(argument, 'of type string or an instance of Buffer or URL', path);
  const bytes =
    path instanceof Uint8Array
      ? Buffer.from(path.buffer, path.byteOffset, path.byteLength)
      : Buffer.from(pathText(path));
  if (bytes.includes(0)) throw invalidValue(argument, path, 'must be a string, Uint8Array, or URL without null bytes');
  return bytes;
}

const SLASH = 0x2f;

/** The names of a path, without empty ones and `.`. */
export function splitPath(path: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let at = 0; at <= path.length;) {
    let end = path.indexOf(SLASH, at);
    if (end < 0) end = path.length;
    if (end > at && !(end === at + 1 && path[at] === 0x2e)) names.push(path.subarray(at, end));
    at = end + 1;
  }
  return names;
}

const isDotDot = (name: Buffer) => name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
/** Whether a path ends in a slash, or in a `.` which says the same. */
const endsAsFolder = (path: Buffer) =>
  path.at(-1) === SLASH || (path.at(-1) === 0x2e && (path.length === 1 || path.at(-2) === SLASH));

/** How a path is followed. */
export interface ResolveOptions {
  readonly site: CallSite;
  readonly deadline: Deadline;
  /** Follow a symlink in the last name. */
  readonly follow: boolean;
  /** The last name itself is meant, also before a slash: it is about to be made, removed or moved. */
  readonly nameOnly?: boolean;
  /** Do not look whether the last name exists: the caller finds out by making it. */
  readonly unseen?: boolean;
  /** A file is about to be made: a symlink whose target ends in a slash leads to none (EISDIR). */
  readonly creating?: boolean;
}

/** Follows a path. Rejects with ENOENT, ENOTDIR, EACCES, ELOOP or ENAMETOOLONG; a missing last name is no error. */
export async function resolvePath(volume: Volume, path: PathLike, options: ResolveOptions): Promise<Resolved> {
  const { site } = options;
  const bytes = pathBytes(path);
  // POSIX: an empty path names nothing.
  if (bytes.length === 0) throw fsError('ENOENT', site);
  return walk(volume, [{ inode: ROOT_INODE, name: undefined }], splitPath(bytes), endsAsFolder(bytes), options, {
    symlinks: 0,
  });
}

/** A folder on the way, and what it is called in the one before; the root has no name. */
interface Step {
  readonly inode: number;
  readonly name: Buffer | undefined;
}

/** A path that was followed to its last name. */
function resolvedTo(
  stack: readonly Step[],
  name: Buffer | undefined,
  found: Found | undefined,
  mustBeFolder: boolean,
  tooLong = false,
): Resolved {
  return {
    parent: stack.at(-1)!.inode,
    name,
    found,
    mustBeFolder,
    folders: stack.slice(1).map((step) => step.name!),
    ancestors: stack.map(({ inode }) => inode),
    tooLong,
  };
}

async function walk(
  volume: Volume,
  stack: Step[],
  names: Buffer[],
  mustBeFolder: boolean,
  options: ResolveOptions,
  count: { symlinks: number },
): Promise<Resolved> {
  const { site, follow, nameOnly = false } = options;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const isLast = i === names.length - 1;
    if (name.length > NAME_LIMIT) {
      if (!isLast || !nameOnly) throw fsError('ENAMETOOLONG', site);
      return resolvedTo(stack, name, undefined, mustBeFolder, true);
    }
    if (isDotDot(name)) {
      if (stack.length > 1) stack.pop();
      continue;
    }
    if (isLast && options.unseen === true) return resolvedTo(stack, name, undefined, mustBeFolder);
    const found = await lookup(volume, stack.at(-1)!.inode, name, options, isLast);
    if (found === undefined) {
      if (isLast) return resolvedTo(stack, name, found, mustBeFolder);
      throw fsError('ENOENT', site);
    }
    const { type } = found.attributes;
    if (type === NodeType.symlink && (!isLast || follow || (mustBeFolder && !nameOnly))) {
      if (++count.symlinks > SYMLINK_LIMIT) throw fsError('ELOOP', site);
      const target = await readLinkTarget(volume, found.inode, options);
      if (isLast && options.creating === true && target.at(-1) === SLASH) throw fsError('EISDIR', site);
      // The rest of the path goes on from where the link leads.
      return walk(
        volume,
        target[0] === SLASH ? stack.slice(0, 1) : stack,
        [...splitPath(target), ...names.slice(i + 1)],
        mustBeFolder || (isLast && endsAsFolder(target)),
        options,
        count,
      );
    }
    if (isLast) {
      if (mustBeFolder && !nameOnly && type !== NodeType.directory) throw fsError('ENOTDIR', site);
      return resolvedTo(stack, name, found, mustBeFolder);
    }
    if (type !== NodeType.directory) throw fsError('ENOTDIR', site);
    stack.push({ inode: found.inode, name });
  }
  // The path ended in the root or in "..": that folder itself.
  const { inode } = stack.at(-1)!;
  const attributes = await attributesOf(volume, inode, options);
  return resolvedTo(stack, undefined, { inode, attributes, lookupFlags: undefined, chunk: undefined }, true);
}

/** One name in one folder; undefined where there is none. What is only passed through may come from the cache. */
async function lookup(
  volume: Volume,
  parent: number,
  name: Buffer,
  options: ResolveOptions,
  isLast: boolean,
): Promise<Found | undefined> {
  if (!isLast) {
    const cached = volume.names.get(parent, name);
    if (cached !== undefined) {
      const { inode, attributes } = cached;
      return { inode, attributes, lookupFlags: undefined, chunk: undefined };
    }
  }
  return lookupName(volume, parent, name, options);
}

/** Asks the master for one name; undefined where there is none. */
export async function lookupName(
  volume: Volume,
  parent: number,
  name: Buffer,
  { site, deadline }: { site: CallSite; deadline: Deadline },
): Promise<Found | undefined> {
  const { uid, gids } = volume.settings;
  const { status, value } = await volume.session.tryCall(
    messages.lookup,
    { parent, name, uid, gids },
    { deadline, site },
  );
  if (status === Status.ENOENT || status === Status.ENOENT_NOCACHE) return undefined;
  if (value === undefined) throw statusError(status, site, messages.lookup.name);
  const { inode, attributes, lookupFlags, chunk } = value;
  if (attributes.type === NodeType.directory) volume.names.set(parent, name, { inode, attributes });
  return { inode, attributes, lookupFlags, chunk: chunk === undefined ? undefined : locationOf(chunk) };
}

/** Asks the master for the attributes of an inode. */
export async function attributesOf(
  volume: Volume,
  inode: number,
  { site, deadline }: { site: CallSite; deadline: Deadline },
): Promise<Attributes> {
  const { uid, gids } = volume.settings;
  const { attributes } = await volume.session.call(
    getattr,
    { inode, opened: 0, uid, gid: gids[0]! },
    { deadline, site },
  );
  return attributes;
}

/** Where a symlink points, as bytes. */
export async function readLinkTarget(
  volume: Volume,
  inode: number,
  { site, deadline }: { site: CallSite; deadline: Deadline },
): Promise<Buffer> {
  const { target } = await volume.session.call(messages.readlink, { inode }, { deadline, site });
  const bytes = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
}

/** What a path leads to; ENOENT where that does not exist. */
export async function findPath(
  volume: Volume,
  path: PathLike,
  options: ResolveOptions,
): Promise<Found & { parent: number; name: Buffer | undefined }> {
  const { found, parent, name } = await resolvePath(volume, path, options);
  if (found === undefined) throw fsError('ENOENT', options.site);
  return { ...found, parent, name };
}

/** The path without symlinks, `.` and `..`, of something that exists. */
export async function canonicalPath(volume: Volume, path: PathLike, options: ResolveOptions): Promise<Buffer> {
  const { found, folders, name } = await resolvePath(volume, path, options);
  if (found === undefined) throw fsError('ENOENT', options.site);
  const names = name === undefined ? folders : [...folders, name];
  return Buffer.concat([
    Buffer.from('/'),
    ...names.flatMap((each, i) => (i === 0 ? [each] : [Buffer.from('/'), each])),
  ]);
}

/** What a path ends in, when that is no name: of these no folder entry can be made, removed or moved. */
export type NameLess = 'root' | 'dot' | 'dotdot';

/** Whether a path ends in no name, and in what then. */
export function namelessEnd(path: Buffer): NameLess | undefined {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end--;
  if (end === 0) return 'root';
  const last = path.subarray(path.lastIndexOf(SLASH, end - 1) + 1, end);
  if (isDotDot(last)) return 'dotdot';
  return last.length === 1 && last[0] === 0x2e ? 'dot' : undefined;
}

/** A path whose last name itself is meant; `end` says where it ends in none. */
export async function resolveLast(
  volume: Volume,
  path: PathLike,
  context: { readonly site: CallSite; readonly deadline: Deadline },
  unseen = false,
): Promise<{ readonly resolved: Resolved; readonly end: NameLess | undefined }> {
  const end = namelessEnd(pathBytes(path));
  // Before a dot stands no last name, but a folder that the path goes through.
  const dot = end === 'dot';
  const resolved = await resolvePath(volume, path, { ...context, follow: dot, nameOnly: !dot, unseen: unseen && !dot });
  if (dot && resolved.found === undefined) throw fsError('ENOENT', context.site);
  return { resolved, end };
}

/** A path whose last name is to be made or removed. Paths that end in none reject with the code that is given for it. */
export async function resolveName(
  volume: Volume,
  path: PathLike,
  context: { readonly site: CallSite; readonly deadline: Deadline },
  codes: Readonly<Record<NameLess, string>>,
  { unseen = false } = {},
): Promise<Resolved & { name: Buffer }> {
  const { resolved, end } = await resolveLast(volume, path, context, unseen);
  if (end !== undefined || resolved.name === undefined) throw fsError(codes[end ?? 'root'], context.site);
  if (resolved.tooLong) throw fsError('ENAMETOOLONG', context.site);
  return { ...resolved, name: resolved.name };
}

/** Joins names of folders and an entry in it, as bytes or text. */
export function joinPath(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}
