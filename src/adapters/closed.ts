/** One thing that node's pipeline() does not do. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Resolves when a stream is really closed. A pipeline that fails does not wait for that: a file that was being made would appear
 * after it was removed.
 */
export async function closed(stream: Writable): Promise<void> {
  stream.destroy();
  if (!stream.closed) await once(stream, 'close').catch(() => undefined);
}
