/** mfs find: files and folders of a tree that have what is asked for. */
import { matchesGlob } from '../../index.ts';
import type { MooseFS, Stats } from '../../index.ts';
import { jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { eachPath } from '../each-path.ts';
import { jsonStats } from '../modes.ts';
import { jsonPath } from '../paths.ts';
import { UsageError } from '../status.ts';
import { safeText } from '../text.ts';
import { parseSeconds, parseSize } from '../units.ts';
import { walk } from '../walk.ts';
import type { WalkEntry } from '../walk.ts';

const KINDS: Readonly<Record<string, WalkEntry['kind']>> = { f: 'file', d: 'folder', l: 'link' };

export const find: Command = {
  name: 'find',
  summary: 'files and folders that have what is asked for',
  description: [
    'All that is asked for must be so. SIZE, TIME and NUMBER may begin with + for more than that or - for less, as with find; TIME is ' +
      'how long ago: --mtime -7d is "changed in the last week". PATTERN has * and ? for characters of one name, [a-z], and ** for any ' +
      'folders.',
    'The last three ask the master about every file that is left.',
  ],
  arguments: [{ name: 'PATH', many: true, optional: true, completes: 'remote' }],
  options: [
    { name: 'name', value: 'PATTERN', help: 'the last name matches' },
    { name: 'path', value: 'PATTERN', help: 'the whole path matches' },
    { name: 'type', value: 'TYPE', choices: ['f', 'd', 'l'], help: 'file, directory, symlink' },
    { name: 'size', value: '[+-]SIZE', help: 'how long files are' },
    { name: 'empty', help: 'empty files and folders' },
    { name: 'mtime', value: '[+-]TIME', help: 'how long ago it was changed: 90m, 12h, 7d' },
    { name: 'uid-is', value: 'NUMBER', help: 'the owner' },
    { name: 'gid-is', value: 'NUMBER', help: 'the group' },
    { name: 'max-depth', value: 'NUMBER', help: 'folders so far below' },
    { name: 'sclass', value: 'CLASS', help: 'files and folders of this storage class' },
    {
      name: 'copies',
      value: '[+-]NUMBER',
      help: 'files one of whose chunks has so many copies: -2 finds what is in danger',
    },
    { name: 'lost', help: 'files with a chunk that cannot be read' },
    { name: 'print0', short: '0', help: 'a zero byte behind each path instead of a line feed' },
    jsonOption,
  ],
  examples: [
    { line: 'mfs find /films --type f --size +1G --mtime +365d', does: 'long and old' },
    { line: 'mfs find / --copies -2', does: 'files that one more failure may lose' },
  ],
  async run(context) {
    const { output, flag } = context;
    const tests = testsOf(context);
    const depth = context.number('max-depth', 0, 100_000);
    const paths = context.arguments.length === 0 ? ['/'] : context.arguments;
    const end = Buffer.from(flag('print0') ? '\0' : '\n');
    await eachPath(context, paths, async (mfs, start) => {
      for await (const entry of walk(context, mfs, start, depth)) {
        const found = new Candidate(context, mfs, entry);
        try {
          if (!(await passes(tests, found))) continue;
          if (output.isJson) await output.json({ ...jsonPath(entry.path), ...jsonStats(await found.stats()) });
          else if (output.isTTY && !flag('print0')) await output.line(safeText(entry.path.toString()));
          else await output.bytes(one(Buffer.concat([entry.path, end])));
        } catch (error) {
          // Gone since its name was read.
          if ((error as { code?: string }).code === 'ENOENT' && entry.depth > 0) continue;
          if (context.signal.aborted || (error as { code?: string }).code === undefined) throw error;
          context.failed(entry.path.toString(), error);
        }
      }
    });
  },
};

// eslint-disable-next-line @typescript-eslint/require-await -- what output takes is asynchronous
async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Something that is tested; what has to be asked is asked once. */
class Candidate {
  readonly entry: WalkEntry;
  readonly mfs: MooseFS;
  readonly signal: AbortSignal;
  #stats: Promise<Stats> | undefined;

  constructor({ signal }: CommandContext, mfs: MooseFS, entry: WalkEntry) {
    this.entry = entry;
    this.mfs = mfs;
    this.signal = signal;
  }

  stats(): Promise<Stats> {
    return (this.#stats ??= this.mfs.lstat(this.entry.path, { signal: this.signal }));
  }
}

type Test = (candidate: Candidate) => boolean | Promise<boolean>;

async function passes(tests: readonly Test[], candidate: Candidate): Promise<boolean> {
  for (const test of tests) if (!(await test(candidate))) return false;
  return true;
}

/** The tests, those that ask nobody first. */
function testsOf({ value, number, flag }: CommandContext): Test[] {
  const tests: Test[] = [];
  const given = (option: string, make: (text: string) => Test): void => {
    const text = value(option);
    if (text !== undefined) tests.push(make(text));
  };
  given(
    'type',
    (text) =>
      ({ entry }) =>
        entry.kind === KINDS[text],
  );
  given(
    'name',
    (pattern) =>
      ({ entry }) =>
        matchesGlob(entry.name.toString().replace(/^.*\/(?=.)/s, ''), pattern),
  );
  given(
    'path',
    (pattern) =>
      ({ entry }) =>
        matchesGlob(entry.path.toString(), pattern),
  );
  given('size', (text) => {
    const compare = comparison('size', text, parseSize);
    return async (each) => each.entry.kind === 'file' && compare((await each.stats()).size);
  });
  given('mtime', (text) => {
    const now = Date.now();
    const compare = comparison('mtime', text, parseSeconds);
    return async (each) => compare((now - (await each.stats()).mtimeMs) / 1000);
  });
  const [uid, gid] = [number('uid-is', 0, 0xffff_ffff), number('gid-is', 0, 0xffff_ffff)];
  if (uid !== undefined) tests.push(async (each) => (await each.stats()).uid === uid);
  if (gid !== undefined) tests.push(async (each) => (await each.stats()).gid === gid);
  if (flag('empty')) tests.push(isEmpty);
  given(
    'sclass',
    (name) =>
      async ({ entry, mfs, signal }) =>
        (entry.kind === 'file' || entry.kind === 'folder') &&
        (await mfs.storageClass.get(entry.path, { signal })) === name,
  );
  given('copies', (text) => {
    const compare = comparison('copies', text, wholeCopies);
    return async ({ entry, mfs, signal }) =>
      entry.kind === 'file' &&
      (await mfs.checkFile(entry.path, { signal })).chunks.some(({ copies, ec8Parts, ec4Parts }) =>
        compare(Math.max(copies, ec8Parts - 7, ec4Parts - 3)),
      );
  });
  if (flag('lost'))
    tests.push(
      async ({ entry, mfs, signal }) => entry.kind === 'file' && (await mfs.checkFile(entry.path, { signal })).lost > 0,
    );
  return tests;
}

async function isEmpty(candidate: Candidate): Promise<boolean> {
  const { entry, mfs, signal } = candidate;
  if (entry.kind === 'file') return (await candidate.stats()).size === 0;
  return entry.kind === 'folder' && (await mfs.readdir(entry.path, { signal })).length === 0;
}

function wholeCopies(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new UsageError(`--copies takes a number, not "${text}"`, 'find');
  return Number(text);
}

/** `+5`: more than that; `-5`: less; `5`: just that. */
function comparison(option: string, text: string, parse: (text: string) => number): (value: number) => boolean {
  const sign = /^[+-]/.exec(text)?.[0];
  const wanted = parse(sign === undefined ? text : text.slice(1));
  if (sign === '+') return (value) => value > wanted;
  if (sign === '-') return (value) => value < wanted;
  // Nobody means one second.
  if (option === 'mtime') throw new UsageError('--mtime takes a time behind + or -', 'find');
  return (value) => value === wanted;
}
