/** Commands that do the same with each of their paths: one that fails is reported, and the others are done. */
import type { MooseFS, SetCounts, TreeCounts } from '../index.ts';
import type { CommandContext } from './command.ts';
import { failure, isAbort } from './status.ts';
import { countText, safeText } from './text.ts';

/** Does it for each path. */
export async function eachPath(
  context: CommandContext,
  paths: readonly string[],
  work: (mfs: MooseFS, path: string) => Promise<void>,
): Promise<void> {
  const mfs = await context.connect();
  for (const path of paths) {
    if (context.signal.aborted) return;
    try {
      await work(mfs, path);
    } catch (error) {
      if (isAbort(error)) throw error;
      context.failed(path, error);
    }
  }
}

/** Prints what a change came to; nodes that the caller may not change are a failure. */
export async function printChange(
  { output, failed }: CommandContext,
  path: string,
  { changed, notChanged, notPermitted }: SetCounts,
): Promise<void> {
  if (output.isJson) await output.json({ path, changed, notChanged, notPermitted });
  else await output.line(`${safeText(path)}: ${changed} changed, ${notChanged} had it already`);
  if (notPermitted > 0) failed(path, failure('EPERM', `${notPermitted} not permitted`));
}

/** How a property of files is got: of one path, and of a folder with everything in it. */
export interface Getter<T> {
  one(): Promise<T>;
  tree(): Promise<TreeCounts<T>>;
}

/** Prints the value of a path or, with `--recursive`, the values of a tree, counted. */
export async function printGot<T>(
  context: CommandContext,
  path: string,
  name: string,
  get: Getter<T>,
  textOf: (value: T) => string,
): Promise<void> {
  if (context.flag('recursive')) {
    await printCounts(context, path, name, await get.tree(), textOf);
  } else {
    const value = await get.one();
    await printValue(context, path, name, value, textOf(value));
  }
}

/** Prints the value of a path. */
export async function printValue(
  { output }: CommandContext,
  path: string,
  name: string,
  value: unknown,
  text: string,
): Promise<void> {
  if (output.isJson) await output.json({ path, [name]: value });
  else await output.line(`${safeText(path)}: ${text}`);
}

async function printCounts<T>(
  { output }: CommandContext,
  path: string,
  name: string,
  counts: TreeCounts<T>,
  textOf: (value: T) => string,
): Promise<void> {
  if (output.isJson) {
    const named = (list: TreeCounts<T>['files']) => list.map(({ value, count }) => ({ [name]: value, count }));
    await output.json({ path, files: named(counts.files), directories: named(counts.directories) });
    return;
  }
  const lines = (list: TreeCounts<T>['files'], one: string, many: string) =>
    list.map(({ value, count }) => `  ${textOf(value)}: ${countText(count, one, many)}`);
  await output.lines([
    `${safeText(path)}:`,
    ...lines(counts.files, 'file', 'files'),
    ...lines(counts.directories, 'folder', 'folders'),
  ]);
}
