/** Copies files and folders from one tree to another, as cp does: what goes where, in which order, and how much of it. */
import PQueue from 'p-queue';
import type { CommandContext } from './command.ts';
import { DEFAULT_JOBS } from './command.ts';
import { baseName, endsInSlash, joinPath } from './paths.ts';
import { failure } from './status.ts';
import type { Entry, Tree } from './trees.ts';

/** One thing to be made. */
interface Step {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly entry: Entry;
}

/** What to copy, and how. */
export interface CopyRequest {
  readonly from: Tree;
  readonly to: Tree;
  readonly sources: readonly Buffer[];
  readonly destination: Buffer;
  readonly recursive: boolean;
  /** What a line about a failure names: the file that the user would look for. */
  readonly shown: (step: { readonly from: Buffer; readonly to: Buffer }) => string;
  /** Copies one file. */
  readonly transfer: (step: Step) => Promise<void>;
  /** Refuses a source for its target; throws. */
  readonly check?: (source: Buffer, target: Buffer) => void;
}

/** Copies all sources. Failures are reported one by one; the rest goes on. */
export async function copyTrees(context: CommandContext, request: CopyRequest): Promise<void> {
  const concurrency = context.number('jobs', 1, 64) ?? DEFAULT_JOBS;
  const steps = await plan(context, request);
  const files = steps.filter(({ entry }) => entry.kind === 'file');
  const total = files.reduce((sum, { entry }) => sum + entry.size, 0);
  const title = files.length === 1 ? request.shown(files[0]!) : request.destination.toString();
  context.progress.begin(title, { total, files: files.length });
  const failedFolders: Buffer[] = [];
  const isLost = (to: Buffer) =>
    failedFolders.some((folder) => to.subarray(0, folder.length + 1).equals(joinPath(folder, Buffer.alloc(0))));
  const attempt = async (step: Step, work: () => Promise<void>): Promise<void> => {
    if (context.signal.aborted || isLost(step.to)) return;
    try {
      await work();
    } catch (error) {
      if (step.entry.kind === 'folder') failedFolders.push(step.to);
      context.failed(request.shown(step), error);
    }
  };
  for (const step of steps.filter(({ entry }) => entry.kind === 'folder'))
    await attempt(step, () => request.to.makeFolder(step.to, step.entry.mode));
  const queue = new PQueue({ concurrency });
  await queue.addAll(
    steps
      .filter(({ entry }) => entry.kind !== 'folder')
      .map((step) => () => attempt(step, () => copyOne(context, request, step))),
  );
  context.progress.end();
}

async function copyOne(context: CommandContext, { from, to, transfer }: CopyRequest, step: Step): Promise<void> {
  if (step.entry.kind === 'link') await to.makeLink(step.to, await from.readLink(step.from));
  else if (step.entry.kind === 'file') {
    await transfer(step);
    context.progress.fileDone();
  } else throw failure('ENOTSUP', 'neither file, folder nor symlink: left out');
}

async function plan(context: CommandContext, request: CopyRequest): Promise<Step[]> {
  const { to, sources, destination, shown } = request;
  const there = await to.look(destination, { follow: true });
  if (sources.length > 1 && there?.kind !== 'folder')
    throw Object.assign(failure('ENOTDIR', 'more than one source, and this is no folder'), {
      path: destination.toString(),
    });
  const steps: Step[] = [];
  for (const source of sources) {
    const target = there?.kind === 'folder' ? inFolder(destination, source) : destination;
    try {
      steps.push(...(await planOne(context, request, source, target)));
    } catch (error) {
      context.failed(shown({ from: source, to: source }), error);
    }
  }
  return steps;
}

/** `.`, `..` and `/` have no name: what is in them goes into the folder itself. */
function inFolder(folder: Buffer, source: Buffer): Buffer {
  const name = baseName(source);
  return name.length === 0 ? folder : joinPath(folder, name);
}

async function planOne(
  { signal }: CommandContext,
  { from, recursive, check }: CopyRequest,
  source: Buffer,
  target: Buffer,
): Promise<Step[]> {
  const entry = await from.look(source, { follow: true });
  if (entry === undefined) throw failure('ENOENT', 'no such file or directory');
  if (entry.kind !== 'folder') {
    if (endsInSlash(source)) throw failure('ENOTDIR', 'not a directory');
    if (endsInSlash(target)) throw failure('ENOENT', `there is no folder ${target.toString()}`);
  } else if (!recursive) throw failure('EISDIR', 'is a folder; -r takes folders with all that is in them');
  check?.(source, target);
  const steps: Step[] = [{ from: source, to: target, entry }];
  // Listed before anything is made: a folder that is copied into itself has an end.
  for (const step of steps) {
    if (step.entry.kind !== 'folder') continue;
    signal.throwIfAborted();
    for (const { name, ...each } of await from.list(step.from))
      steps.push({ from: joinPath(step.from, name), to: joinPath(step.to, name), entry: each });
  }
  return steps;
}
