/** mfs acl: POSIX access control lists. */
import { aclLines, parseAcl } from '../acl-text.ts';
import { jsonOption } from '../command.ts';
import type { ArgumentSpec, Command, OptionSpec } from '../command.ts';
import { eachPath } from '../each-path.ts';
import { safeText } from '../text.ts';

const paths: ArgumentSpec = { name: 'PATH', many: true, completes: 'remote' };
const defaultOption: OptionSpec = { name: 'default', short: 'd', help: 'of folders: what new entries in it get' };
const typeOf = (isDefault: boolean) => (isDefault ? 'default' : 'access');

const aclGet: Command = {
  name: 'acl get',
  summary: 'the access control lists of files and folders',
  arguments: [paths],
  options: [defaultOption, jsonOption],
  async run(context) {
    const { output, flag, signal } = context;
    await eachPath(context, context.arguments, async (mfs, path) => {
      const acl = await mfs.acl.get(path, { type: typeOf(flag('default')), signal });
      if (output.isJson) await output.json({ path, acl: acl ?? null });
      else await output.lines([`# file: ${safeText(path)}`, ...(acl === undefined ? ['# no ACL'] : aclLines(acl)), '']);
    });
  },
};

const aclSet: Command = {
  name: 'acl set',
  summary: 'give files and folders an access control list',
  description: ['ENTRIES as setfacl takes them, with numbers, and all of the list: u::rwx,u:1000:rw,g::r,o::-'],
  arguments: [{ name: 'ENTRIES', completes: 'nothing' }, paths],
  options: [defaultOption],
  examples: [{ line: 'mfs acl set u::rwx,u:1000:rwx,g::rx,o::- /shared', does: 'user 1000 may do everything in it' }],
  async run(context) {
    const [entries, ...rest] = context.arguments;
    const acl = parseAcl(entries!);
    const options = { type: typeOf(context.flag('default')), signal: context.signal } as const;
    await eachPath(context, rest, (mfs, path) => mfs.acl.set(path, acl, options));
  },
};

const aclRemove: Command = {
  name: 'acl remove',
  summary: 'take the access control lists from files and folders',
  arguments: [paths],
  options: [defaultOption],
  async run(context) {
    const options = { type: typeOf(context.flag('default')), signal: context.signal } as const;
    await eachPath(context, context.arguments, (mfs, path) => mfs.acl.set(path, null, options));
  },
};

/** All of the group. */
export const acl: readonly Command[] = [aclGet, aclSet, aclRemove];
