/** How every public call begins: arguments that are paths checked, its trace, its deadline, and what its errors say. */
import { callChannel, traced } from './diagnostics.ts';
import type { CallContext } from './nodes.ts';
import { pathBytes, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** A public call. */
export interface CallStart {
  /** As the user called it. */
  readonly method: string;
  /** As node's errors name it; defaults to the method. */
  readonly syscall?: string | undefined;
  readonly path: PathLike;
  readonly dest?: PathLike | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What the path is called in complaints about it. */
  readonly argument?: string | undefined;
  readonly destArgument?: string | undefined;
}

/** Runs a call that has a path. Never throws: whatever is wrong rejects. */
export async function startCall<T>(
  volume: Volume,
  start: CallStart,
  work: (context: CallContext) => Promise<T>,
): Promise<T> {
  const { method, syscall = method, signal } = start;
  pathBytes(start.path, start.argument);
  const path = pathText(start.path);
  let dest: string | undefined;
  if (start.dest !== undefined || start.destArgument !== undefined) {
    pathBytes(start.dest as PathLike, start.destArgument);
    dest = pathText(start.dest as PathLike);
  }
  return traced(
    callChannel,
    () => ({ method, path, ...(dest !== undefined && { dest }) }),
    () =>
      work({
        site: { syscall, path, ...(dest !== undefined && { dest }) },
        deadline: requestDeadline(volume, signal),
      }),
  );
}
