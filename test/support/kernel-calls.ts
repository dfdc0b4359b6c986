/** Calls on files of this machine that node:fs has not: extended attributes, flock, POSIX locks. Done by a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';

const program = fileURLToPath(new URL('kernel-calls.pl', import.meta.url));

/** How a lock is asked for. */
export type LockHow = 'exclusive' | 'shared' | 'unlock';

/** See above. Errors have a `code`, as node's. Calls are done one after another; `await using` ends the process. */
export class KernelCalls implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    this.#child = spawn('perl', [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const fail = () => this.#waiting.splice(0).forEach((settle) => settle(''));
    this.#child.on('error', fail).on('exit', fail);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.(line));
  }

  async #call(verb: string, ...args: (string | number | Uint8Array)[]): Promise<Buffer> {
    const words = args.map((each) => Buffer.from(typeof each === 'number' ? String(each) : each).toString('hex'));
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve));
    this.#child.stdin!.write(`${[verb, ...words].join(' ')}\n`);
    const [kind, found = ''] = (await answer).split(' ');
    if (kind === 'ok') return Buffer.from(found, 'hex');
    const code = kind === 'errno' ? getSystemErrorName(-Number(found)) : 'no answer';
    throw Object.assign(new Error(`${verb}: ${code}`), { code });
  }

  async setxattr(path: string | Uint8Array, name: string, value: string | Uint8Array): Promise<void> {
    await this.#call('setxattr', path, name, value);
  }

  getxattr(path: string | Uint8Array, name: string): Promise<Buffer> {
    return this.#call('getxattr', path, name);
  }

  async listxattr(path: string | Uint8Array): Promise<string[]> {
    return (await this.#call('listxattr', path)).toString().split('\0').slice(0, -1);
  }

  async removexattr(path: string | Uint8Array, name: string): Promise<void> {
    await this.#call('removexattr', path, name);
  }

  /** Opens a file for reading and writing; gives its number over there. */
  async open(path: string): Promise<number> {
    return Number((await this.#call('open', path)).toString());
  }

  async close(file: number): Promise<void> {
    await this.#call('close', file);
  }

  async flock(file: number, how: LockHow, { wait = false } = {}): Promise<void> {
    await this.#call('flock', file, how, wait ? 'wait' : 'try');
  }

  /** A POSIX lock on `length` bytes from `start`. */
  async fcntl(file: number, how: LockHow, start: number, length: number, { wait = false } = {}): Promise<void> {
    await this.#call('fcntl', file, how, wait ? 'wait' : 'try', start, length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    await new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.kill('SIGKILL');
    });
  }
}
