/** mfs mkdir: makes folders. */
import type { Command } from '../command.ts';

export const mkdir: Command = {
  name: 'mkdir',
  summary: 'make folders',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [{ name: 'parents', short: 'p', help: 'also those above it; one that is there already is no failure' }],
  async run(context) {
    const mfs = await context.connect();
    for (const path of context.arguments) {
      try {
        await mfs.mkdir(path, { recursive: context.flag('parents'), signal: context.signal });
      } catch (error) {
        context.failed(path, error);
      }
    }
  },
};
