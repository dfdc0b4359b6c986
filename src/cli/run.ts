/** Runs one command line from its words to its exit status. Knows no process: streams, environment and signals are given. */
import { setMaxListeners } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { MooseFS } from '../index.ts';
import type { Command, CommandContext, ConnectionOptions } from './command.ts';
import { connectionOf, readCommandLine, wholeNumber } from './command-line.ts';
import type { ParsedCommand } from './command-line.ts';
import { commands } from './commands.ts';
import { commandHelp, generalHelp } from './help.ts';
import { Output, OutputClosed } from './output.ts';
import { packageVersion } from './package-version.ts';
import { Progress } from './progress.ts';
import type { ProgressStream } from './progress.ts';
import { errorText, ExitStatus, isAbort, UsageError } from './status.ts';
import { safeText } from './text.ts';

/** What a command line runs in. */
export interface CommandProcess {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: ProgressStream;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the user interrupts. */
  readonly interrupt: AbortSignal;
}

/** Runs a command line; gives its exit status. Never rejects. */
export async function run(words: readonly string[], io: CommandProcess): Promise<number> {
  const running = new Running(io);
  try {
    const request = readCommandLine(words, commands);
    if (request.kind === 'version') await running.print([`mfs ${packageVersion()}`]);
    else if (request.kind === 'help')
      await running.print(request.command === undefined ? generalHelp(commands) : commandHelp(request.command));
    else await running.command(request.command, request.parsed);
  } catch (error) {
    running.ended(error);
  } finally {
    await running.close();
  }
  return running.status;
}

/** One run. */
class Running {
  readonly #io: CommandProcess;
  readonly #closedOutput = new AbortController();
  #name = '';
  #output: Output | undefined;
  #progress: Progress;
  #client: Promise<MooseFS> | undefined;
  readonly #aliases = new Map<string, string>();
  #status: number = ExitStatus.done;

  constructor(io: CommandProcess) {
    this.#io = io;
    this.#progress = new Progress(io.stderr, { enabled: false });
    // What cannot be said any more is not said.
    io.stderr.on('error', () => undefined);
  }

  get status(): number {
    return this.#io.interrupt.aborted ? ExitStatus.interrupted : this.#status;
  }

  async print(lines: readonly string[]): Promise<void> {
    await this.#outputFor(false, undefined).lines(lines);
  }

  #outputFor(json: boolean, command: Command | undefined): Output {
    this.#output ??= new Output(this.#io.stdout, {
      json,
      onClosed: () => {
        if (command?.outlivesOutput !== true) this.#closedOutput.abort();
      },
    });
    return this.#output;
  }

  async command(command: Command, parsed: ParsedCommand): Promise<void> {
    this.#name = command.name;
    const { values } = parsed;
    const connection = connectionOf(parsed, this.#io.env);
    this.#progress = new Progress(this.#io.stderr, { enabled: values['quiet'] !== true });
    const signal = AbortSignal.any([this.#io.interrupt, this.#closedOutput.signal]);
    // One signal ends everything that is on its way, however much that is.
    setMaxListeners(0, signal);
    const context: CommandContext = {
      arguments: parsed.arguments,
      flag: (name) => values[name] === true,
      value: (name) => values[name] as string | undefined,
      number: (name, low, high) => wholeNumber(name, values[name] as string | undefined, low, high),
      connect: () =>
        (this.#client ??= this.#connect(connection, signal).catch((error: unknown) => {
          // Whoever asks again, as `status --watch` does, gets another try.
          this.#client = undefined;
          throw error;
        })),
      connection,
      output: this.#outputFor(values['json'] === true, command),
      progress: this.#progress,
      stdin: this.#io.stdin,
      signal,
      failed: (path, error) => this.#failed(path, error),
      warn: (path, text) => this.#say(path, `warning: ${safeText(text)}`),
      alias: (path, name) => this.#aliases.set(path, name),
      differs: () => (this.#status = ExitStatus.differs),
    };
    await command.run(context);
  }

  async #connect({ addressMap, ...options }: ConnectionOptions, signal: AbortSignal): Promise<MooseFS> {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const client = await MooseFS.connect({
      ...given,
      signal,
      info: 'mfs',
      chunkserverAddress: (address) => addressMap.get(`${address.host}:${address.port}`) ?? address,
    });
    this.#warnOf(client);
    return client;
  }

  /** What the client tells unasked is never swallowed; each of it is said once. */
  #warnOf(client: MooseFS): void {
    const said = new Set<string>();
    const once = (found: string | undefined, text: string) => {
      const path = this.#aliases.get(found ?? '') ?? found;
      if (said.has(`${path}: ${text}`)) return;
      said.add(`${path}: ${text}`);
      this.#say(path, `warning: ${safeText(text)}`);
    };
    client.on('underReplicated', ({ path, chunk, listed, wanted, servers }) =>
      once(path, `chunk ${chunk} was written to ${listed} of ${wanted} wanted servers (${servers.join(', ')})`),
    );
    client.on('replicaFault', ({ path, chunk, server, error }) =>
      once(path, `chunk ${chunk} at ${server}: ${errorText(error)}`),
    );
    client.on('forgotten', ({ path, error }) => this.#failed(path, error));
  }

  #failed(path: string | undefined, error: unknown): void {
    // Ended on the user's own word, or because nobody reads: said once, or not at all, when the command has ended.
    if (error instanceof OutputClosed || (isAbort(error) && this.#wasStopped)) return;
    if (this.#status !== ExitStatus.differs) this.#status = ExitStatus.failed;
    this.#say(path, errorText(error));
  }

  get #wasStopped(): boolean {
    return this.#io.interrupt.aborted || this.#closedOutput.signal.aborted;
  }

  /** How the run as a whole ended, when it did not end well. */
  ended(error: unknown): void {
    if (error instanceof UsageError || (error as { code?: string }).code === 'ERR_INVALID_ARG_VALUE') {
      this.#status = ExitStatus.usage;
      if (error instanceof UsageError && error.command !== undefined) this.#name = error.command;
      this.#say(undefined, errorText(error));
    } else {
      const path = (error as { path?: unknown } | null)?.path;
      this.#failed(typeof path === 'string' ? path : undefined, error);
    }
  }

  #say(path: string | undefined, text: string): void {
    this.#progress.clear();
    const words = ['mfs', ...(this.#name === '' ? [] : [this.#name]), ...(path === undefined ? [] : [safeText(path)])];
    this.#io.stderr.write(`${words.join(': ')}: ${text}\n`);
  }

  async close(): Promise<void> {
    this.#progress.end();
    try {
      await (await this.#client?.catch(() => undefined))?.close();
    } catch (error) {
      this.#failed(undefined, error);
    }
    if (this.#io.interrupt.aborted) this.#say(undefined, 'interrupted');
  }
}
