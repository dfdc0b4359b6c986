/**
 * A file gets its name only when it is complete: it is written under another name in the same folder, and then renamed. What
 * stood there before is untouched until then, and after a failure or an interrupt too.
 */
import { randomBytes } from 'node:crypto';
import { promises as localFs } from 'node:fs';
import type { FileHandle as LocalHandle } from 'node:fs/promises';
import type { FileHandle, MooseFS } from '../index.ts';
import { baseName, folderOf, joinPath } from './paths.ts';
import { failure } from './status.ts';

const SYMLINK_LIMIT = 40;
const PERMISSIONS = 0o7777;

/** `.mfs-put-0f3a…` beside the file: short, so that it fits where the file's own name fits. */
function temporaryName(path: Buffer, kind: string): Buffer {
  return joinPath(folderOf(path), Buffer.from(`.mfs-${kind}-${randomBytes(8).toString('hex')}`));
}

const isCode = (error: unknown, code: string): boolean => (error as { code?: string } | null)?.code === code;

/** Where a path leads when symlinks are followed to their end, which need not exist. */
async function finalPath(mfs: MooseFS, path: Buffer, signal: AbortSignal): Promise<Buffer> {
  let current = path;
  for (let step = 0; step < SYMLINK_LIMIT; step++) {
    const target = await mfs.readlink(current, { encoding: 'buffer', signal }).catch((error: unknown) => {
      // No symlink, or nothing there.
      if (isCode(error, 'EINVAL') || isCode(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (target === undefined) return current;
    current = target[0] === 0x2f ? target : joinPath(folderOf(current), target);
  }
  throw failure('ELOOP', 'too many symbolic links encountered');
}

/** What a new file on a MooseFS is made with. */
export interface RemoteReplacement {
  /** Permission bits where there is no file yet. */
  readonly mode: number;
  readonly storageClass?: string | undefined;
  readonly signal: AbortSignal;
  /** Told the name under which the file is written. */
  readonly onTemporary?: (path: string) => void;
}

/**
 * Writes a file of a MooseFS by `write`, which is given an open, empty file and closes it. The new file takes the permission
 * bits and the storage class of one that it replaces.
 */
export async function replaceRemoteFile<T>(
  mfs: MooseFS,
  path: Buffer,
  { mode, storageClass, signal, onTemporary }: RemoteReplacement,
  write: (handle: FileHandle, temporary: Buffer) => Promise<T>,
): Promise<T> {
  if (baseName(path).length === 0) throw failure('EISDIR', 'is a folder');
  const target = await finalPath(mfs, path, signal);
  const before = await mfs.stat(target, { signal }).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (before?.isDirectory() === true) throw failure('EISDIR', 'is a folder');
  if (before !== undefined) await mfs.access(target, mfs.constants.W_OK, { signal });
  const temporary = temporaryName(target, 'put');
  onTemporary?.(temporary.toString());
  let handle: FileHandle | undefined;
  try {
    handle = await mfs.open(temporary, 'wx', mode, { signal });
    if (before !== undefined && ((await handle.stat({ signal })).mode & PERMISSIONS) !== (before.mode & PERMISSIONS))
      await handle.chmod(before.mode & PERMISSIONS);
    const wanted = storageClass ?? (before && (await mfs.storageClass.get(target, { signal })));
    if (
      wanted !== undefined &&
      (storageClass !== undefined || (await mfs.storageClass.get(temporary, { signal })) !== wanted)
    )
      await mfs.storageClass.set(temporary, wanted, { signal });
    const result = await write(handle, temporary);
    await mfs.rename(temporary, target, { signal });
    return result;
  } catch (error) {
    await handle?.close().catch(() => undefined);
    // Without the signal: this is what is to be done when it was aborted.
    await mfs.unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * Writes a file of this machine by `write`, which is given an open, empty file and does not close it. A device or pipe that is
 * there already is written to as it is.
 */
export async function replaceLocalFile(
  path: Buffer,
  mode: number,
  write: (handle: LocalHandle) => Promise<void>,
): Promise<void> {
  const target = await localFs.realpath(path, 'buffer').catch(() => path);
  const before = await localFs.stat(target).catch(() => undefined);
  if (before?.isDirectory() === true) throw failure('EISDIR', 'is a folder');
  if (before !== undefined && !before.isFile()) {
    const handle = await localFs.open(target, 'w');
    await write(handle).finally(() => handle.close());
    return;
  }
  if (before !== undefined) await localFs.access(target, localFs.constants.W_OK);
  const temporary = temporaryName(target, 'get');
  const handle = await localFs.open(temporary, 'wx', mode);
  try {
    if (before !== undefined) await handle.chmod(before.mode & PERMISSIONS);
    await write(handle).finally(() => handle.close());
    await localFs.rename(temporary, target);
  } catch (error) {
    await localFs.unlink(temporary).catch(() => undefined);
    throw error;
  }
}
