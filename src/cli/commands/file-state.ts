/** mfs check, info, repair, concat and wait: how files are kept, and what can be done about it. */
import type { ChunkClass } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import { eachPath } from '../each-path.ts';
import { failure, UsageError } from '../status.ts';
import { countText, safeText, sizeText } from '../text.ts';
import { parseSeconds } from '../units.ts';

const paths: ArgumentSpec = { name: 'PATH', many: true, completes: 'remote' };
const chunkText = (count: number): string => countText(count, 'chunk');

function keptText({ copies, ec8Parts, ec4Parts }: ChunkClass): string {
  const parts = [
    ...(ec8Parts > 0 ? [`${ec8Parts} of 9 parts`] : []),
    ...(ec4Parts > 0 ? [`${ec4Parts} of 5 parts`] : []),
  ];
  if (parts.length === 0 || copies > 0) parts.unshift(countText(copies, 'copy', 'copies'));
  return parts.join(' and ');
}

export const check: Command = {
  name: 'check',
  summary: 'how many copies the chunks of files have',
  description: ['Exit status 1 where a chunk is lost.'],
  arguments: [paths],
  options: [jsonOption],
  async run(context) {
    const { output, signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const found = await mfs.checkFile(path, { signal });
      if (output.isJson) await output.json({ path, ...found });
      else {
        await output.lines([
          `${safeText(path)}:`,
          ...found.chunks.map((each) => `  ${chunkText(each.count)} with ${keptText(each)}`),
          ...(found.holes > 0 ? [`  ${countText(found.holes, 'hole')}`] : []),
        ]);
      }
      if (found.lost > 0) throw failure('EIO', `${chunkText(found.lost)} lost`);
    });
  },
};

export const info: Command = {
  name: 'info',
  summary: 'what is in folders: files, chunks, bytes, bytes on all disks',
  description: ['Kept by the master: known at once however much it is.'],
  arguments: [paths],
  options: [jsonOption],
  async run(context) {
    const { output, signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const found = await mfs.directoryInfo(path, { signal });
      if (output.isJson) {
        await output.json({ path, ...found });
        return;
      }
      const bytes = (value: number) => `${value} (${sizeText(value)})`;
      await output.lines([
        `${safeText(path)}:`,
        `  inodes: ${found.inodes}, of them ${countText(found.directories, 'folder')} and ${countText(found.files, 'file')}`,
        `  chunks: ${found.chunks}`,
        `  length: ${bytes(found.length)}`,
        `  size: ${bytes(found.size)}`,
        `  real size: ${bytes(found.realSize)}`,
      ]);
    });
  },
};

export const repair: Command = {
  name: 'repair',
  summary: 'GIVES UP DATA: make files readable whose chunks are lost',
  description: [
    'A chunk without a valid copy becomes an older version of itself where a server has one, and zeros otherwise. What servers ' +
      'have that are gone now is not asked for any more when they come back. "mfs check" shows whether chunks are lost.',
    'Servers before 4.27 can only erase: there it takes --erase. Later ones keep lost chunks in mind, unless it is given.',
  ],
  arguments: [paths],
  options: [
    { name: 'yes', help: 'yes, give up what is lost' },
    { name: 'erase', help: 'make holes of lost chunks' },
    jsonOption,
  ],
  async run(context) {
    const { output, flag, signal } = context;
    if (!flag('yes')) throw new UsageError('what cannot be read now is given up; say --yes if that is meant', 'repair');
    await eachPath(context, context.arguments, async (mfs, path) => {
      const { notChanged, erased, repaired } = await mfs.repair(path, { erase: flag('erase'), signal });
      if (output.isJson) await output.json({ path, notChanged, erased, repaired });
      else await output.line(`${safeText(path)}: ${repaired} repaired, ${erased} erased, ${notChanged} as they were`);
    });
  },
};

export const concat: Command = {
  name: 'concat',
  summary: 'append files to another one inside of the cluster',
  description: [
    'No data is moved: chunks are shared. Each SOURCE begins at a multiple of 64 MiB; what is before it is filled up with zeros.',
  ],
  arguments: [
    { name: 'DESTINATION', completes: 'remote' },
    { name: 'SOURCE', many: true, completes: 'remote' },
  ],
  options: [],
  async run({ arguments: [destination, ...sources], connect, signal }) {
    await (await connect()).concat(destination!, sources, { signal });
  },
};

export const wait: Command = {
  name: 'wait',
  summary: 'wait until files have all their copies',
  arguments: [paths],
  options: [
    { name: 'copies', value: 'NUMBER', help: 'how many; default what the storage class asks for' },
    { name: 'timeout', value: 'TIME', help: 'for each file: 90s, 10m; default 5m' },
    jsonOption,
  ],
  async run(context) {
    const { output, signal } = context;
    const copies = context.number('copies', 1, 100);
    const timeout = context.value('timeout');
    const timeoutMs = timeout === undefined ? undefined : 1000 * parseSeconds(timeout);
    await eachPath(context, context.arguments, async (mfs, path) => {
      const found = await mfs.waitForReplication(path, { copies, timeoutMs, signal });
      if (output.isJson) await output.json({ path, ...found });
    });
  },
};
