/** Random calls of node:fs/promises, done on two file systems that must answer alike. */
import fc from 'fast-check';
import { constants } from 'node:fs';
import type { FileHandle as NodeHandle } from 'node:fs/promises';

/** One call. Arguments that are paths stand in `{ path }`. */
export interface Step {
  readonly verb: string;
  readonly args: readonly unknown[];
  /** A call on the handle in this place; `open` puts one there. */
  readonly slot?: number;
}

/** What has the verbs. */
export type Verbs = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** Calls on a handle of which the master is asked whatever it is open on. */
const ATTRIBUTE_VERBS = new Set(['stat', 'chmod', 'utimes']);
/** The master keeps open files that are removed, and does not keep open folders: docs/fs-compatibility.md. */
const REMOVED_FOLDER = 'a folder that was removed';

/** One of the two file systems: its verbs, the folder that it works in, and what is open. */
export class Side {
  readonly #fs: Verbs;
  readonly #base: string;
  readonly #top: string;
  readonly #isLocal: boolean;
  readonly #handles = new Map<number, NodeHandle>();

  /** `top` is its temporary folder, in which it works some levels deeper, so that no `..` leads out. */
  constructor(fs: Verbs, { top, base, isLocal }: { top: string; base: string; isLocal: boolean }) {
    this.#fs = fs;
    this.#top = top;
    this.#base = base;
    this.#isLocal = isLocal;
  }

  /** Does a step, and gives what it came to in a form that can be compared. */
  async run({ verb, args, slot }: Step): Promise<unknown> {
    // node removes the file that a folder was to be copied over. We do not, and nobody should.
    if (verb === 'copyFile' && (await this.#isFolder(args[0]))) return 'not done';
    const asksMaster = slot !== undefined && ATTRIBUTE_VERBS.has(verb);
    if (asksMaster && this.#isLocal && (await this.#isRemovedFolder(slot))) return REMOVED_FOLDER;
    try {
      return {
        value: this.#shown(
          await this.#do(
            verb,
            args.map((each) => this.#argument(each)),
            slot,
          ),
        ),
      };
    } catch (error) {
      const { code, syscall, path, dest, name } = error as NodeJS.ErrnoException & { dest?: string };
      if (code === undefined) throw error;
      if (asksMaster && !this.#isLocal && code === 'ENOENT') return REMOVED_FOLDER;
      // node looks at both paths at once, and tells what comes first.
      if (verb === 'cp' && syscall === 'lstat') return { failed: syscall };
      return { failed: this.#shown({ name: code.startsWith('ERR') ? name : undefined, code, syscall, path, dest }) };
    }
  }

  async #isRemovedFolder(slot: number): Promise<boolean> {
    const stats = await this.#handles.get(slot)?.stat();
    return stats?.isDirectory() === true && stats.nlink === 0;
  }

  async #isFolder(path: unknown): Promise<boolean> {
    const stat = this.#fs['stat']!(this.#argument(path)) as Promise<ShownStats>;
    return stat.then(
      (stats) => stats.isDirectory(),
      () => false,
    );
  }

  async #do(verb: string, args: unknown[], slot: number | undefined): Promise<unknown> {
    if (slot === undefined) return this.#fs[verb]!(...args);
    if (verb === 'open') {
      if (this.#handles.has(slot)) return 'taken';
      this.#handles.set(slot, (await this.#fs['open']!(...args)) as NodeHandle);
      return 'opened';
    }
    const handle = this.#handles.get(slot);
    if (handle === undefined) return 'none';
    if (verb === 'close') this.#handles.delete(slot);
    return (handle as unknown as Verbs)[verb]!(...args);
  }

  /** Closes what is open. */
  async end(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    this.#handles.clear();
  }

  /** Every path below the folder, and what is there. */
  async tree(): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    const visit = async (path: string): Promise<void> => {
      const names = (await this.#fs['readdir']!(`${this.#base}/${path}`)) as string[];
      for (const name of names.sort()) {
        const at = `${path}${name}`;
        const full = `${this.#base}/${at}`;
        const stats = this.#shown(await this.#fs['lstat']!(full)) as { type: string };
        const content =
          stats.type === 'file'
            ? await this.#fs['readFile']!(full, 'latin1')
            : stats.type === 'symlink'
              ? this.#shown(await this.#fs['readlink']!(full))
              : undefined;
        found[at] = { ...stats, content };
        if (stats.type === 'directory') await visit(`${at}/`);
      }
    };
    await visit('');
    return found;
  }

  #argument(arg: unknown): unknown {
    if (typeof arg !== 'object' || arg === null) return arg;
    if ('path' in arg) return arg.path === '' ? '' : `${this.#base}/${String(arg.path)}`;
    // Of their own for each side: a call may write into them.
    if ('buffer' in arg) return Buffer.alloc(arg.buffer as number, 0x2e);
    if ('buffers' in arg) return (arg.buffers as string[]).map((text) => Buffer.from(text));
    return arg;
  }

  #shown(value: unknown): unknown {
    if (typeof value === 'string') return value.replaceAll(this.#base, '<base>').replaceAll(this.#top, '<top>');
    if (Buffer.isBuffer(value)) return value.toString('latin1');
    if (Array.isArray(value)) {
      const shown = value.map((each) => this.#shown(each));
      return shown.every((each) => typeof each === 'string') ? shown.sort() : shown;
    }
    if (typeof value !== 'object' || value === null) return value;
    if ('isDirectory' in value && 'ino' in value) return shownStats(value as unknown as ShownStats);
    if ('isDirectory' in value) {
      const { name, parentPath } = value as unknown as { name: string; parentPath: string };
      return `${String(this.#shown(parentPath))}/${name} ${typeOf(value as never)}`;
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#shown(each)]));
  }
}

interface ShownStats {
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
  readonly mode: number;
  readonly size: number;
  readonly nlink: number;
}

const typeOf = (stats: Pick<ShownStats, 'isDirectory' | 'isFile' | 'isSymbolicLink'>): string =>
  stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'symlink' : 'other';

/** A folder's size and links are a file system's own affair, and so is when something was made. */
function shownStats(stats: ShownStats): object {
  const type = typeOf(stats);
  const { mode, size, nlink } = stats;
  // A symlink's size is that of its target, in which the two folders' names may stand.
  return type === 'directory'
    ? { type, mode }
    : type === 'symlink'
      ? { type, mode, nlink }
      : { type, mode, size, nlink };
}

const name = fc.constantFrom('a', 'b', 'c', 'd');
const plainPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const path = fc
  .oneof(
    { weight: 12, arbitrary: plainPath },
    { weight: 1, arbitrary: plainPath.map((each) => `${each}/`) },
    { weight: 1, arbitrary: plainPath.map((each) => `${each}/.`) },
    { weight: 1, arbitrary: fc.tuple(name, plainPath).map(([folder, each]) => `${folder}/../${each}`) },
    { weight: 1, arbitrary: plainPath.map((each) => `./${each.replace('/', '//')}`) },
    { weight: 1, arbitrary: fc.constantFrom('n'.repeat(255), 'n'.repeat(256), '') },
  )
  .map((each) => ({ path: each }));
const target = fc.constantFrom('a', 'b', 'c/d', '../a', '../b/c', '.', '..', 'a/', 'nowhere', './d');
const text = fc.string({ unit: fc.constantFrom('x', 'y', 'z'), maxLength: 40 });
const longText = fc.oneof(
  { weight: 9, arbitrary: text },
  { weight: 1, arbitrary: fc.nat(200_000).map((size) => 'long'.repeat(size / 4)) },
);
const flags = fc.constantFrom('r', 'r+', 'w', 'wx', 'w+', 'wx+', 'a', 'ax', 'a+', 'as', 'rs+');
const numericFlags = fc.constantFrom(
  constants.O_RDWR | constants.O_CREAT,
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  constants.O_RDONLY | constants.O_DIRECTORY,
  constants.O_RDONLY | constants.O_NOFOLLOW,
  constants.O_RDWR | constants.O_APPEND | constants.O_DSYNC,
);
const mode = fc.constantFrom(0o644, 0o600, 0o755, '700', 0o666);
const length = fc.oneof(fc.nat(60), fc.constantFrom(0, 70_000, 200_000));
const position = fc.oneof(fc.constant(null), fc.nat(80), fc.constantFrom(65_530, 131_072));
const seconds = fc.nat(2_000_000_000);
const slot = fc.nat(3);

const step = (verb: string, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Step> =>
  fc.tuple(...args).map((values) => ({ verb, args: values }));
const onHandle = (verb: string, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Step> =>
  fc.tuple(slot, ...args).map(([at, ...values]) => ({ verb, args: values, slot: at }));

const verbs: readonly (readonly [number, fc.Arbitrary<Step>])[] = [
  [8, step('writeFile', path, longText)],
  [2, step('writeFile', path, text, fc.record({ flag: flags, mode }))],
  [3, step('appendFile', path, text)],
  [4, step('readFile', path, fc.constant('latin1'))],
  [8, step('mkdir', path)],
  [3, step('mkdir', path, fc.record({ recursive: fc.boolean(), mode }))],
  [3, step('rmdir', path)],
  [3, step('rm', path, fc.record({ recursive: fc.boolean(), force: fc.boolean() }))],
  [4, step('unlink', path)],
  [8, step('rename', path, path)],
  [4, step('link', path, path)],
  [5, step('symlink', target, path)],
  [2, step('readlink', path)],
  [2, step('realpath', path)],
  [4, step('stat', path)],
  [4, step('lstat', path)],
  [2, step('chmod', path, mode)],
  [3, step('truncate', path, length)],
  [3, step('copyFile', path, path, fc.constantFrom(0, constants.COPYFILE_EXCL))],
  [2, step('cp', path, path, fc.record({ force: fc.boolean(), errorOnExist: fc.boolean() }))],
  [
    1,
    step(
      'cp',
      path,
      fc.uuid().map((each) => ({ path: each })),
      fc.record({ recursive: fc.constant(true), verbatimSymlinks: fc.boolean() }),
    ),
  ],
  [3, step('readdir', path)],
  [2, step('readdir', path, fc.record({ withFileTypes: fc.constant(true), recursive: fc.boolean() }))],
  [2, step('access', path, fc.constantFrom(constants.F_OK, constants.R_OK, constants.W_OK))],
  [2, step('utimes', path, seconds, seconds)],
  [1, step('lutimes', path, seconds, seconds)],
  [8, onHandle('open', path, fc.oneof(flags, numericFlags), mode)],
  [4, onHandle('close')],
  [
    5,
    onHandle(
      'read',
      length.map((size) => ({ buffer: size })),
      fc.constant(0),
      fc.constant(null),
      position,
    ),
  ],
  [2, onHandle('readFile', fc.constant('latin1'))],
  [6, onHandle('write', longText, position)],
  [
    2,
    onHandle(
      'writev',
      fc.array(text, { maxLength: 3 }).map((texts) => ({ buffers: texts })),
      position,
    ),
  ],
  [
    1,
    onHandle(
      'readv',
      fc.array(text, { maxLength: 3 }).map((texts) => ({ buffers: texts })),
      position,
    ),
  ],
  [2, onHandle('writeFile', text)],
  [2, onHandle('appendFile', text)],
  [3, onHandle('stat')],
  [2, onHandle('truncate', length)],
  [1, onHandle('chmod', mode)],
  [1, onHandle('sync')],
  [1, onHandle('utimes', seconds, seconds)],
];

/** A sequence of a few hundred calls. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(...verbs.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  { minLength: 200, maxLength: 300, size: 'max' },
);
