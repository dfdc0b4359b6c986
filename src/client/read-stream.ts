/** A stream of a file's bytes: asks ahead, in order, and stops asking when the reader is slow. */
import { Readable, addAbortSignal, finished } from 'node:stream';
import { MooseFSError } from '../errors.ts';
import { checkInteger, outOfRange } from './arguments.ts';
import type { Endpoint } from '../transport/tcp.ts';
import type { FileHandle, TransferProgress } from './file-handle.ts';
import { parseReplica } from './one-replica.ts';
import type { ReplicaChoice } from './one-replica.ts';
import type { ServedBy } from './served-by.ts';

/** Options of a read stream, as node's. */
export interface ReadStreamOptions {
  readonly encoding?: BufferEncoding | undefined;
  /** First byte, from 0. */
  readonly start?: number | undefined;
  /** Last byte, included. Default: the end of the file. */
  readonly end?: number | undefined;
  /** Bytes of one chunk of the stream. Default 1 MiB. */
  readonly highWaterMark?: number | undefined;
  readonly autoClose?: boolean | undefined;
  readonly emitClose?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Read only from the replicas on this chunkserver; a chunk that it does not have is an error. Default: the best of each chunk. */
  readonly replica?: ReplicaChoice | undefined;
}

/** What one request of the stream asks for, when the caller does not say: half of it cost servers and client a quarter more time. */
const DEFAULT_PIECE = 1024 * 1024;
/** The same while all streams together hold as much as they may: each must get on, and none needs much for that. */
const TIGHT_PIECE = 128 * 1024;

/** As node's `fs.ReadStream`. */
export class ReadStream extends Readable {
  /** Bytes handed out so far. */
  bytesRead = 0;
  /** The path as given. */
  readonly path: string;
  readonly #source: FileHandle | (() => Promise<FileHandle>);
  readonly #options: ReadStreamOptions;
  readonly #piece: number;
  readonly #replica: Endpoint | undefined;
  #handle: FileHandle | undefined;
  #next: number;
  #end: number;
  #total: number | undefined;
  /** Pieces asked for and not handed out, in order. */
  readonly #ahead: { readonly size: number; readonly bytes: Promise<Buffer> }[] = [];
  /** Pieces to have asked for: doubles as the stream is read, so that who reads a little does not ask for much. */
  #window = 2;

  /** @internal */
  constructor(path: string, source: FileHandle | (() => Promise<FileHandle>), options: ReadStreamOptions) {
    const { start, end, highWaterMark = DEFAULT_PIECE } = options;
    if (start !== undefined) checkInteger(start, 'start', 0);
    if (end !== undefined && end !== Infinity) checkInteger(end, 'end', 0);
    if (start !== undefined && end !== undefined && start > end)
      throw outOfRange('start', `<= "end" (here: ${end})`, start);
    super({
      highWaterMark,
      autoDestroy: options.autoClose ?? true,
      emitClose: options.emitClose ?? true,
      ...(options.encoding !== undefined && { encoding: options.encoding }),
    });
    this.path = path;
    this.#source = source;
    this.#options = options;
    this.#replica = parseReplica(options.replica);
    this.#piece = Math.max(1, highWaterMark);
    this.#next = start ?? 0;
    this.#end = end ?? Infinity;
    // Not by the option: a signal that is aborted already would destroy what is not made yet.
    if (options.signal !== undefined) addAbortSignal(options.signal, this);
  }

  /** Whether the file is not open yet. */
  get pending(): boolean {
    return this.#handle === undefined;
  }

  /** Which chunkservers gave what was read so far by the stream's handle, chunk by chunk. */
  get servedBy(): ServedBy[] {
    return this.#handle?.servedBy ?? [];
  }

  /** The handle's number; null before it is open. */
  get fd(): number | null {
    return this.#handle?.fd ?? null;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    const opened = (handle: FileHandle): void => {
      this.#handle = handle;
      // Without a start a handle is read from where it stands.
      if (this.#options.start === undefined) this.#next = handle.position;
      const { length } = handle.fileFor('read');
      this.#total = Math.max(0, Math.min(length, this.#end + 1) - this.#next);
    };
    const source = typeof this.#source === 'function' ? this.#source() : Promise.resolve(this.#source);
    source.then(opened).then(
      () => {
        callback();
        if (typeof this.#source !== 'function') return;
        this.emit('open', this.#handle!.fd);
        this.emit('ready');
      },
      // Destroyed while it was opened, it has its error: a second one would make an AggregateError of both.
      (error: unknown) => callback(this.destroyed ? null : (error as Error)),
    );
  }

  override _read(): void {
    this.#askAhead();
    const piece = this.#ahead.shift();
    if (piece === undefined) {
      this.push(null);
      return;
    }
    this.#window *= 2;
    piece.bytes.then(
      (bytes) => {
        this.#handle!.volume.readBudget.give(piece.size);
        if (this.destroyed) return;
        this.bytesRead += bytes.length;
        if (this.#options.start === undefined) this.#handle!.position += bytes.length;
        this.#options.onProgress?.({ transferred: this.bytesRead, total: this.#total });
        if (bytes.length === 0) this.#dropAhead();
        this.push(bytes.length === 0 ? null : bytes);
      },
      (error: unknown) => {
        this.#handle!.volume.readBudget.give(piece.size);
        this.destroy(error as Error);
      },
    );
  }

  /** Keeps as much asked for as the settings say; a reader that does not read stops it. */
  #askAhead(): void {
    const handle = this.#handle!;
    const { settings, readBudget } = handle.volume;
    const known = handle.fileFor('read').length;
    const wanted = Math.max(1, Math.min(this.#window, Math.floor(settings.read.readAheadBytes / this.#piece)));
    while (this.#ahead.length < wanted && this.#next <= this.#end) {
      // Beyond the known end ask for one piece at most, to see whether the file has grown.
      if (this.#ahead.length > 0 && (this.#next >= known || readBudget.isFull)) break;
      const size = Math.min(
        readBudget.isFull ? Math.min(this.#piece, TIGHT_PIECE) : this.#piece,
        this.#end - this.#next + 1,
        Math.max(1, known > this.#next ? known - this.#next : this.#piece),
      );
      const buffer = Buffer.allocUnsafe(size);
      readBudget.take(size);
      const bytes = handle
        .readAt(buffer, this.#next, { signal: this.#options.signal, replica: this.#replica })
        .then((bytesRead) => (bytesRead === size ? buffer : buffer.subarray(0, bytesRead)));
      // It may fail before it is its turn.
      bytes.catch(() => undefined);
      this.#ahead.push({ size, bytes });
      this.#next += size;
    }
  }

  #dropAhead(): void {
    for (const { size } of this.#ahead.splice(0)) this.#handle!.volume.readBudget.give(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#dropAhead();
    const handle = this.#handle;
    if (handle === undefined || this.#options.autoClose === false) {
      callback(error);
      return;
    }
    const done = (failure?: unknown) => callback(error ?? (failure instanceof MooseFSError ? failure : null));
    handle.close().then(() => done(), done);
  }

  /** Closes the stream and its file. */
  close(callback?: (error?: Error | null) => void): void {
    if (callback !== undefined) finished(this, (error) => callback(error ?? null));
    this.destroy();
  }
}
