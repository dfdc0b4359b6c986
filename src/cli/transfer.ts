/** Bytes on their way: counted for the progress bar, and digested where that is asked for. */
import type { Hash } from 'node:crypto';
import { Transform } from 'node:stream';
import type { TransferProgress } from '../index.ts';
import type { Progress } from './progress.ts';

/** Passes pieces on and counts them. For sources that an AbortSignal ends: what waits for the next piece cannot be ended itself. */
export async function* counted(pieces: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<Buffer, void> {
  for await (const piece of pieces) {
    yield piece;
    progress.add(piece.length);
  }
}

/** A stream that passes pieces on and counts them, for pipelines that may be ended at any time. */
export function counter(progress: Progress, hash?: Hash): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, callback) {
      hash?.update(piece);
      progress.add(piece.length);
      callback(null, piece);
    },
  });
}

/** For `onProgress`: adds what is new to the bar; `begin` is told the total at the first call. */
export function added(progress: Progress, begin?: (total: number) => void): (progressed: TransferProgress) => void {
  let before: number | undefined;
  return ({ transferred, total }) => {
    if (before === undefined) begin?.(total ?? 0);
    progress.add(transferred - (before ?? 0));
    before = transferred;
  };
}
