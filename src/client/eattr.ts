/** Extra attributes (`mfs.eattr`): what MooseFS itself does differently with a file or folder. Not those of users: `mfs.xattr`. */
import * as messages from '../protocol/messages/admin.ts';
import { SET_RECURSIVE } from '../protocol/messages/placement.ts';
import { since } from '../protocol/version.ts';
import { atPath } from './admin-call.ts';
import type { TreeOptions } from './admin-call.ts';
import { invalidType, invalidValue } from './arguments.ts';
import { fsError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import type { PathLike } from './paths.ts';
import type { SetCounts } from './storage-class.ts';
import type { TreeCounts } from './storage-class-api.ts';
import type { Volume } from './volume.ts';

/**
 * An extra attribute. `noowner`: everybody counts as the owner; `noattrcache`, `noentrycache` (folders), `nodatacache`: mounts do
 * not cache; `snapshot`: made by a snapshot; `undeletable`, `appendonly`, `immutable`: as their names say, since 3.0.113.
 */
export type ExtraAttributeName =
  'noowner' | 'noattrcache' | 'noentrycache' | 'nodatacache' | 'snapshot' | 'undeletable' | 'appendonly' | 'immutable';

/**
 * Calls about extra attributes.
 *
 * @example
 * ```ts
 * await mfs.eattr.add('/shared', ['noowner'], { recursive: true });
 * console.log(await mfs.eattr.get('/shared'));
 * ```
 */
export interface ExtraAttributesApi {
  /**
   * Those of a file or folder; with `recursive` all sets in a tree, counted.
   *
   * @example
   * ```ts
   * console.log((await mfs.eattr.get('/shared')).includes('noowner'));
   * ```
   */
  get(
    path: PathLike,
    options?: TreeOptions & { readonly recursive?: false | undefined },
  ): Promise<ExtraAttributeName[]>;
  get(path: PathLike, options: TreeOptions & { readonly recursive: true }): Promise<TreeCounts<ExtraAttributeName[]>>;
  /**
   * Gives a file, folder or tree these and no others.
   *
   * @example
   * ```ts
   * await mfs.eattr.set('/shared', ['noowner', 'nodatacache']);
   * ```
   */
  set(path: PathLike, names: readonly ExtraAttributeName[], options?: TreeOptions): Promise<SetCounts>;
  /**
   * Adds these to what there is.
   *
   * @example
   * ```ts
   * await mfs.eattr.add('/contracts', ['immutable'], { recursive: true });
   * ```
   */
  add(path: PathLike, names: readonly ExtraAttributeName[], options?: TreeOptions): Promise<SetCounts>;
  /**
   * Takes these away.
   *
   * @example
   * ```ts
   * await mfs.eattr.remove('/contracts', ['immutable'], { recursive: true });
   * ```
   */
  remove(path: PathLike, names: readonly ExtraAttributeName[], options?: TreeOptions): Promise<SetCounts>;
}

const BITS: Readonly<Record<ExtraAttributeName, number>> = {
  noowner: messages.ExtraAttribute.noOwner,
  noattrcache: messages.ExtraAttribute.noAttrCache,
  noentrycache: messages.ExtraAttribute.noEntryCache,
  nodatacache: messages.ExtraAttribute.noDataCache,
  snapshot: messages.ExtraAttribute.snapshot,
  undeletable: messages.ExtraAttribute.undeletable,
  appendonly: messages.ExtraAttribute.appendOnly,
  immutable: messages.ExtraAttribute.immutable,
};
const NAMES = Object.keys(BITS) as ExtraAttributeName[];
/** Older servers would drop these bits without a word. */
const PROTECTING = BITS.undeletable | BITS.appendonly | BITS.immutable;
const protects = since('3.0.113', '4.22.0');

/** Calls about extra attributes of one client. */
export function eattrApi(volume: Volume): ExtraAttributesApi {
  const { session, settings } = volume;
  const get = (path: PathLike, options: TreeOptions = {}) =>
    atPath(volume, 'eattr.get', path, options, async ({ inode }, context) => {
      const recursive = options.recursive === true ? 1 : 0;
      const { counts } = await session.call(messages.getExtraAttributes, { inode, recursive }, context);
      if (recursive === 0) return namesOf([...counts.files, ...counts.directories][0]?.bits ?? 0);
      const named = (list: readonly messages.ExtraAttributeCount[]) =>
        list.map(({ bits, count }) => ({ value: namesOf(bits), count }));
      return { files: named(counts.files), directories: named(counts.directories) };
    });
  const change =
    (method: keyof typeof messages.ExtraAttributeMode) =>
    (path: PathLike, names: readonly ExtraAttributeName[], options: TreeOptions = {}): Promise<SetCounts> =>
      atPath(volume, `eattr.${method}`, path, options, ({ inode }, context) => {
        const bits = bitsOf(names, volume, context);
        const setMode = messages.ExtraAttributeMode[method] | (options.recursive === true ? SET_RECURSIVE : 0);
        return session.call(messages.setExtraAttributes, { inode, uid: settings.uid, bits, setMode }, context);
      });
  return { get: get as ExtraAttributesApi['get'], set: change('set'), add: change('add'), remove: change('remove') };
}

const namesOf = (bits: number): ExtraAttributeName[] => NAMES.filter((name) => (bits & BITS[name]) !== 0);

function bitsOf(names: readonly ExtraAttributeName[], { session }: Volume, { site }: CallContext): number {
  if (!Array.isArray(names)) throw invalidType('names', 'an instance of Array', names);
  const bits = (names as readonly ExtraAttributeName[]).reduce((sum, name) => {
    const bit = (BITS as Readonly<Record<string, number | undefined>>)[name];
    if (bit === undefined) throw invalidValue('names', name, `must be of ${NAMES.join(', ')}`);
    return sum | bit;
  }, 0);
  if ((bits & PROTECTING) !== 0 && !protects.includes(session.version))
    throw fsError('ENOTSUP', site, { detail: 'this server does not know undeletable, appendonly and immutable' });
  return bits;
}
