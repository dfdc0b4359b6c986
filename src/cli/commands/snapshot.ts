/** mfs snapshot and rmsnapshot: copies in a moment, which share their chunks with what they are made of. */
import type { MooseFS } from '../../index.ts';
import type { Command } from '../command.ts';
import { eachPath } from '../each-path.ts';
import { baseName, endsInSlash, joinPath } from '../paths.ts';
import { failure, UsageError } from '../status.ts';

export const snapshot: Command = {
  name: 'snapshot',
  summary: 'copy files and folders in a moment; both share their data until one is changed',
  description: [
    'A folder that exists as DESTINATION is copied into, as with cp; a SOURCE with a slash at its end stands for all that is in it.',
  ],
  arguments: [
    { name: 'SOURCE', many: true, completes: 'remote' },
    { name: 'DESTINATION', completes: 'remote' },
  ],
  options: [
    { name: 'overwrite', short: 'o', help: 'replace files and fill folders that are there' },
    { name: 'as-copy', short: 'c', help: 'owner, permissions and times as cp makes them' },
    { name: 'preserve-links', short: 'p', help: 'two names of one file stay so' },
  ],
  examples: [{ line: 'mfs snapshot /projects/elk /snapshots/monday', does: 'all of /projects/elk as it is now' }],
  async run(context) {
    const { flag, signal } = context;
    const sources = context.arguments.slice(0, -1);
    const destination = context.arguments.at(-1)!;
    const options = {
      overwrite: flag('overwrite'),
      asCopy: flag('as-copy'),
      preserveHardLinks: flag('preserve-links'),
      signal,
    };
    const mfs = await context.connect();
    const into = await isFolder(mfs, destination, signal);
    if (sources.length > 1 && !into) throw failure('ENOTDIR', `${destination} is no folder`);
    await eachPath(context, sources, async (_, source) => {
      if (!into) return mfs.snapshot(source, destination, options);
      const bytes = Buffer.from(source);
      const folder = Buffer.from(destination);
      if (!endsInSlash(bytes)) {
        const name = baseName(bytes);
        if (name.length === 0) throw new UsageError(`${source} has no name to be copied under`, 'snapshot');
        return mfs.snapshot(bytes, joinPath(folder, name), options);
      }
      for (const name of await mfs.readdir(bytes, { encoding: 'buffer', signal }))
        await mfs.snapshot(joinPath(bytes, name), joinPath(folder, name), options);
    });
  },
};

async function isFolder(mfs: MooseFS, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await mfs.stat(path, { signal })).isDirectory();
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return false;
    throw error;
  }
}

export const rmsnapshot: Command = {
  name: 'rmsnapshot',
  summary: 'remove snapshots with all that is in them',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  description: [
    'At once and past the trash. Where something in it was not made by a snapshot nothing is removed, unless -f is given.',
  ],
  options: [{ name: 'force', short: 'f', help: 'leave what is no snapshot, with the folders above it' }],
  async run(context) {
    const options = { force: context.flag('force'), signal: context.signal };
    await eachPath(context, context.arguments, async (mfs, path) => {
      if (!(await mfs.removeSnapshot(path, options))) context.warn(path, 'what is in it and no snapshot was left');
    });
  },
};
