/** mfs sclass: which storage class files have, and what the classes ask for. */
import type { ClassState, StorageClassDefinition, StorageClassInput } from '../../index.ts';
import { jsonOption, recursiveOption } from '../command.ts';
import type { ArgumentSpec, Command, CommandContext, OptionSpec } from '../command.ts';
import { eachPath, printChange, printGot } from '../each-path.ts';
import { UsageError } from '../status.ts';
import { safeText, sizeText } from '../text.ts';
import { parseSize } from '../units.ts';

const paths: ArgumentSpec = { name: 'PATH', many: true, completes: 'remote' };
const name: ArgumentSpec = { name: 'CLASS', completes: 'nothing' };
const newName: ArgumentSpec = { name: 'NEW', completes: 'nothing' };
const onServers =
  'Servers of 3.x have goals, which are classes with the names 1 to 9; a fresh 4.x has 2CP, 3CP, EC4+1 and EC8+1.';
const expressions =
  'COPIES names the servers of each copy with commas: "*" any server, A one with the label A, A&B with both, A|B with one of them, ' +
  '!A without it; a number repeats, so that 2A,B means two copies on A and one on B.';

const sclassGet: Command = {
  name: 'sclass get',
  summary: 'the storage class of files and folders',
  description: [onServers],
  arguments: [paths],
  options: [recursiveOption, jsonOption],
  async run(context) {
    const { signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const getter = {
        one: () => mfs.storageClass.get(path, { signal }),
        tree: () => mfs.storageClass.get(path, { recursive: true, signal }),
      };
      await printGot(context, path, 'storageClass', getter, safeText);
    });
  },
};

const sclassSet: Command = {
  name: 'sclass set',
  summary: 'give files and folders another storage class',
  description: [onServers],
  arguments: [name, paths],
  options: [recursiveOption, jsonOption],
  examples: [{ line: 'mfs sclass set -r 3CP /films', does: 'three copies of everything in /films' }],
  async run(context) {
    const [wanted, ...rest] = context.arguments;
    await eachPath(context, rest, async (mfs, path) => {
      const options = { recursive: context.flag('recursive'), signal: context.signal };
      await printChange(context, path, await mfs.storageClass.set(path, wanted!, options));
    });
  },
};

const sclassList: Command = {
  name: 'sclass list',
  summary: 'the storage classes there are',
  arguments: [],
  options: [{ name: 'long', short: 'l', help: 'with what they ask for' }, jsonOption],
  async run(context) {
    const { output, signal } = context;
    const mfs = await context.connect();
    for (const each of await mfs.storageClass.list({ signal })) {
      if (context.flag('long')) await print(context, await mfs.storageClass.describe(each, { signal }));
      else if (output.isJson) await output.json({ name: each });
      else await output.line(safeText(each));
    }
  },
};

const sclassShow: Command = {
  name: 'sclass show',
  summary: 'what a storage class asks for',
  arguments: [{ ...name, many: true }],
  options: [jsonOption],
  async run(context) {
    await eachPath(context, context.arguments, async (mfs, each) =>
      print(context, await mfs.storageClass.describe(each, { signal: context.signal })),
    );
  },
};

const definitionOptions: readonly OptionSpec[] = [
  { name: 'keep', value: 'COPIES', help: 'where copies are kept' },
  { name: 'create', value: 'COPIES', help: 'where they are written first; default as --keep' },
  { name: 'archive', value: 'COPIES', help: 'where they are kept when archived, or EC4+1 or EC8+1 for parts' },
  { name: 'trash', value: 'COPIES', help: 'where they are kept in the trash, or EC4+1 or EC8+1; 4.x' },
  { name: 'archive-delay', value: 'HOURS', help: 'hours without use until files are archived; 0 never' },
  { name: 'archive-min-size', value: 'SIZE', help: 'shorter files are not archived; 4.34 and later' },
  { name: 'labels-mode', value: 'MODE', choices: ['loose', 'standard', 'strict'], help: 'where labels cannot be had' },
  { name: 'admin-only', value: 'WHETHER', choices: ['yes', 'no'], help: 'only administrators may give it to files' },
  { name: 'description', value: 'TEXT', help: 'what it is for; 4.57 and later' },
];

const sclassCreate: Command = {
  name: 'sclass create',
  summary: 'make a storage class',
  description: [expressions, 'For administrators: the export must say "admin".'],
  arguments: [name],
  options: definitionOptions,
  examples: [
    { line: 'mfs sclass create --keep 2A,B --archive EC4+1 --archive-delay 720 films', does: 'in parts after a month' },
  ],
  async run(context) {
    const definition = definitionOf(context);
    if (definition.keep === undefined) throw new UsageError('--keep is missing', 'sclass create');
    const mfs = await context.connect();
    await mfs.storageClass.create(context.arguments[0]!, definition, { signal: context.signal });
  },
};

const sclassChange: Command = {
  name: 'sclass change',
  summary: 'change what a storage class asks for',
  description: [
    expressions,
    'What is not given stays as it is. Copies are made, moved and removed to match, by and by. For administrators.',
  ],
  arguments: [name],
  options: [
    ...definitionOptions,
    { name: 'force', help: 'also where it is one of the goals 1 to 9 of 3.x' },
    jsonOption,
  ],
  async run(context) {
    const definition = definitionOf(context);
    if (Object.keys(definition).length === 0) throw new UsageError('nothing is to be changed', 'sclass change');
    const mfs = await context.connect();
    const options = { force: context.flag('force'), signal: context.signal };
    await print(context, await mfs.storageClass.change(context.arguments[0]!, definition, options));
  },
};

const sclassDuplicate: Command = {
  name: 'sclass duplicate',
  summary: 'make a storage class that asks for what another one does',
  arguments: [name, newName],
  options: [],
  async run({ arguments: [from, to], connect, signal }) {
    await (await connect()).storageClass.duplicate(from!, to!, { signal });
  },
};

const sclassRename: Command = {
  name: 'sclass rename',
  summary: 'give a storage class another name',
  arguments: [name, newName],
  options: [],
  async run({ arguments: [from, to], connect, signal }) {
    await (await connect()).storageClass.rename(from!, to!, { signal });
  },
};

const sclassDelete: Command = {
  name: 'sclass delete',
  summary: 'remove storage classes that nothing has',
  arguments: [{ ...name, many: true }],
  options: [],
  async run(context) {
    await eachPath(context, context.arguments, (mfs, each) =>
      mfs.storageClass.delete(each, { signal: context.signal }),
    );
  },
};

function definitionOf({ value, number }: CommandContext): StorageClassInput {
  const state = (option: string) => {
    const text = value(option);
    if (text === undefined) return {};
    return { [option]: /^EC\d\+\d$/.test(text) ? { erasureCoding: text } : text };
  };
  const delay = number('archive-delay', 0, 1_572_840);
  const minSize = value('archive-min-size');
  const mode = value('labels-mode') as StorageClassInput['labelsMode'];
  const adminOnly = value('admin-only');
  const description = value('description');
  return {
    ...state('keep'),
    ...state('create'),
    ...state('archive'),
    ...state('trash'),
    ...(delay !== undefined && { archiveDelayHours: delay }),
    ...(minSize !== undefined && { archiveMinSize: parseSize(minSize) }),
    ...(mode !== undefined && { labelsMode: mode }),
    ...(adminOnly !== undefined && { adminOnly: adminOnly === 'yes' }),
    ...(description !== undefined && { description }),
  };
}

async function print({ output }: CommandContext, definition: StorageClassDefinition): Promise<void> {
  if (output.isJson) {
    await output.json(definition);
    return;
  }
  const { description, adminOnly, labelsMode, archiveDelayHours, archiveMinSize = 0 } = definition;
  const states = (['create', 'keep', 'archive', 'trash'] as const).flatMap((state) => {
    const text = stateText(definition[state]);
    return text === undefined ? [] : [`  ${state}: ${text}`];
  });
  const delay = archiveDelayHours > 0 ? [`  archived after: ${archiveDelayHours} hours`] : [];
  const minSize = archiveMinSize > 0 ? [`  archived from: ${sizeText(archiveMinSize)}`] : [];
  await output.lines([
    `${safeText(definition.name)}${description ? ` (${safeText(description)})` : ''}: labels ${labelsMode}${adminOnly ? ', administrators only' : ''}`,
    ...states,
    ...delay,
    ...minSize,
  ]);
}

function stateText(state: ClassState | undefined): string | undefined {
  if (state === undefined || (state.copies.length === 0 && state.erasureCoding === undefined)) return undefined;
  const { copies, erasureCoding, distinct } = state;
  const what = `${erasureCoding === undefined ? '' : `EC${erasureCoding} on `}${copies.join(',')}`;
  return distinct.length === 0 ? what : `${what}, no two of one ${distinct.join(' or ')}`;
}

/** All of the group. */
export const sclass: readonly Command[] = [
  sclassGet,
  sclassSet,
  sclassList,
  sclassShow,
  sclassCreate,
  sclassChange,
  sclassDuplicate,
  sclassRename,
  sclassDelete,
];
