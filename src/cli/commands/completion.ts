/** mfs completion: scripts for shells, and the answers that these scripts ask for. */
import type { Command, CommandContext } from '../command.ts';
import { bashScript, complete, zshScript } from '../completion.ts';
import { entriesOf } from '../walk.ts';

const script = (shell: 'bash' | 'zsh', lines: readonly string[], does: string, line: string): Command => ({
  name: `completion ${shell}`,
  summary: `the script that completes command lines of mfs in ${shell}`,
  arguments: [],
  options: [],
  examples: [{ line, does }],
  async run({ output }) {
    await output.lines(lines);
  },
});

/** Nobody waits longer for the Tab key. */
const TIMEOUT_MS = 3000;

/** Made for scripts: the first line says what follows, `words`, `local` or `remote`. */
const words = (commands: () => readonly Command[]): Command => ({
  name: 'completion words',
  summary: 'what could stand at the end of a command line; for the scripts of shells',
  arguments: [{ name: 'WORD', many: true, optional: true, completes: 'nothing' }],
  options: [],
  async run(context) {
    const found = complete(context.arguments, commands());
    if (found.kind === 'words') await context.output.lines(['words', ...found.words]);
    else if (found.kind === 'local') await context.output.line('local');
    else await context.output.lines(['remote', ...(await remotePaths(context, found.prefix))]);
  },
});

/** Paths that begin with `prefix`, folders with a slash at their end. None where the master cannot be asked. */
async function remotePaths(context: CommandContext, prefix: string): Promise<string[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const mfs = await context.connect();
    const entries = await entriesOf({ ...context, signal }, mfs, Buffer.from(folder === '' ? '/' : folder), 1);
    return entries
      .map(({ name, kind }) => `${folder === '' ? '/' : folder}${name.toString()}${kind === 'folder' ? '/' : ''}`)
      .filter((path) => path.startsWith(prefix) && !path.includes('\n'));
  } catch {
    return [];
  }
}

/** All of the group. `commands` gives the table that they are part of. */
export const completion = (commands: () => readonly Command[]): readonly Command[] => [
  script(
    'bash',
    bashScript,
    'where bash looks for it',
    'mfs completion bash > ~/.local/share/bash-completion/completions/mfs',
  ),
  script('zsh', zshScript, 'in a folder of $fpath', 'mfs completion zsh > ~/.zsh/_mfs'),
  words(commands),
];
