/** rm: a name, or a whole tree. */
import PQueue from 'p-queue';
import { join } from 'node:path/posix';
import { NodeType } from '../protocol/attributes.ts';
import * as messages from '../protocol/messages/namespace.ts';
import { checkBoolean, checkInteger } from './arguments.ts';
import { fsError } from './fs-errors.ts';
import { listFolder } from './listing.ts';
import { removeFolder, removeIn, removeName } from './names.ts';
import type { CallContext } from './nodes.ts';
import { findPath, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { systemError } from './system-errors.ts';
import type { Volume } from './volume.ts';

/** Options of {@link FileSystem.rm}. */
export interface RmOptions {
  /** Nothing there is no error. */
  readonly force?: boolean | undefined;
  /** Folders too, with all that is in them. */
  readonly recursive?: boolean | undefined;
  /** How often a folder that somebody fills meanwhile is emptied again. Default 0. */
  readonly maxRetries?: number | undefined;
  /** Milliseconds before the first such retry, and how much longer each further one waits. Default 100. */
  readonly retryDelay?: number | undefined;
}

/** Makes the context of a call with this syscall and path in its errors. */
export type SiteContext = (syscall: string, path: string) => CallContext;

/** Removals of one tree that are under way at once. */
const PARALLEL = 32;
/** As node's rimraf. */
const retried = new Set(['EBUSY', 'EMFILE', 'ENFILE', 'ENOTEMPTY', 'EPERM']);

type SettledRmOptions = { readonly [K in keyof RmOptions]-?: NonNullable<RmOptions[K]> };

/** Checks the options of rm, and fills them in. */
export function rmOptions(options: RmOptions = {}): SettledRmOptions {
  const { force = false, recursive = false, maxRetries = 0, retryDelay = 100 } = options;
  return {
    force: checkBoolean(force, 'options.force'),
    recursive: checkBoolean(recursive, 'options.recursive'),
    maxRetries: checkInteger(maxRetries, 'options.maxRetries', 0, 0xffff_ffff),
    retryDelay: checkInteger(retryDelay, 'options.retryDelay', 0, 0x7fff_ffff),
  };
}

/** Removes what a path names. */
export async function removePath(
  volume: Volume,
  path: PathLike,
  options: SettledRmOptions,
  context: SiteContext,
): Promise<void> {
  const text = pathText(path);
  const found = await findPath(volume, path, { ...context('lstat', text), follow: false }).catch((error: unknown) => {
    if (options.force && isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (found.attributes.type !== NodeType.directory) {
    await removeName(volume, path, context('unlink', text)).catch(ignoreMissing);
    return;
  }
  if (!options.recursive)
    throw systemError('ERR_FS_EISDIR', 'EISDIR', { message: 'is a directory', path: text, syscall: 'rm' });
  // First the folder itself, as node does: what cannot be removed for another reason than that it is full keeps what is in it.
  // That it is no folder after all is said of a symlink with a slash behind it, which is left alone.
  const remove = async () => {
    const removal = async () => removeFolder(volume, path, context('rmdir', text));
    const code = await removal().then(
      () => undefined,
      (error: unknown) => {
        const { code } = error as { code?: string };
        if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR' || code === 'ENOENT') return code;
        throw error;
      },
    );
    if (code === undefined || code === 'ENOTDIR' || code === 'ENOENT') return;
    await emptyFolder(volume, found.inode, text, context);
    await removal().catch(ignoreMissing);
  };
  for (let tries = 0; ; tries++) {
    try {
      await remove();
      return;
    } catch (error) {
      if (tries >= options.maxRetries || !retried.has((error as { code?: string }).code ?? '')) throw error;
      const { deadline } = context('rmdir', text);
      await deadline.sleep((tries + 1) * options.retryDelay, `removing ${text}`);
    }
  }
}

const isMissing = (error: unknown) => (error as { code?: string }).code === 'ENOENT';
/** Somebody else removed it. */
const ignoreMissing = (error: unknown) => {
  if (!isMissing(error)) throw error;
};

async function emptyFolder(volume: Volume, inode: number, path: string, context: SiteContext): Promise<void> {
  const queue = new PQueue({ concurrency: PARALLEL });
  // Listed before anything is removed: pages of a listing that changes could miss names.
  const entries: { name: Buffer; inode: number; type: NodeType }[] = [];
  try {
    for await (const page of listFolder(volume, inode, false, () => context('scandir', path)))
      entries.push(...page.map((entry) => ({ ...entry, name: Buffer.from(entry.name) })));
  } catch (error) {
    ignoreMissing(error);
  }
  const folders = entries.filter(({ type }) => type === NodeType.directory);
  const remove = (message: typeof messages.unlink, syscall: string, name: Buffer) =>
    removeIn(volume, message, inode, name, context(syscall, join(path, name.toString()))).catch(ignoreMissing);
  const names = entries.filter(({ type }) => type !== NodeType.directory);
  const done = await Promise.allSettled(
    names.map(({ name }) => queue.add(() => remove(messages.unlink, 'unlink', name))),
  );
  for (const result of done) if (result.status === 'rejected') throw result.reason;
  for (const { name, inode: child } of folders) {
    await emptyFolder(volume, child, join(path, name.toString()), context);
    await remove(messages.rmdir, 'rmdir', name);
  }
}

/** rmdir with node's old `recursive`. */
export async function removeFolderTree(volume: Volume, path: PathLike, context: SiteContext): Promise<void> {
  const { attributes } = await findPath(volume, path, { ...context('stat', pathText(path)), follow: true });
  if (attributes.type !== NodeType.directory) throw fsError('ENOTDIR', context('rmdir', pathText(path)).site);
  await removePath(volume, path, rmOptions({ recursive: true }), context);
}
