/** mfs cp: copies inside the file system, through this machine. */
import { jobsOption, recursiveOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import type { MooseFS } from '../../index.ts';
import { copyTrees } from '../copy-trees.ts';
import { isWithin } from '../paths.ts';
import { replaceRemoteFile } from '../replace-file.ts';
import { failure } from '../status.ts';
import { counter } from '../transfer.ts';
import { RemoteTree } from '../trees.ts';
import { pipeline } from 'node:stream/promises';

export const cp: Command = {
  name: 'cp',
  summary: 'copy files inside the file system',
  description: [
    'The bytes go through this machine. Where DST is a folder SRC goes into it; a file gets its name when it is complete.',
  ],
  arguments: [
    { name: 'SRC', many: true, completes: 'remote' },
    { name: 'DST', completes: 'remote' },
  ],
  options: [recursiveOption, jobsOption],
  async run(context) {
    context.number('jobs', 1, 64);
    const mfs = await context.connect();
    const tree = new RemoteTree(mfs, context.signal);
    await copyTrees(context, {
      from: tree,
      to: tree,
      sources: context.arguments.slice(0, -1).map((source) => Buffer.from(source)),
      destination: Buffer.from(context.arguments.at(-1)!),
      recursive: context.flag('recursive'),
      shown: ({ from }) => from.toString(),
      check: (source, target) => {
        if (isWithin(target, source))
          throw failure('EINVAL', `cannot be copied onto or into itself (${target.toString()})`);
      },
      transfer: ({ from, to, entry }) => copyFile(context, mfs, tree, { from, to, ...entry }),
    });
  },
};

async function copyFile(
  { signal, progress, alias }: CommandContext,
  mfs: MooseFS,
  tree: RemoteTree,
  { from, to, inode, mode }: { from: Buffer; to: Buffer; inode: number; mode: number },
): Promise<void> {
  // By another name, or by a symlink.
  if ((await tree.look(to, { follow: true }))?.inode === inode)
    throw failure('EINVAL', `is the same file as ${to.toString()}`);
  const onTemporary = (temporary: string) => alias(temporary, to.toString());
  await replaceRemoteFile(mfs, to, { mode: mode & 0o777, signal, onTemporary }, async (handle) => {
    const [source, sink] = [mfs.createReadStream(from, { signal }), handle.createWriteStream({ signal })];
    await pipeline(source, counter(progress), sink, { signal });
  });
}
