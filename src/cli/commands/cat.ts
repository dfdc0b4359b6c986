/** mfs cat: files to standard output. */
import type { Command } from '../command.ts';
import { printFiles } from './get.ts';

export const cat: Command = {
  name: 'cat',
  summary: 'print files',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [],
  examples: [{ line: 'mfs cat /logs/today | grep error', does: 'a file as a stream; ends when the reader ends' }],
  async run(context) {
    await printFiles(context, await context.connect(), context.arguments);
  },
};
