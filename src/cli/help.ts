/** Help texts, made from what the commands declare. */
import { globalOptions } from './command.ts';
import type { Command, OptionSpec } from './command.ts';
import { optionsOf, synopsisOf } from './command-line.ts';
import { pad } from './text.ts';

/** `-r, --recursive` or `    --master HOST[:PORT]`. */
export function optionText({ name, short, value }: OptionSpec): string {
  return `${short === undefined ? '   ' : `-${short},`} --${name}${value === undefined ? '' : ` ${value}`}`;
}

function optionLines(options: readonly OptionSpec[]): string[] {
  const width = Math.max(...options.map((option) => optionText(option).length));
  return options.map((option) => {
    const choices = option.choices === undefined ? '' : ` (${option.choices.join(', ')})`;
    return `  ${pad(optionText(option), width)}  ${option.help}${choices}`;
  });
}

/** What `mfs --help` prints. */
export function generalHelp(commands: readonly Command[]): string[] {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    'mfs - files in a MooseFS, without a mount',
    '',
    'Usage: mfs COMMAND [OPTION]... [ARGUMENT]...',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${pad(name, width)}  ${summary}`),
    '',
    'Options of every command:',
    ...optionLines([...globalOptions, { name: 'version', help: 'print the version of mfs' }]),
    '',
    'Environment: MFS_MASTER, the address of the master; MFS_PASSWORD, the password of the export.',
    'Exit status: 0 done, 1 failed, 2 wrong usage, 3 a verification found a difference, 130 interrupted.',
    '',
    'mfs COMMAND --help tells more about a command.',
  ];
}

/** What `mfs COMMAND --help` prints. */
export function commandHelp(command: Command): string[] {
  const { name, summary, description = [], examples = [], options } = command;
  const own = new Set(options.map((option) => option.name));
  const all = optionsOf(command);
  return [
    `mfs ${name} - ${summary}`,
    '',
    `Usage: ${synopsisOf(command)}`,
    ...description.flatMap((paragraph) => ['', ...wrap(paragraph, 80)]),
    ...(options.length === 0 ? [] : ['', 'Options:', ...optionLines(options)]),
    '',
    'Options of every command:',
    ...optionLines(all.filter((option) => !own.has(option.name))),
    ...(examples.length === 0 ? [] : ['', 'Examples:']),
    ...examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
  ];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
