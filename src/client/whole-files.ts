/** Whole files at once: reading, writing, copying. */
import type { Endpoint } from '../transport/tcp.ts';
import { invalidType } from './arguments.ts';
import type { FileHandle, TransferProgress } from './file-handle.ts';

/** Bytes of one step of a whole-file transfer. */
const STEP = 4 * 1024 * 1024;

/** Reads from `from` to the end of the file as it is known at the start. */
export async function readWhole(
  handle: FileHandle,
  {
    from = 0,
    signal,
    onProgress,
    replica,
  }: {
    from?: number;
    replica?: Endpoint | undefined;
    signal?: AbortSignal | undefined;
    onProgress?: ((progress: TransferProgress) => void) | undefined;
  } = {},
): Promise<Buffer> {
  const length = Math.max(0, handle.fileFor('read').length - from);
  const whole = Buffer.allocUnsafeSlow(length);
  const steps = Math.ceil(length / STEP);
  let transferred = 0;
  let shortAt = length;
  const read = async (step: number): Promise<void> => {
    const at = step * STEP;
    const into = whole.subarray(at, Math.min(length, at + STEP));
    const bytesRead = await handle.readAt(into, from + at, { signal, replica });
    if (bytesRead < into.length) shortAt = Math.min(shortAt, at + bytesRead);
    transferred += bytesRead;
    onProgress?.({ transferred, total: length });
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < steps && shortAt === length) await read(next++);
  };
  // Two steps at a time: while one is checked and copied, the next is on its way.
  await Promise.all([lane(), lane()]);
  return shortAt === length ? whole : whole.subarray(0, shortAt);
}

/** What can be written as a whole. */
export type FileData =
  | string
  | NodeJS.ArrayBufferView
  | Iterable<string | NodeJS.ArrayBufferView>
  | AsyncIterable<string | NodeJS.ArrayBufferView>;

/** Bytes of a piece of data. */
export function bytesOf(data: string | NodeJS.ArrayBufferView, encoding: BufferEncoding = 'utf8'): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, encoding);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

const isView = (data: unknown): data is NodeJS.ArrayBufferView => ArrayBuffer.isView(data);

/** Throws as node does where that is nothing to write. */
export function checkData(data: unknown): asserts data is FileData {
  const iterable =
    typeof data === 'object' && data !== null && (Symbol.asyncIterator in data || Symbol.iterator in data);
  if (typeof data !== 'string' && !isView(data) && !iterable)
    throw invalidType(
      'data',
      'of type string or an instance of Buffer, TypedArray, DataView or an iterable of them',
      data,
    );
}

/** Writes data one piece after another from where the handle stands, and waits until every replica has it. */
export async function writeWhole(
  handle: FileHandle,
  data: FileData,
  options: {
    encoding?: BufferEncoding | undefined;
    signal?: AbortSignal | undefined;
    onProgress?: ((progress: TransferProgress) => void) | undefined;
  } = {},
): Promise<void> {
  const { encoding, signal, onProgress } = options;
  let transferred = 0;
  const write = async (bytes: Uint8Array, keep: boolean, total: number | undefined): Promise<void> => {
    for (let at = 0; at < bytes.length; at += STEP) {
      transferred += await handle.writeAt(bytes.subarray(at, at + STEP), null, { signal, keep });
      onProgress?.({ transferred, total });
    }
  };
  if (typeof data === 'string' || isView(data)) {
    const bytes = bytesOf(data, encoding);
    // By reference: this call resolves only when all of it is acknowledged.
    await write(bytes, true, bytes.length);
  } else {
    for await (const piece of data) await write(bytesOf(piece, encoding), false, undefined);
  }
  await handle.sync({ signal });
}

/** Copies from one open file to another through this client, in steps. */
export async function copyBytes(
  from: FileHandle,
  to: FileHandle,
  {
    signal,
    onProgress,
    total,
  }: {
    signal?: AbortSignal | undefined;
    onProgress?: ((progress: TransferProgress) => void) | undefined;
    total?: number;
  } = {},
): Promise<void> {
  let position = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(STEP);
    const bytesRead = await from.readAt(piece, position, { signal });
    if (bytesRead === 0) break;
    await to.writeAt(piece.subarray(0, bytesRead), position, { signal, keep: true });
    position += bytesRead;
    onProgress?.({ transferred: position, total });
  }
  await to.sync({ signal });
}
