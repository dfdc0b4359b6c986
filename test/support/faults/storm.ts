/** Many uploads at once while servers die and come back: what became of each. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChunkReplication, MooseFS } from '../../../src/index.ts';

/** One upload that was begun. */
export interface Upload {
  readonly path: string;
  /** MD5 of the bytes that were given to it. */
  readonly digest: string;
  readonly bytes: number;
  readonly tookMs: number;
  readonly outcome: 'resolved' | 'rejected' | 'hangs';
  readonly error: unknown;
  readonly replication: readonly ChunkReplication[];
}

const PIECE = 64 * 1024;
const MAX_PIECES = 16;
/** Pauses between pieces, so that an upload spans several faults. */
const MAX_PAUSE_MS = 3000;
/** Longer than every limit of the client together. */
const HANGS_AFTER_MS = 200_000;

/** Keeps `slots` uploads going until `until` (on the clock of `performance.now()`); resolves when all have ended, or hang. */
export async function uploadStorm(mfs: MooseFS, folder: string, slots: number, until: number): Promise<Upload[]> {
  const uploads: Upload[] = [];
  const slot = async (number: number): Promise<void> => {
    for (let i = 0; performance.now() < until; i++) uploads.push(await upload(mfs, `${folder}/${number}-${i}`));
  };
  await Promise.all(Array.from({ length: slots }, (_, number) => slot(number)));
  return uploads;
}

async function upload(mfs: MooseFS, path: string): Promise<Upload> {
  const hash = createHash('md5');
  const pieces = 1 + Math.floor(Math.random() * MAX_PIECES);
  const startedAt = performance.now();
  let bytes = 0;
  let replication: readonly ChunkReplication[] = [];
  const write = async (): Promise<'resolved'> => {
    const stream = mfs.createWriteStream(path, { onReplication: (found) => (replication = found) });
    const finished = new Promise<void>((resolve, reject) => stream.on('finish', resolve).on('error', reject));
    finished.catch(() => undefined);
    for (let i = 0; i < pieces && !stream.destroyed; i++) {
      const piece = randomBytes(1 + Math.floor(Math.random() * PIECE));
      hash.update(piece);
      bytes += piece.length;
      stream.write(piece);
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    stream.end();
    await finished;
    return 'resolved';
  };
  let error: unknown;
  const timer = new AbortController();
  const hangs = sleep(HANGS_AFTER_MS, 'hangs' as const, { signal: timer.signal }).catch(() => 'hangs' as const);
  const failed = (failure: unknown): 'rejected' => {
    error = failure;
    return 'rejected';
  };
  const outcome = await Promise.race([write().catch(failed), hangs]);
  timer.abort();
  const tookMs = Math.round(performance.now() - startedAt);
  return { path, digest: hash.digest('hex'), bytes, tookMs, outcome, error, replication };
}
