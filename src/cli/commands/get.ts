/** mfs get: files of the file system to this machine, or to standard output. */
import { writeFile } from 'node:fs/promises';
import { jobsOption, jsonOption, recursiveOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import type { MooseFS } from '../../index.ts';
import { copyTrees } from '../copy-trees.ts';
import { replaceLocalFile } from '../replace-file.ts';
import { failure, UsageError } from '../status.ts';
import { counted } from '../transfer.ts';
import { LocalTree, RemoteTree } from '../trees.ts';

export const get: Command = {
  name: 'get',
  summary: 'copy files to this machine',
  description: [
    'LOCAL may be -, which is standard output. Where LOCAL is a folder the files go into it.',
    'A file is written under another name (.mfs-get-...) and gets its own when it is complete. What stood there before is untouched until then.',
  ],
  arguments: [
    { name: 'REMOTE', many: true, completes: 'remote' },
    { name: 'LOCAL', completes: 'local' },
  ],
  options: [recursiveOption, jobsOption, jsonOption],
  examples: [
    { line: 'mfs get /photos/photo.jpg .', does: 'into this folder, under the same name' },
    { line: 'mfs get -r /www site', does: 'a folder with all that is in it' },
    { line: 'mfs get /backup/data.tar - | tar x', does: 'to standard output' },
  ],
  async run(context) {
    const sources = context.arguments.slice(0, -1);
    const destination = context.arguments.at(-1)!;
    if (destination === '-' && (context.flag('recursive') || context.flag('json')))
      throw new UsageError('- is standard output: it takes bytes, no folders and no JSON');
    context.number('jobs', 1, 64);
    const mfs = await context.connect();
    if (destination === '-') await printFiles(context, mfs, sources);
    else {
      await copyTrees(context, {
        from: new RemoteTree(mfs, context.signal),
        to: new LocalTree(context.signal),
        sources: sources.map((source) => Buffer.from(source)),
        destination: Buffer.from(destination),
        recursive: context.flag('recursive'),
        shown: ({ from }) => from.toString(),
        transfer: ({ from, to, entry }) => getFile(context, mfs, { from, to, mode: entry.mode & 0o777 }),
      });
    }
  },
};

async function getFile(
  context: CommandContext,
  mfs: MooseFS,
  { from, to, mode }: { from: Buffer; to: Buffer; mode: number },
): Promise<void> {
  const { signal, progress, output } = context;
  let read = { transferred: 0, total: 0 as number | undefined };
  await replaceLocalFile(to, mode, async (handle) => {
    const stream = mfs.createReadStream(from, { signal, onProgress: (progressed) => (read = progressed) });
    await writeFile(handle, counted(stream, progress), { signal });
    const { transferred, total = 0 } = read;
    if (transferred < total)
      throw failure('EIO', `ended after ${transferred} of ${total} bytes: the file was cut meanwhile`);
  });
  if (output.isJson) await output.json({ path: from.toString(), local: to.toString(), bytes: read.transferred });
}

/** Prints files one after another. */
export async function printFiles(
  { output, progress, signal, failed }: CommandContext,
  mfs: MooseFS,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) {
    if (signal.aborted) return;
    try {
      const { size } = await mfs.stat(path, { signal });
      progress.begin(path, { total: size });
      await output.bytes(counted(mfs.createReadStream(path, { signal }), progress));
    } catch (error) {
      failed(path, error);
    } finally {
      progress.end();
    }
  }
}
