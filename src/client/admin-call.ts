/** How calls of administration begin: from a path to an inode, with more time where a master works through a whole tree. */
import { Deadline } from '../transport/deadline.ts';
import { startCall } from './calls.ts';
import type { SignalOption } from './file-handle.ts';
import type { CallContext } from './nodes.ts';
import { findPath } from './paths.ts';
import type { Found, PathLike } from './paths.ts';
import type { Volume } from './volume.ts';

/** Options of calls that can be about a folder and everything in it. */
export interface TreeOptions extends SignalOption {
  /** Of a folder: also everything in it. The master does that in one go, and answers nobody else meanwhile. Default false. */
  readonly recursive?: boolean | undefined;
}

/** A master needs seconds for a tree of a million nodes; meanwhile it says that it lives. */
const TREE_TIMEOUT_MS = 300_000;

/** A deadline for work on a whole tree. */
export function treeDeadline({ settings }: Volume, signal?: AbortSignal): Deadline {
  return Deadline.in(Math.max(settings.requestTimeoutMs, TREE_TIMEOUT_MS), signal);
}

/** Runs a call about what a path leads to. Symlinks are followed. */
export function atPath<T>(
  volume: Volume,
  method: string,
  path: PathLike,
  { signal, recursive = false }: TreeOptions,
  work: (found: Found, context: CallContext) => Promise<T>,
): Promise<T> {
  return startCall(volume, { method, path, signal }, async (context) => {
    const found = await findPath(volume, path, { ...context, follow: true });
    return work(found, recursive ? { ...context, deadline: treeDeadline(volume, signal) } : context);
  });
}
