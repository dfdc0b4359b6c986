/** From inodes back to paths: what a list of open files or missing chunks names only by number. */
import { paths } from '../protocol/messages/inode.ts';
import { callChannel, traced } from './diagnostics.ts';
import { checkInteger } from './arguments.ts';
import type { SignalOption } from './file-handle.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** Every path of an inode, one for each hard link; of a deleted file `./TRASH (path)` or `./SUSTAINED (path)`. */
export function pathsOf(volume: Volume, inode: number, { signal }: SignalOption): Promise<string[]> {
  return traced(
    callChannel,
    () => ({ method: 'pathsOf', path: String(inode) }),
    async () => {
      checkInteger(inode, 'inode', 1, 0xffff_ffff);
      const context = { site: { syscall: 'pathsOf', path: String(inode) }, deadline: requestDeadline(volume, signal) };
      const reply = await volume.session.call(paths, { inode }, context);
      return reply.paths.map(({ path }) => {
        const text = Buffer.from(path).toString();
        return text.startsWith('./') || text.startsWith('/') ? text : `/${text}`;
      });
    },
  );
}
