/** The archive flag of chunks (`mfs.archive`): with it they are kept as their class wants archived chunks to be. */
import * as messages from '../protocol/messages/placement.ts';
import { MooseFSError } from '../errors.ts';
import { atPath } from './admin-call.ts';
import type { SignalOption } from './file-handle.ts';
import type { PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Chunks and files of a tree, by their archive flag. */
export interface ArchiveCounts {
  readonly archivedChunks: number;
  readonly otherChunks: number;
  /** Files all of whose chunks are archived. */
  readonly archivedFiles: number;
  /** Files some of whose chunks are archived. */
  readonly partialFiles: number;
  readonly otherFiles: number;
}

/** What setting or clearing the flag came to, in chunks; in files where it was not permitted. */
export interface ArchiveChanges {
  readonly changed: number;
  readonly notChanged: number;
  readonly notPermitted: number;
}

/**
 * Calls about the archive flag. Always about a file, or a folder and everything in it.
 *
 * @example
 * ```ts
 * await mfs.archive.set('/films/1998');
 * const { archivedChunks, otherChunks } = await mfs.archive.get('/films/1998');
 * console.log(archivedChunks, otherChunks);
 * ```
 */
export interface ArchiveApi {
  /**
   * How many chunks and files are archived.
   *
   * @example
   * ```ts
   * const { archivedChunks, otherChunks } = await mfs.archive.get('/films/1998');
   * console.log(archivedChunks, otherChunks);
   * ```
   */
  get(path: PathLike, options?: SignalOption): Promise<ArchiveCounts>;
  /**
   * Archives now, before the class's time for it.
   *
   * @example
   * ```ts
   * const { changed } = await mfs.archive.set('/films/1998');
   * console.log(changed);
   * ```
   */
  set(path: PathLike, options?: SignalOption): Promise<ArchiveChanges>;
  /**
   * Brings chunks back to how the class keeps them.
   *
   * @example
   * ```ts
   * await mfs.archive.clear('/films/1998');
   * ```
   */
  clear(path: PathLike, options?: SignalOption): Promise<ArchiveChanges>;
}

/** Calls about the archive flag of one client. */
export function archiveApi(volume: Volume): ArchiveApi {
  const change =
    (method: 'set' | 'clear') =>
    (path: PathLike, { signal }: SignalOption = {}): Promise<ArchiveChanges> =>
      atPath(volume, `archive.${method}`, path, { signal, recursive: true }, async ({ inode }, context) => {
        const request = { inode, command: messages.ArchiveCommand[method], uid: volume.settings.uid };
        const { changed, notChanged, notPermitted } = await volume.session.call(messages.archive, request, context);
        return { changed: safe(changed), notChanged: safe(notChanged), notPermitted };
      });
  return {
    get: (path, { signal } = {}) =>
      atPath(volume, 'archive.get', path, { signal, recursive: true }, async ({ inode }, context) => {
        const request = { inode, command: messages.ArchiveCommand.get };
        const reply = await volume.session.call(messages.archiveState, request, context);
        return { ...reply, archivedChunks: safe(reply.archivedChunks), otherChunks: safe(reply.otherChunks) };
      }),
    set: change('set'),
    clear: change('clear'),
  };
}

function safe(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER)
    throw new MooseFSError(`${value} chunks are more than a number can hold`, { code: 'EOVERFLOW' });
  return Number(value);
}
