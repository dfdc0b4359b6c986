/** mfs trash: deleted files, and how long they are kept. */
import type { TrashEntry } from '../../index.ts';
import { jsonOption, recursiveOption } from '../command.ts';
import type { ArgumentSpec, Command, CommandContext } from '../command.ts';
import { eachPath, printChange, printGot } from '../each-path.ts';
import { fullTime } from '../modes.ts';
import { UsageError } from '../status.ts';
import { Table } from '../table.ts';
import { safeText, shortSizeText } from '../text.ts';
import { parseSeconds, secondsText } from '../units.ts';

const paths: ArgumentSpec = { name: 'PATH', many: true, completes: 'remote' };
const targets: ArgumentSpec = { name: 'PATH|PATTERN', many: true, completes: 'nothing' };
const patterns =
  'A PATTERN has * and ? for characters of one name, ** for any folders; without a slash it is compared with last names. ' +
  'Put it into quotes, or the shell takes it for files of this machine.';
const meta =
  'The export must allow the meta file system (a line with the path "."); it shows the deleted files of all users.';

const trashGet: Command = {
  name: 'trash get',
  summary: 'how long files stay in the trash when they are deleted',
  arguments: [paths],
  options: [recursiveOption, jsonOption],
  async run(context) {
    const { signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const getter = {
        one: () => mfs.trash.getRetention(path, { signal }),
        tree: () => mfs.trash.getRetention(path, { recursive: true, signal }),
      };
      await printGot(context, path, 'seconds', getter, secondsText);
    });
  },
};

const trashSet: Command = {
  name: 'trash set',
  summary: 'set how long files stay in the trash when they are deleted',
  description: [
    'TIME is a number with s, m, h, d or w; masters round up to whole hours. 0: deleted files are gone at once.',
  ],
  arguments: [{ name: 'TIME', completes: 'nothing' }, paths],
  options: [
    recursiveOption,
    { name: 'increase', help: 'only where it is shorter' },
    { name: 'decrease', help: 'only where it is longer' },
    jsonOption,
  ],
  examples: [{ line: 'mfs trash set -r 7d /films', does: 'a week for everything in /films' }],
  async run(context) {
    const [time, ...rest] = context.arguments;
    const seconds = parseSeconds(time!);
    const { flag, signal } = context;
    if (flag('increase') && flag('decrease')) throw new UsageError('--increase or --decrease', 'trash set');
    const mode = flag('increase') ? 'increase' : flag('decrease') ? 'decrease' : 'set';
    await eachPath(context, rest, async (mfs, path) => {
      const counts = await mfs.trash.setRetention(path, seconds, { recursive: flag('recursive'), mode, signal });
      await printChange(context, path, counts);
    });
  },
};

const trashList: Command = {
  name: 'trash list',
  summary: 'deleted files that can be restored',
  description: [patterns, meta],
  arguments: [{ name: 'PATTERN', optional: true, completes: 'nothing' }],
  options: [jsonOption],
  examples: [{ line: 'mfs trash list /films/**', does: 'what was deleted in /films' }],
  async run(context) {
    const { output, signal } = context;
    const mfs = await context.connect();
    const [pattern] = context.arguments;
    const found: TrashEntry[] = [];
    for await (const entry of mfs.trash.entries({ pattern, signal })) {
      if (output.isJson) await output.json(jsonEntry(entry));
      else found.push(entry);
    }
    if (output.isJson) return;
    found.sort((a, b) => +a.deletedAt - +b.deletedAt || (a.path < b.path ? -1 : 1));
    const rows = found.map((entry) => [
      fullTime(entry.deletedAt),
      shortSizeText(entry.stats.size),
      String(entry.stats.uid),
      safeText(entry.path),
    ]);
    const right = { title: '', align: 'right' } as const;
    const table = new Table([{ title: '' }, right, right, { title: '' }], rows);
    await output.lines(rows.map((row) => table.row(row)));
  },
};

const trashRestore: Command = {
  name: 'trash restore',
  summary: 'put deleted files back',
  description: [
    'By its path the last file that was deleted under it; by a pattern all files that match, unless something else is there now.',
    patterns,
    meta,
  ],
  arguments: [targets],
  options: [{ name: 'to', value: 'PATH', help: 'to another path; with a pattern: into this folder' }, jsonOption],
  examples: [
    { line: 'mfs trash restore /films/elk.mp4', does: 'back to where it was' },
    { line: 'mfs trash restore --to /found *.mp4', does: 'all of them, into /found' },
  ],
  async run(context) {
    const { signal } = context;
    const to = context.value('to');
    await eachPath(context, context.arguments, async (mfs, text) => {
      await print(context, 'restored', await mfs.trash.restore(targetOf(text), { to, signal }));
    });
  },
};

const trashPurge: Command = {
  name: 'trash purge',
  summary: 'delete files in the trash for good',
  description: ['Nothing brings them back: say --yes. "mfs trash list" shows what a pattern means.', patterns, meta],
  arguments: [targets],
  options: [{ name: 'yes', help: 'yes, for good' }, jsonOption],
  async run(context) {
    if (!context.flag('yes'))
      throw new UsageError('nothing brings purged files back; say --yes if that is meant', 'trash purge');
    await eachPath(context, context.arguments, async (mfs, text) => {
      await print(context, 'purged', await mfs.trash.purge(targetOf(text), { signal: context.signal }));
    });
  },
};

const targetOf = (text: string) => (/[*?[]/.test(text) ? { pattern: text } : text);

const jsonEntry = ({ inode, path, stats, deletedAt }: TrashEntry) => ({
  path,
  inode,
  size: stats.size,
  uid: stats.uid,
  gid: stats.gid,
  modified: stats.mtime,
  deleted: deletedAt,
});

async function print({ output }: CommandContext, what: string, entries: readonly TrashEntry[]): Promise<void> {
  for (const entry of entries) {
    if (output.isJson) await output.json({ ...jsonEntry(entry), [what]: true });
    else await output.line(`${what} ${safeText(entry.path)}`);
  }
}

/** All of the group. */
export const trash: readonly Command[] = [trashGet, trashSet, trashList, trashRestore, trashPurge];
