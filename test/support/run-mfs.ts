/** Runs the command `mfs` for tests: inside this process with streams in memory, or as a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/run.ts';

/** How a command ended. */
export interface MfsResult {
  readonly status: number;
  readonly stdout: string;
  /** Standard output as bytes. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** What a run in this process is given. */
export interface MfsRunOptions {
  /** The master's `host:port`, as `$MFS_MASTER`. */
  readonly master?: string;
  readonly stdin?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Both outputs are terminals of so many columns. */
  readonly columns?: number;
  readonly interrupt?: AbortSignal;
  /** Standard output is read by nobody after so many bytes. */
  readonly closeAfterBytes?: number;
}

class Collector extends Writable {
  readonly pieces: Buffer[] = [];
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly #closeAfter: number;
  #size = 0;

  constructor(columns: number | undefined, closeAfter = Infinity) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns;
    this.#closeAfter = closeAfter;
  }

  override _write(piece: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    if (this.#size >= this.#closeAfter) {
      callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
      return;
    }
    this.#size += piece.length;
    this.pieces.push(Buffer.from(piece));
    callback();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

function streamOf(pieces: NonNullable<MfsRunOptions['stdin']>): Readable {
  return pieces instanceof Readable ? pieces : Readable.from(pieces, { objectMode: false });
}

/** Runs a command line in this process. */
export async function runMfs(words: readonly string[], options: MfsRunOptions = {}): Promise<MfsResult> {
  const stdout = new Collector(options.columns, options.closeAfterBytes);
  const stderr = new Collector(options.columns);
  const status = await run(words, {
    stdin: streamOf(options.stdin ?? []),
    stdout: stdout as ConstructorParameters<typeof Writable>[0] & Collector & { readonly columns: number },
    stderr: stderr as Collector & { readonly columns: number },
    env: { ...(options.master !== undefined && { MFS_MASTER: options.master }), ...options.env },
    interrupt: options.interrupt ?? new AbortController().signal,
  });
  return { status, stdout: stdout.bytes.toString(), bytes: stdout.bytes, stderr: stderr.bytes.toString() };
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Starts the program as a process of its own, from the sources. */
export function spawnMfs(
  words: readonly string[],
  { master, env = {}, cwd }: { master?: string; env?: Readonly<Record<string, string>>; cwd?: string } = {},
): ChildProcess & { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable } {
  return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...words], {
    stdio: 'pipe',
    cwd,
    env: { ...process.env, ...(master !== undefined && { MFS_MASTER: master }), ...env },
  });
}

/** Runs the program as a process of its own to its end. */
export async function execMfs(
  words: readonly string[],
  {
    stdin,
    ...options
  }: { master?: string; env?: Readonly<Record<string, string>>; cwd?: string; stdin?: Uint8Array } = {},
): Promise<MfsResult> {
  const child = spawnMfs(words, options);
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const collected: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => collected.push(piece));
  const ended = new Promise<number>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? (signal ? -1 : 0))),
  );
  const [status, stderr] = await Promise.all([ended, text(child.stderr)]);
  const bytes = Buffer.concat(collected);
  return { status, stdout: bytes.toString(), bytes, stderr };
}
