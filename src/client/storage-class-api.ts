/** Calls about storage classes (`mfs.storageClass`): which one a file has, and the classes themselves. */
import * as messages from '../protocol/messages/placement.ts';
import { Status } from '../protocol/status.ts';
import { version } from '../protocol/version.ts';
import { atPath } from './admin-call.ts';
import type { TreeOptions } from './admin-call.ts';
import { className, emptyWireDefinition, fromWireDefinition, toWireDefinition } from './class-definition.ts';
import type { StorageClassDefinition, StorageClassInput } from './class-definition.ts';
import { callChannel, traced } from './diagnostics.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import type { PathLike } from './paths.ts';
import { classNameOf } from './storage-class.ts';
import type { SetCounts } from './storage-class.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** A value, and how many files or folders of a tree have it. */
export interface ValueCount<T> {
  readonly value: T;
  readonly count: number;
}

/** Values in a tree, of its files and of its folders, as the server counted them. */
export interface TreeCounts<T> {
  readonly files: readonly ValueCount<T>[];
  readonly directories: readonly ValueCount<T>[];
}

/** Options of {@link StorageClassApi.change}. */
export interface ChangeClassOptions extends SignalOption {
  /** Also where it is one of the numbered goals of 3.x, which everybody takes for what their number says. Default false. */
  readonly force?: boolean | undefined;
}

/**
 * Calls about storage classes (`mfs.storageClass`). The names of a fresh 4.x are `2CP`, `3CP`, `EC4+1`, `EC8+1`; of 3.x `1` to `9`,
 * which are its goals. Classes themselves are changed only by sessions whose export says `admin`; others reject with EPERM.
 *
 * @example
 * ```ts
 * await mfs.storageClass.create('mirror', { keep: ['A', 'B'], archive: 'A|B' });
 * const { changed } = await mfs.storageClass.set('/films', 'mirror', { recursive: true });
 * console.log(changed, await mfs.storageClass.get('/films'), await mfs.storageClass.list());
 * ```
 */
export interface StorageClassApi {
  /**
   * The name of the class of a file or folder; with `recursive` all names in a tree, counted.
   *
   * @example
   * ```ts
   * console.log(await mfs.storageClass.get('/film.mp4'));
   * const { files } = await mfs.storageClass.get('/films', { recursive: true });
   * for (const { value, count } of files) console.log(value, count);
   * ```
   */
  get(path: PathLike, options?: TreeOptions & { readonly recursive?: false | undefined }): Promise<string>;
  get(path: PathLike, options: TreeOptions & { readonly recursive: true }): Promise<TreeCounts<string>>;
  /**
   * Gives a file, a folder or, with `recursive`, a tree another class. New files take that of their folder. Rejects with EINVAL
   * where there is no such class, and with EPERM where the caller is neither root nor the owner; in a tree those are counted.
   *
   * @example
   * ```ts
   * const { changed, notPermitted } = await mfs.storageClass.set('/films', '3CP', { recursive: true });
   * console.log(changed, notPermitted);
   * ```
   */
  set(path: PathLike, name: string, options?: TreeOptions): Promise<SetCounts>;
  /**
   * The names of all classes.
   *
   * @example
   * ```ts
   * console.log((await mfs.storageClass.list()).join(', '));
   * ```
   */
  list(options?: SignalOption): Promise<string[]>;
  /**
   * What a class asks for. Rejects with EINVAL where there is none of this name.
   *
   * @example
   * ```ts
   * const { keep, archive } = await mfs.storageClass.describe('3CP');
   * console.log(keep.copies, archive.erasureCoding);
   * ```
   */
  describe(name: string, options?: SignalOption): Promise<StorageClassDefinition>;
  /**
   * Makes a class. Rejects with EEXIST where there is one of this name, ENOTSUP where the server cannot keep what is asked for.
   *
   * @example
   * ```ts
   * await mfs.storageClass.create('films', {
   *   keep: '2A,B',
   *   archive: { erasureCoding: '4+1' },
   *   archiveDelayHours: 720,
   * });
   * ```
   */
  create(name: string, definition: StorageClassInput, options?: SignalOption): Promise<void>;
  /**
   * Changes what is given of a class, and gives what it is then. Chunks are moved to match, by and by.
   *
   * @example
   * ```ts
   * const { keep } = await mfs.storageClass.change('films', { keep: ['A', 'B|C'] });
   * console.log(keep.copies);
   * ```
   */
  change(name: string, changes: StorageClassInput, options?: ChangeClassOptions): Promise<StorageClassDefinition>;
  /**
   * Makes another class that asks for the same.
   *
   * @example
   * ```ts
   * await mfs.storageClass.duplicate('films', 'series');
   * ```
   */
  duplicate(name: string, newName: string, options?: SignalOption): Promise<void>;
  /**
   * Gives a class another name.
   *
   * @example
   * ```ts
   * await mfs.storageClass.rename('films', 'movies');
   * ```
   */
  rename(name: string, newName: string, options?: SignalOption): Promise<void>;
  /**
   * Removes a class. Rejects with EBUSY while something has it.
   *
   * @example
   * ```ts
   * await mfs.storageClass.delete('films');
   * ```
   */
  delete(name: string, options?: SignalOption): Promise<void>;
}

const V4 = version('4.0.0');
const NO_SUCH_CLASS = 52;

/** Calls about storage classes of one client. */
export function storageClassApi(volume: Volume): StorageClassApi {
  const { classes, session, files, settings } = volume;
  const ofClass = <T>(
    method: string,
    name: string,
    { signal }: SignalOption,
    work: (context: CallContext) => Promise<T>,
  ): Promise<T> =>
    traced(
      callChannel,
      () => ({ method: `storageClass.${method}`, path: name }),
      async () =>
        work({ site: { syscall: `storageClass.${method}`, path: name }, deadline: requestDeadline(volume, signal) }),
    );
  /** Changes of the classes themselves: what was remembered of them is forgotten, whatever comes of it. */
  const changing = async <T>(work: Promise<T>): Promise<T> => work.finally(() => classes.forget());
  const get = (path: PathLike, options: TreeOptions = {}) =>
    atPath<string | TreeCounts<string>>(volume, 'storageClass.get', path, options, ({ inode }, context) =>
      options.recursive === true
        ? treeClasses(volume, inode, context)
        : classes.nameOf(inode, context.deadline, context.site),
    );
  return {
    get: get as StorageClassApi['get'],
    set: (path, name, options = {}) =>
      atPath(volume, 'storageClass.set', path, options, async ({ inode }, context) => {
        const { uid } = settings;
        try {
          return await classes.set(inode, name, { ...context, recursive: options.recursive === true, uid });
        } finally {
          for (const file of options.recursive === true ? files.values() : [files.get(inode)]) file?.placementChanged();
        }
      }),
    list: ({ signal } = {}) => classes.list(requestDeadline(volume, signal)),
    describe: (name, options = {}) => ofClass('describe', name, options, (context) => describe(volume, name, context)),
    create: (name, definition, options = {}) =>
      ofClass('create', name, options, async (context) => {
        if (definition.keep === undefined) throw fsError('EINVAL', context.site, { detail: 'keep is missing' });
        const fields = toWireDefinition(definition, session.version);
        const format = messages.classFormat(session.version);
        await changing(
          session.call(messages.createStorageClass, { name: className(name), format, ...fields }, context),
        );
      }),
    change: (name, changes, options = {}) =>
      ofClass('change', name, options, (context) =>
        changing(changeClass(volume, name, changes, options.force === true, context)),
      ),
    duplicate: (name, newName, options = {}) =>
      ofClass('duplicate', name, options, async (context) => {
        const request = { name: className(name), newName: className(newName, 'newName') };
        await changing(callOfClass(volume, messages.duplicateStorageClass, name, request, context));
      }),
    rename: (name, newName, options = {}) =>
      ofClass('rename', name, options, async (context) => {
        const request = { name: className(name), newName: className(newName, 'newName') };
        await changing(callOfClass(volume, messages.renameStorageClass, name, request, context));
      }),
    delete: (name, options = {}) =>
      ofClass('delete', name, options, async (context) => {
        await changing(callOfClass(volume, messages.deleteStorageClass, name, { name: className(name) }, context));
      }),
  };
}

async function treeClasses({ session }: Volume, inode: number, context: CallContext): Promise<TreeCounts<string>> {
  const { classes } = await session.call(messages.getStorageClass, { inode, recursive: 1 }, context);
  const named = (list: readonly messages.ClassCount[]) =>
    list.map((each) => ({ value: classNameOf(each), count: each.count }));
  return { files: named(classes.files), directories: named(classes.directories) };
}

/** What a class asks for. */
export async function describe(volume: Volume, name: string, context: CallContext): Promise<StorageClassDefinition> {
  const at = volume.session.version;
  const request = {
    name: className(name),
    format: messages.classFormat(at),
    changeMask: 0,
    ...emptyWireDefinition(at),
  };
  const reply = await callOfClass(volume, messages.changeStorageClass, name, request, context);
  return fromWireDefinition(name, reply, at);
}

/** What of a class each given property changes. */
const CHANGES: Readonly<Record<keyof StorageClassInput, number>> = {
  description: messages.ClassChange.description,
  priority: messages.ClassChange.priority,
  exportGroup: messages.ClassChange.exportGroup,
  adminOnly: messages.ClassChange.adminOnly,
  labelsMode: messages.ClassChange.labelsMode,
  create: messages.ClassChange.create,
  keep: messages.ClassChange.keep,
  archive: messages.ClassChange.archive,
  trash: messages.ClassChange.trash,
  archiveDelayHours: messages.ClassChange.archiveDelay,
  archiveRules: messages.ClassChange.archiveMode,
  archiveMinSize: messages.ClassChange.archiveMinSize,
  minTrashRetentionHours: messages.ClassChange.minTrashRetention,
};

async function changeClass(
  volume: Volume,
  name: string,
  changes: StorageClassInput,
  force: boolean,
  context: CallContext,
): Promise<StorageClassDefinition> {
  const at = volume.session.version;
  const isOld = at < V4;
  const given = (Object.keys(CHANGES) as (keyof StorageClassInput)[]).filter((key) => changes[key] !== undefined);
  const mask = given.reduce((bits, key) => bits | CHANGES[key], 0);
  // Nothing but "force" would be a change of a kind that no server has.
  const changeMask = mask !== 0 && force && isOld ? mask | messages.ClassChange.force : mask;
  const fields = toWireDefinition(changes, at);
  // What is not changed is not looked at; but create and archive follow a "keep" here only where they were given.
  const labels = isOld
    ? {
        ...fields.labels!,
        ...(changes.create === undefined && { create: [] }),
        ...(changes.archive === undefined && { archive: [] }),
      }
    : fields.labels!;
  const request = { name: className(name), format: messages.classFormat(at), changeMask, ...fields, labels };
  const reply = await callOfClass(volume, messages.changeStorageClass, name, request, context);
  return fromWireDefinition(name, reply, at);
}

/** Calls that name a class that must be there: 3.x says EINVAL for many things, 4.x has a status for it. */
async function callOfClass<Q extends object, R extends object>(
  { session }: Volume,
  message: Parameters<typeof session.call<Q, R>>[0],
  name: string,
  request: Q,
  context: CallContext,
): Promise<R> {
  const { status, value } = await session.tryCall(message, request, context);
  if (value !== undefined) return value;
  const isUnknown =
    status === NO_SUCH_CLASS ||
    (status === Status.EINVAL && session.version < V4 && !(await isListed(session, name, context)));
  const error = statusError(status, context.site, message.name);
  throw isUnknown
    ? fsError('EINVAL', context.site, { cause: error.cause, detail: `no such storage class: ${name}` })
    : error;
}

async function isListed(session: Volume['session'], name: string, context: CallContext): Promise<boolean> {
  const { names } = await session.call(messages.listStorageClasses, { format: 0 }, context);
  const wanted = Buffer.from(name);
  for (let at = 0; at < names.length; at += 1 + names[at]!)
    if (wanted.equals(names.subarray(at + 1, at + 1 + names[at]!))) return true;
  return false;
}
