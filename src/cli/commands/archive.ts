/** mfs archive: chunks that are kept as their storage class wants archived ones to be. */
import { jsonOption } from '../command.ts';
import type { Command } from '../command.ts';
import { eachPath, printChange } from '../each-path.ts';
import { safeText } from '../text.ts';

const archiveGet: Command = {
  name: 'archive get',
  summary: 'how many chunks and files are archived',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [jsonOption],
  async run(context) {
    const { output, signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const found = await mfs.archive.get(path, { signal });
      if (output.isJson) await output.json({ path, ...found });
      else {
        const { archivedChunks, otherChunks, archivedFiles, partialFiles, otherFiles } = found;
        await output.lines([
          `${safeText(path)}:`,
          `  chunks: ${archivedChunks} archived, ${otherChunks} not`,
          `  files: ${archivedFiles} archived, ${partialFiles} in part, ${otherFiles} not`,
        ]);
      }
    });
  },
};

const change = (verb: 'set' | 'clear', summary: string): Command => ({
  name: `archive ${verb}`,
  summary,
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [jsonOption],
  async run(context) {
    await eachPath(context, context.arguments, async (mfs, path) =>
      printChange(context, path, await mfs.archive[verb](path, { signal: context.signal })),
    );
  },
});

/** All of the group. */
export const archive: readonly Command[] = [
  archiveGet,
  change('set', 'archive files and folders now'),
  change('clear', 'bring chunks back from the archive'),
];
