/** A storage engine for multer 2.x: files of multipart forms go straight into MooseFS. */
import { createHash, randomUUID } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { StorageEngine } from 'multer';
import type { ChunkReplication, FileVerification, MooseFS } from '../index.ts';
import { closed } from './closed.ts';
import { safeName } from './names.ts';

export { safeName } from './names.ts';

type Request = Parameters<StorageEngine['_handleFile']>[0];
type File = Parameters<StorageEngine['_handleFile']>[1];

/** What this engine adds to multer's `req.file`. */
export interface StoredFile extends File {
  /** Of what arrived, in hexadecimal digits. */
  readonly md5: string;
  /** Of what arrived, as 8 hexadecimal digits. */
  readonly crc32: string;
  /** Which replicas acknowledged it, chunk by chunk. */
  readonly replication: readonly ChunkReplication[];
  /** With the option `verify`: what each replica really holds. */
  readonly verification?: FileVerification | undefined;
}

/** Options of {@link MooseFSStorage}. */
export interface MooseFSStorageOptions {
  /** The folder, or what gives it; it is made when it is missing. */
  readonly directory: string | ((request: Request, file: File) => string | Promise<string>);
  /**
   * The name in it. Default: a random one in front of what is safe of the client's. What a function gives must be one name, without
   * separators: anything else is refused.
   */
  readonly filename?: ((request: Request, file: File) => string | Promise<string>) | undefined;
  /** Read every replica back and compare before multer goes on; a difference is an error, and the file is removed. Default false. */
  readonly verify?: boolean | undefined;
  /** Replace a file of the same name. Default false: it is an error (EEXIST). */
  readonly overwrite?: boolean | undefined;
}

/** A write that is not over. */
interface Running {
  readonly stop: AbortController;
  /** Whether it left a file; never rejects. */
  readonly over: Promise<boolean>;
}

/**
 * Where multer puts files. When it calls back, every listed replica has every byte; an upload that breaks off leaves nothing.
 *
 * @example
 * ```ts
 * import multer from 'multer';
 * import { MooseFS } from 'moosefs-client';
 * import { MooseFSStorage } from 'moosefs-client/multer';
 *
 * const mfs = await MooseFS.connect();
 * const upload = multer({ storage: new MooseFSStorage(mfs, { directory: '/pictures' }), limits: { fileSize: 5e6 } });
 * console.log(upload.single('picture').length);
 * ```
 */
export class MooseFSStorage implements StorageEngine {
  readonly #mfs: MooseFS;
  readonly #options: MooseFSStorageOptions;
  readonly #running = new Map<File, Running>();

  constructor(mfs: MooseFS, options: MooseFSStorageOptions) {
    this.#mfs = mfs;
    this.#options = options;
  }

  /** multer's call for each file. */
  _handleFile(request: Request, file: File, callback: (error?: unknown, info?: Partial<File>) => void): void {
    const stop = new AbortController();
    const stored = this.#store(request, file, stop.signal);
    const over = stored.then(
      () => true,
      () => false,
    );
    this.#running.set(file, { stop, over });
    stored
      .finally(() => this.#running.delete(file))
      .then(
        (info) => callback(null, info),
        (error: unknown) => callback(error),
      );
  }

  /** multer's call for files of a request that failed. */
  _removeFile(_request: Request, file: File, callback: (error: Error | null) => void): void {
    this.#remove(file).then(
      () => callback(null),
      (error: unknown) => callback(error as Error),
    );
  }

  async #remove(file: File): Promise<void> {
    // Removed while it is being made, it would come back.
    const running = this.#running.get(file);
    running?.stop.abort();
    // A write that failed has removed its file itself; the name may be another's then.
    const left = running === undefined || (await running.over);
    if (left && file.path) await this.#mfs.rm(file.path, { force: true });
  }

  async #store(request: Request, file: File, signal: AbortSignal): Promise<Partial<StoredFile>> {
    const { directory, filename, overwrite = false, verify = false } = this.#options;
    const folder = typeof directory === 'string' ? directory : await directory(request, file);
    const name = filename === undefined ? defaultName(file) : await filename(request, file);
    if (name !== safeName(name)) throw invalidName(name);
    const path = `${folder.replace(/\/+$/, '')}/${name}`;
    // Before the first byte: multer removes of an aborted request only what has a path.
    file.path = path;
    await this.#mfs.mkdir(folder, { recursive: true });
    const out = this.#mfs.createWriteStream(path, { flags: overwrite ? 'w' : 'wx', signal });
    let made = overwrite;
    out.once('open', () => (made = true));
    try {
      const sums = new Sums();
      await pipeline(file.stream, sums.stream, out);
      signal.throwIfAborted();
      const info = { path, destination: folder, filename: name, replication: out.replication, ...sums.result() };
      return verify ? { ...info, verification: await this.#verified(path, info.md5, signal) } : info;
    } catch (error) {
      await closed(out);
      if (made) await this.#mfs.rm(path, { force: true });
      throw error;
    }
  }

  async #verified(path: string, md5: string, signal: AbortSignal): Promise<FileVerification> {
    const found = await this.#mfs.verify(path, { method: 'md5', signal });
    if (found.ok && found.digests.every((digest) => digest === md5)) return found;
    throw Object.assign(new Error(`EIO: the replicas of '${path}' are not what was sent (md5 ${md5})`), {
      code: 'EIO',
      verification: found,
    });
  }
}

function defaultName(file: File): string {
  return safeName(`${randomUUID()}-${safeName(file.originalname)}`);
}

function invalidName(name: string): Error {
  return Object.assign(new Error(`the option filename gave ${JSON.stringify(name)}: one safe name is wanted`), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
}

/** Sums and size of what passes. */
class Sums {
  readonly #md5 = createHash('md5');
  #crc = 0;
  #size = 0;
  readonly stream = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      this.#md5.update(chunk);
      this.#crc = crc32(chunk, this.#crc);
      this.#size += chunk.length;
      callback(null, chunk);
    },
  });

  result(): { size: number; md5: string; crc32: string } {
    return {
      size: this.#size,
      md5: this.#md5.digest('hex'),
      crc32: this.#crc.toString(16).padStart(8, '0'),
    };
  }
}
