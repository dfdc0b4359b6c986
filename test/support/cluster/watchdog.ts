/**
 * Ends daemons and removes their folder when this process is gone, also after SIGKILL; scripts/watchdog.sh does the
 * work.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../scripts/watchdog.sh', import.meta.url));

/** A small shell at the other end of a pipe: when the pipe closes, it kills what it watches and removes the folder. */
export class Watchdog {
  readonly #shell: ChildProcess;
  readonly #pipe: Socket;
  readonly #ended: Promise<unknown>;

  /** What is to be gone at the end: this folder, and what the command removes. */
  constructor(folder: string, command: readonly string[] = []) {
    // a session of its own: the terminal's Ctrl-C must not reach it before its work is done
    this.#shell = spawn('sh', [script, folder, ...command], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#ended = once(this.#shell, 'exit');
    this.#pipe = this.#shell.stdin as Socket;
    // somebody killed the shell: nothing is left to tell it
    this.#pipe.on('error', () => undefined);
    this.#shell.unref();
    this.#pipe.unref();
  }

  /** Has this process (a negative number: this process group) ended too, unless {@link forget} comes first. */
  watch(pid: number): void {
    this.#pipe.write(`+ ${pid}\n`);
  }

  /** This process has ended: its number may belong to another one soon. */
  forget(pid: number): void {
    this.#pipe.write(`- ${pid}\n`);
  }

  /** Ends everything now; resolves when the folder is gone. */
  async end(): Promise<void> {
    this.#shell.ref();
    this.#pipe.end();
    await this.#ended;
  }
}
