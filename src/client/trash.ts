/** The trash (`mfs.trash`): how long deleted files are kept, which there are, and restoring or purging them. */
import { MooseFSError } from '../errors.ts';
import * as messages from '../protocol/messages/trash.ts';
import { atPath, treeDeadline } from './admin-call.ts';
import { invalidType } from './arguments.ts';
import { callChannel, traced } from './diagnostics.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError } from './fs-errors.ts';
import { matchesGlob } from './glob.ts';
import { MetaSession } from './meta-session.ts';
import { deviceOf } from './nodes.ts';
import type { CallContext } from './nodes.ts';
import { inParallel } from './open-file.ts';
import { joinPath, pathBytes, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { retentionOf, retentionsIn, setRetention } from './retention.ts';
import type { RetentionOptions, SetRetentionOptions } from './retention.ts';
import { Stats } from './stats.ts';
import type { SetCounts } from './storage-class.ts';
import type { TreeCounts } from './storage-class-api.ts';
import type { Volume } from './volume.ts';

/** A deleted file that can be restored. */
export interface TrashEntry {
  readonly inode: number;
  /** Where it was, from the root of this client. */
  readonly path: string;
  /** As it was when it was deleted, but for `ctime`, which is when that was. */
  readonly stats: Stats;
  readonly deletedAt: Date;
}

/** A file that has no name any more and is still open somewhere. It is gone when it is closed; it cannot be restored. */
export interface SustainedFile {
  readonly inode: number;
  /** Where it was. Of more than 240 bytes the end only, behind `(...)`; and a `|` in a name is shown as a slash. */
  readonly path: string;
}

/** Options of {@link TrashApi.list}. */
export interface ListTrashOptions extends SignalOption {
  /** Which paths: `/docs/*.txt`, `/docs/**`, or without a slash a pattern of last names: see {@link matchesGlob}. Default all. */
  readonly pattern?: string | undefined;
}

/** Options of {@link TrashApi.restore}. */
export interface RestoreOptions extends SignalOption {
  /** Another path for one file; with a pattern the folder that they are put into. Missing folders are made. */
  readonly to?: PathLike | undefined;
}

/**
 * Which deleted files: the path of one (where several were deleted under it the last one), an entry of {@link TrashApi.list}, or a
 * pattern.
 */
export type TrashTarget = PathLike | TrashEntry | { readonly pattern: string };

/**
 * Calls about the trash (`mfs.trash`). All but the retention want an export of the path `.` for this client's address, which says
 * that it may see and restore everybody's files; without it they reject with EACCES.
 *
 * @example
 * ```ts
 * await mfs.trash.setRetention('/films', 7 * 86_400, { recursive: true });
 * await mfs.unlink('/films/elk.mp4');
 * await mfs.trash.restore('/films/elk.mp4');
 * ```
 */
export interface TrashApi {
  /**
   * Seconds for which a file stays in the trash, a multiple of 3600; of a folder: new files take it over.
   *
   * @example
   * ```ts
   * console.log((await mfs.trash.getRetention('/films')) / 86_400, 'days');
   * ```
   */
  getRetention(
    path: PathLike,
    options?: RetentionOptions & { readonly recursive?: false | undefined },
  ): Promise<number>;
  getRetention(path: PathLike, options: RetentionOptions & { readonly recursive: true }): Promise<TreeCounts<number>>;
  /**
   * Sets it; masters round up to whole hours. Rejects with EPERM where the export limits it, or the caller is not the owner.
   *
   * @example
   * ```ts
   * await mfs.trash.setRetention('/films', 7 * 86_400, { recursive: true, mode: 'increase' });
   * ```
   */
  setRetention(path: PathLike, seconds: number, options?: SetRetentionOptions): Promise<SetCounts>;
  /**
   * Deleted files, in no order. On 4.x empty ones are not kept.
   *
   * @example
   * ```ts
   * for (const { path, deletedAt, stats } of await mfs.trash.list({ pattern: '/films/*.mp4' })) {
   *   console.log(path, deletedAt, stats.size);
   * }
   * ```
   */
  list(options?: ListTrashOptions): Promise<TrashEntry[]>;
  /**
   * The same, one after another: for a trash of millions.
   *
   * @example
   * ```ts
   * let bytes = 0;
   * for await (const { stats } of mfs.trash.entries()) bytes += stats.size;
   * console.log(bytes);
   * ```
   */
  entries(options?: ListTrashOptions): AsyncGenerator<TrashEntry, void, undefined>;
  /**
   * Puts files back to where they were. Gives those that it restored. Rejects with ENOENT where none is meant, EEXIST where
   * something else is there now; with a pattern all are tried, and `cause` holds every error.
   *
   * @example
   * ```ts
   * await mfs.trash.restore('/films/elk.mp4');
   * const restored = await mfs.trash.restore({ pattern: '*.mp4' }, { to: '/found' });
   * console.log(restored.map(({ path }) => path));
   * ```
   */
  restore(target: TrashTarget, options?: RestoreOptions): Promise<TrashEntry[]>;
  /**
   * Deletes files in the trash for good: nothing brings them back. Gives those that it purged.
   *
   * @example
   * ```ts
   * const purged = await mfs.trash.purge({ pattern: '/tmp/*' });
   * console.log(purged.length);
   * ```
   */
  purge(target: TrashTarget, options?: SignalOption): Promise<TrashEntry[]>;
  /**
   * Files that were deleted while they are open.
   *
   * @example
   * ```ts
   * for (const { inode, path } of await mfs.trash.sustained()) console.log(inode, path);
   * ```
   */
  sustained(options?: SignalOption): Promise<SustainedFile[]>;
}

/** Questions that are on their way at the same time. */
const PARALLEL_QUESTIONS = 64;

/** Calls about the trash of one client. */
export function trashApi(volume: Volume): TrashApi {
  const getRetention = (path: PathLike, options: RetentionOptions = {}) =>
    atPath<number | TreeCounts<number>>(volume, 'trash.getRetention', path, options, ({ inode }, context) =>
      options.recursive === true ? retentionsIn(volume, inode, context) : retentionOf(volume, inode, context),
    );
  const inTrash = <T>(
    method: string,
    path: string | undefined,
    { signal }: SignalOption,
    work: (trash: Trash, context: CallContext) => Promise<T>,
  ): Promise<T> =>
    traced(
      callChannel,
      () => ({ method: `trash.${method}`, path: path ?? '' }),
      async () => {
        const site = { syscall: `trash.${method}`, ...(path !== undefined && { path }) };
        const context = { site, deadline: treeDeadline(volume, signal) };
        await using meta = await MetaSession.open(volume, context);
        return await work(new Trash(volume, meta), context);
      },
    );
  async function* entries({ pattern, signal }: ListTrashOptions = {}): AsyncGenerator<TrashEntry, void, undefined> {
    const context = { site: { syscall: 'trash.list' }, deadline: treeDeadline(volume, signal) };
    await using meta = await MetaSession.open(volume, context);
    yield* new Trash(volume, meta).entries(matcherOf(pattern), context);
  }
  return {
    getRetention: getRetention as TrashApi['getRetention'],
    setRetention: (path, seconds, options = {}) =>
      atPath(volume, 'trash.setRetention', path, options, ({ inode }, context) =>
        setRetention(volume, inode, seconds, options, context),
      ),
    entries,
    list: async (options) => {
      const found: TrashEntry[] = [];
      for await (const entry of entries(options)) found.push(entry);
      return found;
    },
    restore: async (target, options = {}) =>
      inTrash('restore', targetText(target), options, async (trash, context) => {
        const found = await trash.find(target, context);
        const to = options.to === undefined ? undefined : pathText(options.to);
        const many = isPattern(target);
        return forEach(found, context, (entry) =>
          trash.restore(entry, to === undefined || !many ? to : joinPath(to, lastName(entry.path)), context),
        );
      }),
    purge: async (target, options = {}) =>
      inTrash('purge', targetText(target), options, async (trash, context) =>
        forEach(await trash.find(target, context), context, (entry) => trash.purge(entry, context)),
      ),
    sustained: (options = {}) => inTrash('sustained', undefined, options, (trash, context) => trash.sustained(context)),
  };
}

const isPattern = (target: TrashTarget): target is { readonly pattern: string } =>
  typeof target === 'object' && 'pattern' in target;
const isEntry = (target: TrashTarget): target is TrashEntry => typeof target === 'object' && 'inode' in target;

function targetText(target: TrashTarget): string {
  if (isPattern(target)) return target.pattern;
  if (isEntry(target)) return target.path;
  pathBytes(target);
  return pathText(target);
}

function matcherOf(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  if (typeof pattern !== 'string') throw invalidType('pattern', 'of type string', pattern);
  return (path) => matchesGlob(path, pattern);
}

const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Does it for each, and says at the end what failed: the first error, with all of them as its cause. */
async function forEach(
  entries: readonly TrashEntry[],
  { site }: CallContext,
  work: (entry: TrashEntry) => Promise<TrashEntry>,
): Promise<TrashEntry[]> {
  const done: TrashEntry[] = [];
  const errors: MooseFSError[] = [];
  await inParallel(entries, PARALLEL_QUESTIONS, async (entry) => {
    try {
      done.push(await work(entry));
    } catch (error) {
      if (!(error instanceof MooseFSError) || error.name === 'AbortError') throw error;
      errors.push(error);
    }
  });
  const [first] = errors;
  if (first === undefined) return done;
  if (entries.length === 1) throw first;
  const detail = `${errors.length} of ${entries.length} files failed, the first: ${first.message}`;
  throw fsError(first.code, site, { cause: new AggregateError(errors, detail), detail });
}

/** The trash as one meta session sees it. Its paths count from the root of the whole file system. */
class Trash {
  readonly #volume: Volume;
  readonly #meta: MetaSession;
  /** The client's root: `/`, or `/folder/`. */
  readonly #root: string;

  constructor(volume: Volume, meta: MetaSession) {
    this.#volume = volume;
    this.#meta = meta;
    this.#root = `/${volume.settings.root.split('/').filter(Boolean).join('/')}/`.replace('//', '/');
  }

  async *entries(
    matches: (path: string) => boolean,
    context: CallContext,
  ): AsyncGenerator<TrashEntry, void, undefined> {
    // One answer for all would hold everybody up, and may be larger than a packet: bucket by bucket, some of them ahead.
    for (let first = 0; first < messages.TRASH_BUCKETS; first += PARALLEL_QUESTIONS) {
      const buckets = Array.from({ length: PARALLEL_QUESTIONS }, (_, i) => first + i);
      const lists = await Promise.all(
        buckets.map((bucket) => this.#meta.call(messages.listTrash, { bucket }, context)),
      );
      const found: TrashEntry[] = [];
      await inParallel(
        lists.flatMap((list) => list.entries),
        PARALLEL_QUESTIONS,
        async ({ inode }) => {
          const entry = await this.#entry(inode, matches, context);
          if (entry !== undefined) found.push(entry);
        },
      );
      yield* found;
    }
  }

  /** The names in the list are cut, and show a slash as what may also be in a name: the real path is asked for. */
  async #entry(
    inode: number,
    matches: (path: string) => boolean,
    context: CallContext,
  ): Promise<TrashEntry | undefined> {
    const path = await this.#pathOf(inode, context);
    if (path === undefined || !matches(path)) return undefined;
    const request = { inode, kind: messages.DetachedKind.trash };
    const reply = await this.#meta.ask(messages.detachedAttributes, request, context);
    // Restored or purged meanwhile.
    if (reply === undefined) return undefined;
    const { attributes } = reply;
    const stats = new Stats({ inode, attributes, device: deviceOf(this.#volume) });
    return { inode, path, stats, deletedAt: stats.ctime };
  }

  async #pathOf(inode: number, context: CallContext): Promise<string | undefined> {
    const reply = await this.#meta.ask(messages.trashPath, { inode }, context);
    if (reply === undefined) return undefined;
    const whole = `/${Buffer.from(reply.path).toString().replace(/\0+$/, '')}`;
    return whole.startsWith(this.#root) ? `/${whole.slice(this.#root.length)}` : undefined;
  }

  /** The entries that are meant; ENOENT where there is none. */
  async find(target: TrashTarget, context: CallContext): Promise<TrashEntry[]> {
    if (isEntry(target)) return [target];
    const matches = isPattern(target) ? matcherOf(target.pattern) : samePath(pathText(target));
    const found: TrashEntry[] = [];
    for await (const entry of this.entries(matches, context)) found.push(entry);
    if (found.length === 0) throw fsError('ENOENT', context.site, { detail: 'not in the trash' });
    if (isPattern(target)) return found;
    // Deleted several times: the last one, and of two in one second the one that was made later.
    return [
      found.reduce((last, each) =>
        each.deletedAt > last.deletedAt || (+each.deletedAt === +last.deletedAt && each.inode > last.inode)
          ? each
          : last,
      ),
    ];
  }

  async restore(entry: TrashEntry, to: string | undefined, context: CallContext): Promise<TrashEntry> {
    const site = { ...context.site, path: entry.path, ...(to !== undefined && { dest: to }) };
    const own = { ...context, site };
    if (to === undefined) {
      await this.#meta.call(messages.undelete, { inode: entry.inode }, own);
      return entry;
    }
    const path = `/${to.split('/').filter(Boolean).join('/')}`;
    await this.#moveTo(entry.inode, path, own);
    try {
      await this.#meta.call(messages.undelete, { inode: entry.inode }, own);
    } catch (error) {
      // It stays in the trash: under its own path.
      await this.#moveTo(entry.inode, entry.path, own).catch(() => undefined);
      throw error;
    }
    return { ...entry, path };
  }

  async #moveTo(inode: number, path: string, context: CallContext): Promise<void> {
    const whole = `${this.#root.slice(1)}${path.slice(1)}`;
    await this.#meta.call(messages.setTrashPath, { inode, path: Buffer.from(`${whole}\0`) }, context);
  }

  async purge(entry: TrashEntry, context: CallContext): Promise<TrashEntry> {
    const own = { ...context, site: { ...context.site, path: entry.path } };
    await this.#meta.call(messages.purge, { inode: entry.inode }, own);
    return entry;
  }

  async sustained(context: CallContext): Promise<SustainedFile[]> {
    const { entries } = await this.#meta.call(messages.listSustained, {}, context);
    return entries
      .map(({ inode, name }) => ({ inode, whole: `/${Buffer.from(name).toString().replaceAll('|', '/')}` }))
      .filter(({ whole }) => whole.startsWith(this.#root))
      .map(({ inode, whole }) => ({ inode, path: `/${whole.slice(this.#root.length)}` }));
  }
}

function samePath(text: string): (path: string) => boolean {
  const wanted = `/${text
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')}`;
  return (path) => path === wanted;
}
