/** Waiting until every chunk of a file has as many copies as it should: for those who must know before they answer. */
import { ConnectionError } from '../errors.ts';
import * as messages from '../protocol/messages/chunk.ts';
import { NodeType } from '../protocol/attributes.ts';
import { chunkCountOf } from '../protocol/geometry.ts';
import { Status } from '../protocol/status.ts';
import { Backoff } from '../transport/backoff.ts';
import { Deadline } from '../transport/deadline.ts';
import { checkInteger } from './arguments.ts';
import { startCall } from './calls.ts';
import type { SignalOption } from './file-handle.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { inParallel } from './open-file.ts';
import { findPath } from './paths.ts';
import type { PathLike } from './paths.ts';
import { redundancyOf } from './replica-info.ts';
import { describe } from './storage-class-api.ts';
import type { Volume } from './volume.ts';

/** How far a file's replication is. */
export interface ReplicationProgress {
  readonly chunks: number;
  /** Chunks that have enough copies. */
  readonly ready: number;
  /** Copies of the chunk that has the fewest. */
  readonly fewest: number;
  /** What is waited for. */
  readonly wanted: number;
}

/** Options of `mfs.waitForReplication`. */
export interface ReplicationWaitOptions extends SignalOption {
  /** How many copies; of a chunk in parts: how many servers may be lost, and one. Default: what the storage class asks for. */
  readonly copies?: number | undefined;
  /** Default 300000: the master looks at a chunk once in a loop, which takes minutes on large clusters. */
  readonly timeoutMs?: number | undefined;
  /** Called whenever it was looked. */
  readonly onProgress?: ((progress: ReplicationProgress) => void) | undefined;
}

const TIMEOUT_MS = 300_000;
const LOOKS = { firstMs: 50, factor: 1.5, maxMs: 1000 };
const PARALLEL_QUESTIONS = 32;

/** Resolves with how it is then. Rejects with ETIMEDOUT, saying how far it is, when time is over. */
export function waitForReplication(
  volume: Volume,
  path: PathLike,
  { copies, timeoutMs = TIMEOUT_MS, signal, onProgress }: ReplicationWaitOptions,
): Promise<ReplicationProgress> {
  return startCall(volume, { method: 'waitForReplication', path, signal }, async (start) => {
    if (copies !== undefined) checkInteger(copies, 'copies', 1, 100);
    const context = { ...start, deadline: Deadline.in(timeoutMs, signal) };
    const { inode, attributes } = await findPath(volume, path, { ...context, follow: true });
    if (attributes.type === NodeType.directory) throw fsError('EISDIR', context.site);
    if (attributes.type !== NodeType.file) throw fsError('EINVAL', context.site);
    const open = volume.files.get(inode);
    await open?.flush(context.deadline);
    const count = chunkCountOf(Math.max(attributes.length, open?.length ?? 0));
    const wanted = copies ?? (await wantedBy(volume, inode, context));
    const pauses = new Backoff(LOOKS);
    let last: ReplicationProgress | undefined;
    try {
      for (;;) {
        last = await look(volume, inode, count, wanted, context);
        onProgress?.(last);
        if (last.ready === last.chunks) return last;
        await context.deadline.sleep(pauses.next(), 'waiting for replication');
      }
    } catch (error) {
      throw outOfTime(error, last, context) ?? error;
    }
  });
}

function outOfTime(error: unknown, last: ReplicationProgress | undefined, { site }: CallContext): Error | undefined {
  if (!(error instanceof ConnectionError) || error.code !== 'ETIMEDOUT' || last === undefined) return undefined;
  const { ready, chunks, wanted, fewest } = last;
  const detail = `${ready} of ${chunks} chunks have ${wanted} copies; one has ${fewest}`;
  return fsError('ETIMEDOUT', site, { cause: error, detail, retryable: true });
}

/** Copies that the class keeps; a chunk in parts of that class is as good as that. */
async function wantedBy(volume: Volume, inode: number, context: CallContext): Promise<number> {
  const name = await volume.classes.nameOf(inode, context.deadline, context.site);
  return (await describe(volume, name, context)).keep.copies.length;
}

async function look(
  volume: Volume,
  inode: number,
  chunks: number,
  wanted: number,
  context: CallContext,
): Promise<ReplicationProgress> {
  let ready = 0;
  let fewest = Infinity;
  const indexes = Array.from({ length: chunks }, (_, index) => index);
  await inParallel(indexes, PARALLEL_QUESTIONS, async (chunkIndex) => {
    const found = await copiesAt(volume, inode, chunkIndex, context);
    fewest = Math.min(fewest, found);
    if (found >= wanted) ready++;
  });
  return { chunks, ready, fewest: Number.isFinite(fewest) ? fewest : wanted, wanted };
}

async function copiesAt({ session }: Volume, inode: number, chunkIndex: number, context: CallContext): Promise<number> {
  const { status, value } = await session.tryCall(
    messages.checkChunk,
    { mode: messages.CHECK_WITH_PARTS, inode, chunkIndex },
    context,
  );
  // A hole has nothing that could be lost.
  if (status === Status.NOCHUNK || value?.chunkId === 0n) return Infinity;
  if (value === undefined) throw statusError(status, context.site, messages.checkChunk.name);
  return redundancyOf(value.parts ?? (value.replicas ?? []).map((each) => ({ ...each, partCode: 0 })));
}
