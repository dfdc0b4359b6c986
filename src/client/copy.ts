/** Copying files and trees, with node's options and errors. */
import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path/posix';
import { MooseFSError } from '../errors.ts';
import { checkBoolean, checkFunction, checkInteger, invalidType } from './arguments.ts';
import type { FileHandle, SignalOption, TransferProgress } from './file-handle.ts';
import type { FileSystem } from './file-system.ts';
import { fsError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { inParallel } from './open-file.ts';
import type { PathLike } from './paths.ts';
import { pathText } from './paths.ts';
import type { Stats } from './stats.ts';
import { systemError } from './system-errors.ts';
import { copyBytes } from './whole-files.ts';

/** Options of {@link FileSystem.copyFile} beside node's mode. */
export interface CopyFileOptions extends SignalOption {
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** Options of {@link FileSystem.cp}, as node's. */
export interface CpOptions extends SignalOption {
  /** Copy what symlinks lead to. */
  readonly dereference?: boolean | undefined;
  /** With `force: false`: reject when the destination exists. */
  readonly errorOnExist?: boolean | undefined;
  /** What is not to be copied: answer false. A folder that is left out is not entered. */
  readonly filter?: ((source: string, destination: string) => boolean | Promise<boolean>) | undefined;
  /** Replace what exists. Default true. */
  readonly force?: boolean | undefined;
  /** As in copyFile: `constants.COPYFILE_EXCL`. */
  readonly mode?: number | undefined;
  readonly preserveTimestamps?: boolean | undefined;
  /** Copy folders with all that is in them. */
  readonly recursive?: boolean | undefined;
  /** Leave relative symlinks relative. */
  readonly verbatimSymlinks?: boolean | undefined;
}

/** Files of one folder that are copied at the same time. */
const PARALLEL_FILES = 8;
const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants;

/** Copies a file's bytes and permission bits. */
export async function copyFile(
  fs: FileSystem,
  source: PathLike,
  destination: PathLike,
  mode: number,
  options: CopyFileOptions,
): Promise<void> {
  checkInteger(mode, 'mode', 0, 7);
  const site: CallSite = { syscall: 'copyfile', path: pathText(source), dest: pathText(destination) };
  if ((mode & COPYFILE_FICLONE_FORCE) !== 0) throw fsError('ENOTSUP', site);
  const { signal } = options;
  try {
    await using from = await fs.open(source, O_RDONLY, undefined, { signal });
    const stats = await from.stat({ signal });
    if (stats.isDirectory()) throw fsError('EISDIR', {});
    const flags = O_WRONLY | O_CREAT | ((mode & COPYFILE_EXCL) !== 0 ? O_EXCL : 0);
    const to = await fs.open(destination, flags, stats.mode & 0o7777, { signal });
    try {
      await copyInto(from, to, stats, options);
    } catch (error) {
      await to.abandon(error instanceof MooseFSError ? error : new MooseFSError(String(error), { code: 'EIO' }));
      throw error;
    }
    await to.close({ signal });
  } catch (error) {
    throw withCopySite(error, site);
  }
}

async function copyInto(from: FileHandle, to: FileHandle, stats: Stats, options: CopyFileOptions): Promise<void> {
  const { signal } = options;
  const before = await to.stat({ signal });
  // Onto itself: nothing happens.
  if (before.ino === stats.ino) return;
  if ((before.mode & 0o7777) !== (stats.mode & 0o7777)) await to.chmod(stats.mode & 0o7777);
  if (before.size > 0) await to.truncate(0, { signal });
  await copyBytes(from, to, { ...options, total: stats.size });
}

/** Whatever failed, node says that it was copyfile. */
function withCopySite(error: unknown, site: CallSite): unknown {
  if (!(error instanceof MooseFSError) || error.name === 'AbortError') return error;
  return fsError(error.code, site, {
    cause: error,
    retryable: error.retryable,
    ...(error.peer !== undefined && { peer: error.peer }),
  });
}

type Settled = Required<Omit<CpOptions, 'filter' | 'signal'>> & Pick<CpOptions, 'filter' | 'signal'>;

function settle(options: CpOptions): Settled {
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  const settled = {
    dereference: options.dereference ?? false,
    errorOnExist: options.errorOnExist ?? false,
    force: options.force ?? true,
    preserveTimestamps: options.preserveTimestamps ?? false,
    recursive: options.recursive ?? false,
    verbatimSymlinks: options.verbatimSymlinks ?? false,
  };
  for (const [name, value] of Object.entries(settled)) checkBoolean(value, `options.${name}`);
  if (settled.dereference && settled.verbatimSymlinks) {
    const message = 'Option "dereference" cannot be used in combination with option "verbatimSymlinks"';
    throw Object.assign(new TypeError(message), { code: 'ERR_INCOMPATIBLE_OPTION_PAIR' });
  }
  if (options.filter !== undefined) checkFunction(options.filter, 'options.filter');
  const { filter, signal } = options;
  return { ...settled, mode: checkInteger(options.mode ?? 0, 'mode', 0, 7), filter, signal };
}

/** Copies a file, a symlink or, with `recursive`, a tree. */
export async function copyTree(
  fs: FileSystem,
  source: PathLike,
  destination: PathLike,
  options: CpOptions,
): Promise<void> {
  const copy = new TreeCopy(fs, settle(options));
  await copy.start(pathText(source), pathText(destination));
}

const names = (path: string) =>
  resolve('/', path)
    .split('/')
    .filter((name) => name !== '');
/** By the words of the paths alone. */
const isInside = (outer: string, path: string) => {
  const inner = names(path);
  return names(outer).every((name, i) => inner[i] === name);
};
/** The folder that a path's last name is in, `.` being a name like others, as in node. */
const above = (path: string) => resolve('/', dirname(path));

interface Pair {
  readonly stats: Stats;
  readonly there: Stats | undefined;
}

class TreeCopy {
  readonly #fs: FileSystem;
  readonly #options: Settled;

  constructor(fs: FileSystem, options: Settled) {
    this.#fs = fs;
    this.#options = options;
  }

  async start(source: string, destination: string): Promise<void> {
    const pair = await this.#check(source, destination);
    if (pair === undefined) return;
    await this.#checkAbove(source, pair.stats, destination);
    const { signal } = this.#options;
    const folder = dirname(destination);
    await this.#fs.stat(folder, { signal }).catch(async (error: unknown) => {
      if ((error as { code?: string }).code !== 'ENOENT') throw error;
      await this.#fs.mkdir(folder, { recursive: true, signal });
    });
    await this.#copy(pair, source, destination);
  }

  /** Undefined where the filter says no. */
  async #check(source: string, destination: string): Promise<Pair | undefined> {
    const { filter, signal, dereference } = this.#options;
    if (filter !== undefined && !(await filter(source, destination))) return undefined;
    const statOf = (path: string) => (dereference ? this.#fs.stat(path, { signal }) : this.#fs.lstat(path, { signal }));
    const [stats, there] = await Promise.all([
      statOf(source),
      statOf(destination).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'ENOENT') return undefined;
        throw error;
      }),
    ]);
    const fail = (code: Parameters<typeof systemError>[0], reason: string, message: string): never => {
      throw systemError(code, reason, { message, path: destination, syscall: 'cp' });
    };
    if (there !== undefined) {
      if (there.ino === stats.ino) fail('ERR_FS_CP_EINVAL', 'EINVAL', 'src and dest cannot be the same');
      if (stats.isDirectory() && !there.isDirectory()) {
        const message = `cannot overwrite non-directory ${destination} with directory ${source}`;
        fail('ERR_FS_CP_DIR_TO_NON_DIR', 'EISDIR', message);
      }
      if (!stats.isDirectory() && there.isDirectory()) {
        const message = `cannot overwrite directory ${destination} with non-directory ${source}`;
        fail('ERR_FS_CP_NON_DIR_TO_DIR', 'ENOTDIR', message);
      }
    }
    if (stats.isDirectory() && isInside(source, destination)) this.#failInside(source, destination);
    return { stats, there };
  }

  #failInside(source: string, destination: string): never {
    const message = `cannot copy ${source} to a subdirectory of self ${destination}`;
    throw systemError('ERR_FS_CP_EINVAL', 'EINVAL', { message, path: destination, syscall: 'cp' });
  }

  /** By inode: also through symlinks a tree is not copied into itself. */
  async #checkAbove(source: string, stats: Stats, destination: string): Promise<void> {
    const { signal } = this.#options;
    for (let at = destination; above(at) !== above(source) && above(at) !== '/'; at = above(at)) {
      const found = await this.#fs.stat(above(at), { signal }).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'ENOENT') return undefined;
        throw error;
      });
      if (found === undefined) return;
      if (found.ino === stats.ino) this.#failInside(source, at);
    }
  }

  async #copy({ stats, there }: Pair, source: string, destination: string): Promise<void> {
    if (stats.isDirectory()) await this.#folder(stats, there, source, destination);
    else if (stats.isFile()) await this.#file(stats, there, source, destination);
    else if (stats.isSymbolicLink()) await this.#symlink(there, source, destination);
    else this.#refuse(stats, destination);
  }

  /** Devices, too, are refused: there is nothing to read in them here. */
  #refuse(stats: Stats, path: string): never {
    const [code, kind] = stats.isSocket()
      ? (['ERR_FS_CP_SOCKET', 'socket file'] as const)
      : stats.isFIFO()
        ? (['ERR_FS_CP_FIFO_PIPE', 'FIFO pipe'] as const)
        : (['ERR_FS_CP_UNKNOWN', 'unknown file type'] as const);
    const article = code === 'ERR_FS_CP_UNKNOWN' ? 'an' : 'a';
    throw systemError(code, 'EINVAL', { message: `cannot copy ${article} ${kind}: ${path}`, path, syscall: 'cp' });
  }

  async #folder(stats: Stats, there: Stats | undefined, source: string, destination: string): Promise<void> {
    const { recursive, signal } = this.#options;
    if (!recursive) {
      const message = `${source} is a directory (not copied)`;
      throw systemError('ERR_FS_EISDIR', 'EISDIR', { message, path: source, syscall: 'cp' });
    }
    if (there === undefined) await this.#fs.mkdir(destination, { signal });
    const folders: { pair: Pair; from: string; to: string }[] = [];
    const entries = await this.#fs.readdir(source, { signal });
    await inParallel(entries, PARALLEL_FILES, async (name) => {
      const [from, to] = [join(source, name), join(destination, name)];
      const pair = await this.#check(from, to);
      if (pair?.stats.isDirectory() === true) folders.push({ pair, from, to });
      else if (pair !== undefined) await this.#copy(pair, from, to);
    });
    for (const { pair, from, to } of folders) await this.#copy(pair, from, to);
    // Last: without the right to write, nothing could have been made in it.
    if (there === undefined) await this.#fs.chmod(destination, stats.mode & 0o7777, { signal });
  }

  async #file(stats: Stats, there: Stats | undefined, source: string, destination: string): Promise<void> {
    const { force, errorOnExist, mode, preserveTimestamps, signal } = this.#options;
    if (there !== undefined && force) await this.#fs.unlink(destination, { signal });
    else if (there !== undefined) {
      if (!errorOnExist) return;
      const message = `${destination} already exists`;
      throw systemError('ERR_FS_CP_EEXIST', 'EEXIST', { message, path: destination, syscall: 'cp' });
    }
    await this.#fs.copyFile(source, destination, mode, { signal });
    if (preserveTimestamps) {
      // Asked again: reading it has moved its time of access.
      const { atime, mtime } = await this.#fs.stat(source, { signal });
      await this.#fs.utimes(destination, atime, mtime, { signal });
    }
    await this.#fs.chmod(destination, stats.mode & 0o7777, { signal });
  }

  async #symlink(there: Stats | undefined, source: string, destination: string): Promise<void> {
    const { verbatimSymlinks, signal } = this.#options;
    const link = await this.#fs.readlink(source, { signal });
    const target = verbatimSymlinks || link.startsWith('/') ? link : resolve(above(source), link);
    if (there?.isSymbolicLink() === true) {
      const old = resolve(above(destination), await this.#fs.readlink(destination, { signal }));
      if (isInside(target, old)) {
        const message = `cannot copy ${target} to a subdirectory of self ${old}`;
        throw systemError('ERR_FS_CP_EINVAL', 'EINVAL', { message, path: destination, syscall: 'cp' });
      }
      const stats = await this.#fs.stat(source, { signal });
      if (stats.isDirectory() && isInside(old, target)) {
        const message = `cannot overwrite ${old} with ${target}`;
        throw systemError('ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY', 'EINVAL', { message, path: destination, syscall: 'cp' });
      }
      await this.#fs.unlink(destination, { signal });
    }
    await this.#fs.symlink(target, destination, null, { signal });
  }
}
