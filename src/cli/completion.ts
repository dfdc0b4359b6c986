/** What could stand at the end of a command line, by what the commands declare. */
import type { ArgumentSpec, Command, OptionSpec } from './command.ts';
import { globalOptions } from './command.ts';
import { optionsOf } from './command-line.ts';

/** What a shell is to offer. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Files of this machine. */
  | { readonly kind: 'local' }
  /** Paths of the file system that begin so. */
  | { readonly kind: 'remote'; readonly prefix: string };

const takesValue = ({ value }: OptionSpec): boolean => value !== undefined;
const byOption = (options: readonly OptionSpec[], word: string): OptionSpec | undefined =>
  options.find(({ name, short }) => word === `--${name}` || (short !== undefined && word === `-${short}`));
const words = (list: readonly string[], prefix: string): Completion => ({
  kind: 'words',
  words: [...new Set(list)].filter((word) => word.startsWith(prefix)).sort(),
});

/** `line`: the words behind `mfs`, the last of which, perhaps empty, is to be completed. */
export function complete(line: readonly string[], commands: readonly Command[]): Completion {
  const last = line.at(-1) ?? '';
  const before = line.slice(0, -1);
  let at = 0;
  while (at < before.length && before[at]!.startsWith('-')) {
    const option = byOption(globalOptions, before[at]!);
    at += option !== undefined && takesValue(option) ? 2 : 1;
  }
  // The value of a general option.
  if (at > before.length) return words([], last);
  const named = before.slice(at);
  const command =
    commands.find(({ name }) => name === named.slice(0, 2).join(' ') && name.includes(' ')) ??
    commands.find(({ name }) => name === named[0]);
  if (command === undefined || named[0] === 'help') return commandNames(named, last, commands);
  return ofCommand(command, named.slice(command.name.split(' ').length), last);
}

function commandNames(named: readonly string[], last: string, commands: readonly Command[]): Completion {
  const path = named[0] === 'help' ? named.slice(1) : named;
  if (path.length === 0) {
    if (last.startsWith('-')) return words([...globalOptions.map(({ name }) => `--${name}`), '--version'], last);
    return words([...commands.map(({ name }) => name.split(' ')[0]!), ...(named.length === 0 ? ['help'] : [])], last);
  }
  const group = commands.filter(({ name }) => name.startsWith(`${path[0]} `)).map(({ name }) => name.split(' ')[1]!);
  return words(path.length === 1 ? group : [], last);
}

function ofCommand(command: Command, given: readonly string[], last: string): Completion {
  const options = optionsOf(command);
  const endsOptions = given.indexOf('--');
  let positional = 0;
  for (let i = 0; i < given.length; i++) {
    const word = given[i]!;
    const option = endsOptions >= 0 && i > endsOptions ? undefined : byOption(options, word);
    if (option !== undefined && takesValue(option)) {
      if (i === given.length - 1) return words(option.choices ?? [], last);
      i++;
    } else if (word === '-' || !word.startsWith('-') || (endsOptions >= 0 && i > endsOptions)) positional++;
  }
  if (last.startsWith('-') && last !== '-' && endsOptions < 0) {
    const [name, value] = last.split('=', 2);
    const option = byOption(options, name!);
    if (value !== undefined)
      return words(
        (option?.choices ?? []).map((choice) => `${name}=${choice}`),
        last,
      );
    return words(
      options.map((each) => `--${each.name}`),
      last,
    );
  }
  const argument = argumentAt(command.arguments, positional);
  if (argument === undefined || argument.completes === 'nothing') return words([], last);
  return argument.completes === 'local' ? { kind: 'local' } : { kind: 'remote', prefix: last };
}

/** Which argument the word with this number is: the one that may be repeated takes what is over. */
function argumentAt(specs: readonly ArgumentSpec[], positional: number): ArgumentSpec | undefined {
  const many = specs.findIndex((each) => each.many === true);
  if (many < 0 || positional <= many) return specs[positional];
  // What stands behind it may be meant already; a remote path is what helps then.
  const rest = specs.slice(many);
  return rest.find(({ completes }) => completes === 'remote') ?? rest[0];
}

/** The script that makes bash ask `mfs completion words`. */
export const bashScript: readonly string[] = [
  '# Completion of mfs for bash: source this, or put it into /etc/bash_completion.d/mfs.',
  '_mfs() {',
  '    local line kind=',
  '    COMPREPLY=()',
  '    while IFS= read -r line; do',
  '        if [ -z "$kind" ]; then kind=$line; else COMPREPLY+=("$line"); fi',
  '    done < <("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)',
  '    case $kind in',
  '    local) compopt -o default ;;',
  '    remote) compopt -o filenames -o nospace ;;',
  '    esac',
  '}',
  'complete -F _mfs mfs',
];

/** The script that makes zsh ask `mfs completion words`. */
export const zshScript: readonly string[] = [
  '#compdef mfs',
  '# Completion of mfs for zsh: put this as _mfs into a folder of $fpath, or source it behind compinit.',
  '_mfs() {',
  '    local -a found',
  '    found=("${(@f)$("${words[1]}" completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")',
  '    local kind=$found[1]',
  '    shift found',
  '    case $kind in',
  '    local) _files ;;',
  '    remote) compadd -f -S "" -- "${found[@]}" ;;',
  '    *) compadd -- "${found[@]}" ;;',
  '    esac',
  '}',
  'if [ "$funcstack[1]" = _mfs ]; then _mfs "$@"; else compdef _mfs mfs; fi',
];
