/**
 * Small files in two round trips: the LOOKUP that finds a file of one chunk also says where that chunk lies, so the chunkserver can
 * be asked at once. Whatever is not that simple takes the ordinary way, by way of an open file.
 */
import { MooseFSError } from '../errors.ts';
import { NodeType } from '../protocol/attributes.ts';
import { ChunkLocations } from './chunk-locations.ts';
import { readChunkRange } from './chunk-reader.ts';
import type { CallContext } from './nodes.ts';
import { pathText, resolvePath } from './paths.ts';
import type { Found, PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Longer files are worth an OPEN, and several requests at once. */
const LIMIT = 2 * 1024 * 1024;
/** The bit of a LOOKUP's access bits that says that reading (rwx mask 4) is granted. */
const MAY_READ = 1 << 4;

/** The bytes of a small file; undefined where it has to be opened, for its errors too. */
export async function readSmallFile(volume: Volume, path: PathLike, context: CallContext): Promise<Buffer | undefined> {
  const { found } = await resolvePath(volume, path, { ...context, follow: true });
  if (found === undefined || !isSmall(volume, found)) return undefined;
  const { inode, attributes, chunk } = found;
  const bytes = Buffer.allocUnsafe(attributes.length);
  volume.session.times.read(inode);
  if (bytes.length === 0) return bytes;
  const locations = new ChunkLocations(volume.session, inode);
  locations.learn(0, chunk!);
  try {
    await readChunkRange(volume, {
      inode,
      path: pathText(path),
      index: 0,
      offset: 0,
      into: bytes,
      ...context,
      locate: (fresh) => {
        if (fresh) locations.forgetAll();
        return locations.find(0, context);
      },
    });
    return bytes;
  } catch (error) {
    if (error instanceof MooseFSError && error.name !== 'AbortError') return undefined;
    throw error;
  }
}

/** A regular file that this client has not open, that the caller may read, and whose only chunk is known. */
function isSmall(volume: Volume, { inode, attributes, lookupFlags, chunk }: Found): boolean {
  if (attributes.type !== NodeType.file || attributes.length > LIMIT) return false;
  if (((lookupFlags ?? 0) & MAY_READ) === 0 || volume.files.get(inode) !== undefined) return false;
  return attributes.length === 0 || chunk !== undefined;
}
