/** Extended attributes. */
import * as messages from '../protocol/messages/inode.ts';
import { checkEncoding, invalidType, readOptions, viewOf } from './arguments.ts';
import type { NameEncoding } from './directory.ts';
import { FileHandle } from './file-handle.ts';
import type { SignalOption } from './file-handle.ts';
import { startCall } from './calls.ts';
import { fsError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { findPath } from './paths.ts';
import type { PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** The longest name, as on Linux. */
const NAME_LIMIT = 255;

/** Options of every call about extended attributes. */
export interface XattrOptions extends SignalOption {
  /** False: a symlink's own. Default true. */
  readonly follow?: boolean | undefined;
}

/** Options of {@link XattrApi.get}. */
export interface XattrGetOptions extends XattrOptions {
  readonly encoding?: NameEncoding | undefined;
}

/** Options of {@link XattrApi.set}. */
export interface XattrSetOptions extends XattrOptions {
  /** Reject with EEXIST when there is one of this name. */
  readonly create?: boolean | undefined;
  /** Reject with ENODATA when there is none of this name. */
  readonly replace?: boolean | undefined;
  /** Of a value that is text. Default utf8. */
  readonly encoding?: BufferEncoding | undefined;
}

/**
 * Calls about extended attributes (`mfs.xattr`), of a path or an open file. Names are Linux's: `user.*` for everybody, `trusted.*` for root; POSIX ACLs, which
 * Linux shows as `system.*`, are `mfs.acl` here, so that names of `system.` reject with ENOTSUP.
 *
 * @example
 * ```ts
 * await mfs.xattr.set('/photo.jpg', 'user.camera', 'Zenit E');
 * console.log(await mfs.xattr.get('/photo.jpg', 'user.camera', 'utf8'), await mfs.xattr.list('/photo.jpg'));
 * await mfs.xattr.remove('/photo.jpg', 'user.camera');
 * ```
 */
export interface XattrApi {
  /**
   * A value: bytes, or text when an encoding is given. Rejects with ENODATA when there is none.
   *
   * @example
   * ```ts
   * console.log(await mfs.xattr.get('/photo.jpg', 'user.camera', 'utf8'));
   * ```
   */
  get(
    path: PathLike | FileHandle,
    name: string,
    options?: null | 'buffer' | (XattrGetOptions & { encoding?: null | 'buffer' }),
  ): Promise<Buffer>;
  get(
    path: PathLike | FileHandle,
    name: string,
    options: BufferEncoding | (XattrGetOptions & { encoding: BufferEncoding }),
  ): Promise<string>;
  /**
   * Sets a value of up to 65536 bytes.
   *
   * @example
   * ```ts
   * await mfs.xattr.set('/photo.jpg', 'user.camera', 'Zenit E', { create: true });
   * ```
   */
  set(
    path: PathLike | FileHandle,
    name: string,
    value: string | NodeJS.ArrayBufferView,
    options?: XattrSetOptions,
  ): Promise<void>;
  /**
   * The names.
   *
   * @example
   * ```ts
   * for (const name of await mfs.xattr.list('/photo.jpg')) console.log(name);
   * ```
   */
  list(path: PathLike | FileHandle, options?: XattrOptions): Promise<string[]>;
  /**
   * Removes one. Rejects with ENODATA when there is none.
   *
   * @example
   * ```ts
   * await mfs.xattr.remove('/photo.jpg', 'user.camera');
   * ```
   */
  remove(path: PathLike | FileHandle, name: string, options?: XattrOptions): Promise<void>;
}

/** Calls about extended attributes of one client. */
export function xattrApi(volume: Volume): XattrApi {
  const call = <T>(
    method: string,
    syscall: string,
    on: PathLike | FileHandle,
    options: XattrOptions,
    work: (inode: number, context: CallContext) => Promise<T>,
  ) => {
    const path = on instanceof FileHandle ? on.path : on;
    return startCall(volume, { method: `xattr.${method}`, syscall, path, signal: options.signal }, async (context) => {
      if (on instanceof FileHandle) return work(on.inodeFor(syscall), context);
      return work((await findPath(volume, path, { ...context, follow: options.follow ?? true })).inode, context);
    });
  };
  const get = async (path: PathLike | FileHandle, name: string, options?: NameEncoding | XattrGetOptions) => {
    const given = readOptions<XattrGetOptions>(options);
    const { encoding } = given;
    const value = await call('get', 'getxattr', path, given, (inode, context) =>
      getValue(volume, inode, name, context),
    );
    return encoding === undefined || encoding === null || encoding === 'buffer' ? value : value.toString(encoding);
  };
  return {
    get: get as XattrApi['get'],
    set: (path, name, value, options = {}) =>
      call('set', 'setxattr', path, options, (inode, context) =>
        setValue(volume, inode, name, value, options, context),
      ),
    list: (path, options = {}) =>
      call('list', 'listxattr', path, options, (inode, context) => listNames(volume, inode, context)),
    remove: (path, name, options = {}) =>
      call('remove', 'removexattr', path, options, (inode, context) =>
        change(volume, inode, name, Buffer.alloc(0), messages.XattrSetMode.remove, context),
      ),
  };
}

function nameBytes(name: unknown, { site }: CallContext): Buffer {
  if (typeof name !== 'string') throw invalidType('name', 'of type string', name);
  const bytes = Buffer.from(name);
  if (bytes.length === 0 || bytes.length > NAME_LIMIT) throw fsError('ERANGE', site);
  if (bytes.includes(0)) throw fsError('EINVAL', site);
  if (name.startsWith('system.')) {
    const detail = 'POSIX ACLs are reached by mfs.acl, other names of system. do not exist';
    throw fsError('ENOTSUP', site, { detail });
  }
  return bytes;
}

async function getValue(volume: Volume, inode: number, name: string, context: CallContext): Promise<Buffer> {
  const { uid, gids } = volume.settings;
  const { value } = await volume.session.call(
    messages.getxattr,
    { inode, name: nameBytes(name, context), mode: messages.XattrGetMode.value, opened: 0, uid, gids },
    context,
  );
  return Buffer.from(value);
}

async function listNames(volume: Volume, inode: number, context: CallContext): Promise<string[]> {
  const { uid, gids } = volume.settings;
  const { value } = await volume.session.call(
    messages.getxattr,
    { inode, name: Buffer.alloc(0), mode: messages.XattrGetMode.value, opened: 0, uid, gids },
    context,
  );
  return Buffer.from(value)
    .toString()
    .split('\0')
    .filter((name) => name !== '');
}

async function setValue(
  volume: Volume,
  inode: number,
  name: string,
  value: string | NodeJS.ArrayBufferView,
  { create = false, replace = false, encoding }: XattrSetOptions,
  context: CallContext,
): Promise<void> {
  checkEncoding(encoding);
  if (typeof value !== 'string' && !ArrayBuffer.isView(value))
    throw invalidType('value', 'of type string or an instance of Buffer, TypedArray, or DataView', value);
  const bytes = typeof value === 'string' ? Buffer.from(value, encoding) : viewOf(value);
  // A server from 4.59 on would drop the connection.
  if (bytes.length > messages.XATTR_VALUE_LIMIT) throw fsError('E2BIG', context.site);
  const { XattrSetMode } = messages;
  const mode = create ? XattrSetMode.create : replace ? XattrSetMode.replace : XattrSetMode.set;
  await change(volume, inode, name, bytes, mode, context);
}

async function change(
  volume: Volume,
  inode: number,
  name: string,
  value: Uint8Array,
  mode: number,
  context: CallContext,
): Promise<void> {
  const { uid, gids } = volume.settings;
  const { create, remove } = messages.XattrSetMode;
  await volume.session.call(
    messages.setxattr,
    { inode, name: nameBytes(name, context), value, mode, opened: 0, uid, gids },
    // Setting twice is setting once; making or removing twice is not.
    { ...context, whenReplyLost: mode === create || mode === remove ? 'doubt' : 'repeat' },
  );
}
