/** An adapter for `@flystorage/file-storage` 1.x: one API over S3, local disk and MooseFS. */
import { createHash, getHashes } from 'node:crypto';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileWasNotFound, PathPrefixer, Visibility } from '@flystorage/file-storage';
import type {
  AdapterListOptions,
  ChecksumOptions,
  CopyFileOptions,
  CreateDirectoryOptions,
  FileContents,
  MimeTypeOptions,
  MiscellaneousOptions,
  MoveFileOptions,
  PublicUrlOptions,
  StatEntry,
  StorageAdapter,
  TemporaryUrlOptions,
  WriteOptions,
} from '@flystorage/file-storage';
import type { MooseFS, Stats } from '../index.ts';
import { closed } from './closed.ts';

/** Options of {@link MooseFSAdapter}. */
export interface MooseFSAdapterOptions {
  /** The folder that paths are below of. Default `/`. */
  readonly root?: string | undefined;
  /** What publicUrl() gives. Default: it rejects, since MooseFS serves no HTTP. */
  readonly publicUrl?: ((path: string, options: PublicUrlOptions) => string | Promise<string>) | undefined;
  /** What temporaryUrl() gives. Default: it rejects. */
  readonly temporaryUrl?: ((path: string, options: TemporaryUrlOptions) => string | Promise<string>) | undefined;
  /** The type of a file by its name. Default: a table of what browsers show; others are `application/octet-stream`. */
  readonly mimeType?: ((path: string) => string | undefined) | undefined;
}

const FILE_MODES: Readonly<Record<string, number>> = { [Visibility.PUBLIC]: 0o644, [Visibility.PRIVATE]: 0o600 };
const FOLDER_MODES: Readonly<Record<string, number>> = { [Visibility.PUBLIC]: 0o755, [Visibility.PRIVATE]: 0o700 };
const READABLE_BY_ALL = 0o004;

const TYPES: Readonly<Record<string, string>> = {
  ...{ avif: 'image/avif', gif: 'image/gif', jpeg: 'image/jpeg', jpg: 'image/jpeg', png: 'image/png' },
  ...{ svg: 'image/svg+xml', webp: 'image/webp', mp4: 'video/mp4', webm: 'video/webm', mp3: 'audio/mpeg' },
  ...{ css: 'text/css', csv: 'text/csv', html: 'text/html', txt: 'text/plain', md: 'text/markdown' },
  ...{ js: 'text/javascript', json: 'application/json', pdf: 'application/pdf', zip: 'application/zip' },
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

function modeOf(modes: Readonly<Record<string, number>>, visibility: string): number {
  const mode = modes[visibility];
  if (mode === undefined) throw new TypeError(`a visibility is public or private, not ${JSON.stringify(visibility)}`);
  return mode;
}

/**
 * MooseFS as a flystorage storage.
 *
 * @example
 * ```ts
 * import { FileStorage } from '@flystorage/file-storage';
 * import { MooseFS } from 'moosefs-client';
 * import { MooseFSAdapter } from 'moosefs-client/flystorage';
 *
 * const mfs = await MooseFS.connect();
 * const storage = new FileStorage(new MooseFSAdapter(mfs, { root: '/media' }));
 * await storage.write('hello.txt', 'Hello, herd!');
 * console.log(await storage.readToString('hello.txt'));
 * ```
 */
export class MooseFSAdapter implements StorageAdapter {
  readonly #mfs: MooseFS;
  readonly #options: MooseFSAdapterOptions;
  readonly #prefixer: PathPrefixer;

  constructor(mfs: MooseFS, options: MooseFSAdapterOptions = {}) {
    this.#mfs = mfs;
    this.#options = options;
    this.#prefixer = new PathPrefixer(posix.join('/', options.root ?? '/', '/'), '/', (...parts) =>
      posix.join(...parts),
    );
  }

  #file(path: string): string {
    return this.#prefixer.prefixFilePath(path);
  }

  #folder(path: string): string {
    return this.#prefixer.prefixDirectoryPath(path);
  }

  async #makeParent(path: string, { directoryVisibility, abortSignal }: WriteOptions): Promise<void> {
    await this.#mkdir(posix.dirname(this.#file(path)), directoryVisibility, abortSignal);
  }

  async #mkdir(folder: string, visibility: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const mode = visibility === undefined ? undefined : modeOf(FOLDER_MODES, visibility);
    await this.#mfs.mkdir(folder, { recursive: true, ...(mode !== undefined && { mode }), ...(signal && { signal }) });
  }

  /** Resolves when every listed replica has every byte. What breaks off leaves the file that was there before. */
  async write(path: string, contents: Readable, options: WriteOptions): Promise<void> {
    await this.#makeParent(path, options);
    const { visibility, abortSignal: signal } = options;
    const target = this.#file(path);
    const partial = `${posix.dirname(target)}/.${process.pid.toString(36)}-${crypto.randomUUID()}.part`;
    const out = this.#mfs.createWriteStream(partial, { flags: 'wx', signal });
    try {
      await pipeline(contents, out);
      if (visibility !== undefined) await this.#mfs.chmod(partial, modeOf(FILE_MODES, visibility));
      await this.#mfs.rename(partial, target, { signal });
    } catch (error) {
      await closed(out);
      await this.#mfs.rm(partial, { force: true });
      throw error;
    }
  }

  async read(path: string, { abortSignal: signal }: MiscellaneousOptions): Promise<FileContents> {
    try {
      const handle = await this.#mfs.open(this.#file(path), 'r', undefined, { signal });
      return handle.createReadStream({ signal });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw FileWasNotFound.atLocation(path, { cause: error, context: { path } });
      throw error;
    }
  }

  async deleteFile(path: string, { abortSignal: signal }: MiscellaneousOptions): Promise<void> {
    await this.#mfs.rm(this.#file(path), { force: true, signal });
  }

  async createDirectory(path: string, options: CreateDirectoryOptions): Promise<void> {
    await this.#mkdir(this.#folder(path), options.directoryVisibility, options.abortSignal);
  }

  async copyFile(from: string, to: string, options: CopyFileOptions): Promise<void> {
    await this.#makeParent(to, options);
    await this.#mfs.copyFile(this.#file(from), this.#file(to));
    await this.#show(from, to, options);
  }

  async moveFile(from: string, to: string, options: MoveFileOptions): Promise<void> {
    await this.#makeParent(to, options);
    await this.#mfs.rename(this.#file(from), this.#file(to), { signal: options.abortSignal });
    if (options.visibility !== undefined) await this.changeVisibility(to, options.visibility);
  }

  async #show(from: string, to: string, { visibility, retainVisibility = true }: CopyFileOptions): Promise<void> {
    const wanted = visibility ?? (retainVisibility ? await this.visibility(from) : undefined);
    if (wanted !== undefined) await this.changeVisibility(to, wanted);
  }

  async stat(path: string, { abortSignal: signal }: MiscellaneousOptions): Promise<StatEntry> {
    return entryOf(path, await this.#mfs.stat(this.#file(path), { signal }));
  }

  async *list(path: string, { deep, abortSignal: signal }: AdapterListOptions): AsyncGenerator<StatEntry> {
    for (const { name } of await this.#mfs.readdir(this.#folder(path), { withFileTypes: true, signal })) {
      const inner = path === '' ? name : posix.join(path, name);
      const stats = await this.#mfs.stat(this.#file(inner), { signal }).catch((error: unknown) => {
        // Removed meanwhile, or a symlink to nowhere.
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (stats === undefined || !(stats.isFile() || stats.isDirectory())) continue;
      yield entryOf(inner, stats);
      if (deep && stats.isDirectory()) yield* this.list(inner, { deep, ...(signal && { abortSignal: signal }) });
    }
  }

  async changeVisibility(path: string, visibility: string): Promise<void> {
    await this.#mfs.chmod(this.#file(path), modeOf(FILE_MODES, visibility));
  }

  async visibility(path: string): Promise<string> {
    return visibilityOf(await this.#mfs.stat(this.#file(path)));
  }

  async deleteDirectory(path: string, { abortSignal: signal }: MiscellaneousOptions): Promise<void> {
    await this.#mfs.rm(this.#folder(path), { recursive: true, force: true, signal });
  }

  fileExists(path: string, options: MiscellaneousOptions): Promise<boolean> {
    return this.#is(this.#file(path), (stats) => stats.isFile(), options);
  }

  directoryExists(path: string, options: MiscellaneousOptions): Promise<boolean> {
    return this.#is(this.#folder(path), (stats) => stats.isDirectory(), options);
  }

  async #is(path: string, kind: (stats: Stats) => boolean, { abortSignal }: MiscellaneousOptions): Promise<boolean> {
    try {
      return kind(await this.#mfs.stat(path, { signal: abortSignal }));
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
      throw error;
    }
  }

  async publicUrl(path: string, options: PublicUrlOptions): Promise<string> {
    if (this.#options.publicUrl === undefined) throw new Error('the option publicUrl was not given');
    return this.#options.publicUrl(path, options);
  }

  async temporaryUrl(path: string, options: TemporaryUrlOptions): Promise<string> {
    if (this.#options.temporaryUrl === undefined) throw new Error('the option temporaryUrl was not given');
    return this.#options.temporaryUrl(path, options);
  }

  /** Of the bytes as they are read now. What each replica holds is told by `mfs.verify`. */
  async checksum(path: string, { algo = 'md5', encoding = 'hex', ...options }: ChecksumOptions): Promise<string> {
    if (!getHashes().includes(algo)) throw new Error(`the checksum algorithm ${algo} is not known`);
    const signal = options.abortSignal;
    const hash = createHash(algo);
    await pipeline(this.#mfs.createReadStream(this.#file(path), { signal }), async (bytes) => {
      for await (const chunk of bytes as AsyncIterable<Buffer>) hash.update(chunk);
    });
    return hash.digest(encoding);
  }

  async mimeType(path: string, { abortSignal: signal }: MimeTypeOptions): Promise<string> {
    await this.#mfs.access(this.#file(path), undefined, { signal });
    const known = this.#options.mimeType?.(path) ?? TYPES[posix.extname(path).slice(1).toLowerCase()];
    return known ?? 'application/octet-stream';
  }

  async lastModified(path: string, { abortSignal: signal }: MiscellaneousOptions): Promise<number> {
    return (await this.#mfs.stat(this.#file(path), { signal })).mtimeMs;
  }

  async fileSize(path: string, { abortSignal: signal }: MiscellaneousOptions): Promise<number> {
    const stats = await this.#mfs.stat(this.#file(path), { signal });
    if (!stats.isFile()) throw new Error(`'${path}' is no file`);
    return stats.size;
  }
}

function visibilityOf({ mode }: Stats): Visibility {
  return (mode & READABLE_BY_ALL) === 0 ? Visibility.PRIVATE : Visibility.PUBLIC;
}

function entryOf(path: string, stats: Stats): StatEntry {
  const common = { path, visibility: visibilityOf(stats), lastModifiedMs: stats.mtimeMs };
  if (stats.isDirectory()) return { ...common, type: 'directory', isFile: false, isDirectory: true };
  return { ...common, type: 'file', isFile: true, isDirectory: false, size: stats.size };
}
