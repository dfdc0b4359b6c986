/** mfs rm: removes files and folders. */
import type { Command, CommandContext } from '../command.ts';
import type { MooseFS } from '../../index.ts';
import { normalized } from '../paths.ts';
import { failure } from '../status.ts';

export const rm: Command = {
  name: 'rm',
  summary: 'remove files, with -r folders and all that is in them',
  description: ['What is removed lies in the trash of the file system for as long as the file or its folder says.'],
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [
    { name: 'recursive', short: 'r', help: 'folders with all that is in them' },
    { name: 'force', short: 'f', help: 'what does not exist is no failure' },
  ],
  async run(context) {
    const mfs = await context.connect();
    for (const path of context.arguments) {
      if (context.signal.aborted) return;
      try {
        await remove(context, mfs, path);
      } catch (error) {
        context.failed(path, error);
      }
    }
  },
};

async function remove({ flag, signal }: CommandContext, mfs: MooseFS, path: string): Promise<void> {
  const recursive = flag('recursive');
  const force = flag('force');
  // Everything, by an empty variable or a slip: not by this command.
  if (path !== '' && normalized(Buffer.from(path)) === '/')
    throw failure('EPERM', 'the whole file system is not removed');
  const there = await mfs.lstat(path, { signal }).catch((error: unknown) => {
    if (force && (error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined) return;
  if (there.isDirectory() && !recursive) throw failure('EISDIR', 'is a folder; -r removes it with all that is in it');
  await mfs.rm(path, { recursive, force, signal });
}
