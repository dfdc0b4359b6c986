/** What a command is: a declaration that parsing, help, completion and the manual page are made from, and the function that does it. */
import type { Readable } from 'node:stream';
import type { MooseFS } from '../index.ts';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';

/** An option: a flag, or with `value` one that takes a value. */
export interface OptionSpec {
  /** The long name, without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What the value is called in help texts, `NAME`; absent for a flag. */
  readonly value?: string;
  /** The values that are allowed. */
  readonly choices?: readonly string[];
  /** May be given more than once. */
  readonly many?: boolean;
  /** One line for help texts, without a full stop. */
  readonly help: string;
}

/** A positional argument. */
export interface ArgumentSpec {
  /** As in help texts: `LOCAL`. */
  readonly name: string;
  /** One or more. At most one argument of a command is so. */
  readonly many?: boolean;
  /** Need not be given. */
  readonly optional?: boolean;
  /** What shell completion offers: paths of this machine, paths of the file system, or nothing. */
  readonly completes: 'local' | 'remote' | 'nothing';
}

/** An example for help texts and the manual page. */
export interface CommandExample {
  readonly line: string;
  readonly does: string;
}

/** One command of `mfs`. A new one is a file of its own in commands/, and a line in commands.ts. */
export interface Command {
  /** One word, or two for a command of a group: `trash list`. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** Paragraphs for the command's help and manual page. */
  readonly description?: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples?: readonly CommandExample[];
  /** It goes on to its end and its exit status counts, also when nobody reads its output any more. */
  readonly outlivesOutput?: boolean;
  /** Does the work. Failures of single files are reported by {@link CommandContext.failed}; what it throws ends it. */
  run(context: CommandContext): Promise<void>;
}

/** What a command is given. */
export interface CommandContext {
  /** Positional arguments, by number. */
  readonly arguments: readonly string[];
  /** Whether a flag was given. */
  readonly flag: (name: string) => boolean;
  /** The value of an option; the last one where it was given twice. */
  readonly value: (name: string) => string | undefined;
  /** The value of an option that takes a whole number from `low` to `high`. */
  readonly number: (name: string, low: number, high: number) => number | undefined;
  /** The connected client: connects at the first call. */
  readonly connect: () => Promise<MooseFS>;
  /** The address of the master and how to reach it, for commands that need no session. */
  readonly connection: ConnectionOptions;
  readonly output: Output;
  /** Bars on standard error where that is a terminal; silent elsewhere. */
  readonly progress: Progress;
  readonly stdin: Readable;
  /** Aborted by an interrupt, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** One line on standard error; the exit status becomes 1. The command goes on. */
  readonly failed: (path: string | undefined, error: unknown) => void;
  /** One line on standard error that changes no exit status. */
  readonly warn: (path: string | undefined, text: string) => void;
  /** A path that users do not know is called `name` in warnings of the client. */
  readonly alias: (path: string, name: string) => void;
  /** A verification found a difference: the exit status becomes 3. */
  readonly differs: () => void;
}

/** What the options before or behind a command's name say about connecting. */
export interface ConnectionOptions {
  readonly master: string | undefined;
  readonly root: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly password: string | undefined;
  readonly addressMap: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
}

/** Options that every command has. */
export const globalOptions: readonly OptionSpec[] = [
  {
    name: 'master',
    value: 'HOST[:PORT]',
    help: 'the master, several with commas; default $MFS_MASTER, then mfsmaster:9421',
  },
  { name: 'root', value: 'FOLDER', help: 'the exported folder that paths are counted from; default /' },
  { name: 'uid', value: 'NUMBER', help: 'the user that it is done as; default the one who calls' },
  { name: 'gid', value: 'NUMBER', help: 'the group that it is done as; default that of the one who calls' },
  {
    name: 'map',
    value: 'HOST:PORT=HOST:PORT',
    many: true,
    help: 'dial the second address where the master names the first (NAT, tunnels); may be repeated',
  },
  { name: 'quiet', short: 'q', help: 'no progress bars' },
  { name: 'help', help: 'show this help' },
];

/** For commands that print: one JSON object a line. */
export const jsonOption: OptionSpec = { name: 'json', help: 'print one JSON object a line' };
/** For commands that take folders. */
export const recursiveOption: OptionSpec = { name: 'recursive', short: 'r', help: 'folders with all that is in them' };
/** For commands that move several files at the same time. */
export const jobsOption: OptionSpec = {
  name: 'jobs',
  short: 'j',
  value: 'NUMBER',
  help: 'files at the same time, 1 to 64; default 4',
};
/** What {@link jobsOption} is by default. */
export const DEFAULT_JOBS = 4;
