/**
 * A store for `@tus/server` 2.x: resumable uploads into MooseFS.
 *
 *     <directory>/.tus/<id>/info.json    what the client declared, and where the upload is to land
 *     <directory>/.tus/<id>/data         what has arrived; its attribute user.tus.offset says how much of it counts
 *     <directory>/.tus/<id>/lock         see tus-locker.ts
 *     <directory>/<name>                 the upload, once it is complete
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { DataStore, ERRORS, Upload } from '@tus/server';
import type { Locker } from '@tus/server';
import { MooseFSError } from '../index.ts';
import type { FileHandle, MooseFS } from '../index.ts';
import { MooseFSLocker } from './tus-locker.ts';
import type { LockerOptions } from './tus-locker.ts';

export { MooseFSLocker } from './tus-locker.ts';
export type { LockerOptions } from './tus-locker.ts';
export { safeName } from './names.ts';

/** Options of {@link MooseFSStore}. */
export interface MooseFSStoreOptions {
  /** The folder that finished uploads land in. It is made when it is missing. */
  readonly directory: string;
  /** Unfinished uploads, one folder each; on the same MooseFS. Default: `.tus` in `directory`. */
  readonly workDirectory?: string | undefined;
  /**
   * The name of the finished file below `directory`; it may have folders. Default: the upload's id. What the client sent is in
   * `upload.metadata`: pass it through {@link safeName}. A name that is taken is never overwritten: the last request gets 409.
   */
  readonly fileName?: ((upload: Upload) => string | Promise<string>) | undefined;
  /** Milliseconds after its creation until an unfinished upload may be removed; 0 (default): never. */
  readonly expirationMs?: number | undefined;
  /** Bytes after which an offset is put down while a request is still running. Default 16 MiB. */
  readonly checkpointBytes?: number | undefined;
  /** Milliseconds after which an offset is put down while a request is still running. Default 2000. */
  readonly checkpointMs?: number | undefined;
  /** Milliseconds that a question about an upload may take; then the answer is 423 and the client asks again. Default 15000. */
  readonly unreachableMs?: number | undefined;
  /** Of the locks: see {@link MooseFSLocker}. */
  readonly lock?: LockerOptions | undefined;
}

/** What info.json says. */
interface Info {
  readonly id: string;
  readonly size?: number;
  readonly metadata?: Record<string, string | null>;
  readonly creation_date: string;
  /** Where it lands, below the directory. */
  readonly name: string;
}

interface ExpectedChecksum {
  readonly algorithm: string;
  readonly digest: Buffer;
}

/** Ids become names of folders: what does not look like one is not there. */
const ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const OFFSET = 'user.tus.offset';
const MIB = 1024 * 1024;
/** tus's status for a body that is not what its checksum says. */
const CHECKSUM_MISMATCH = { status_code: 460, body: 'Checksum Mismatch\n' } as const;
const BAD_CHECKSUM = { status_code: 400, body: 'Upload-Checksum: unknown algorithm or malformed\n' } as const;
const NAME_TAKEN = { status_code: 409, body: 'A file of this name exists\n' } as const;
/** tus-js-client asks again after this one; after any other it begins from byte 0. */
const UNREACHABLE = { status_code: 423, body: 'The storage cannot be reached at the moment\n' } as const;
const ALGORITHMS: readonly string[] = ['md5', 'sha1', 'sha256'];

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const statusOf = (error: unknown): unknown =>
  error instanceof Error && 'status_code' in error ? error.status_code : undefined;
const isGone = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/**
 * Where `@tus/server` puts uploads. The offset that it tells a client is one that every replica has acknowledged: it is put down
 * after {@link FileHandle.sync}, never before.
 *
 * @example
 * ```ts
 * import { Server } from '@tus/server';
 * import { MooseFS } from 'moosefs-client';
 * import { MooseFSStore } from 'moosefs-client/tus';
 *
 * const mfs = await MooseFS.connect();
 * const datastore = new MooseFSStore(mfs, { directory: '/uploads' });
 * const tus = new Server({ path: '/files', datastore, locker: datastore.locker });
 * console.log(tus.datastore.extensions);
 * ```
 */
export class MooseFSStore extends DataStore {
  /** Locks that hold across processes. Give it to the server: it waits for writes of this store that are still ending. */
  readonly locker: Locker;
  readonly #mfs: MooseFS;
  readonly #directory: string;
  readonly #work: string;
  readonly #options: MooseFSStoreOptions;
  /** Writes that are not over, by id: the server does not always wait for them. */
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #checksum = new AsyncLocalStorage<ExpectedChecksum>();

  constructor(mfs: MooseFS, options: MooseFSStoreOptions) {
    super();
    this.#mfs = mfs;
    this.#options = options;
    this.#directory = options.directory.replace(/\/+$/, '');
    this.#work = options.workDirectory ?? `${this.#directory}/.tus`;
    this.extensions = ['creation', 'creation-with-upload', 'creation-defer-length', 'termination', 'checksum'];
    if (this.getExpiration() > 0) this.extensions.push('expiration');
    this.locker = new MooseFSLocker(mfs, {
      unreachableMs: this.#unreachableMs,
      ...options.lock,
      folder: (id) => (ID.test(id) ? this.#folder(id) : undefined),
      settled: (id) => this.#settled(id),
    });
  }

  get #unreachableMs(): number {
    return this.#options.unreachableMs ?? 15_000;
  }

  /**
   * Runs a request whose `Upload-Checksum` is to be checked: `@tus/server` does not hand this header to stores. A body that is not
   * what it says gets 460 and moves no offset.
   *
   * @example
   * ```ts
   * import { createServer } from 'node:http';
   * import type { Server } from '@tus/server';
   * import type { MooseFSStore } from 'moosefs-client/tus';
   *
   * export const serve = (tus: Server, store: MooseFSStore) =>
   *   createServer((req, res) => {
   *     void store.checking(req.headers['upload-checksum'], () => tus.handle(req, res));
   *   });
   * ```
   */
  checking<T>(header: string | string[] | undefined, request: () => T): T {
    if (header === undefined) return this.#checksum.exit(request);
    const [algorithm = '', digest = ''] = String(header).trim().split(' ');
    return this.#checksum.run({ algorithm, digest: Buffer.from(digest, 'base64') }, request);
  }

  override async create(upload: Upload): Promise<Upload> {
    if (!ID.test(upload.id)) throw asAnswer(ERRORS.FILE_NOT_FOUND);
    upload.creation_date = new Date().toISOString();
    const name = (await this.#options.fileName?.(upload)) ?? upload.id;
    const path = this.#final(name);
    upload.storage = { type: 'moosefs', path };
    const info: Info = {
      id: upload.id,
      name,
      creation_date: upload.creation_date,
      ...(upload.size !== undefined && { size: upload.size }),
      ...(upload.metadata !== undefined && { metadata: upload.metadata }),
    };
    await this.#reaching(async () => {
      await this.#mfs.mkdir(this.#folder(upload.id), { recursive: true });
      const data = await this.#mfs.open(this.#data(upload.id), 'wx');
      await data.close();
      await this.#putInfo(info);
    });
    if (upload.size === 0) await this.#finish(info, 0);
    return upload;
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    await this.#settled(id);
    const writing = this.#write(stream, id, offset);
    const over = writing.catch(() => undefined);
    this.#running.set(id, over);
    try {
      return await writing;
    } finally {
      if (this.#running.get(id) === over) this.#running.delete(id);
    }
  }

  async #write(stream: Readable, id: string, offset: number): Promise<number> {
    const info = await this.#info(id);
    const expected = this.#checksum.getStore();
    const check = expected === undefined ? undefined : new BodyCheck(expected);
    // The lock says that nobody else writes: what a killed process left locked is ours.
    const handle = await this.#mfs.open(this.#data(id), 'r+', undefined, { takeOver: true });
    let position: number;
    try {
      position = await this.#receive(stream, handle, { id, offset, check });
    } finally {
      await handle.close();
    }
    if (info.size === position) await this.#finish(info, position);
    return position;
  }

  /** Takes a body and puts down how far it came, also when it breaks off: the client goes on from there. */
  async #receive(
    stream: Readable,
    handle: FileHandle,
    { id, offset, check }: { id: string; offset: number; check: BodyCheck | undefined },
  ): Promise<number> {
    const { checkpointBytes = 16 * MIB, checkpointMs = 2000 } = this.#options;
    let position = offset;
    let put = { position, at: performance.now() };
    const checkpoint = async (): Promise<void> => {
      const upTo = position;
      await handle.sync();
      if (upTo > put.position) await this.#mfs.xattr.set(this.#data(id), OFFSET, String(upTo));
      put = { position: upTo, at: performance.now() };
    };
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        await handle.write(chunk, 0, chunk.length, position);
        position += chunk.length;
        check?.update(chunk);
        const due = position - put.position >= checkpointBytes || performance.now() - put.at >= checkpointMs;
        if (due && check === undefined) await checkpoint();
      }
    } catch (error) {
      // A part of a body proves nothing about its checksum.
      if (check === undefined) await checkpoint();
      throw error;
    }
    check?.verify();
    await checkpoint();
    return position;
  }

  override async getUpload(id: string): Promise<Upload> {
    return this.#reaching(async () => {
      await this.#settled(id);
      const info = await this.#info(id);
      const path = this.#final(info.name);
      const found = await this.#offset(info);
      // It was complete, and the process died before it got its name.
      if (found.waiting && found.offset === info.size) await this.#finish(info, found.offset);
      return new Upload({
        id,
        offset: found.offset,
        creation_date: info.creation_date,
        storage: { type: 'moosefs', path },
        ...(info.size !== undefined && { size: info.size }),
        ...(info.metadata !== undefined && { metadata: info.metadata }),
      });
    });
  }

  async #offset(info: Info): Promise<{ offset: number; waiting: boolean }> {
    try {
      const text = await this.#mfs.xattr.get(this.#data(info.id), OFFSET, 'utf8');
      return { offset: Number(text), waiting: true };
    } catch (error) {
      if (codeOf(error) === 'ENODATA') return { offset: 0, waiting: true };
      if (!isGone(error)) throw error;
    }
    // No data: it has its final name, or somebody took that away.
    const { size } = await this.#mfs.stat(this.#final(info.name));
    if (size !== info.size) throw asAnswer(ERRORS.FILE_NO_LONGER_EXISTS);
    return { offset: size, waiting: false };
  }

  override async declareUploadLength(id: string, size: number): Promise<void> {
    await this.#reaching(async () => {
      const info = { ...(await this.#info(id)), size };
      await this.#putInfo(info);
    });
  }

  override async remove(id: string): Promise<void> {
    await this.#reaching(async () => {
      await this.#settled(id);
      const info = await this.#info(id);
      const { waiting } = await this.#offset(info).catch((error: unknown) => {
        if (isGone(error) || statusOf(error) === ERRORS.FILE_NO_LONGER_EXISTS.status_code) return { waiting: true };
        throw error;
      });
      if (!waiting) await this.#mfs.rm(this.#final(info.name), { force: true });
      await this.#mfs.rm(this.#folder(id), { recursive: true, force: true });
    });
  }

  /** What a finished upload holds: for GET requests of the server. */
  async read(id: string): Promise<Readable> {
    return this.#mfs.createReadStream(this.#final((await this.#info(id)).name));
  }

  override getExpiration(): number {
    return this.#options.expirationMs ?? 0;
  }

  /** Removes what has expired: unfinished uploads, and of finished ones what was kept about them. Gives how many. */
  override async deleteExpired(): Promise<number> {
    if (this.getExpiration() === 0) return 0;
    const ids = await this.#mfs.readdir(this.#work).catch((error: unknown) => {
      if (isGone(error)) return [];
      throw error;
    });
    let removed = 0;
    for (const id of ids) if (await this.#removeExpired(id)) removed++;
    return removed;
  }

  async #removeExpired(id: string): Promise<boolean> {
    if (!ID.test(id) || this.#running.has(id)) return false;
    const created = await this.#info(id).then(
      (info) => new Date(info.creation_date).getTime(),
      // Its process died while it made the folder.
      () =>
        this.#mfs.stat(this.#folder(id)).then(
          (stats) => stats.mtimeMs,
          () => Infinity,
        ),
    );
    if (Date.now() < created + this.getExpiration()) return false;
    await this.#mfs.rm(this.#folder(id), { recursive: true, force: true });
    return true;
  }

  /** Resolves when no write is under way: what broke off has put down how far it came. For a graceful end of a service. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Gives a complete upload its name; after a crash it may have that already. */
  async #finish(info: Info, size: number): Promise<void> {
    const data = this.#data(info.id);
    const path = this.#final(info.name);
    // A request that broke off may have left more than counted.
    if ((await this.#mfs.stat(data)).size > size) await this.#mfs.truncate(data, size);
    await this.#mfs.mkdir(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true });
    try {
      // As a rename that never overwrites.
      await this.#mfs.link(data, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const [ours, found] = await Promise.all([this.#mfs.stat(data), this.#mfs.stat(path)]);
      if (ours.ino !== found.ino) throw asAnswer(NAME_TAKEN);
    }
    await this.#mfs.xattr.remove(path, OFFSET).catch(() => undefined);
    await this.#mfs.unlink(data);
  }

  #folder(id: string): string {
    return `${this.#work}/${id}`;
  }

  #data(id: string): string {
    return `${this.#folder(id)}/data`;
  }

  /** A name is looked at again here: it must not lead out of the directory. */
  #final(name: string): string {
    const parts = name.split('/').filter((part) => part !== '');
    if (parts.length === 0 || parts.some((part) => part === '..' || part === '.' || part.includes('\0')))
      throw asAnswer(ERRORS.INVALID_METADATA);
    return `${this.#directory}/${parts.join('/')}`;
  }

  async #info(id: string): Promise<Info> {
    if (!ID.test(id)) throw asAnswer(ERRORS.FILE_NOT_FOUND);
    return JSON.parse(await this.#mfs.readFile(`${this.#folder(id)}/info.json`, 'utf8')) as Info;
  }

  async #putInfo(info: Info): Promise<void> {
    const path = `${this.#folder(info.id)}/info.json`;
    await this.#mfs.writeFile(`${path}.new`, JSON.stringify(info));
    await this.#mfs.rename(`${path}.new`, path);
  }

  async #settled(id: string): Promise<void> {
    await this.#running.get(id);
  }

  /** Bounded in time, and with tus's answers: gone is 404, anything else that MooseFS says is 423. */
  async #reaching<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(asAnswer(UNREACHABLE)), this.#unreachableMs);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      if (isGone(error)) throw asAnswer(ERRORS.FILE_NOT_FOUND);
      if (error instanceof MooseFSError && codeOf(error) !== 'EEXIST') throw asAnswer(UNREACHABLE, error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** An error that `@tus/server` answers with a status of ours. */
function asAnswer(answer: { status_code: number; body: string }, cause?: unknown): Error {
  return Object.assign(new Error(answer.body.trim(), { cause }), answer);
}

/** A body against the checksum that was sent with it. */
class BodyCheck {
  readonly #hash: Hash;
  readonly #expected: Buffer;

  constructor({ algorithm, digest }: ExpectedChecksum) {
    if (!ALGORITHMS.includes(algorithm)) throw asAnswer(BAD_CHECKSUM);
    this.#hash = createHash(algorithm);
    this.#expected = digest;
  }

  update(chunk: Buffer): void {
    this.#hash.update(chunk);
  }

  verify(): void {
    const found = this.#hash.digest();
    if (found.length !== this.#expected.length || !timingSafeEqual(found, this.#expected))
      throw asAnswer(CHECKSUM_MISMATCH);
  }
}
