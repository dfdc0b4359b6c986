/** A client in another process: for tests of what processes do to each other, and of what is left when one is killed. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ConnectOptions } from '../../src/index.ts';
import type { Order, Report } from './client-process.ts';

const program = fileURLToPath(new URL('client-process.ts', import.meta.url));

/** A handle or a lock in the other process. */
export class Remote {
  readonly #process: OtherProcess;
  readonly #on: number;

  constructor(process: OtherProcess, on: number) {
    this.#process = process;
    this.#on = on;
  }

  /** Calls a method, or reads a property. */
  call<T = unknown>(verb: string, ...args: unknown[]): Promise<T> {
    return this.#process.send(this.#on, verb, args) as Promise<T>;
  }
}

/** See above; `await using` closes its client and ends it. */
export class OtherProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (report: Report) => void>();
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report: Report) => {
      this.#waiting.get(report.id)?.(report);
      this.#waiting.delete(report.id);
    });
    child.on('exit', () => {
      for (const [id, settle] of this.#waiting)
        settle({ id, error: { name: 'Error', message: 'the process has ended', code: 'ENDED' } });
      this.#waiting.clear();
    });
  }

  /** Starts it; its client is connected when this resolves. */
  static async start(options: ConnectOptions): Promise<OtherProcess> {
    const child = fork(program, [JSON.stringify(options)], {
      execArgv: ['--import', import.meta.resolve('tsx')],
      serialization: 'advanced',
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error('the other process ended before it was ready');
    });
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new OtherProcess(child);
  }

  /** Calls a verb of its client (or a loop of client-process.ts). */
  call<T = unknown>(verb: string, ...args: unknown[]): Promise<T> {
    return this.send(undefined, verb, args) as Promise<T>;
  }

  /** The same for verbs that give a handle. */
  async open(path: string, flags: string): Promise<Remote> {
    return (await this.send(undefined, 'open', [path, flags])) as Remote;
  }

  /** @internal */
  async send(on: number | undefined, verb: string, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    const report = await new Promise<Report>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, on, verb, args } satisfies Order);
    });
    if (report.error !== undefined) {
      const { name, message, code } = report.error;
      throw Object.assign(new Error(message), { name, code });
    }
    return report.kept === undefined ? report.value : new Remote(this, report.kept);
  }

  /** Sends it a signal; with SIGKILL this resolves when it is dead. */
  async signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const dead = once(this.#child, 'exit');
    this.#child.kill(name);
    if (name === 'SIGKILL') await dead;
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded()) return;
    const dead = once(this.#child, 'exit');
    await this.call('close').catch(() => undefined);
    if (!this.#hasEnded()) {
      this.#child.kill('SIGKILL');
      await dead;
    }
  }
}
