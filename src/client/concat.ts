/** Concatenation inside of the cluster: whole chunks of files are appended to another one by reference; no data is moved. */
import * as messages from '../protocol/messages/chunk.ts';
import { NodeType } from '../protocol/attributes.ts';
import { MAX_CHUNK_INDEX } from '../protocol/geometry.ts';
import { checkInteger } from './arguments.ts';
import { startCall } from './calls.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { attributesOf, findPath, pathText } from './paths.ts';
import type { Found, PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Chunks of a file: from the one with index `from` up to, not including, `to`; as in slice(), negative counts from the end. */
export interface ChunkSlice {
  readonly path: PathLike;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** One more than the last index: "to the end". */
const ALL = MAX_CHUNK_INDEX + 1;
/** Flags of APPEND_SLICE: the number counts from the end. */
const FROM_END = { from: 1, to: 2 } as const;

/** Appends to `destination`, which exists. Gives its new length. */
export function concatFiles(
  volume: Volume,
  destination: PathLike,
  sources: readonly (PathLike | ChunkSlice)[],
  { signal }: SignalOption,
): Promise<number> {
  return startCall(volume, { method: 'concat', path: destination, signal }, async (context) => {
    const target = await regularFile(volume, destination, context);
    for (const source of sources) await append(volume, target.inode, sliceOf(source), context);
    const attributes = await attributesOf(volume, target.inode, context);
    volume.files.get(target.inode)?.learn(attributes);
    return attributes.length;
  });
}

const sliceOf = (source: PathLike | ChunkSlice): ChunkSlice =>
  typeof source === 'object' && 'path' in source ? source : { path: source };

async function append(
  volume: Volume,
  destination: number,
  { path, from = 0, to = ALL }: ChunkSlice,
  context: CallContext,
): Promise<void> {
  checkInteger(from, 'from', -ALL, ALL);
  checkInteger(to, 'to', -ALL, ALL);
  const own = { ...context, site: { ...context.site, dest: pathText(path) } };
  const { inode } = await regularFile(volume, path, own);
  // The master would say only that something is invalid.
  if (inode === destination) throw fsError('EINVAL', own.site, { detail: 'a file cannot be appended to itself' });
  const { uid, gids } = volume.settings;
  await volume.session.call(
    messages.appendSlice,
    {
      flags: (from < 0 ? FROM_END.from : 0) | (to < 0 ? FROM_END.to : 0),
      destination,
      source: inode,
      from: Math.abs(from),
      to: Math.abs(to),
      uid,
      gids,
    },
    own,
  );
  volume.files.get(destination)?.locations.forgetAll();
}

async function regularFile(volume: Volume, path: PathLike, context: CallContext): Promise<Found> {
  const found = await findPath(volume, path, { ...context, follow: true });
  if (found.attributes.type === NodeType.directory) throw fsError('EISDIR', context.site);
  if (found.attributes.type !== NodeType.file) throw fsError('EINVAL', context.site);
  await volume.files.get(found.inode)?.flush(context.deadline);
  return found;
}
