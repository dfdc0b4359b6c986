/** Folders as they are read: whole, in trees, or entry by entry as node's Dir. */
import { join, relative } from 'node:path/posix';
import { NodeType } from '../protocol/attributes.ts';
import { checkFunction, checkInteger } from './arguments.ts';
import { findFolder, listFolder } from './listing.ts';
import type { Entry } from './listing.ts';
import type { CallContext } from './nodes.ts';
import { findPath, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { Dirent } from './stats.ts';
import type { Volume } from './volume.ts';

/** Encoding of names in results. */
export type NameEncoding = BufferEncoding | 'buffer' | null;

/** A name as the caller wants it. */
export function shownName(name: Buffer, encoding: NameEncoding | undefined): string | Buffer {
  return encoding === 'buffer' ? Buffer.from(name) : name.toString(encoding ?? 'utf8');
}

/** What a listing asks for. */
export interface ListOptions {
  readonly encoding?: NameEncoding | undefined;
  readonly withFileTypes?: boolean | undefined;
  readonly recursive?: boolean | undefined;
}

/** Every page of a listing needs a deadline of its own: a folder may have any number. */
export type ContextMaker = () => CallContext;

/** The names in a folder, or its Dirents; with `recursive` in all that are below it, in node's order. */
export async function readFolder(
  volume: Volume,
  path: PathLike,
  options: ListOptions,
  context: ContextMaker,
): Promise<(string | Buffer | Dirent<string | Buffer>)[]> {
  const { encoding, withFileTypes = false, recursive = false } = options;
  const inode = await findFolder(volume, path, context());
  if (recursive) return readTree(volume, pathText(path), inode, options, context);
  const found: (string | Buffer | Dirent<string | Buffer>)[] = [];
  const folder = pathText(path);
  for await (const page of listFolder(volume, inode, false, context)) {
    for (const { name, type } of page)
      found.push(withFileTypes ? new Dirent(shownName(name, encoding), folder, type) : shownName(name, encoding));
  }
  return found;
}

/**
 * As node does it: a folder's entries, then those of the last folder among them, and so on. Without `withFileTypes` symlinks to
 * folders are gone into (until their number is too large for a path), with it they are not.
 */
async function readTree(
  volume: Volume,
  top: string,
  inode: number,
  { encoding, withFileTypes = false }: ListOptions,
  context: ContextMaker,
): Promise<(string | Buffer | Dirent<string | Buffer>)[]> {
  const found: (string | Buffer | Dirent<string | Buffer>)[] = [];
  const stack = [{ folder: top, inode }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { folder } = next;
    for await (const page of listFolder(volume, next.inode, false, context)) {
      for (const { name, type, inode: child } of page) {
        // Bytes that are no UTF-8 survive in the last name only, as in node.
        const path = join(folder, name.toString());
        if (withFileTypes) found.push(new Dirent(shownName(name, encoding), folder, type));
        else found.push(relativeName(top, path, name, encoding));
        if (type === NodeType.directory) stack.push({ folder: path, inode: child });
        else if (type === NodeType.symlink && !withFileTypes) {
          const target = await folderBehind(volume, path, context());
          if (target !== undefined) stack.push({ folder: path, inode: target });
        }
      }
    }
  }
  return found;
}

function relativeName(top: string, path: string, name: Buffer, encoding: NameEncoding | undefined): string | Buffer {
  if (encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8')
    return relative(`/${top}`, `/${path}`);
  const folder = Buffer.from(relative(`/${top}`, `/${path}/..`));
  return shownName(folder.length === 0 ? name : Buffer.concat([folder, Buffer.from('/'), name]), encoding);
}

async function folderBehind(volume: Volume, path: string, context: CallContext): Promise<number | undefined> {
  const found = await findPath(volume, path, { ...context, follow: true }).catch(() => undefined);
  return found?.attributes.type === NodeType.directory ? found.inode : undefined;
}

/** Options of {@link FileSystem.opendir}. */
export interface OpenDirOptions {
  readonly encoding?: NameEncoding | undefined;
  /** Accepted because node has it: pages are as large as the server gives them. */
  readonly bufferSize?: number | undefined;
  readonly recursive?: boolean | undefined;
}

function closedError(): Error {
  return Object.assign(new Error('Directory handle was closed'), { code: 'ERR_DIR_CLOSED' });
}

/** What {@link Dir.read} calls back with: null after the last entry. */
export type EntryCallback = (error: Error | null, entry?: Dirent | null) => void;

/**
 * An open folder, as node's `fs.Dir`. Where the server can continue a listing (4.58 on) no more than a page of it is held.
 *
 * @example
 * ```ts
 * for await (const entry of await mfs.opendir('/photos')) console.log(entry.name, entry.isDirectory());
 * ```
 */
export class Dir implements AsyncIterable<Dirent> {
  /** The path as given. */
  readonly path: string;
  readonly #volume: Volume;
  readonly #options: OpenDirOptions;
  readonly #context: ContextMaker;
  readonly #entered: { readonly folder: string; readonly inode: number }[];
  #pages: AsyncGenerator<Entry[], void> | undefined;
  #folder = '';
  #page: readonly Entry[] = [];
  #at = 0;
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(volume: Volume, path: string, inode: number, options: OpenDirOptions, context: ContextMaker) {
    if (options.bufferSize !== undefined) checkInteger(options.bufferSize, 'options.bufferSize', 1, 0xffff_ffff);
    this.path = path;
    this.#volume = volume;
    this.#options = options;
    this.#context = context;
    this.#entered = [{ folder: path, inode }];
  }

  /**
   * The next entry; null after the last one.
   *
   * @example
   * ```ts
   * await using folder = await mfs.opendir('/photos');
   * for (let entry = await folder.read(); entry !== null; entry = await folder.read()) console.log(entry.name);
   * ```
   */
  read(): Promise<Dirent | null>;
  read(callback: EntryCallback): void;
  read(callback?: EntryCallback): Promise<Dirent | null> | void {
    if (this.#closed) throw closedError();
    const next = this.#inTurn(() => this.#next());
    if (callback === undefined) return next;
    checkFunction(callback, 'callback');
    next.then(
      (entry) => callback(null, entry),
      (error: unknown) => callback(error as Error),
    );
    return undefined;
  }

  /**
   * Lets the folder go.
   *
   * @example
   * ```ts
   * const folder = await mfs.opendir('/photos');
   * console.log((await folder.read())?.name);
   * await folder.close();
   * ```
   */
  close(): Promise<void>;
  close(callback: (error?: Error | null) => void): void;
  close(callback?: (error?: Error | null) => void): Promise<void> | void {
    const closed = this.#close();
    if (callback === undefined) return closed;
    checkFunction(callback, 'callback');
    closed.then(
      () => callback(null),
      (error: unknown) => callback(error as Error),
    );
    return undefined;
  }

  async #close(): Promise<void> {
    if (this.#closed) throw closedError();
    this.#closed = true;
    await this.#turn;
    await this.#pages?.return();
  }

  /**
   * The entries, one after another; the folder is closed at the end, also when the loop is left.
   *
   * @example
   * ```ts
   * for await (const { name } of (await mfs.opendir('/photos')).entries()) console.log(name);
   * ```
   */
  async *entries(): AsyncGenerator<Dirent, void> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Dirent, void> {
    return this.entries();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #next(): Promise<Dirent | null> {
    while (this.#at >= this.#page.length) {
      const page = await this.#pages?.next();
      if (page !== undefined && page.done !== true) {
        this.#page = page.value;
        this.#at = 0;
        continue;
      }
      const entered = this.#entered.shift();
      if (entered === undefined) return null;
      this.#folder = entered.folder;
      this.#pages = listFolder(this.#volume, entered.inode, false, this.#context);
    }
    const { name, type, inode } = this.#page[this.#at++]!;
    if (this.#options.recursive === true && type === NodeType.directory)
      this.#entered.push({ folder: join(this.#folder, name.toString()), inode });
    return new Dirent(shownName(name, this.#options.encoding), this.#folder, type) as Dirent;
  }
}
