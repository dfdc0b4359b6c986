/** mfs stat: what the file system knows of a file or folder. */
import { jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import type { MooseFS } from '../../index.ts';
import { fullTime, jsonStats, modeText, octalMode, typeOf } from '../modes.ts';
import { safeText } from '../text.ts';

export const stat: Command = {
  name: 'stat',
  summary: 'what is known of a file or folder',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [{ name: 'dereference', short: 'L', help: 'what a symlink leads to, instead of the symlink' }, jsonOption],
  async run(context) {
    const mfs = await context.connect();
    for (const path of context.arguments) {
      try {
        await show(context, mfs, path);
      } catch (error) {
        context.failed(path, error);
      }
    }
  },
};

async function show({ flag, output, signal }: CommandContext, mfs: MooseFS, path: string): Promise<void> {
  const stats = await (flag('dereference') ? mfs.stat(path, { signal }) : mfs.lstat(path, { signal }));
  const target = stats.isSymbolicLink() ? await mfs.readlink(path, { signal }) : undefined;
  const hasClass = stats.isFile() || stats.isDirectory();
  const storageClass = hasClass ? await mfs.storageClass.get(path, { signal }) : undefined;
  if (output.isJson) {
    await output.json({ path, ...jsonStats(stats), target, storageClass });
    return;
  }
  await output.lines([
    `  File: ${safeText(path)}${target === undefined ? '' : ` -> ${safeText(target)}`}`,
    `  Size: ${stats.size}  Type: ${typeOf(stats).words}`,
    ` Inode: ${stats.ino}  Links: ${stats.nlink}${storageClass === undefined ? '' : `  Storage class: ${safeText(storageClass)}`}`,
    `Access: (${octalMode(stats.mode)}/${modeText(stats)})  Uid: ${stats.uid}  Gid: ${stats.gid}`,
    `Access: ${fullTime(stats.atime)}`,
    `Modify: ${fullTime(stats.mtime)}`,
    `Change: ${fullTime(stats.ctime)}`,
  ]);
}
