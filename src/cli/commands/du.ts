/** mfs du: how much folders take, as the master has counted it: no file is looked at. */
import { jsonOption } from '../command.ts';
import type { Command } from '../command.ts';
import { eachPath } from '../each-path.ts';
import { jsonPath } from '../paths.ts';
import { safeText, shortSizeText } from '../text.ts';
import { walk } from '../walk.ts';

export const du: Command = {
  name: 'du',
  summary: 'how much folders take, with all copies',
  description: [
    'The master keeps the sums: they are known at once however much is in a folder. Without -s each folder below is told too.',
  ],
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [
    { name: 'summarize', short: 's', help: 'only the folders that are named' },
    { name: 'max-depth', short: 'd', value: 'NUMBER', help: 'folders so far below' },
    { name: 'apparent-size', help: 'bytes of files instead of bytes on all disks' },
    { name: 'human-readable', short: 'h', help: 'sizes as 1.5G instead of KiB' },
    jsonOption,
  ],
  async run(context) {
    const { flag, number, output, signal } = context;
    const depth = flag('summarize') ? 0 : (number('max-depth', 0, 100_000) ?? Infinity);
    await eachPath(context, context.arguments, async (mfs, path) => {
      for await (const entry of walk(context, mfs, path, depth)) {
        if (entry.kind !== 'folder' && entry.depth > 0) continue;
        const found = await mfs.directoryInfo(entry.path, { signal });
        const bytes = flag('apparent-size') ? found.length : found.realSize;
        const size = flag('human-readable') ? shortSizeText(bytes) : String(Math.ceil(bytes / 1024));
        if (output.isJson) await output.json({ ...jsonPath(entry.path), ...found });
        else await output.line(`${size}\t${output.isTTY ? safeText(entry.path.toString()) : entry.path.toString()}`);
      }
    });
  },
};
