/** An open file, as node's FileHandle. */
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { ReadableStream } from 'node:stream/web';
import type { ReadableByteStreamController } from 'node:stream/web';
import { AbortError, MooseFSError } from '../errors.ts';
import { Bag } from '../transport/bag.ts';
import { Deadline } from '../transport/deadline.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { checkBuffers, checkId, checkInteger, outOfRange, readOptions, viewOf } from './arguments.ts';
import { callChannel, traced } from './diagnostics.ts';
import { parseMode } from './flags.ts';
import type { OpenMode } from './flags.ts';
import { fsError, withSite } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { readRequest, writeRequest } from './handle-arguments.ts';
import type { HandleReadOptions, HandleWriteOptions } from './handle-arguments.ts';
import type { FileLock, LockOptions, LockOwner } from './locks.ts';
import { parseReplica } from './one-replica.ts';
import type { ReplicaChoice } from './one-replica.ts';
import type { ChunkReplication, OpenFile } from './open-file.ts';
import { changeMode, changeOwner, changeTimes, checkTimes, deviceOf } from './nodes.ts';
import type { TimeLike } from './nodes.ts';
import { ReadAhead } from './read-ahead.ts';
import { ReadStream } from './read-stream.ts';
import { ServedLog } from './served-by.ts';
import type { ServedBy } from './served-by.ts';
import type { ReadStreamOptions } from './read-stream.ts';
import { WriteStream } from './write-stream.ts';
import type { WriteStreamOptions } from './write-stream.ts';
import { checkData, readWhole, writeWhole } from './whole-files.ts';
import type { FileData } from './whole-files.ts';
import { closeFile } from './opening.ts';
import type { Opened } from './opening.ts';
import { attributesOf } from './paths.ts';
import { BigIntStats, Stats } from './stats.ts';
import { ioDeadline, requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** How long a handle that is given up waits for its locks on chunks to be released. */
const ABANDON_MS = 2000;

/** Progress of a long transfer: bytes so far, and in all where that is known. */
export interface TransferProgress {
  readonly transferred: number;
  readonly total: number | undefined;
}

/** What calls that can wait take. */
export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link FileHandle.readFile}. */
export interface HandleReadFileOptions extends SignalOption {
  readonly encoding?: BufferEncoding | null | undefined;
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Read only from the replicas on this chunkserver; a chunk that it does not have is an error. Default: the best of each chunk. */
  readonly replica?: ReplicaChoice | undefined;
}

/**
 * An open file, as node's `FileHandle`. Close it, or declare it with `await using`.
 *
 * @example
 * ```ts
 * await using file = await mfs.open('/log', 'a+');
 * await file.write('one more line\n');
 * await file.sync();
 * const { bytesRead, buffer } = await file.read({ position: 0 });
 * console.log(buffer.toString('utf8', 0, bytesRead), (await file.stat()).size);
 * ```
 */
export class FileHandle extends EventEmitter<{ close: [] }> {
  readonly #volume: Volume;
  readonly #opened: Opened;
  readonly #served = new ServedLog();
  readonly #flags: OpenMode;
  readonly #path: string;
  readonly #failuresAtOpen: number;
  readonly #owner: LockOwner;
  /** Calls under way: closing waits for them. */
  readonly #pending = new Bag<Promise<unknown>>();
  /** Gives up waiting for locks when the handle closes; made by the first that waits. */
  #ending: AbortController | undefined;
  #fd: number;
  #position = 0;
  #closing: Promise<void> | undefined;
  #webStream = false;
  /** Made by the first read that goes through it. */
  #ahead: ReadAhead | undefined;
  /** Appends of this handle, and reads and writes at its own position, one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(volume: Volume, opened: Opened, flags: OpenMode, path: string) {
    super();
    this.#fd = volume.files.nextDescriptor();
    this.#volume = volume;
    this.#opened = opened;
    this.#flags = flags;
    this.#path = path;
    this.#failuresAtOpen = opened.file?.failures.length ?? 0;
    this.#owner = { inode: opened.inode, path, owner: BigInt(this.#fd) };
  }

  /** A number that tells handles of one client apart, -1 when closed; the operating system knows nothing of it. */
  get fd(): number {
    return this.#fd;
  }

  /** The inode number. */
  get inode(): number {
    return this.#opened.inode;
  }

  /** Which replicas acknowledged what was written through this client, chunk by chunk. */
  get replication(): ChunkReplication[] {
    return this.#opened.file?.replication ?? [];
  }

  /** Which chunkservers gave what was read by this handle, chunk by chunk. */
  get servedBy(): ServedBy[] {
    return this.#served.entries;
  }

  /** @internal the path it was opened by */
  get path(): string {
    return this.#path;
  }

  /** @internal */
  get volume(): Volume {
    return this.#volume;
  }

  /** @internal whether it is open for writing at the end only */
  get appends(): boolean {
    return this.#flags.append;
  }

  /** @internal the file behind it; throws where it is a folder, or closed, or not open for that */
  fileFor(syscall: 'read' | 'write'): OpenFile {
    const site: CallSite = { syscall };
    if (this.#fd === -1 || !this.#flags[syscall]) throw fsError('EBADF', site);
    const { file } = this.#opened;
    if (file === undefined) throw fsError('EISDIR', site);
    return file;
  }

  /** @internal the inode number for a call that takes a handle in the place of a path; throws where it is closed */
  inodeFor(syscall: string): number {
    if (this.#fd === -1) throw fsError('EBADF', { syscall });
    return this.inode;
  }

  /** @internal where the next read or write without a position begins */
  get position(): number {
    return this.#position;
  }

  /** @internal */
  set position(position: number) {
    this.#position = position;
  }

  /** A call on the handle: it must be open, is told to who listens, and keeps the handle from closing. */
  #call<T>(method: string, syscall: string, work: (site: CallSite) => Promise<T>): Promise<T> {
    const site: CallSite = { syscall };
    if (this.#fd === -1) return Promise.reject(fsError('EBADF', site));
    return traced(
      callChannel,
      () => ({ method: `FileHandle.${method}`, path: this.#path }),
      () => this.#hold(work(site)),
    );
  }

  async #hold<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }

  /**
   * Reads at a position; `null`: where the last such read or write ended. With `replica` only from that one. With `ahead` reads that
   * follow each other find what they want asked for already; who has several on their way at once does better without.
   * @internal
   */
  async readAt(
    into: Uint8Array,
    position: number | null,
    { signal, replica, ahead = false }: ReadAtOptions = {},
  ): Promise<number> {
    const file = this.fileFor('read');
    const source = ahead ? (this.#ahead ??= new ReadAhead(this.#volume, file)) : file;
    const served = this.#served.add;
    const how = { deadline: ioDeadline(this.#volume, signal), site: { syscall: 'read' }, replica, served };
    how.deadline.check('reading');
    if (position !== null) return this.#hold(source.read(position, into, how));
    return this.#hold(
      this.#inTurn(async () => {
        const bytesRead = await source.read(this.#position, into, how);
        this.#position += bytesRead;
        return bytesRead;
      }),
    );
  }

  /**
   * Writes at a position; `null`: where the last one ended; files opened for appending ignore it. Several pieces follow each other
   * in the file, whatever else is written. With `keep` the bytes are used by reference until the next sync() has resolved;
   * otherwise they may be changed as soon as this resolves.
   * @internal
   */
  async writeAt(
    bytes: Uint8Array | readonly Uint8Array[],
    position: number | null,
    { signal, keep = false }: SignalOption & { keep?: boolean } = {},
  ): Promise<number> {
    const file = this.fileFor('write');
    this.#throwIfLost();
    const deadline = ioDeadline(this.#volume, signal);
    deadline.check('writing');
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
    const total = pieces.reduce((sum, { length }) => sum + length, 0);
    if (total === 0) return 0;
    const write = async (start: number, reserved: boolean): Promise<void> => {
      let at = start;
      for (const piece of pieces) {
        await file.write(at, piece, { keep, deadline, reserved });
        at += piece.length;
      }
    };
    const { append } = this.#flags;
    await this.#hold(
      append || position === null
        ? this.#inTurn(async () => {
            const at = append ? await this.#appendPosition(file, total, deadline) : this.#position;
            await write(at, append);
            // As pwrite(2): with a position of its own a write moves no other.
            if (position === null) this.#position = at + total;
          })
        : write(position, false),
    );
    if (this.#flags.sync) await this.sync({ signal });
    return total;
  }

  async #appendPosition(file: OpenFile, size: number, deadline: Deadline): Promise<number> {
    return file.reserve(size, deadline, { syscall: 'write' });
  }

  /** Runs after whatever was asked of the handle's own position before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Resolves when every byte written through this client is acknowledged by every replica that the master listed, and the master
   * knows the length. Rejects when that cannot be had.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/journal', 'a');
   * await file.write('committed\n');
   * await file.sync();
   * ```
   */
  async sync({ signal }: SignalOption = {}): Promise<void> {
    await this.#call('sync', 'fsync', () => this.#flush('fsync', signal));
  }

  /**
   * The same as {@link sync}: MooseFS has no cheaper form.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/journal', 'a');
   * await file.write('committed\n');
   * await file.datasync({ signal: AbortSignal.timeout(30_000) });
   * ```
   */
  async datasync({ signal }: SignalOption = {}): Promise<void> {
    await this.#call('datasync', 'fdatasync', () => this.#flush('fdatasync', signal));
  }

  async #flush(syscall: string, signal: AbortSignal | undefined): Promise<void> {
    const { file } = this.#opened;
    if (file === undefined) return;
    try {
      await file.flush(Deadline.in(this.#volume.settings.write.flushTimeoutMs, signal));
    } catch (error) {
      throw withSite(error, { syscall, path: this.#path });
    }
    this.#throwIfLost();
  }

  /** Data that could not be written is told by every later call on the handle, until it is closed. */
  #throwIfLost(): void {
    const lost = this.#opened.file?.failures[this.#failuresAtOpen];
    if (lost !== undefined) throw lost;
  }

  /**
   * Attributes of the file, its length as this client knows it.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/film.mp4');
   * console.log((await file.stat()).size, (await file.stat({ bigint: true })).mtimeNs);
   * ```
   */
  async stat(options?: { bigint?: false } & SignalOption): Promise<Stats>;
  async stat(options: { bigint: true } & SignalOption): Promise<BigIntStats>;
  async stat(options?: { bigint?: boolean } & SignalOption): Promise<Stats | BigIntStats>;
  async stat(options?: ({ bigint?: boolean } & SignalOption) | null): Promise<Stats | BigIntStats> {
    const { bigint = false, signal } = options ?? {};
    return this.#call('stat', 'fstat', async (site) => {
      const deadline = requestDeadline(this.#volume, signal);
      const { file, inode } = this.#opened;
      const attributes = await (file?.refresh(deadline, site) ?? attributesOf(this.#volume, inode, { site, deadline }));
      const source = { inode, attributes, device: deviceOf(this.#volume) };
      return bigint ? new BigIntStats(source) : new Stats(source);
    });
  }

  /**
   * Sets the length: cuts the file, or extends it with zeros.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/journal', 'r+');
   * await file.truncate(4096);
   * ```
   */
  async truncate(length: number | null = 0, { signal }: SignalOption = {}): Promise<void> {
    await this.#call('truncate', 'ftruncate', async (site) => {
      const wanted = Math.max(0, checkInteger(length ?? 0, 'len'));
      const { file } = this.#opened;
      if (file === undefined || !this.#flags.write) throw fsError('EINVAL', site);
      if (this.#opened.appendOnly) throw fsError('EPERM', site);
      await file.truncate(wanted, ioDeadline(this.#volume, signal), site);
    });
  }

  /**
   * Changes permission bits.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/run.sh');
   * await file.chmod(0o755);
   * ```
   */
  async chmod(mode: number | string, { signal }: SignalOption = {}): Promise<void> {
    await this.#call('chmod', 'fchmod', (site) =>
      changeMode(this.#volume, this.inode, parseMode(mode), { site, deadline: requestDeadline(this.#volume, signal) }),
    );
  }

  /**
   * Changes owner and group; -1 leaves one as it is.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/run.sh');
   * await file.chown(1000, -1);
   * ```
   */
  async chown(uid: number, gid: number, { signal }: SignalOption = {}): Promise<void> {
    await this.#call('chown', 'fchown', (site) =>
      changeOwner(this.#volume, this.inode, checkId(uid, 'uid'), checkId(gid, 'gid'), {
        site,
        deadline: requestDeadline(this.#volume, signal),
      }),
    );
  }

  /**
   * Sets both times; null, which node has not, leaves one as it is. MooseFS keeps whole seconds.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/notes.txt');
   * await file.utimes(null, new Date('2024-02-29T12:00:00Z'));
   * ```
   */
  async utimes(atime: TimeLike | null, mtime: TimeLike | null, { signal }: SignalOption = {}): Promise<void> {
    await this.#call('utimes', 'futime', async (site) => {
      checkTimes(atime, mtime);
      await changeTimes(this.#volume, this.inode, atime, mtime, {
        site,
        deadline: requestDeadline(this.#volume, signal),
      });
    });
  }

  /**
   * Locks the file for this handle, as flock(2) does; with `start` or `end` a range of its bytes. Every handle is an owner of its
   * own, also within one process. Waits until the lock is free, at most `timeoutMs`; with `wait: false` it rejects with EAGAIN. The
   * lock is held until it is unlocked, the handle is closed, or the session is lost ({@link FileLock.lost}). A second lock of the
   * whole file by the same handle changes the first one.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/ledger', 'r+');
   * await using lock = await file.lock({ start: 0, end: 4096, signal: AbortSignal.timeout(5000) });
   * console.log(lock.held);
   * ```
   */
  async lock(options: LockOptions = {}): Promise<FileLock> {
    const kind = options.start === undefined && options.end === undefined ? 'flock' : 'fcntl';
    return this.#call('lock', kind, async (site) => {
      const { file } = this.#opened;
      if (file === undefined) throw fsError('EISDIR', site);
      const { signal } = options;
      // Closing the handle gives up the wait, too.
      this.#ending ??= new AbortController();
      const either = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
      const flush = (): Promise<void> => this.#flush(kind, undefined);
      const lock = await this.#volume.locks.lock(this.#owner, { ...options, signal: either }, flush);
      // Who held it before may have written: what was read ahead is old.
      file.touched();
      return lock;
    });
  }

  /**
   * Writes out what is left and closes. Rejects when anything written through this handle did not reach every listed replica; the
   * handle is closed all the same.
   *
   * @example
   * ```ts
   * const file = await mfs.open('/report.txt', 'w');
   * await file.write('all is well\n');
   * await file.close();
   * ```
   */
  close({ signal }: SignalOption = {}): Promise<void> {
    this.#closing ??= this.#close(signal);
    return this.#closing;
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    this.#fd = -1;
    this.#ahead?.close();
    this.#ending?.abort(fsError('EBADF', { syscall: 'close' }, { detail: 'the handle was closed' }));
    try {
      if (this.#pending.size > 0) {
        const pending = Promise.allSettled([this.#turn, ...this.#pending.all()]);
        await Deadline.in(this.#volume.settings.write.flushTimeoutMs, signal).bound(pending, 'waiting for other calls');
      }
      if (this.#flags.write) await this.#flush('close', signal);
      await this.#volume.locks.releaseAll(this.#owner);
    } catch (error) {
      // The time for it is over: what is not out by now is given up, so that nothing goes on behind the caller's back.
      const { file } = this.#opened;
      if (file !== undefined && file.references === 1)
        file.abort(error instanceof MooseFSError ? error : new AbortError(error));
      const released = this.#volume.locks.releaseAll(this.#owner).catch(() => undefined);
      if (signal?.aborted !== true) await released;
      throw error;
    } finally {
      this.#volume.session.flushTimes();
      closeFile(this.#volume, this.#opened);
      this.emit('close');
    }
  }

  /** Closes without writing out what is left: for streams that were destroyed. @internal */
  async abandon(error: MooseFSError): Promise<void> {
    const { file } = this.#opened;
    if (file !== undefined && file.references === 1) file.abort(error);
    // What waits for an answer of the master, to release its lock, goes on by itself; nobody is to wait for a master that is away.
    await this.close({ signal: AbortSignal.timeout(ABANDON_MS) }).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Reads into a buffer, in any of node's forms: `read(buffer, offset?, length?, position?)`, `read(buffer, options?)` or
   * `read(options?)`.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/data.bin');
   * const { bytesRead, buffer } = await file.read({ position: 4096, length: 16, buffer: Buffer.alloc(16) });
   * console.log(buffer.subarray(0, bytesRead));
   * ```
   */
  async read<B extends NodeJS.ArrayBufferView>(
    buffer: B,
    offset?: number | null | (Omit<HandleReadOptions<B>, 'buffer'> & SignalOption),
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: B }>;
  async read<B extends NodeJS.ArrayBufferView = Buffer>(
    options?: (HandleReadOptions<B> & SignalOption) | null,
  ): Promise<{ bytesRead: number; buffer: B }>;
  async read<B extends NodeJS.ArrayBufferView = Buffer>(
    buffer?: B | (HandleReadOptions<B> & SignalOption) | null,
    offset?: number | null | (HandleReadOptions<B> & SignalOption),
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: B }> {
    return this.#call('read', 'read', async () => {
      const request = readRequest<B>(buffer, offset, length, position);
      const { into, signal } = request;
      const bytesRead = into.length === 0 ? 0 : await this.readAt(into, request.position, { signal, ahead: true });
      return { bytesRead, buffer: request.buffer };
    });
  }

  /**
   * Fills several buffers one after another.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/data.bin');
   * const [head, body] = [Buffer.alloc(16), Buffer.alloc(4096)];
   * console.log((await file.readv([head, body], 0)).bytesRead);
   * ```
   */
  async readv<B extends readonly NodeJS.ArrayBufferView[]>(
    buffers: B,
    position?: number | null,
    { signal }: SignalOption = {},
  ): Promise<{ bytesRead: number; buffers: B }> {
    return this.#call('readv', 'read', async (site) => {
      const views = checkBuffers(buffers).map(viewOf);
      if (views.length === 0) throw fsError('EINVAL', site);
      let at = typeof position === 'number' && position >= 0 ? position : null;
      let bytesRead = 0;
      for (const view of views) {
        const found = await this.readAt(view, at, { signal, ahead: true });
        bytesRead += found;
        if (at !== null) at += found;
        if (found < view.length) break;
      }
      return { bytesRead, buffers };
    });
  }

  /**
   * Writes bytes or text, in any of node's forms: `write(buffer, offset?, length?, position?)`, `write(buffer, options?)` or
   * `write(text, position?, encoding?)`. Resolves when they are taken; {@link sync} and {@link close} tell that they are safe.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/data.bin', 'w');
   * await file.write('head');
   * await file.write(Buffer.alloc(4096, 1), { position: 64 });
   * ```
   */
  async write<B extends NodeJS.ArrayBufferView | string>(
    data: B,
    offsetOrOptions?: number | null | (HandleWriteOptions & SignalOption),
    lengthOrEncoding?: number | BufferEncoding | null,
    position?: number | null,
  ): Promise<{ bytesWritten: number; buffer: B }> {
    return this.#call('write', 'write', async () => {
      const request = writeRequest(data, offsetOrOptions, lengthOrEncoding, position);
      const signal = typeof offsetOrOptions === 'object' ? offsetOrOptions?.signal : undefined;
      return { bytesWritten: await this.writeAt(request.bytes, request.position, { signal }), buffer: data };
    });
  }

  /**
   * Writes several buffers one after another; nothing that others append comes between them.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/log', 'a');
   * await file.writev([Buffer.from('key '), Buffer.from('value\n')]);
   * ```
   */
  async writev<B extends readonly NodeJS.ArrayBufferView[]>(
    buffers: B,
    position?: number | null,
    { signal }: SignalOption = {},
  ): Promise<{ bytesWritten: number; buffers: B }> {
    return this.#call('writev', 'write', async () => {
      const views = checkBuffers(buffers).map(viewOf);
      const at = typeof position === 'number' && position >= 0 ? position : null;
      return { bytesWritten: views.length === 0 ? 0 : await this.writeAt(views, at, { signal }), buffers };
    });
  }

  /**
   * Reads from where the handle stands to the end of the file.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/notes.txt');
   * console.log(await file.readFile('utf8'));
   * ```
   */
  async readFile(options?: (HandleReadFileOptions & { encoding?: null | undefined }) | null): Promise<Buffer>;
  async readFile(options: BufferEncoding | (HandleReadFileOptions & { encoding: BufferEncoding })): Promise<string>;
  async readFile(options?: BufferEncoding | HandleReadFileOptions | null): Promise<Buffer | string>;
  async readFile(options?: BufferEncoding | HandleReadFileOptions | null): Promise<Buffer | string> {
    return this.#call('readFile', 'read', async (site) => {
      const { encoding, signal, onProgress, ...given } = readOptions<HandleReadFileOptions>(options);
      const replica = parseReplica(given.replica);
      const bytes = await this.#inTurn(async () => {
        // Others may have made it longer since it was opened.
        await this.fileFor('read').refresh(requestDeadline(this.#volume, signal), site);
        const found = await readWhole(this, { from: this.#position, signal, onProgress, replica });
        this.#position += found.length;
        return found;
      });
      return encoding === undefined || encoding === null ? bytes : bytes.toString(encoding);
    });
  }

  /**
   * Writes data from where the handle stands and waits until every replica has it.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/notes.txt', 'w');
   * await file.writeFile('antlers\n');
   * ```
   */
  async writeFile(
    data: FileData,
    options?: BufferEncoding | ({ encoding?: BufferEncoding | null } & SignalOption) | null,
  ): Promise<void> {
    await this.#call('writeFile', 'write', async () => {
      const { encoding, signal } = readOptions<{ encoding?: BufferEncoding | null } & SignalOption>(options);
      checkData(data);
      await writeWhole(this, data, { encoding: encoding ?? undefined, signal });
    });
  }

  /**
   * The same as {@link writeFile}: it is the flags of the opening that say where it goes.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/log', 'a');
   * await file.appendFile('one more line\n');
   * ```
   */
  async appendFile(
    data: FileData,
    options?: BufferEncoding | ({ encoding?: BufferEncoding | null } & SignalOption) | null,
  ): Promise<void> {
    await this.writeFile(data, options);
  }

  /**
   * The file's lines, to be looped over.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/log');
   * for await (const line of file.readLines()) console.log(line);
   * ```
   */
  readLines(options?: ReadStreamOptions): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Infinity });
  }

  /**
   * The file's bytes as a web stream, from where the handle stands. Only one can be had of a handle.
   *
   * @example
   * ```ts
   * await using file = await mfs.open('/film.mp4');
   * console.log((await new Response(file.readableWebStream()).arrayBuffer()).byteLength);
   * ```
   */
  readableWebStream(): ReadableStream<Uint8Array> {
    if (this.#fd === -1) throw invalidState('The FileHandle is closed');
    if (this.#webStream) throw invalidState('The FileHandle is locked');
    this.#webStream = true;
    const stream = new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: WEB_STREAM_BYTES,
      pull: async (controller: ReadableByteStreamController) => {
        const request = controller.byobRequest!;
        const bytesRead = await this.readAt(viewOf(request.view as Uint8Array), null, { ahead: true });
        if (bytesRead === 0) controller.close();
        request.respond(bytesRead);
      },
    });
    this.once('close', () => {
      if (!stream.locked) stream.cancel().catch(() => undefined);
    });
    return stream;
  }

  /**
   * A stream of the file's bytes. It closes the handle at its end unless `autoClose` is false.
   *
   * @example
   * ```ts
   * const file = await mfs.open('/film.mp4');
   * file.createReadStream({ start: 0, end: 999 }).pipe(process.stdout);
   * ```
   */
  createReadStream(options?: BufferEncoding | ReadStreamOptions): ReadStream {
    this.#checkOpen();
    return new ReadStream(this.#path, this, readOptions<ReadStreamOptions>(options));
  }

  /**
   * A stream into the file. It closes the handle at its end unless `autoClose` is false.
   *
   * @example
   * ```ts
   * const file = await mfs.open('/upload.bin', 'w');
   * process.stdin.pipe(file.createWriteStream());
   * ```
   */
  createWriteStream(options?: BufferEncoding | WriteStreamOptions): WriteStream {
    this.#checkOpen();
    return new WriteStream(this.#path, this, readOptions<WriteStreamOptions>(options));
  }

  #checkOpen(): void {
    if (this.#fd === -1) throw outOfRange('fd', '>= 0 && <= 2147483647', -1);
  }
}

/** @internal how {@link FileHandle.readAt} reads */
export interface ReadAtOptions extends SignalOption {
  readonly replica?: Endpoint | undefined;
  readonly ahead?: boolean;
}

/** What one read of a web stream asks for. */
const WEB_STREAM_BYTES = 65_536;

function invalidState(message: string): Error {
  return Object.assign(new Error(`Invalid state: ${message}`), { code: 'ERR_INVALID_STATE' });
}
