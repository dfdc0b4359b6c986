/** mfs ls: lists folders. */
import PQueue from 'p-queue';
import type { MooseFS, Stats } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { jsonStats, listTime, modeText } from '../modes.ts';
import { byName, joinPath, jsonPath } from '../paths.ts';
import { inColumns, Table } from '../table.ts';
import { safeText, shortSizeText } from '../text.ts';

/** Questions about single names that are on their way at the same time. */
const PARALLEL_LOOKS = 32;

export const ls: Command = {
  name: 'ls',
  summary: 'list folders',
  description: [
    'Names that begin with a dot are listed too. On a terminal, characters that would act on it are shown as \\u{1b}.',
  ],
  arguments: [{ name: 'PATH', many: true, optional: true, completes: 'remote' }],
  options: [
    { name: 'long', short: 'l', help: 'mode, links, owner, group, size and time of each' },
    { name: 'recursive', short: 'R', help: 'also the folders in it' },
    { name: 'directory', short: 'd', help: 'folders themselves, not what is in them' },
    { name: 'human-readable', short: 'h', help: 'with -l: sizes as 1.5G' },
    jsonOption,
  ],
  examples: [{ line: 'mfs ls -l /photos', does: 'a line for each file' }],
  async run(context) {
    const mfs = await context.connect();
    const paths = context.arguments.length === 0 ? ['/'] : context.arguments;
    const single: Item[] = [];
    const folders: Buffer[] = [];
    for (const path of paths) {
      try {
        const stats = await statOf(context, mfs, path);
        if (stats.isDirectory() && !context.flag('directory')) folders.push(Buffer.from(path));
        else single.push(await item(context, mfs, Buffer.from(path), Buffer.from(path), stats));
      } catch (error) {
        context.failed(path, error);
      }
    }
    if (single.length > 0) await print(context, single);
    const titled = paths.length > 1 || context.flag('recursive');
    await listFolders(context, mfs, folders, { titled, begun: single.length > 0 });
  },
};

/** A symlink on the command line is followed, unless it leads nowhere or -l or -d ask about the link itself. */
async function statOf({ flag, signal }: CommandContext, mfs: MooseFS, path: string): Promise<Stats> {
  const own = await mfs.lstat(path, { signal });
  if (!own.isSymbolicLink() || flag('long') || flag('directory')) return own;
  return mfs.stat(path, { signal }).catch(() => own);
}

/** One thing to list. */
interface Item {
  readonly name: Buffer;
  readonly path: Buffer;
  readonly stats: Stats | undefined;
  readonly isFolder: boolean;
  readonly target: Buffer | undefined;
}

async function item({ signal }: CommandContext, mfs: MooseFS, path: Buffer, name: Buffer, stats: Stats): Promise<Item> {
  const target = stats.isSymbolicLink()
    ? await mfs.readlink(path, { encoding: 'buffer', signal }).catch(() => undefined)
    : undefined;
  return { name, path, stats, isFolder: stats.isDirectory(), target };
}

async function listFolders(
  context: CommandContext,
  mfs: MooseFS,
  folders: readonly Buffer[],
  { titled, begun }: { titled: boolean; begun: boolean },
): Promise<void> {
  const queue = [...folders];
  let isFirst = !begun;
  for (let folder = queue.shift(); folder !== undefined && !context.signal.aborted; folder = queue.shift()) {
    try {
      const items = await itemsOf(context, mfs, folder);
      if (!context.output.isJson) {
        if (titled) await context.output.lines([...(isFirst ? [] : ['']), `${shown(context, folder)}:`]);
        if (context.flag('long')) await context.output.line(`total ${totalOf(items)}`);
      }
      await print(context, items);
      isFirst = false;
      if (context.flag('recursive')) queue.unshift(...items.filter(({ isFolder }) => isFolder).map(({ path }) => path));
    } catch (error) {
      context.failed(folder.toString(), error);
    }
  }
}

/** KiB of all files, as ls has it. */
const totalOf = (items: readonly Item[]): number =>
  Math.ceil(items.reduce((sum, { stats }) => sum + (stats?.blocks ?? 0), 0) / 2);

async function itemsOf(context: CommandContext, mfs: MooseFS, folder: Buffer): Promise<Item[]> {
  const { signal } = context;
  const entries = await mfs.readdir(folder, { encoding: 'buffer', withFileTypes: true, signal });
  entries.sort(byName);
  if (!context.flag('long') && !context.output.isJson) {
    return entries.map((entry) => ({
      name: entry.name,
      path: joinPath(folder, entry.name),
      stats: undefined,
      isFolder: entry.isDirectory(),
      target: undefined,
    }));
  }
  const looks = new PQueue({ concurrency: PARALLEL_LOOKS });
  const found = await looks.addAll(
    entries.map(({ name }) => async () => {
      signal.throwIfAborted();
      const path = joinPath(folder, name);
      const stats = await mfs.lstat(path, { signal }).catch((error: unknown) => {
        // Gone since the folder was read.
        if ((error as { code?: string }).code === 'ENOENT') return undefined;
        throw error;
      });
      return stats === undefined ? [] : [await item(context, mfs, path, name, stats)];
    }),
  );
  return found.flat();
}

/** On a terminal names do nothing to it; elsewhere they are what they are. */
function shown({ output }: CommandContext, name: Buffer): string {
  return output.isTTY ? safeText(name.toString()) : name.toString();
}

async function print(context: CommandContext, items: readonly Item[]): Promise<void> {
  const { output } = context;
  if (output.isJson) {
    for (const { path, stats, target } of items)
      await output.json({ ...jsonPath(path), ...(stats && jsonStats(stats)), target: target?.toString() });
  } else if (context.flag('long')) {
    const rows = items.map((each) => row(context, each));
    const right = { title: '', align: 'right' } as const;
    const table = new Table([{ title: '' }, right, right, right, right, { title: '' }, { title: '' }], rows);
    // One space between columns, as ls has it.
    await output.lines(rows.map((cells) => table.row(cells, ' ')));
  } else {
    const names = items.map(({ name }) => shown(context, name));
    await output.lines(output.isTTY ? inColumns(names, output.width) : names);
  }
}

function row(context: CommandContext, { name, stats, target }: Item): string[] {
  const size = context.flag('human-readable') ? shortSizeText(stats!.size) : String(stats!.size);
  const link = target === undefined ? '' : ` -> ${shown(context, target)}`;
  return [
    modeText(stats!),
    String(stats!.nlink),
    String(stats!.uid),
    String(stats!.gid),
    size,
    listTime(stats!.mtime, new Date()),
    `${shown(context, name)}${link}`,
  ];
}
