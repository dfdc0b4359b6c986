/** How files and trees are: copies of their chunks, sizes on all disks, and the repair of what is lost. */
import { NodeType } from '../protocol/attributes.ts';
import * as messages from '../protocol/messages/admin.ts';
import { version } from '../protocol/version.ts';
import { atPath } from './admin-call.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import type { Found, PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Chunks of a file that are kept alike. */
export interface ChunkClass {
  /** Valid full copies; where a server of 3.x says 10 it means 10 or more. */
  readonly copies: number;
  /** Valid parts of chunks in 8 data parts. */
  readonly ec8Parts: number;
  /** Valid parts of chunks in 4 data parts. */
  readonly ec4Parts: number;
  /** How many chunks are kept so. */
  readonly count: number;
}

/** How the chunks of a file are kept, as mfscheckfile counts them. */
export interface FileCheck {
  /** By copies, then parts, ascending: the first are those in danger. */
  readonly chunks: readonly ChunkClass[];
  /** Chunks that are not stored and read as zeros. */
  readonly holes: number;
  /** Chunks that nobody has enough of to read. */
  readonly lost: number;
}

/** What is in a tree, as mfsdirinfo counts it. */
export interface DirectoryInfo {
  readonly inodes: number;
  readonly directories: number;
  readonly files: number;
  readonly chunks: number;
  /** Bytes of all files. */
  readonly length: number;
  /** Bytes of all chunks, with the blocks that files end in filled up and their heads. */
  readonly size: number;
  /** Bytes on all disks: `size` times copies, or parts. */
  readonly realSize: number;
}

/** Options of a repair. */
export interface RepairOptions extends SignalOption {
  /**
   * Make holes of lost chunks. On 3.x there is no other way, and it must be said; on 4.27 and later lost chunks are otherwise kept
   * and marked: they read as zeros, and come back when a server with a copy does.
   */
  readonly erase?: boolean | undefined;
}

/** What a repair did, in chunks. */
export interface RepairCounts {
  readonly notChanged: number;
  /** Zeros now, for ever. */
  readonly erased: number;
  /** Readable again: by an older copy, or marked as zeros. */
  readonly repaired: number;
}

const CLASSES_SINCE = version('4.36.0');
const MARKS_SINCE = version('4.27.0');
/** How the numbers of copies and parts are packed into one. */
const COPIES_RADIX = 11;
const EC8_RADIX = 18;
const FIRST_CLASS = 2;

const regular = ({ attributes }: Found, { site }: CallContext): void => {
  if (attributes.type === NodeType.directory) throw fsError('EISDIR', site);
  if (attributes.type !== NodeType.file) throw fsError('EINVAL', site);
};

/** See {@link FileCheck}. */
export function checkFile(volume: Volume, path: PathLike, { signal }: SignalOption): Promise<FileCheck> {
  return atPath(volume, 'checkFile', path, { signal }, async (found, context) => {
    regular(found, context);
    await volume.files.get(found.inode)?.flush(context.deadline);
    return volume.session.version >= CLASSES_SINCE
      ? checkByClasses(volume, found.inode, context)
      : checkByCopies(volume, found.inode, context);
  });
}

async function checkByClasses({ session }: Volume, inode: number, context: CallContext): Promise<FileCheck> {
  const request = { mode: messages.CHECK_CLASSES, inode };
  const { classes } = await session.call(messages.checkFileClasses, request, context);
  const count = (wanted: number): number => classes.find((each) => each.class === wanted)?.count ?? 0;
  const chunks = classes
    .filter((each) => each.class >= FIRST_CLASS)
    .map((each): ChunkClass => {
      const packed = each.class - FIRST_CLASS;
      const parts = Math.floor(packed / COPIES_RADIX);
      return {
        copies: packed % COPIES_RADIX,
        ec8Parts: parts % EC8_RADIX,
        ec4Parts: Math.floor(parts / EC8_RADIX),
        count: each.count,
      };
    });
  return sorted(chunks, count(1), count(0));
}

async function checkByCopies({ session }: Volume, inode: number, context: CallContext): Promise<FileCheck> {
  const reply = await session.call(messages.checkFile, { inode }, context);
  const chunks = ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const)
    .map((copies): ChunkClass => ({ copies, ec8Parts: 0, ec4Parts: 0, count: reply[`copies${copies}`] }))
    .filter(({ count }) => count > 0);
  return sorted(chunks, reply.empty, 0);
}

function sorted(chunks: readonly ChunkClass[], holes: number, unknown: number): FileCheck {
  const ordered = [...chunks].sort((a, b) => a.copies - b.copies || a.ec8Parts - b.ec8Parts || a.ec4Parts - b.ec4Parts);
  const lost = ordered.filter(({ copies, ec8Parts, ec4Parts }) => copies === 0 && ec8Parts < 8 && ec4Parts < 4);
  return { chunks: ordered, holes, lost: lost.reduce((sum, { count }) => sum + count, unknown) };
}

/** See {@link DirectoryInfo}. */
export function directoryInfo(volume: Volume, path: PathLike, { signal }: SignalOption): Promise<DirectoryInfo> {
  return atPath(volume, 'directoryInfo', path, { signal }, async ({ inode }, context) => {
    const { inodes, directories, files, chunks, length, size, realSize } = await volume.session.call(
      messages.directoryInfo,
      { inode },
      context,
    );
    return { inodes, directories, files, chunks, length, size, realSize };
  });
}

/** See {@link RepairCounts}. */
export function repairFile(
  volume: Volume,
  path: PathLike,
  { erase = false, signal }: RepairOptions,
): Promise<RepairCounts> {
  return atPath(volume, 'repair', path, { signal }, async (found, context) => {
    regular(found, context);
    const { session, settings, files } = volume;
    if (!erase && session.version < MARKS_SINCE) {
      const detail = 'this server can only make holes of lost chunks, for ever: say { erase: true } if that is meant';
      throw fsError('ENOTSUP', context.site, { detail });
    }
    const { uid, gids } = settings;
    const flags = erase ? messages.REPAIR_ERASE : 0;
    const counts = await session.call(messages.repair, { inode: found.inode, uid, gids, flags }, context);
    files.get(found.inode)?.locations.forgetAll();
    return counts;
  });
}
