/**
 * One server process of this machine: started in the foreground, signalled, and asked for its log. Knows nothing of
 * clusters.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress, type Address } from './address.ts';
import { accepts } from './probe.ts';
import type { Watchdog } from './watchdog.ts';

/** What there is to know of a server program to run it. */
export interface DaemonCommand {
  /** For messages: `chunkserver 2`. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Where it accepts connections once it is up; without one it counts as up when it has been started. */
  readonly listens?: Address;
}

const startTimeoutMs = 30_000;
/** A master saves its metadata first, a chunkserver finishes its work: seconds on a busy machine. */
const terminateTimeoutMs = 60_000;
const shownLogLines = 20;

/** A server program under the tests' control. */
export class Daemon {
  readonly #command: DaemonCommand;
  readonly #watchdog: Watchdog;
  readonly #pausedChildren: number[] = [];
  #child: ChildProcess | undefined;

  constructor(command: DaemonCommand, watchdog: Watchdog) {
    this.#command = command;
    this.#watchdog = watchdog;
  }

  /** The process's id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it; resolves when it accepts connections. Throws when it runs already, ends at once or takes too long. */
  async start(): Promise<void> {
    const { name, program, args, logFile, listens } = this.#command;
    if (this.#child) throw new Error(`${name} runs already (process ${String(this.pid)})`);
    const log = openSync(logFile, 'a');
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    child.once('exit', () => this.#gone(child));
    await once(child, 'spawn').catch((error: unknown) => {
      this.#child = undefined;
      throw new Error(`${name}: ${program} cannot be started`, { cause: error });
    });
    // as a group: a master writes its metadata in a child process
    if (child.pid !== undefined) this.#watchdog.watch(-child.pid);
    child.unref();
    if (listens) await this.#listening(child, listens);
  }

  /** SIGKILL; resolves when the process is gone. Nothing happens when it does not run. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    for (const pid of this.#pausedChildren.splice(0)) process.kill(pid, 'SIGKILL');
  }

  /** SIGTERM; resolves when the process is gone. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** SIGSTOP: its connections stay, and nothing is answered. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  /** SIGSTOP to the processes that it has started; {@link kill} ends them with it. */
  async pauseChildren(): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) throw new Error(`${this.#command.name} does not run`);
    const pids = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).map(Number);
    if (pids.length === 0) throw new Error(`${this.#command.name} has no children`);
    for (const child of pids) process.kill(child, 'SIGSTOP');
    this.#pausedChildren.push(...pids);
  }

  /** SIGCONT. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** What it has written, over all its starts. */
  async log(): Promise<string> {
    return readFile(this.#command.logFile, 'utf8').catch(() => '');
  }

  #gone(child: ChildProcess): void {
    if (child.pid !== undefined) this.#watchdog.forget(-child.pid);
    if (this.#child === child) this.#child = undefined;
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#child) throw new Error(`${this.#command.name} does not run`);
    this.#child.kill(signal);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const exit = once(child, 'exit');
    child.ref();
    child.kill(signal);
    const late = Symbol('late');
    const timer = new AbortController();
    const first = await Promise.race([
      exit,
      sleep(terminateTimeoutMs, late, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    if (first === late) {
      throw new Error(`${this.#command.name} has not ended within ${terminateTimeoutMs / 1000} s of ${signal}`);
    }
  }

  async #listening(child: ChildProcess, address: Address): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      if (this.#child !== child) throw new Error(await this.#failure('ended right after its start'));
      if (await accepts(address, 1000)) return;
      await sleep(30);
    }
    throw new Error(await this.#failure(`accepts no connection at ${formatAddress(address)}`));
  }

  async #failure(what: string): Promise<string> {
    const lines = (await this.log()).trimEnd().split('\n').slice(-shownLogLines);
    return [`${this.#command.name} ${what}; the end of its log:`, ...lines].join('\n  ');
  }
}
