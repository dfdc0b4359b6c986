/** Goals (`mfs.goal`): placement as a number of copies, on every server. Numbers on the wire mean copies on 3.x only: never sent. */
import * as messages from '../protocol/messages/placement.ts';
import { version } from '../protocol/version.ts';
import { atPath } from './admin-call.ts';
import type { TreeOptions } from './admin-call.ts';
import { checkInteger } from './arguments.ts';
import type { StorageClassDefinition } from './class-definition.ts';
import { fsError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { inParallel } from './open-file.ts';
import type { PathLike } from './paths.ts';
import { classNameOf } from './storage-class.ts';
import type { SetCounts } from './storage-class.ts';
import { describe } from './storage-class-api.ts';
import type { StorageClassApi, TreeCounts, ValueCount } from './storage-class-api.ts';
import type { Volume } from './volume.ts';

/**
 * Calls about goals: how many copies are kept.
 *
 * @example
 * ```ts
 * await mfs.goal.set('/films', 3, { recursive: true });
 * console.log(await mfs.goal.get('/films'));
 * ```
 */
export interface GoalApi {
  /**
   * How many copies the class of a file or folder keeps; with `recursive` all such numbers in a tree, counted.
   *
   * @example
   * ```ts
   * console.log(await mfs.goal.get('/film.mp4'));
   * ```
   */
  get(path: PathLike, options?: TreeOptions & { readonly recursive?: false | undefined }): Promise<number>;
  get(path: PathLike, options: TreeOptions & { readonly recursive: true }): Promise<TreeCounts<number>>;
  /**
   * Gives a file, folder or tree the class that means so many copies on any servers, 1 to 9: `3` on 3.x; on 4.x `3CP`, or another
   * class that asks for just that. Rejects with EINVAL where there is none.
   *
   * @example
   * ```ts
   * const { changed } = await mfs.goal.set('/films', 3, { recursive: true });
   * console.log(changed);
   * ```
   */
  set(path: PathLike, copies: number, options?: TreeOptions): Promise<SetCounts>;
}

const V4 = version('4.0.0');
const PARALLEL_QUESTIONS = 16;

/** Calls about goals of one client. */
export function goalApi(volume: Volume, classApi: StorageClassApi): GoalApi {
  const get = (path: PathLike, options: TreeOptions = {}) =>
    atPath(volume, 'goal.get', path, options, async ({ inode }, context) => {
      const recursive = options.recursive === true ? 1 : 0;
      const { classes } = await volume.session.call(messages.getStorageClass, { inode, recursive }, context);
      const names = [...new Set([...classes.files, ...classes.directories].map(classNameOf))];
      const copies = await copiesOf(volume, names, context);
      if (recursive === 0) return copies.get(names[0]!)!;
      const numbers = (list: readonly messages.ClassCount[]) =>
        added(list.map((each) => ({ value: copies.get(classNameOf(each))!, count: each.count })));
      return { files: numbers(classes.files), directories: numbers(classes.directories) };
    });
  return {
    get: get as GoalApi['get'],
    set: async (path, copies, options = {}) => {
      checkInteger(copies, 'copies', 1, messages.LABELS_LIMIT);
      const name = await atPath(volume, 'goal.set', path, options, (_, context) =>
        classOfCopies(volume, classApi, copies, context),
      );
      return classApi.set(path, name, options);
    },
  };
}

/** How many copies each of these classes keeps. */
async function copiesOf(volume: Volume, names: readonly string[], context: CallContext): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  await inParallel(names, PARALLEL_QUESTIONS, async (name) => {
    const isGoal = volume.session.version < V4 && /^[1-9]$/.test(name);
    found.set(name, isGoal ? Number(name) : (await describe(volume, name, context)).keep.copies.length);
  });
  return found;
}

/** Different classes may mean the same number. */
function added(counts: readonly ValueCount<number>[]): ValueCount<number>[] {
  const sums = new Map<number, number>();
  for (const { value, count } of counts) sums.set(value, (sums.get(value) ?? 0) + count);
  return [...sums].map(([value, count]) => ({ value, count })).sort((a, b) => a.value - b.value);
}

/** The class that means so many copies and nothing else. */
async function classOfCopies(
  volume: Volume,
  classApi: StorageClassApi,
  copies: number,
  context: CallContext,
): Promise<string> {
  if (volume.session.version < V4) return String(copies);
  const names = await volume.classes.list(context.deadline);
  const usual = [String(copies), `${copies}CP`];
  const rank = (name: string): number => (usual.includes(name) ? usual.indexOf(name) : usual.length);
  for (const name of names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)))
    if (isPlain(await describe(volume, name, context), copies)) return name;
  const detail = `no storage class means ${copies} copies on any servers; there are ${names.join(', ')}`;
  throw fsError('EINVAL', context.site, { detail });
}

/** So many copies anywhere, always: what a goal means. */
function isPlain({ create, keep, archive, trash, adminOnly }: StorageClassDefinition, copies: number): boolean {
  const others = [create, archive, ...(trash === undefined ? [] : [trash])];
  return (
    !adminOnly &&
    keep.copies.length === copies &&
    [keep, ...others].every(
      (state) =>
        state.erasureCoding === undefined &&
        state.distinct.length === 0 &&
        (state.copies.length === 0 || state.copies.length === copies) &&
        state.copies.every((each) => each === '*'),
    )
  );
}
