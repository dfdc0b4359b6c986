/** mfs eattr: what MooseFS itself does differently with a file or folder. */
import type { ExtraAttributeName } from '../../index.ts';
import { jsonOption, recursiveOption } from '../command.ts';
import type { Command } from '../command.ts';
import { eachPath, printChange, printGot } from '../each-path.ts';
import { UsageError } from '../status.ts';

const NAMES: readonly ExtraAttributeName[] = [
  'noowner',
  'noattrcache',
  'noentrycache',
  'nodatacache',
  'snapshot',
  'undeletable',
  'appendonly',
  'immutable',
];

const listText = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(','));

const eattrGet: Command = {
  name: 'eattr get',
  summary: 'the extra attributes of files and folders',
  arguments: [{ name: 'PATH', many: true, completes: 'remote' }],
  options: [recursiveOption, jsonOption],
  async run(context) {
    const { signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const getter = {
        one: () => mfs.eattr.get(path, { signal }),
        tree: () => mfs.eattr.get(path, { recursive: true, signal }),
      };
      await printGot(context, path, 'eattr', getter, listText);
    });
  },
};

const change = (verb: 'set' | 'add' | 'remove', summary: string): Command => ({
  name: `eattr ${verb}`,
  summary,
  description: [
    `NAMES with commas, of: ${NAMES.join(', ')}${verb === 'set' ? '; none for no attribute' : ''}. Of MooseFS itself; those of users ` +
      'are extended attributes.',
  ],
  arguments: [
    { name: 'NAMES', completes: 'nothing' },
    { name: 'PATH', many: true, completes: 'remote' },
  ],
  options: [recursiveOption, jsonOption],
  async run(context) {
    const [text, ...paths] = context.arguments;
    const names = text === 'none' ? [] : text!.split(',');
    const unknown = names.find((name) => !(NAMES as readonly string[]).includes(name));
    if (unknown !== undefined)
      throw new UsageError(`there is no extra attribute "${unknown}"; there are ${NAMES.join(', ')}`, `eattr ${verb}`);
    const options = { recursive: context.flag('recursive'), signal: context.signal };
    await eachPath(context, paths, async (mfs, path) =>
      printChange(context, path, await mfs.eattr[verb](path, names as ExtraAttributeName[], options)),
    );
  },
});

/** All of the group. */
export const eattr: readonly Command[] = [
  eattrGet,
  change('set', 'give files and folders these extra attributes and no others'),
  change('add', 'add extra attributes to files and folders'),
  change('remove', 'take extra attributes from files and folders'),
];
