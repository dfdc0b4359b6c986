/** A stream into a file. `finish` means: every listed replica of every chunk has acknowledged every byte. */
import { Writable, addAbortSignal } from 'node:stream';
import { AbortError, MooseFSError } from '../errors.ts';
import { checkInteger } from './arguments.ts';
import type { FileHandle, TransferProgress } from './file-handle.ts';
import type { ChunkReplication } from './open-file.ts';

/** Options of a write stream, as node's. */
export interface WriteStreamOptions {
  readonly encoding?: BufferEncoding | undefined;
  /** Where to begin, from 0. Default: the beginning, or the end with flags `a`. */
  readonly start?: number | undefined;
  /** Bytes that the stream holds before write() says false. Default 1 MiB, beside the file's own buffer. */
  readonly highWaterMark?: number | undefined;
  readonly autoClose?: boolean | undefined;
  readonly emitClose?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Flush before closing is always done here; accepted because node has it. */
  readonly flush?: boolean | undefined;
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Told before `finish` which replicas acknowledged. */
  readonly onReplication?: ((replication: readonly ChunkReplication[]) => void) | undefined;
}

const DEFAULT_HIGH_WATER_MARK = 1024 * 1024;

/** As node's `fs.WriteStream`. */
export class WriteStream extends Writable {
  /** Bytes taken so far. */
  bytesWritten = 0;
  /** The path as given. */
  readonly path: string;
  readonly #source: FileHandle | (() => Promise<FileHandle>);
  readonly #options: WriteStreamOptions;
  #handle: FileHandle | undefined;
  #position: number | null;
  #closed = false;

  /** @internal */
  constructor(path: string, source: FileHandle | (() => Promise<FileHandle>), options: WriteStreamOptions) {
    if (options.start !== undefined) checkInteger(options.start, 'start', 0);
    super({
      highWaterMark: options.highWaterMark ?? DEFAULT_HIGH_WATER_MARK,
      decodeStrings: true,
      defaultEncoding: options.encoding ?? 'utf8',
      autoDestroy: options.autoClose ?? true,
      emitClose: options.emitClose ?? true,
    });
    this.path = path;
    this.#source = source;
    this.#options = options;
    this.#position = options.start ?? null;
    // Not by the option: a signal that is aborted already would destroy what is not made yet.
    if (options.signal !== undefined) addAbortSignal(options.signal, this);
  }

  /** Whether the file is not open yet. */
  get pending(): boolean {
    return this.#handle === undefined;
  }

  /** Which replicas acknowledged what, chunk by chunk. */
  get replication(): ChunkReplication[] {
    return this.#handle?.replication ?? [];
  }

  /** The handle's number; null before it is open. */
  get fd(): number | null {
    return this.#handle?.fd ?? null;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    const source = typeof this.#source === 'function' ? this.#source() : Promise.resolve(this.#source);
    source.then(
      (handle) => {
        this.#handle = handle;
        callback();
        if (typeof this.#source !== 'function') return;
        this.emit('open', handle.fd);
        this.emit('ready');
      },
      // Destroyed while it was opened, it has its error: a second one would make an AggregateError of both.
      (error: unknown) => callback(this.destroyed ? null : (error as Error)),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#take([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #take(pieces: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#handle!.writeAt(pieces, this.#position, { signal: this.#options.signal }).then(
      (bytesWritten) => {
        this.bytesWritten += bytesWritten;
        if (this.#position !== null) this.#position += bytesWritten;
        this.#options.onProgress?.({ transferred: this.bytesWritten, total: undefined });
        callback();
      },
      (error: unknown) => callback(error as Error),
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    const handle = this.#handle!;
    const settled =
      this.#options.autoClose === false ? handle.sync({ signal: this.#options.signal }) : this.#close(handle);
    settled.then(
      () => {
        this.#options.onReplication?.(handle.replication);
        callback();
      },
      (error: unknown) => callback(error as Error),
    );
  }

  #close(handle: FileHandle): Promise<void> {
    this.#closed = true;
    return handle.close({ signal: this.#options.signal });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const handle = this.#handle;
    if (handle === undefined || this.#closed || this.#options.autoClose === false) {
      callback(error);
      return;
    }
    this.#closed = true;
    // Destroyed before its end: what is on its way is given up, and the locks with it.
    handle.abandon(error instanceof MooseFSError ? error : new AbortError(error ?? undefined)).then(
      () => callback(error),
      () => callback(error),
    );
  }

  /** Ends the stream; the callback is called when it is closed. */
  close(callback?: (error?: Error | null) => void): void {
    if (callback !== undefined) {
      if (this.closed) process.nextTick(callback);
      else this.once('close', callback);
    }
    if (this.#options.autoClose === false) this.once('finish', () => this.destroy());
    if (!this.writableEnded) this.end();
  }

  /** As node's: the same as destroy. */
  destroySoon(): void {
    this.end();
  }
}
