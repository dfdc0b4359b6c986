/** From the words of a command line to a command with its arguments and options, by what the commands declare. */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import type { Command, ConnectionOptions, OptionSpec } from './command.ts';
import { globalOptions } from './command.ts';
import { UsageError } from './status.ts';

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly command: Command; readonly parsed: ParsedCommand };

/** Arguments and options of a command. */
export interface ParsedCommand {
  readonly arguments: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
}

/** All options of a command, the general ones behind its own. `-h` is help where the command means nothing else by it. */
export function optionsOf(command: Command): OptionSpec[] {
  const taken = new Set(command.options.map(({ short }) => short));
  return [
    ...command.options,
    ...globalOptions.map((option) => (option.name === 'help' && !taken.has('h') ? { ...option, short: 'h' } : option)),
  ];
}

/** Reads a command line. Throws {@link UsageError} where it makes no sense. */
export function readCommandLine(words: readonly string[], commands: readonly Command[]): Request {
  const { before, name, rest } = splitAtCommand(words);
  if (name === undefined) {
    if (before.includes('--version')) return { kind: 'version' };
    if (before.includes('--help') || before.includes('-h')) return { kind: 'help', command: undefined };
    throw new UsageError('which command? Try mfs --help');
  }
  if (name === 'help') {
    return {
      kind: 'help',
      command: rest.length === 0 ? undefined : findCommand(rest[0]!, rest.slice(1), commands).command,
    };
  }
  const { command, rest: own } = findCommand(name, rest, commands);
  const parsed = parse(command, [...before, ...own]);
  if (parsed.values['help'] === true) return { kind: 'help', command };
  checkArguments(command, parsed.arguments);
  return { kind: 'run', command, parsed };
}

/** The general options before the command's name, the name, and the rest. */
function splitAtCommand(words: readonly string[]): { before: string[]; name: string | undefined; rest: string[] } {
  const takesValue = new Set(globalOptions.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`));
  let at = 0;
  while (at < words.length && words[at]!.startsWith('-')) at += takesValue.has(words[at]!) ? 2 : 1;
  return { before: words.slice(0, at), name: words[at], rest: words.slice(at + 1) };
}

function findCommand(
  name: string,
  rest: readonly string[],
  commands: readonly Command[],
): { command: Command; rest: readonly string[] } {
  const ofTwo = commands.find((each) => each.name === `${name} ${rest[0] ?? ''}`);
  if (ofTwo !== undefined) return { command: ofTwo, rest: rest.slice(1) };
  const ofOne = commands.find((each) => each.name === name);
  if (ofOne !== undefined) return { command: ofOne, rest };
  const group = commands.filter((each) => each.name.startsWith(`${name} `)).map((each) => each.name);
  if (group.length > 0) throw new UsageError(`${name} is one of: ${group.join(', ')}`);
  throw new UsageError(`there is no command "${name}". Try mfs --help`);
}

function parse(command: Command, words: readonly string[]): ParsedCommand {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const { name, short, value, many = false } of optionsOf(command)) {
    options[name] = {
      type: value === undefined ? 'boolean' : 'string',
      multiple: many,
      ...(short !== undefined && { short }),
    };
  }
  try {
    const args = withNegativeValues(words, options);
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    for (const { name, choices } of command.options) {
      const value = values[name];
      if (choices !== undefined && typeof value === 'string' && !choices.includes(value))
        throw new UsageError(`--${name} is one of ${choices.join(', ')}, not "${value}"`, command.name);
    }
    return { arguments: positionals, values };
  } catch (error) {
    // node's messages say which option; what follows their first sentence is advice about node's own API.
    if (!(error instanceof TypeError)) throw error;
    const sentence = error.message.replace(/(?:\. |\n)[^]*$/, '');
    throw new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1), command.name);
  }
}

/** `--size -10M` is a value, as for find(1): parseArgs takes it in one word only. */
function withNegativeValues(words: readonly string[], options: NonNullable<ParseArgsConfig['options']>): string[] {
  const args: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--') return [...args, ...words.slice(i)];
    const next = words[i + 1];
    const takesValue = word.startsWith('--') && options[word.slice(2)]?.type === 'string';
    if (takesValue && next !== undefined && /^-\d/.test(next)) {
      args.push(`${word}=${next}`);
      i++;
    } else args.push(word);
  }
  return args;
}

function checkArguments(command: Command, given: readonly string[]): void {
  const least = command.arguments.filter(({ optional }) => optional !== true).length;
  const most = command.arguments.some(({ many }) => many) ? Infinity : command.arguments.length;
  if (given.length < least) {
    const missing = command.arguments.filter(({ optional }) => optional !== true).slice(given.length);
    throw new UsageError(
      `${missing.map(({ name }) => name).join(' and ')} missing; usage: ${synopsisOf(command)}`,
      command.name,
    );
  }
  if (given.length > most) throw new UsageError(`too many arguments; usage: ${synopsisOf(command)}`, command.name);
}

/** `mfs put [OPTION]... LOCAL... REMOTE` */
export function synopsisOf({ name, arguments: specs, options }: Command): string {
  const words = specs.map((each) => {
    const text = each.many === true ? `${each.name}...` : each.name;
    return each.optional === true ? `[${text}]` : text;
  });
  return ['mfs', name, ...(options.length > 0 ? ['[OPTION]...'] : []), ...words].join(' ');
}

/** What the options and the environment say about connecting. */
export function connectionOf({ values }: ParsedCommand, env: NodeJS.ProcessEnv): ConnectionOptions {
  const text = (name: string) => values[name] as string | undefined;
  const number = (name: string) => wholeNumber(name, text(name), 0, 0xffff_ffff);
  const pairs = ((values['map'] ?? []) as string[]).map((pair): [string, { host: string; port: number }] => {
    const match = /^(.+:\d+)=(.+):(\d+)$/.exec(pair);
    if (match === null) throw new UsageError(`--map takes HOST:PORT=HOST:PORT, not "${pair}"`);
    return [match[1]!, { host: match[2]!, port: Number(match[3]) }];
  });
  return {
    master: text('master') ?? env['MFS_MASTER'],
    root: text('root'),
    uid: number('uid'),
    gid: number('gid'),
    password: env['MFS_PASSWORD'],
    addressMap: new Map(pairs),
  };
}

/** An option's value as a number; undefined where it was not given. */
export function wholeNumber(name: string, text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high))
    throw new UsageError(`--${name} takes a whole number from ${low} to ${high}, not "${text}"`);
  return value;
}
