/** Walks through trees of the file system, a folder at a time, in the order of names. */
import type { Dirent, MooseFS } from '../index.ts';
import type { CommandContext } from './command.ts';
import { byName, joinPath } from './paths.ts';

/** Something in a tree. */
export interface WalkEntry {
  readonly path: Buffer;
  readonly name: Buffer;
  /** 0 for what the walk began with. */
  readonly depth: number;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

/** What an entry is, in one word. */
export const kindOf = (entry: Pick<Dirent<Buffer>, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): WalkEntry['kind'] =>
  entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other';

/** What is in a folder, sorted by name. */
export async function entriesOf(
  { signal }: CommandContext,
  mfs: MooseFS,
  folder: Buffer,
  depth: number,
): Promise<WalkEntry[]> {
  const found = await mfs.readdir(folder, { encoding: 'buffer', withFileTypes: true, signal });
  return found
    .sort(byName)
    .map((each) => ({ path: joinPath(folder, each.name), name: each.name, depth, kind: kindOf(each) }));
}

/**
 * A path and all that is below it, folders before what is in them. A folder that cannot be read is reported, and the walk goes on.
 * Symlinks are not followed.
 */
export async function* walk(
  context: CommandContext,
  mfs: MooseFS,
  path: string,
  maxDepth = Infinity,
): AsyncGenerator<WalkEntry, void, undefined> {
  const start = Buffer.from(path);
  const stats = await mfs.lstat(start, { signal: context.signal });
  const queue: WalkEntry[] = [{ path: start, name: start, depth: 0, kind: kindOf(stats) }];
  for (let entry = queue.shift(); entry !== undefined && !context.signal.aborted; entry = queue.shift()) {
    yield entry;
    if (entry.kind !== 'folder' || entry.depth >= maxDepth) continue;
    try {
      queue.unshift(...(await entriesOf(context, mfs, entry.path, entry.depth + 1)));
    } catch (error) {
      // Removed since its name was read.
      if ((error as { code?: string }).code !== 'ENOENT' || entry.depth === 0)
        context.failed(entry.path.toString(), error);
    }
  }
}
