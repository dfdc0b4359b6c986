/** The callback form of node:fs (`mfs.callbacks`), with numbers for open files, for libraries that want it. */
import type * as nodeFs from 'node:fs';
import { constants } from 'node:fs';
import { promisify } from 'node:util';
import { checkFunction, checkInteger } from './arguments.ts';
import { Dir } from './directory.ts';
import type { FileHandle } from './file-handle.ts';
import type { FileSystem, PromisesApi } from './file-system.ts';
import { fsError } from './fs-errors.ts';
import { ReadStream } from './read-stream.ts';
import { Dirent, Stats } from './stats.ts';
import { WriteStream } from './write-stream.ts';

/** Calls whose callback gets an error, or one result or none. */
const plainVerbs = [
  'stat',
  'lstat',
  'statfs',
  'access',
  'readdir',
  'opendir',
  'mkdir',
  'mkdtemp',
  'rmdir',
  'unlink',
  'rm',
  'rename',
  'link',
  'symlink',
  'readlink',
  'chmod',
  'lchmod',
  'chown',
  'lchown',
  'utimes',
  'lutimes',
  'truncate',
  'copyFile',
  'cp',
] as const satisfies readonly (keyof PromisesApi)[];
/** Calls that take a file's number in the place of a path. */
const fileVerbs = ['readFile', 'writeFile', 'appendFile'] as const satisfies readonly (keyof PromisesApi)[];
/** Calls on a file's number, and what they are called on a handle. */
const handleVerbs = {
  fstat: 'stat',
  ftruncate: 'truncate',
  fchmod: 'chmod',
  fchown: 'chown',
  futimes: 'utimes',
  fsync: 'sync',
  fdatasync: 'datasync',
} as const satisfies Record<string, keyof FileHandle>;
/** The same, where the callback gets a number and what was read into or written from. */
const transferVerbs = {
  read: ['read', 'bytesRead', 'buffer'],
  write: ['write', 'bytesWritten', 'buffer'],
  readv: ['readv', 'bytesRead', 'buffers'],
  writev: ['writev', 'bytesWritten', 'buffers'],
} as const satisfies Record<string, readonly [keyof FileHandle, string, string]>;

type CallbackVerb =
  | (typeof plainVerbs)[number]
  | (typeof fileVerbs)[number]
  | keyof typeof handleVerbs
  | keyof typeof transferVerbs
  | 'open'
  | 'close'
  | 'exists'
  | 'realpath'
  | 'createReadStream'
  | 'createWriteStream'
  | 'constants';

/** `mfs.callbacks`: typed as node's own, so that it fits wherever a node:fs is asked for. There are no calls that block. */
export type CallbacksApi = Pick<typeof nodeFs, CallbackVerb> & {
  readonly promises: PromisesApi;
  readonly Stats: typeof Stats;
  readonly Dirent: typeof Dirent;
  readonly Dir: typeof Dir;
  readonly ReadStream: typeof ReadStream;
  readonly WriteStream: typeof WriteStream;
};

type AnyFunction = (...args: unknown[]) => unknown;
type Method = (...args: unknown[]) => Promise<unknown>;

/** Calls back in a turn of its own: what a callback throws is not ours to catch. */
function answer(work: Promise<unknown>, callback: AnyFunction, results: (value: unknown) => unknown[]): void {
  work.then(
    (value) => process.nextTick(callback, null, ...results(value)),
    (error: unknown) => process.nextTick(callback, error),
  );
}

const oneResult = (value: unknown): unknown[] => (value === undefined ? [] : [value]);

/** Takes the callback off the end of the arguments. */
function splitArguments(args: unknown[]): { rest: unknown[]; callback: AnyFunction } {
  return { rest: args.slice(0, -1), callback: checkFunction(args.at(-1), 'cb') as AnyFunction };
}

/** The open files that have a number. */
class Descriptors {
  readonly #handles = new Map<number, FileHandle>();

  add(handle: FileHandle): number {
    const { fd } = handle;
    this.#handles.set(fd, handle);
    handle.once('close', () => this.#handles.delete(fd));
    return fd;
  }

  /** The handle of a number; EBADF where there is none. */
  get(fd: unknown, syscall: string): FileHandle {
    const handle = this.#handles.get(checkInteger(fd, 'fd', 0, 0x7fff_ffff));
    if (handle === undefined) throw fsError('EBADF', { syscall });
    return handle;
  }

  /** Like {@link get}, and rejects instead of throwing where the number is a number. */
  async use(fd: number, syscall: string, work: (handle: FileHandle) => Promise<unknown>): Promise<unknown> {
    return work(this.get(fd, syscall));
  }
}

/** Makes the object behind `mfs.callbacks`. */
export function callbacksOf(fs: FileSystem, promises: PromisesApi): CallbacksApi {
  const descriptors = new Descriptors();
  const verbs: Record<string, AnyFunction> = {};
  for (const name of plainVerbs) verbs[name] = plain(promises[name] as Method);
  for (const name of fileVerbs) verbs[name] = onFile(descriptors, promises[name] as Method);
  for (const [name, method] of Object.entries(handleVerbs)) verbs[name] = onDescriptor(descriptors, name, method);
  for (const [name, verb] of Object.entries(transferVerbs)) verbs[name] = transfer(descriptors, verb);
  const realpath = plain(promises.realpath as Method);
  return {
    ...verbs,
    ...opening(fs, descriptors),
    ...streams(fs, descriptors),
    realpath: Object.assign(realpath, { native: realpath }),
    exists: exists(promises),
    ...accessBits,
    constants,
    promises,
    Stats,
    Dirent,
    Dir,
    ReadStream,
    WriteStream,
  } as unknown as CallbacksApi;
}

const { F_OK, R_OK, W_OK, X_OK } = constants;
const accessBits = { F_OK, R_OK, W_OK, X_OK };

function plain(method: Method): AnyFunction {
  return (...args) => {
    const { rest, callback } = splitArguments(args);
    answer(method(...rest), callback, oneResult);
  };
}

function onFile(descriptors: Descriptors, method: Method): AnyFunction {
  return (...args) => {
    const { rest, callback } = splitArguments(args);
    const [file, ...others] = rest;
    const work =
      typeof file === 'number'
        ? descriptors.use(file, 'read', (handle) => method(handle, ...others))
        : method(file, ...others);
    answer(work, callback, oneResult);
  };
}

function onDescriptor(descriptors: Descriptors, name: string, method: keyof FileHandle): AnyFunction {
  return (...args) => {
    const { rest, callback } = splitArguments(args);
    const [fd, ...others] = rest;
    const work = descriptors.use(checkInteger(fd, 'fd', 0, 0x7fff_ffff), name, (handle) =>
      (handle[method] as Method).call(handle, ...others),
    );
    answer(work, callback, oneResult);
  };
}

function transfer(
  descriptors: Descriptors,
  [method, count, data]: (typeof transferVerbs)[keyof typeof transferVerbs],
): AnyFunction {
  const work = (fd: unknown, others: unknown[]): Promise<unknown> =>
    descriptors.use(checkInteger(fd, 'fd', 0, 0x7fff_ffff), method.replace('v', ''), (handle) =>
      (handle[method] as Method).call(handle, ...others),
    );
  const verb: AnyFunction = (...args) => {
    const { rest, callback } = splitArguments(args);
    const [fd, ...others] = rest;
    answer(work(fd, others), callback, (value) => {
      const result = value as Record<string, unknown>;
      return [result[count], result[data]];
    });
  };
  // Promisified, it gives an object, as node's does.
  const promised = async (fd: unknown, ...others: unknown[]) => work(fd, others);
  return Object.assign(verb, { [promisify.custom]: promised });
}

function exists(promises: PromisesApi): AnyFunction {
  const verb: AnyFunction = (path, callback) => {
    const call = checkFunction(callback, 'cb') as AnyFunction;
    promises.exists(path as string).then(
      (found) => process.nextTick(call, found),
      () => process.nextTick(call, false),
    );
  };
  return Object.assign(verb, { [promisify.custom]: (path: string) => promises.exists(path) });
}

function opening(fs: FileSystem, descriptors: Descriptors): Record<'open' | 'close', AnyFunction> {
  return {
    open: (...args) => {
      const { rest, callback } = splitArguments(args);
      const [path, flags, mode] = rest as [string, string | undefined, number | undefined];
      const work = fs.open(path, flags, mode).then((handle) => descriptors.add(handle));
      answer(work, callback, oneResult);
    },
    close: (fd, callback) => {
      const call = callback === undefined ? rethrow : (checkFunction(callback, 'cb') as AnyFunction);
      const work = descriptors.use(checkInteger(fd, 'fd', 0, 0x7fff_ffff), 'close', (handle) => handle.close());
      answer(work, call, oneResult);
    },
  };
}

/** close() without a callback: an error must be seen somewhere. */
function rethrow(error: unknown): void {
  if (error instanceof Error) throw error;
}

function streams(fs: FileSystem, descriptors: Descriptors): Record<string, AnyFunction> {
  const withHandle = (options: unknown): object | string | undefined => {
    if (typeof options !== 'object' || options === null) return options as string | undefined;
    const { fd } = options as { fd?: unknown };
    return typeof fd === 'number' ? { ...options, fd: descriptors.get(fd, 'open') } : options;
  };
  return {
    createReadStream: (path, options) => fs.createReadStream(path as string, withHandle(options) as object),
    createWriteStream: (path, options) => fs.createWriteStream(path as string, withHandle(options) as object),
  };
}
