/** The manual page, made from what the commands declare, in the macros of man(7). */
import { globalOptions } from './command.ts';
import type { Command, OptionSpec } from './command.ts';
import { synopsisOf } from './command-line.ts';

/** Text that roff takes as it is: a backslash, a hyphen that is one, and a dot or quote that begins no request. */
function plain(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

const bold = (text: string): string => `\\fB${plain(text).replace(/^\\&/, '')}\\fR`;

function optionLines({ name, short, value, help, choices }: OptionSpec): string[] {
  const long = `${bold(`--${name}`)}${value === undefined ? '' : ` \\fI${plain(value)}\\fR`}`;
  const all = short === undefined ? long : `${bold(`-${short}`)}, ${long}`;
  return ['.TP', all, plain(`${help}${choices === undefined ? '' : ` (${choices.join(', ')})`}`)];
}

function commandLines(command: Command): string[] {
  const { summary, description = [], options, examples = [] } = command;
  return [
    `.SS ${plain(synopsisOf(command))}`,
    plain(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`),
    ...description.flatMap((paragraph) => ['.PP', plain(paragraph)]),
    ...options.flatMap(optionLines),
    ...examples.flatMap(({ line, does }) => [
      '.PP',
      `${plain(does.charAt(0).toUpperCase() + does.slice(1))}:`,
      '.PP',
      '.RS 4',
      '.nf',
      plain(line),
      '.fi',
      '.RE',
    ]),
  ];
}

/** The page as lines of roff. */
export function manPage(commands: readonly Command[], version: string): string[] {
  return [
    `.TH MFS 1 "" "moosefs\\-client ${plain(version)}" "User Commands"`,
    '.SH NAME',
    plain('mfs') + ' \\- ' + plain('files in a MooseFS, without a mount'),
    '.SH SYNOPSIS',
    `${bold('mfs')} \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...`,
    '.SH DESCRIPTION',
    plain(
      'Works with the files of a MooseFS and shows and changes how they are kept, by the protocol of the cluster itself.',
    ),
    plain('Paths count from the root of the export, or from the folder of --root.'),
    '.SH OPTIONS OF EVERY COMMAND',
    ...globalOptions.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH ENVIRONMENT',
    '.TP',
    bold('MFS_MASTER'),
    plain('The address of the master: host:port, several with commas.'),
    '.TP',
    bold('MFS_PASSWORD'),
    plain('The password of the export.'),
    '.SH EXIT STATUS',
    plain('0 done, 1 failed, 2 wrong usage, 3 a verification found a difference, 130 interrupted.'),
  ];
}
