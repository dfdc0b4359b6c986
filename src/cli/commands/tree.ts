/** mfs tree: folders and what is in them, drawn. */
import type { MooseFS } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { eachPath } from '../each-path.ts';
import { jsonPath } from '../paths.ts';
import { isAbort } from '../status.ts';
import { countText, safeText, shortSizeText } from '../text.ts';
import { entriesOf, walk } from '../walk.ts';
import type { WalkEntry } from '../walk.ts';

export const tree: Command = {
  name: 'tree',
  summary: 'folders and all that is in them, drawn as a tree',
  arguments: [{ name: 'PATH', many: true, optional: true, completes: 'remote' }],
  options: [
    { name: 'level', short: 'L', value: 'NUMBER', help: 'so many levels' },
    { name: 'directories', short: 'd', help: 'only folders' },
    { name: 'sizes', short: 's', help: 'with the length of files, and of all that is in folders' },
    jsonOption,
  ],
  async run(context) {
    const paths = context.arguments.length === 0 ? ['/'] : context.arguments;
    const level = context.number('level', 1, 100_000) ?? Infinity;
    const counts = { folders: 0, files: 0 };
    await eachPath(context, paths, async (mfs, path) => {
      if (context.output.isJson) {
        for await (const { path: found, kind, depth } of walk(context, mfs, path, level))
          if (!context.flag('directories') || kind === 'folder')
            await context.output.json({ ...jsonPath(found), kind, depth });
        return;
      }
      // What is no folder, or not there, is an error and not a tree.
      const start: WalkEntry = { path: Buffer.from(path), name: Buffer.from(path), depth: 0, kind: 'folder' };
      const entries = await entriesOf(context, mfs, start.path, 1);
      await context.output.line(await label(context, mfs, start));
      await draw(context, mfs, entries, '', level, counts);
    });
    if (context.output.isJson) return;
    const files = context.flag('directories') ? '' : `, ${countText(counts.files, 'file')}`;
    await context.output.lines(['', `${countText(counts.folders, 'folder')}${files}`]);
  },
};

async function draw(
  context: CommandContext,
  mfs: MooseFS,
  all: readonly WalkEntry[],
  indent: string,
  levels: number,
  counts: { folders: number; files: number },
): Promise<void> {
  const entries = context.flag('directories') ? all.filter(({ kind }) => kind === 'folder') : all;
  for (const [i, entry] of entries.entries()) {
    if (context.signal.aborted) return;
    const isLast = i === entries.length - 1;
    await context.output.line(`${indent}${isLast ? '└── ' : '├── '}${await label(context, mfs, entry)}`);
    if (entry.kind !== 'folder') {
      counts.files++;
      continue;
    }
    counts.folders++;
    if (levels <= 1) continue;
    try {
      const below = await entriesOf(context, mfs, entry.path, entry.depth + 1);
      await draw(context, mfs, below, `${indent}${isLast ? '    ' : '│   '}`, levels - 1, counts);
    } catch (error) {
      if (isAbort(error)) throw error;
      context.failed(entry.path.toString(), error);
    }
  }
}

async function label(context: CommandContext, mfs: MooseFS, entry: WalkEntry): Promise<string> {
  const { signal, flag } = context;
  const name = safeText(entry.name.toString());
  const target =
    entry.kind === 'link' ? ` -> ${safeText(await mfs.readlink(entry.path, { signal }).catch(() => '?'))}` : '';
  if (!flag('sizes') || entry.kind === 'link' || entry.kind === 'other') return `${name}${target}`;
  const size = await mfs
    .directoryInfo(entry.path, { signal })
    .then(({ length }) => shortSizeText(length))
    .catch((error: unknown) => {
      if (isAbort(error)) throw error;
      return '?';
    });
  return `[${size.padStart(5)}]  ${name}`;
}
