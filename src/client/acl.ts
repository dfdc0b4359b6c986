/** POSIX access control lists. */
import * as messages from '../protocol/messages/inode.ts';
import { NodeType } from '../protocol/attributes.ts';
import { Status } from '../protocol/status.ts';
import { checkInteger, invalidType, invalidValue } from './arguments.ts';
import { startCall } from './calls.ts';
import { FileHandle } from './file-handle.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError, statusError } from './fs-errors.ts';
import { changeMode } from './nodes.ts';
import type { CallContext } from './nodes.ts';
import { attributesOf, findPath } from './paths.ts';
import type { PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Rights of the entries of an ACL: 4 read, 2 write, 1 execute. */
export interface Acl {
  /** The owner's. */
  readonly owner: number;
  /** The owning group's. */
  readonly group: number;
  /** Everybody else's. */
  readonly other: number;
  /**
   * The most that `group` and the entries of `users` and `groups` can give. Where there are such entries and no mask is set, it is
   * all that they give together.
   */
  readonly mask?: number | undefined;
  /** Named users' rights. */
  readonly users?: readonly { readonly uid: number; readonly permissions: number }[] | undefined;
  /** Named groups' rights. */
  readonly groups?: readonly { readonly gid: number; readonly permissions: number }[] | undefined;
}

/** Options of the calls about ACLs. */
export interface AclOptions extends SignalOption {
  /** `'access'` (default): who may do what here. `'default'`, of folders: what new entries in it get. */
  readonly type?: 'access' | 'default' | undefined;
}

/**
 * Calls about POSIX ACLs (`mfs.acl`), of a path or an open file.
 *
 * @example
 * ```ts
 * await mfs.acl.set('/shared', { owner: 7, group: 5, other: 0, users: [{ uid: 1000, permissions: 7 }] });
 * console.log((await mfs.acl.get('/shared'))?.users);
 * await mfs.acl.set('/shared', null);
 * ```
 */
export interface AclApi {
  /**
   * The ACL; undefined where there is none, so that the mode bits alone count.
   *
   * @example
   * ```ts
   * console.log((await mfs.acl.get('/shared', { type: 'default' }))?.groups);
   * ```
   */
  get(path: PathLike | FileHandle, options?: AclOptions): Promise<Acl | undefined>;
  /**
   * Sets an ACL, or with null removes it.
   *
   * @example
   * ```ts
   * await mfs.acl.set('/shared', { owner: 7, group: 5, other: 0, groups: [{ gid: 1000, permissions: 7 }] });
   * ```
   */
  set(path: PathLike | FileHandle, acl: Acl | null, options?: AclOptions): Promise<void>;
}

/** Calls about ACLs of one client. */
export function aclApi(volume: Volume): AclApi {
  const call = <T>(
    method: 'get' | 'set',
    on: PathLike | FileHandle,
    { type = 'access', signal }: AclOptions,
    work: (inode: number, aclType: number, context: CallContext) => Promise<T>,
  ) => {
    const syscall = method === 'get' ? 'getxattr' : 'setxattr';
    const path = on instanceof FileHandle ? on.path : on;
    return startCall(volume, { method: `acl.${method}`, syscall, path, signal }, async (context) => {
      if (!Object.hasOwn(messages.AclType, type)) throw invalidValue('options.type', type);
      const inode =
        on instanceof FileHandle
          ? on.inodeFor(syscall)
          : (await findPath(volume, path, { ...context, follow: true })).inode;
      return work(inode, messages.AclType[type], context);
    });
  };
  return {
    get: (path, options = {}) =>
      call('get', path, options, (inode, aclType, context) => getAcl(volume, inode, aclType, context)),
    set: (path, acl, options = {}) =>
      call('set', path, options, (inode, aclType, context) => setAcl(volume, inode, acl, aclType, context)),
  };
}

async function getAcl(volume: Volume, inode: number, aclType: number, context: CallContext): Promise<Acl | undefined> {
  const { status, value } = await volume.session.tryCall(messages.getfacl, { inode, aclType }, context);
  if (status === Status.ENOATTR) return undefined;
  if (value === undefined) throw statusError(status, context.site, messages.getfacl.name);
  const { user, group, other, mask, entries } = value;
  return {
    owner: user,
    group,
    other,
    ...(mask !== messages.ACL_NONE && { mask }),
    users: entries.users.map(({ id, permissions }) => ({ uid: id, permissions })),
    groups: entries.groups.map(({ id, permissions }) => ({ gid: id, permissions })),
  };
}

const NO_ENTRIES = { users: [], groups: [] };

async function setAcl(
  volume: Volume,
  inode: number,
  acl: Acl | null,
  aclType: number,
  context: CallContext,
): Promise<void> {
  const { uid } = volume.settings;
  const attributes = await attributesOf(volume, inode, context);
  // 3.x takes a default ACL for a file without a word.
  if (aclType === messages.AclType.default && acl !== null && attributes.type !== NodeType.directory)
    throw fsError('EACCES', context.site);
  const none = messages.ACL_NONE;
  const removal = { user: none, group: none, other: none, mask: none, entries: NO_ENTRIES };
  const wanted = acl === null ? undefined : wireAcl(acl);
  const isMode = wanted !== undefined && wanted.mask === none && aclType === messages.AclType.access;
  await volume.session.call(
    messages.setfacl,
    { inode, uid, aclType, ...(wanted === undefined || isMode ? removal : wanted) },
    context,
  );
  // Three entries say no more than a mode.
  if (isMode) {
    const mode = (attributes.mode & 0o7000) | (wanted.user << 6) | (wanted.group << 3) | wanted.other;
    await changeMode(volume, inode, mode, context);
  }
}

function wireAcl({ owner, group, other, mask, users = [], groups = [] }: Acl) {
  const rights = (value: unknown, name: string) => checkInteger(value, name, 0, 7);
  if (!Array.isArray(users)) throw invalidType('acl.users', 'an instance of Array', users);
  if (!Array.isArray(groups)) throw invalidType('acl.groups', 'an instance of Array', groups);
  const entry = (id: number, permissions: number, name: string) => ({
    id: checkInteger(id, name, 0, 0xffff_ffff),
    permissions: rights(permissions, 'permissions'),
  });
  const entries = {
    users: users.map(({ uid, permissions }: { uid: number; permissions: number }) => entry(uid, permissions, 'uid')),
    groups: groups.map(({ gid, permissions }: { gid: number; permissions: number }) => entry(gid, permissions, 'gid')),
  };
  const named = [...entries.users, ...entries.groups];
  const all = named.reduce((bits, { permissions }) => bits | permissions, group);
  return {
    user: rights(owner, 'acl.owner'),
    group: rights(group, 'acl.group'),
    other: rights(other, 'acl.other'),
    mask: mask !== undefined ? rights(mask, 'acl.mask') : named.length > 0 ? all : messages.ACL_NONE,
    entries,
  };
}
