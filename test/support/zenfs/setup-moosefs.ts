/** The SETUP hook of the suite: a folder of its own on the MooseFS of $MFS_SUITE_MASTER for each of its files. */
import { constants, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MooseFS } from '../../../src/index.ts';
import type { XattrApi } from '../../../src/index.ts';
import { blockingClient } from './blocking.ts';

const master = process.env['MFS_SUITE_MASTER']!;
const folder = `${process.env['MFS_SUITE_FOLDER']!}/${process.pid}`;
{
  await using whole = await MooseFS.connect({ master });
  await whole.mkdir(folder);
}
// The suite takes modes for granted, and the folder for the root.
const options = { master, root: folder, umask: 0 };
const client = await MooseFS.connect(options);
const blocking = await blockingClient(options);
after(async () => {
  await client.close();
  await blocking.end();
});

/** Leading arguments that are paths; what is not named has one. A symlink's target stays as it is. */
const paths: Record<string, readonly number[]> = {
  rename: [0, 1],
  link: [0, 1],
  copyFile: [0, 1],
  cp: [0, 1],
  symlink: [1],
};

/** As if the process stood in the root: node's errors and Dirents show the path that it was made to. */
function absolute(verb: string, args: unknown[]): unknown[] {
  const isPath = (i: number) => (paths[verb] ?? [0]).includes(i);
  return args.map((each, i) => (isPath(i) && typeof each === 'string' && each !== '' ? resolve('/', each) : each));
}

type AnyFunction = (...args: unknown[]) => unknown;
const wrap =
  (verb: string, work: AnyFunction): AnyFunction =>
  (...args) =>
    work(...absolute(verb, args));
const wrapAll = (object: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      typeof value === 'function' && /^[a-z]/.test(name) ? wrap(name, value as AnyFunction) : (value as unknown),
    ]),
  );

/** A folder that is open as soon as it is asked for something. */
function opendirSync(path: string): object {
  const opened = client.opendir(resolve('/', path));
  return {
    read: async () => (await opened).read(),
    close: async () => (await opened).close(),
    async *[Symbol.asyncIterator]() {
      yield* await opened;
    },
  };
}

/** Stats lose their methods on the way from the other thread. */
function statsOf(value: unknown): object {
  const { stats } = value as { stats: { mode: number } };
  const is = (format: number) => () => (stats.mode & constants.S_IFMT) === format;
  const { S_IFLNK, S_IFREG, S_IFDIR } = constants;
  return { ...stats, isSymbolicLink: is(S_IFLNK), isFile: is(S_IFREG), isDirectory: is(S_IFDIR) };
}

const sync = (verb: string): AnyFunction => wrap(verb, (...args) => blocking.call(verb, ...args));
const blockingVerbs = {
  writeFileSync: sync('writeFile'),
  mkdirSync: sync('mkdir'),
  symlinkSync: sync('symlink'),
  readlinkSync: sync('readlink'),
  utimesSync: sync('utimes'),
  statSync: wrap('stat', (...args) => statsOf(blocking.call('stat', ...args))),
  lstatSync: wrap('lstat', (...args) => statsOf(blocking.call('lstat', ...args))),
  // Asked for with a number only that no file has.
  futimesSync: (fd: number, atime: Date, mtime: Date) => client.callbacks.futimes(fd, atime, mtime, () => undefined),
  cpSync: sync('cp'),
  opendirSync,
  readFileSync: wrap('readFile', (...args) => {
    const found = blocking.call('readFile', ...args);
    return typeof found === 'string' ? found : Buffer.from(found as Uint8Array);
  }),
};

/** The suite's own extra calls, which are named as ours. */
const xattr: XattrApi = client.xattr;

export const fs = {
  ...wrapAll(client.callbacks),
  ...blockingVerbs,
  promises: wrapAll(client.promises),
  xattr,
};

/** What the suite may ask for. Blocking calls and watching there are none. */
export const flags = { sync: false, watch: false };

const data = fileURLToPath(new URL('data/', import.meta.resolve('@zenfs/core/tests/setup.ts')));
for (const name of readdirSync(data))
  if (statSync(join(data, name)).isFile()) await client.writeFile(`/${name}`, readFileSync(join(data, name)));
