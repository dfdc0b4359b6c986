/** mfs df: how much room there is. */
import { jsonOption } from '../command.ts';
import type { Command } from '../command.ts';
import { Table } from '../table.ts';
import { shortSizeText } from '../text.ts';

export const df: Command = {
  name: 'df',
  summary: 'how much room there is',
  description: ['Sizes are of raw space: a file with three copies takes three times its size of it.'],
  arguments: [],
  options: [{ name: 'human-readable', short: 'h', help: 'sizes as 1.5G instead of KiB' }, jsonOption],
  async run({ connect, output, flag, signal }) {
    const mfs = await connect();
    const { bsize, blocks, bfree, bavail } = await mfs.statfs('/', { signal });
    const sizes = { total: blocks * bsize, used: (blocks - bfree) * bsize, available: bavail * bsize };
    const filesystem = `mfs://${mfs.session.master}`;
    if (output.isJson) {
      await output.json({ filesystem, serverVersion: mfs.serverVersion, ...sizes });
      return;
    }
    const text = (bytes: number) => (flag('human-readable') ? shortSizeText(bytes) : String(Math.floor(bytes / 1024)));
    const part = sizes.used + sizes.available;
    const percent = part === 0 ? '-' : `${Math.ceil((100 * sizes.used) / part)}%`;
    const row = [filesystem, text(sizes.total), text(sizes.used), text(sizes.available), percent];
    const table = new Table(
      [
        { title: 'Filesystem' },
        { title: flag('human-readable') ? 'Size' : '1K-blocks', align: 'right' },
        { title: 'Used', align: 'right' },
        { title: 'Available', align: 'right' },
        { title: 'Use%', align: 'right' },
      ],
      [row],
    );
    await output.lines([table.head, table.row(row)]);
  },
};
