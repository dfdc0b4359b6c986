/** mfs xattr: extended attributes, those of users and programs. */
import { jsonOption } from '../command.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import { eachPath, printValue } from '../each-path.ts';
import { safeText } from '../text.ts';

const paths: ArgumentSpec = { name: 'PATH', many: true, completes: 'remote' };
const name: ArgumentSpec = { name: 'NAME', completes: 'nothing' };

/** Text where it is some, as getfattr prints it. */
const valueText = (value: Buffer): string => {
  const text = value.toString();
  return Buffer.from(text).equals(value) ? `"${safeText(text)}"` : `0x${value.toString('hex')}`;
};

const xattrList: Command = {
  name: 'xattr list',
  summary: 'the extended attributes of files and folders',
  arguments: [paths],
  options: [{ name: 'values', short: 'v', help: 'with their values' }, jsonOption],
  async run(context) {
    const { output, flag, signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      for (const each of await mfs.xattr.list(path, { signal })) {
        const value = flag('values') ? await mfs.xattr.get(path, each, { signal }) : undefined;
        if (output.isJson) await output.json({ path, name: each, valueBase64: value?.toString('base64') });
        else
          await output.line(`${safeText(path)}: ${safeText(each)}${value === undefined ? '' : `=${valueText(value)}`}`);
      }
    });
  },
};

const xattrGet: Command = {
  name: 'xattr get',
  summary: 'the value of an extended attribute',
  arguments: [name, paths],
  options: [jsonOption],
  async run(context) {
    const [wanted, ...rest] = context.arguments;
    await eachPath(context, rest, async (mfs, path) => {
      const value = await mfs.xattr.get(path, wanted!, { signal: context.signal });
      await printValue(context, path, 'valueBase64', value.toString('base64'), valueText(value));
    });
  },
};

const xattrSet: Command = {
  name: 'xattr set',
  summary: 'set an extended attribute',
  arguments: [name, { name: 'VALUE', completes: 'nothing' }, paths],
  options: [],
  examples: [{ line: 'mfs xattr set user.camera Zenit /photo.jpg', does: 'names of users begin with user.' }],
  async run(context) {
    const [wanted, value, ...rest] = context.arguments;
    await eachPath(context, rest, (mfs, path) => mfs.xattr.set(path, wanted!, value!, { signal: context.signal }));
  },
};

const xattrRemove: Command = {
  name: 'xattr remove',
  summary: 'remove an extended attribute',
  arguments: [name, paths],
  options: [],
  async run(context) {
    const [wanted, ...rest] = context.arguments;
    await eachPath(context, rest, (mfs, path) => mfs.xattr.remove(path, wanted!, { signal: context.signal }));
  },
};

/** All of the group. */
export const xattr: readonly Command[] = [xattrList, xattrGet, xattrSet, xattrRemove];
