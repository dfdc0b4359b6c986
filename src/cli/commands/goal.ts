/** mfs goal: how many copies are kept, as a number on every server. */
import { jsonOption, recursiveOption } from '../command.ts';
import type { Command } from '../command.ts';
import { eachPath, printChange, printGot } from '../each-path.ts';
import { UsageError } from '../status.ts';

const goalGet: Command = {
  name: 'goal get',
  summary: 'how many copies of files are kept',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [recursiveOption, jsonOption],
  async run(context) {
    const { signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const getter = {
        one: () => mfs.goal.get(path, { signal }),
        tree: () => mfs.goal.get(path, { recursive: true, signal }),
      };
      await printGot(context, path, 'goal', getter, String);
    });
  },
};

const goalSet: Command = {
  name: 'goal set',
  summary: 'set how many copies of files are kept',
  description: ['On servers of 4.x the storage class is given that asks for so many copies on any servers.'],
  arguments: [
    { name: 'COPIES', completes: 'nothing' },
    { name: 'PATH', many: true, completes: 'remote' },
  ],
  options: [recursiveOption, jsonOption],
  examples: [{ line: 'mfs goal set -r 3 /films', does: 'three copies of everything in /films' }],
  async run(context) {
    const [copies, ...paths] = context.arguments;
    if (!/^[1-9]$/.test(copies!)) throw new UsageError(`COPIES is a number from 1 to 9, not "${copies}"`, 'goal set');
    const wanted = Number(copies);
    await eachPath(context, paths, async (mfs, path) => {
      const options = { recursive: context.flag('recursive'), signal: context.signal };
      await printChange(context, path, await mfs.goal.set(path, wanted, options));
    });
  },
};

/** All of the group. */
export const goal: readonly Command[] = [goalGet, goalSet];
