/** mfs mv: moves or renames. */
import type { Command } from '../command.ts';
import { baseName, joinPath } from '../paths.ts';
import { failure } from '../status.ts';
import { RemoteTree } from '../trees.ts';

export const mv: Command = {
  name: 'mv',
  summary: 'move or rename files and folders',
  description: ['Where DST is a folder SRC goes into it. A file that is there already is replaced.'],
  arguments: [
    { name: 'SRC', many: true, completes: 'remote' },
    { name: 'DST', completes: 'remote' },
  ],
  options: [],
  async run(context) {
    const mfs = await context.connect();
    const { signal } = context;
    const sources = context.arguments.slice(0, -1);
    const destination = context.arguments.at(-1)!;
    const there = await new RemoteTree(mfs, signal).look(Buffer.from(destination), { follow: true });
    if (sources.length > 1 && there?.kind !== 'folder')
      throw Object.assign(failure('ENOTDIR', 'more than one source, and this is no folder'), { path: destination });
    for (const source of sources) {
      const name = baseName(Buffer.from(source));
      const target =
        there?.kind === 'folder' && name.length > 0 ? joinPath(Buffer.from(destination), name) : destination;
      try {
        await mfs.rename(source, target, { signal });
      } catch (error) {
        context.failed(source, error);
      }
    }
  },
};
