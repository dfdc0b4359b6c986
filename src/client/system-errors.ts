/** node's SystemErrors: those of calls that are made of several, such as rm and cp, with a code of node's own. */
import { fsError } from './fs-errors.ts';

/** What node writes in front of each. */
const titles = {
  ERR_FS_EISDIR: 'Path is a directory',
  ERR_FS_CP_DIR_TO_NON_DIR: 'Cannot overwrite non-directory with directory',
  ERR_FS_CP_NON_DIR_TO_DIR: 'Cannot overwrite directory with non-directory',
  ERR_FS_CP_EEXIST: 'Target already exists',
  ERR_FS_CP_EINVAL: 'Invalid src or dest',
  ERR_FS_CP_FIFO_PIPE: 'Cannot copy a FIFO pipe',
  ERR_FS_CP_SOCKET: 'Cannot copy a socket file',
  ERR_FS_CP_UNKNOWN: 'Cannot copy an unknown file type',
  ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY: 'Cannot overwrite symlink in subdirectory of self',
} as const;

/** An error such as node's `ERR_FS_CP_EEXIST`; `cause` is the plain error with `reason` as its code. */
export function systemError(
  code: keyof typeof titles,
  reason: string,
  { message, path, syscall }: { message: string; path: string; syscall: string },
): Error {
  const cause = fsError(reason, { syscall, path });
  const error = new Error(`${titles[code]}: ${syscall} returned ${reason} (${message}) ${path}`, { cause });
  // As it is in node: these errors alone have a positive errno.
  const errno = -(cause.errno ?? 0);
  const info = { code: reason, message, path, syscall, errno };
  Object.defineProperty(error, 'name', { value: 'SystemError', writable: true, configurable: true });
  return Object.assign(error, { code, info, errno, syscall, path });
}
