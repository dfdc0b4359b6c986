/** The face of node:fs/promises: every verb with its name, arguments, results and errors. What is done stands in the files it calls. */
import { EventEmitter } from 'node:events';
import { constants } from 'node:fs';
import { randomInt } from 'node:crypto';
import { MooseFSError } from '../errors.ts';
import type { Attributes } from '../protocol/attributes.ts';
import { checkBoolean, checkId, checkInteger, readOptions } from './arguments.ts';
import { startCall } from './calls.ts';
import type { CallStart } from './calls.ts';
import { copyFile, copyTree } from './copy.ts';
import type { CopyFileOptions, CpOptions } from './copy.ts';
import { Dir, readFolder, shownName } from './directory.ts';
import type { NameEncoding, OpenDirOptions } from './directory.ts';
import type { ClientEvents } from './events.ts';
import { FileHandle } from './file-handle.ts';
import type { HandleReadFileOptions, SignalOption, TransferProgress } from './file-handle.ts';
import { parseFlags, parseMode } from './flags.ts';
import { findFolder } from './listing.ts';
import * as names from './names.ts';
import {
  attributesAt,
  changeMode,
  changeOwner,
  changeTimes,
  checkAccess,
  checkTimes,
  deviceOf,
  spaceOf,
  truncatePath,
} from './nodes.ts';
import type { CallContext, TimeLike } from './nodes.ts';
import { parseReplica } from './one-replica.ts';
import type { ChunkReplication } from './open-file.ts';
import { openPath } from './opening.ts';
import { placeOpened } from './placing.ts';
import { canonicalPath, findPath, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { ReadStream } from './read-stream.ts';
import type { ReadStreamOptions } from './read-stream.ts';
import { removeFolderTree, removePath, rmOptions } from './remove-tree.ts';
import type { RmOptions } from './remove-tree.ts';
import { BigIntStats, Stats, bigStatFs } from './stats.ts';
import type { Dirent, StatFs } from './stats.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';
import { readSmallFile } from './small-read.ts';
import type { ServedBy } from './served-by.ts';
import { checkData, readWhole, writeWhole } from './whole-files.ts';
import type { FileData } from './whole-files.ts';
import { WriteStream } from './write-stream.ts';
import type { WriteStreamOptions } from './write-stream.ts';

/** Permission bits of what is made, before the umask: as node's. */
const FILE_MODE = 0o666;
const FOLDER_MODE = 0o777;
const TEMPORARY_FOLDER_MODE = 0o700;
/** What mkdtemp puts behind the prefix. */
const RANDOM_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LENGTH = 6;

/** Options of {@link FileSystem.readFile}. */
export interface ReadFileOptions extends HandleReadFileOptions {
  readonly flag?: string | number | undefined;
  /** Told, before the call resolves, which chunkservers gave what. */
  readonly onServedBy?: ((servedBy: readonly ServedBy[]) => void) | undefined;
}

/** Options of {@link FileSystem.writeFile}. */
export interface WriteFileOptions extends SignalOption {
  readonly encoding?: BufferEncoding | null | undefined;
  readonly mode?: number | string | undefined;
  readonly flag?: string | number | undefined;
  /** Accepted because node has it: a write is always flushed here. */
  readonly flush?: boolean | undefined;
  /** See {@link PlacementOptions.storageClass}. */
  readonly storageClass?: string | undefined;
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Told, before the call resolves, which replicas acknowledged. */
  readonly onReplication?: ((replication: readonly ChunkReplication[]) => void) | undefined;
}

/** Options of {@link FileSystem.readdir}. */
export interface ReaddirOptions<T extends boolean, E> extends SignalOption {
  readonly encoding?: E;
  readonly withFileTypes?: T;
  readonly recursive?: boolean | undefined;
}

/** Options of {@link FileSystem.mkdir}. */
export interface MkdirOptions extends SignalOption {
  readonly mode?: number | string | undefined;
  readonly recursive?: boolean | undefined;
}

/** Options of {@link FileSystem.stat} and {@link FileSystem.lstat}. */
export interface StatOptions extends SignalOption {
  readonly bigint?: boolean | undefined;
  /** False: undefined instead of a rejection where nothing is there. */
  readonly throwIfNoEntry?: boolean | undefined;
}

/** Where the data of a file that is opened shall lie. */
export interface PlacementOptions {
  /**
   * The storage class of a file that this call makes or empties (flags `w`, `wx`, `a` …), set before any data is written. A file
   * that keeps its data keeps its class. An unknown class is EINVAL, and nothing is made.
   */
  readonly storageClass?: string | undefined;
}

/** What streams take to open their file. */
export interface StreamOpenOptions extends PlacementOptions {
  readonly flags?: string | number | undefined;
  readonly mode?: number | string | undefined;
  /** An open handle instead of the path. */
  readonly fd?: FileHandle | undefined;
}

/**
 * Whatever has a name in node:fs/promises, with its arguments, results and errors. Paths are counted from the exported folder. Every
 * call is bounded in time by the client's time-outs, and takes an AbortSignal as `signal` in its last argument.
 */
export abstract class FileSystem extends EventEmitter<ClientEvents> {
  readonly #volume: Volume;
  /** As `fs.constants`. */
  readonly constants: typeof constants = constants;

  /** @internal */
  protected constructor(volume: (events: EventEmitter<ClientEvents>) => Volume) {
    super();
    this.#volume = volume(this);
  }

  /** @internal */
  protected get volume(): Volume {
    return this.#volume;
  }

  #call<T>(start: CallStart, work: (context: CallContext) => Promise<T>): Promise<T> {
    return startCall(this.#volume, start, work);
  }

  #context(syscall: string, path: string, signal: AbortSignal | undefined): CallContext {
    return { site: { syscall, path }, deadline: requestDeadline(this.#volume, signal) };
  }

  /**
   * Opens a file. Flags are node's, as words or numbers: with O_SYNC and O_DSYNC every write resolves only when all replicas have
   * it; O_DIRECT is accepted, and asks for no alignment. Folders can be opened for reading, to be looked at.
   *
   * With `takeOver` writes do not wait for a writer that died: the master keeps the chunk it was writing locked for up to 120 s. Only
   * for who knows, by a lock of its own, that nobody else writes this file.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/data.bin', 'r');
   * console.log((await file.read(Buffer.alloc(16), 0, 16, 4096)).bytesRead);
   * ```
   */
  open(
    path: PathLike,
    flags?: string | number | null,
    mode?: number | string | null,
    {
      signal,
      storageClass,
      takeOver = false,
    }: SignalOption & PlacementOptions & { readonly takeOver?: boolean | undefined } = {},
  ): Promise<FileHandle> {
    return this.#call({ method: 'open', path, signal }, async ({ site, deadline }) => {
      const parsed = parseFlags(flags);
      const request = { flags: parsed, mode: parseMode(mode ?? undefined, FILE_MODE), deadline, site };
      const opened = await openPath(this.#volume, path, request);
      if (takeOver && opened.file !== undefined) opened.file.takesOver = true;
      if (storageClass !== undefined) await placeOpened(this.#volume, path, opened, { ...request, storageClass });
      return new FileHandle(this.#volume, opened, parsed, pathText(path));
    });
  }

  /**
   * Reads a whole file: bytes, or text when an encoding is given.
   *
   * @example
   * ```ts
   * const text = await mfs.readFile('/notes.txt', 'utf8');
   * const bytes = await mfs.readFile('/film.mp4', { onProgress: ({ transferred, total }) => console.log(transferred, total) });
   * console.log(text.length, bytes.length);
   * ```
   */
  async readFile(
    path: PathLike | FileHandle,
    options?: (ReadFileOptions & { readonly encoding?: null | undefined }) | null,
  ): Promise<Buffer>;
  async readFile(
    path: PathLike | FileHandle,
    options: BufferEncoding | (ReadFileOptions & { readonly encoding: BufferEncoding }),
  ): Promise<string>;
  async readFile(
    path: PathLike | FileHandle,
    options?: BufferEncoding | ReadFileOptions | null,
  ): Promise<Buffer | string>;
  async readFile(
    path: PathLike | FileHandle,
    options?: BufferEncoding | ReadFileOptions | null,
  ): Promise<Buffer | string> {
    const given = readOptions<ReadFileOptions>(options);
    const { encoding, signal, onProgress } = given;
    if (path instanceof FileHandle) return path.readFile(given);
    return this.#call({ method: 'readFile', syscall: 'open', path, signal }, async (context) => {
      const replica = parseReplica(given.replica);
      const watched = onProgress !== undefined || given.onServedBy !== undefined;
      const isPlain = replica === undefined && (given.flag ?? 'r') === 'r' && !watched;
      const small = isPlain ? await readSmallFile(this.#volume, path, context) : undefined;
      if (small !== undefined) return encoding === undefined || encoding === null ? small : small.toString(encoding);
      await using handle = await this.open(path, given.flag ?? 'r', undefined, { signal });
      const bytes = await readWhole(handle, { signal, onProgress, replica });
      given.onServedBy?.(handle.servedBy);
      return encoding === undefined || encoding === null ? bytes : bytes.toString(encoding);
    });
  }

  /**
   * Replaces a file's contents. Resolves when every listed replica of every chunk has acknowledged every byte.
   *
   * @example
   * ```ts
   * await mfs.writeFile('/notes.txt', 'antlers\n');
   * await mfs.writeFile('/lines.txt', ['one\n', 'two\n'], { flag: 'wx', signal: AbortSignal.timeout(30_000) });
   * ```
   */
  async writeFile(
    path: PathLike | FileHandle,
    data: FileData,
    options?: BufferEncoding | WriteFileOptions | null,
  ): Promise<void> {
    const given = readOptions<WriteFileOptions>(options);
    const { encoding, signal, onProgress, onReplication, flush } = given;
    if (flush !== undefined) checkBoolean(flush, 'options.flush');
    checkData(data);
    const write = (handle: FileHandle) =>
      writeWhole(handle, data, { encoding: encoding ?? undefined, signal, onProgress });
    if (path instanceof FileHandle) {
      await path.writeFile(data, { encoding: encoding ?? null, signal });
      return;
    }
    await this.#call({ method: 'writeFile', path, signal }, async () => {
      const { storageClass } = given;
      const handle = await this.open(path, given.flag ?? 'w', given.mode, { signal, storageClass });
      try {
        await write(handle);
        onReplication?.(handle.replication);
      } catch (error) {
        await handle.abandon(
          error instanceof MooseFSError ? error : new MooseFSError(String(error), { code: 'EIO', cause: error }),
        );
        throw error;
      }
      await handle.close();
    });
  }

  /**
   * Adds to the end of a file, making it when it is missing. Appends of several clients do not overwrite each other.
   *
   * @example
   * ```ts
   * await mfs.appendFile('/log.txt', `${new Date().toISOString()} started\n`);
   * ```
   */
  async appendFile(
    path: PathLike | FileHandle,
    data: FileData,
    options?: BufferEncoding | WriteFileOptions | null,
  ): Promise<void> {
    const given = readOptions<WriteFileOptions>(options);
    await this.writeFile(path, data, { ...given, flag: given.flag ?? 'a' });
  }

  /**
   * A stream of a file's bytes. `start` and `end` are the first and the last byte, both included.
   *
   * @example
   * ```ts
   * mfs.createReadStream('/film.mp4', { start: 1000, end: 1999 }).pipe(process.stdout);
   * ```
   */
  createReadStream(
    path: PathLike,
    options?: BufferEncoding | (ReadStreamOptions & StreamOpenOptions) | null,
  ): ReadStream {
    const given = readOptions<ReadStreamOptions & StreamOpenOptions>(options);
    if (given.fd !== undefined) return new ReadStream(given.fd.path, given.fd, given);
    const open = () => this.open(path, given.flags ?? 'r', given.mode, { signal: given.signal });
    return new ReadStream(pathText(path), open, given);
  }

  /**
   * A stream into a file. `finish` means that every listed replica has acknowledged every byte.
   *
   * @example
   * ```ts
   * import { pipeline } from 'node:stream/promises';
   *
   * await pipeline(process.stdin, mfs.createWriteStream('/upload.bin'));
   * ```
   */
  createWriteStream(
    path: PathLike,
    options?: BufferEncoding | (WriteStreamOptions & StreamOpenOptions) | null,
  ): WriteStream {
    const given = readOptions<WriteStreamOptions & StreamOpenOptions>(options);
    if (given.fd !== undefined) return new WriteStream(given.fd.path, given.fd, given);
    const open = () => this.open(path, given.flags ?? 'w', given.mode, given);
    return new WriteStream(pathText(path), open, given);
  }

  /**
   * Attributes; symlinks are followed. Times are whole seconds.
   *
   * @example
   * ```ts
   * const { size, mtime } = await mfs.stat('/film.mp4');
   * console.log(size, mtime.toISOString(), (await mfs.stat('/film.mp4', { bigint: true })).mtimeNs);
   * ```
   */
  async stat(
    path: PathLike,
    options?: (StatOptions & { bigint?: false | undefined; throwIfNoEntry?: true | undefined }) | null,
  ): Promise<Stats>;
  async stat(
    path: PathLike,
    options: StatOptions & { bigint: true; throwIfNoEntry?: true | undefined },
  ): Promise<BigIntStats>;
  async stat(
    path: PathLike,
    options: StatOptions & { bigint?: false | undefined; throwIfNoEntry: false },
  ): Promise<Stats | undefined>;
  async stat(path: PathLike, options?: StatOptions | null): Promise<Stats | BigIntStats | undefined>;
  async stat(path: PathLike, options?: StatOptions | null): Promise<Stats | BigIntStats | undefined> {
    return this.#stat('stat', path, true, options ?? {});
  }

  /**
   * Attributes; a symlink's are its own.
   *
   * @example
   * ```ts
   * console.log((await mfs.lstat('/current')).isSymbolicLink());
   * ```
   */
  async lstat(
    path: PathLike,
    options?: (StatOptions & { bigint?: false | undefined; throwIfNoEntry?: true | undefined }) | null,
  ): Promise<Stats>;
  async lstat(
    path: PathLike,
    options: StatOptions & { bigint: true; throwIfNoEntry?: true | undefined },
  ): Promise<BigIntStats>;
  async lstat(
    path: PathLike,
    options: StatOptions & { bigint?: false | undefined; throwIfNoEntry: false },
  ): Promise<Stats | undefined>;
  async lstat(path: PathLike, options?: StatOptions | null): Promise<Stats | BigIntStats | undefined>;
  async lstat(path: PathLike, options?: StatOptions | null): Promise<Stats | BigIntStats | undefined> {
    return this.#stat('lstat', path, false, options ?? {});
  }

  async #stat(
    method: 'stat' | 'lstat',
    path: PathLike,
    follow: boolean,
    { bigint = false, throwIfNoEntry = true, signal }: StatOptions,
  ): Promise<Stats | BigIntStats | undefined> {
    try {
      return await this.#call({ method, path, signal }, async (context) =>
        this.#stats(await attributesAt(this.#volume, path, follow, context), bigint),
      );
    } catch (error) {
      const { code } = error as { code?: string };
      if (!throwIfNoEntry && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  #stats({ inode, attributes }: { inode: number; attributes: Attributes }, bigint: boolean): Stats | BigIntStats {
    const source = { inode, attributes, device: deviceOf(this.#volume) };
    return bigint ? new BigIntStats(source) : new Stats(source);
  }

  /**
   * Space and inodes of the file system.
   *
   * @example
   * ```ts
   * const { bavail, bsize } = await mfs.statfs('/');
   * console.log(`${bavail * bsize} bytes are free`);
   * ```
   */
  async statfs(path: PathLike, options?: ({ bigint?: false | undefined } & SignalOption) | null): Promise<StatFs>;
  async statfs(path: PathLike, options: { bigint: true } & SignalOption): Promise<StatFs<bigint>>;
  async statfs(
    path: PathLike,
    options?: ({ bigint?: boolean | undefined } & SignalOption) | null,
  ): Promise<StatFs | StatFs<bigint>>;
  async statfs(
    path: PathLike,
    options?: ({ bigint?: boolean | undefined } & SignalOption) | null,
  ): Promise<StatFs | StatFs<bigint>> {
    const { bigint = false, signal } = options ?? {};
    return this.#call<StatFs | StatFs<bigint>>({ method: 'statfs', path, signal }, async (context) => {
      const plain = await spaceOf(this.#volume, path, context);
      return bigint ? bigStatFs(plain) : plain;
    });
  }

  /**
   * Rejects when the caller may not do this with it, as the master judges. `mode`: `constants.F_OK`, `R_OK`, `W_OK`, `X_OK`.
   *
   * @example
   * ```ts
   * await mfs.access('/notes.txt', mfs.constants.R_OK | mfs.constants.W_OK);
   * ```
   */
  access(path: PathLike, mode?: number | null, { signal }: SignalOption = {}): Promise<void> {
    return this.#call({ method: 'access', path, signal }, (context) =>
      checkAccess(this.#volume, path, checkInteger(mode ?? constants.F_OK, 'mode', 0, 7), context),
    );
  }

  /**
   * Whether there is something; symlinks are followed. Never rejects.
   *
   * @example
   * ```ts
   * if (!(await mfs.exists('/notes.txt'))) console.log('nothing noted yet');
   * ```
   */
  async exists(path: PathLike, { signal }: SignalOption = {}): Promise<boolean> {
    return this.access(path, constants.F_OK, { signal }).then(
      () => true,
      () => false,
    );
  }

  /**
   * Names in a folder, or Dirents; with `recursive` those of all folders below it, too. Names that are no UTF-8 need
   * `encoding: 'buffer'`. Of very large folders {@link opendir} holds less at a time.
   *
   * @example
   * ```ts
   * console.log(await mfs.readdir('/photos'));
   * for (const entry of await mfs.readdir('/photos', { withFileTypes: true })) console.log(entry.name, entry.isFile());
   * ```
   */
  async readdir(
    path: PathLike,
    options?: BufferEncoding | ReaddirOptions<false, BufferEncoding | null | undefined> | null,
  ): Promise<string[]>;
  async readdir(path: PathLike, options: 'buffer' | ReaddirOptions<false, 'buffer'>): Promise<Buffer[]>;
  async readdir(path: PathLike, options: ReaddirOptions<true, BufferEncoding | null | undefined>): Promise<Dirent[]>;
  async readdir(path: PathLike, options: ReaddirOptions<true, 'buffer'>): Promise<Dirent<Buffer>[]>;
  async readdir(
    path: PathLike,
    options?: NameEncoding | ReaddirOptions<boolean, NameEncoding | undefined>,
  ): Promise<string[] | Buffer[] | Dirent[] | Dirent<Buffer>[]>;
  async readdir(
    path: PathLike,
    options?: NameEncoding | ReaddirOptions<boolean, NameEncoding | undefined>,
  ): Promise<string[] | Buffer[] | Dirent[] | Dirent<Buffer>[]> {
    const given = readOptions<ReaddirOptions<boolean, NameEncoding | undefined>>(options);
    const { signal } = given;
    const found = await this.#call({ method: 'readdir', syscall: 'scandir', path, signal }, () =>
      readFolder(this.#volume, path, given, () => this.#context('scandir', pathText(path), signal)),
    );
    return found as string[];
  }

  /**
   * Opens a folder to be read entry by entry, without holding all of them.
   *
   * @example
   * ```ts
   * let count = 0;
   * for await (const entry of await mfs.opendir('/a-hundred-thousand')) if (entry.isFile()) count++;
   * console.log(count);
   * ```
   */
  opendir(path: PathLike, options?: BufferEncoding | (OpenDirOptions & SignalOption) | null): Promise<Dir> {
    return this.#call({ method: 'opendir', path }, async (context) => {
      const given = readOptions<OpenDirOptions & SignalOption>(options);
      const inode = await findFolder(this.#volume, path, context);
      const text = pathText(path);
      return new Dir(this.#volume, text, inode, given, () => this.#context('readdir', text, given.signal));
    });
  }

  /**
   * Makes a folder; with `recursive` also those above it, and gives the first path that was made.
   *
   * @example
   * ```ts
   * await mfs.mkdir('/photos/2024/autumn', { recursive: true });
   * ```
   */
  async mkdir(path: PathLike, options: MkdirOptions & { recursive: true }): Promise<string | undefined>;
  async mkdir(
    path: PathLike,
    options?: number | string | (MkdirOptions & { recursive?: false | undefined }) | null,
  ): Promise<void>;
  async mkdir(path: PathLike, options?: number | string | MkdirOptions | null): Promise<string | undefined>;
  async mkdir(path: PathLike, options?: number | string | MkdirOptions | null): Promise<string | undefined | void> {
    const given: MkdirOptions = typeof options === 'object' ? (options ?? {}) : { mode: options };
    const { recursive = false, signal } = given;
    return this.#call({ method: 'mkdir', path, signal }, async (context) => {
      checkBoolean(recursive, 'options.recursive');
      const mode = parseMode(given.mode, FOLDER_MODE);
      if (recursive) return names.makeFolders(this.#volume, path, mode, context);
      await names.makeFolder(this.#volume, path, mode, context);
      return undefined;
    });
  }

  /**
   * Makes a folder with a name that nothing else has: the prefix and six letters. Nobody else may enter it.
   *
   * @example
   * ```ts
   * const folder = await mfs.mkdtemp('/tmp/upload-');
   * await mfs.rm(folder, { recursive: true });
   * ```
   */
  async mkdtemp(
    prefix: PathLike,
    options?: BufferEncoding | ({ encoding?: BufferEncoding | null } & SignalOption) | null,
  ): Promise<string>;
  async mkdtemp(prefix: PathLike, options: 'buffer' | ({ encoding: 'buffer' } & SignalOption)): Promise<Buffer>;
  async mkdtemp(
    prefix: PathLike,
    options?: NameEncoding | ({ encoding?: NameEncoding } & SignalOption),
  ): Promise<string | Buffer>;
  async mkdtemp(
    prefix: PathLike,
    options?: NameEncoding | ({ encoding?: NameEncoding } & SignalOption),
  ): Promise<string | Buffer> {
    const { encoding, signal } = readOptions<{ encoding?: NameEncoding } & SignalOption>(options);
    return this.#call({ method: 'mkdtemp', path: prefix, argument: 'prefix', signal }, async ({ deadline }) => {
      for (;;) {
        const letters = Array.from({ length: RANDOM_LENGTH }, () => RANDOM_LETTERS[randomInt(RANDOM_LETTERS.length)]);
        const path = Buffer.concat([
          Buffer.from(prefix instanceof Uint8Array ? prefix : pathText(prefix)),
          Buffer.from(letters.join('')),
        ]);
        const context = { site: { syscall: 'mkdtemp', path: `${pathText(prefix)}XXXXXX` }, deadline };
        try {
          await names.makeFolder(this.#volume, path, TEMPORARY_FOLDER_MODE, context);
          return shownName(path, encoding);
        } catch (error) {
          if ((error as { code?: string }).code !== 'EEXIST') throw error;
        }
      }
    });
  }

  /**
   * Removes an empty folder.
   *
   * @example
   * ```ts
   * await mfs.rmdir('/photos/2024/autumn');
   * ```
   */
  rmdir(path: PathLike, options?: (SignalOption & { readonly recursive?: boolean }) | null): Promise<void> {
    const { signal, recursive = false } = options ?? {};
    return this.#call({ method: 'rmdir', path, signal }, async (context) => {
      checkBoolean(recursive, 'options.recursive');
      if (recursive) await removeFolderTree(this.#volume, path, (syscall, at) => this.#context(syscall, at, signal));
      else await names.removeFolder(this.#volume, path, context);
    });
  }

  /**
   * Removes the name of a file. Handles that have it open can go on reading and writing it.
   *
   * @example
   * ```ts
   * await mfs.unlink('/notes.txt');
   * ```
   */
  unlink(path: PathLike, { signal }: SignalOption = {}): Promise<void> {
    return this.#call({ method: 'unlink', path, signal }, (context) => names.removeName(this.#volume, path, context));
  }

  /**
   * Removes a file, or with `recursive` a whole tree; with `force` it need not exist.
   *
   * @example
   * ```ts
   * await mfs.rm('/photos', { recursive: true, force: true });
   * ```
   */
  rm(path: PathLike, options?: (RmOptions & SignalOption) | null): Promise<void> {
    const signal = options?.signal;
    return this.#call({ method: 'rm', path, signal }, () =>
      removePath(this.#volume, path, rmOptions(options ?? {}), (syscall, at) => this.#context(syscall, at, signal)),
    );
  }

  /**
   * Moves a file or folder; an existing file, or empty folder, of the new name is replaced.
   *
   * @example
   * ```ts
   * await mfs.rename('/upload.part', '/film.mp4');
   * ```
   */
  rename(oldPath: PathLike, newPath: PathLike, { signal }: SignalOption = {}): Promise<void> {
    return this.#call(
      { method: 'rename', path: oldPath, argument: 'oldPath', dest: newPath, destArgument: 'newPath', signal },
      (context) => names.moveName(this.#volume, oldPath, newPath, context),
    );
  }

  /**
   * Makes another name of a file.
   *
   * @example
   * ```ts
   * await mfs.link('/film.mp4', '/favourites/film.mp4');
   * ```
   */
  link(existingPath: PathLike, newPath: PathLike, { signal }: SignalOption = {}): Promise<void> {
    return this.#call(
      { method: 'link', path: existingPath, argument: 'existingPath', dest: newPath, destArgument: 'newPath', signal },
      (context) => names.makeLink(this.#volume, existingPath, newPath, context),
    );
  }

  /**
   * Makes a symlink. The type, which Windows needs, is ignored.
   *
   * @example
   * ```ts
   * await mfs.symlink('releases/7', '/current');
   * ```
   */
  symlink(target: PathLike, path: PathLike, _type?: string | null, { signal }: SignalOption = {}): Promise<void> {
    return this.#call(
      { method: 'symlink', path: target, argument: 'target', dest: path, destArgument: 'path', signal },
      (context) => names.makeSymlink(this.#volume, target, path, context),
    );
  }

  /**
   * Makes a node of any type but folder and symlink without opening it: a file, a fifo, a socket or a device. (node:fs has no such
   * call; libmfsio and mknod(2) have.) Fifos, sockets and devices can be used where MooseFS is mounted, but not be opened here. Devices
   * are made by uid 0 only.
   *
   * @example
   * ```ts
   * await mfs.mknod('/queue', 'fifo', { mode: 0o600 });
   * await mfs.mknod('/null', 'characterDevice', { mode: 0o666, device: 0x103 });
   * ```
   */
  mknod(path: PathLike, type: names.NodeKind, options: names.MknodOptions & SignalOption = {}): Promise<void> {
    return this.#call({ method: 'mknod', path, signal: options.signal }, (context) =>
      names.makeNode(this.#volume, path, type, options, context),
    );
  }

  /**
   * Where a symlink points.
   *
   * @example
   * ```ts
   * console.log(await mfs.readlink('/current'));
   * ```
   */
  async readlink(
    path: PathLike,
    options?: BufferEncoding | ({ encoding?: BufferEncoding | null } & SignalOption) | null,
  ): Promise<string>;
  async readlink(path: PathLike, options: 'buffer' | ({ encoding: 'buffer' } & SignalOption)): Promise<Buffer>;
  async readlink(
    path: PathLike,
    options?: NameEncoding | ({ encoding?: NameEncoding } & SignalOption),
  ): Promise<string | Buffer>;
  async readlink(
    path: PathLike,
    options?: NameEncoding | ({ encoding?: NameEncoding } & SignalOption),
  ): Promise<string | Buffer> {
    const { encoding, signal } = readOptions<{ encoding?: NameEncoding } & SignalOption>(options);
    return this.#call({ method: 'readlink', path, signal }, async (context) =>
      shownName(await names.readSymlink(this.#volume, path, context), encoding),
    );
  }

  /**
   * The path without symlinks, `.` and `..`.
   *
   * @example
   * ```ts
   * console.log(await mfs.realpath('/current/../current/index.html'));
   * ```
   */
  async realpath(
    path: PathLike,
    options?: BufferEncoding | ({ encoding?: BufferEncoding | null } & SignalOption) | null,
  ): Promise<string>;
  async realpath(path: PathLike, options: 'buffer' | ({ encoding: 'buffer' } & SignalOption)): Promise<Buffer>;
  async realpath(
    path: PathLike,
    options?: NameEncoding | ({ encoding?: NameEncoding } & SignalOption),
  ): Promise<string | Buffer>;
  async realpath(
    path: PathLike,
    options?: NameEncoding | ({ encoding?: NameEncoding } & SignalOption),
  ): Promise<string | Buffer> {
    const { encoding, signal } = readOptions<{ encoding?: NameEncoding } & SignalOption>(options);
    return this.#call({ method: 'realpath', path, signal }, async (context) =>
      shownName(await canonicalPath(this.#volume, path, { ...context, follow: true }), encoding),
    );
  }

  /** Runs a change of an inode that a path leads to. */
  #change(
    { follow = true, ...start }: CallStart & { follow?: boolean },
    check: () => unknown,
    change: (inode: number, context: CallContext) => Promise<void>,
  ): Promise<void> {
    return this.#call(start, async (context) => {
      check();
      const { inode } = await findPath(this.#volume, start.path, { ...context, follow });
      await change(inode, context);
    });
  }

  /**
   * Changes permission bits: a number, or octal text.
   *
   * @example
   * ```ts
   * await mfs.chmod('/run.sh', 0o755);
   * ```
   */
  chmod(path: PathLike, mode: number | string, { signal }: SignalOption = {}): Promise<void> {
    return this.#change(
      { method: 'chmod', path, signal },
      () => parseMode(mode),
      (inode, context) => changeMode(this.#volume, inode, mode, context),
    );
  }

  /**
   * Changes permission bits; a symlink's are its own. (They count for nothing; Linux cannot even change them.)
   *
   * @example
   * ```ts
   * await mfs.lchmod('/run.sh', 0o755);
   * ```
   */
  lchmod(path: PathLike, mode: number | string, { signal }: SignalOption = {}): Promise<void> {
    return this.#change(
      { method: 'lchmod', path, signal, follow: false },
      () => parseMode(mode),
      (inode, context) => changeMode(this.#volume, inode, mode, context),
    );
  }

  /**
   * Changes owner and group; -1 leaves one as it is.
   *
   * @example
   * ```ts
   * await mfs.chown('/photos', -1, 1000);
   * ```
   */
  chown(path: PathLike, uid: number, gid: number, { signal }: SignalOption = {}): Promise<void> {
    return this.#change(
      { method: 'chown', path, signal },
      () => [checkId(uid, 'uid'), checkId(gid, 'gid')],
      (inode, context) => changeOwner(this.#volume, inode, uid, gid, context),
    );
  }

  /**
   * Changes owner and group of a symlink itself.
   *
   * @example
   * ```ts
   * await mfs.lchown('/current', 1000, 1000);
   * ```
   */
  lchown(path: PathLike, uid: number, gid: number, { signal }: SignalOption = {}): Promise<void> {
    return this.#change(
      { method: 'lchown', path, signal, follow: false },
      () => [checkId(uid, 'uid'), checkId(gid, 'gid')],
      (inode, context) => changeOwner(this.#volume, inode, uid, gid, context),
    );
  }

  /**
   * Sets both times: seconds since 1970 or Dates, a negative number being now; null, which node has not, leaves one as it is.
   * MooseFS keeps whole seconds.
   *
   * @example
   * ```ts
   * await mfs.utimes('/notes.txt', new Date(), new Date('2024-02-29T12:00:00Z'));
   * ```
   */
  utimes(path: PathLike, atime: TimeLike | null, mtime: TimeLike | null, { signal }: SignalOption = {}): Promise<void> {
    return this.#change(
      { method: 'utimes', syscall: 'utime', path, signal },
      () => checkTimes(atime, mtime),
      (inode, context) => changeTimes(this.#volume, inode, atime, mtime, context),
    );
  }

  /**
   * Sets both times of a symlink itself; see {@link utimes}.
   *
   * @example
   * ```ts
   * await mfs.lutimes('/current', 0, 0);
   * ```
   */
  lutimes(
    path: PathLike,
    atime: TimeLike | null,
    mtime: TimeLike | null,
    { signal }: SignalOption = {},
  ): Promise<void> {
    return this.#change(
      { method: 'lutimes', syscall: 'lutime', path, signal, follow: false },
      () => checkTimes(atime, mtime),
      (inode, context) => changeTimes(this.#volume, inode, atime, mtime, context),
    );
  }

  /**
   * Sets a file's length: cuts it, or extends it with zeros.
   *
   * @example
   * ```ts
   * await mfs.truncate('/sparse.img', 1024 ** 3);
   * ```
   */
  truncate(path: PathLike, length?: number | null, { signal }: SignalOption = {}): Promise<void> {
    // node opens the file for this, and its errors say so.
    return this.#call({ method: 'truncate', syscall: 'open', path, signal }, (context) =>
      truncatePath(this.#volume, path, checkInteger(length ?? 0, 'len'), context),
    );
  }

  /**
   * Copies a file. `mode`: `constants.COPYFILE_EXCL` rejects when the destination exists.
   *
   * @example
   * ```ts
   * await mfs.copyFile('/notes.txt', '/notes.bak', mfs.constants.COPYFILE_EXCL);
   * ```
   */
  copyFile(
    source: PathLike,
    destination: PathLike,
    mode?: number | null,
    options: CopyFileOptions = {},
  ): Promise<void> {
    return this.#call(
      {
        method: 'copyFile',
        path: source,
        argument: 'src',
        dest: destination,
        destArgument: 'dest',
        signal: options.signal,
      },
      () => copyFile(this, source, destination, mode ?? 0, options),
    );
  }

  /**
   * Copies a file, a symlink, or with `recursive` a whole tree.
   *
   * @example
   * ```ts
   * await mfs.cp('/photos', '/backup/photos', { recursive: true, filter: (source) => !source.endsWith('.tmp') });
   * ```
   */
  cp(source: PathLike, destination: PathLike, options: CpOptions = {}): Promise<void> {
    return this.#call(
      {
        method: 'cp',
        path: source,
        argument: 'src',
        dest: destination,
        destArgument: 'dest',
        signal: options.signal,
      },
      () => copyTree(this, source, destination, options),
    );
  }
}

/** The verbs of {@link FileSystem}: what `mfs.promises` has. */
export const PROMISE_VERBS = [
  'open',
  'readFile',
  'writeFile',
  'appendFile',
  'stat',
  'lstat',
  'statfs',
  'access',
  'exists',
  'readdir',
  'opendir',
  'mkdir',
  'mkdtemp',
  'rmdir',
  'unlink',
  'rm',
  'rename',
  'link',
  'symlink',
  'mknod',
  'readlink',
  'realpath',
  'chmod',
  'lchmod',
  'chown',
  'lchown',
  'utimes',
  'lutimes',
  'truncate',
  'copyFile',
  'cp',
] as const satisfies readonly (keyof FileSystem)[];

/** The verbs of node:fs/promises as functions that need no `this`, and `constants`. */
export type PromisesApi = Pick<FileSystem, (typeof PROMISE_VERBS)[number] | 'constants'>;

/** Makes the object behind `mfs.promises`. */
export function promisesOf(fs: FileSystem): PromisesApi {
  const bound = PROMISE_VERBS.map((verb) => [verb, (fs[verb] as (...args: unknown[]) => unknown).bind(fs)] as const);
  return { ...Object.fromEntries(bound), constants: fs.constants } as PromisesApi;
}
