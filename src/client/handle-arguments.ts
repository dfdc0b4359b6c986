/** The many forms in which node's FileHandle takes what to read and write. */
import { checkInteger, checkRange, invalidType, invalidValue, viewOf } from './arguments.ts';

/** What {@link FileHandle.read} takes as an object. */
export interface HandleReadOptions<B extends NodeJS.ArrayBufferView> {
  readonly buffer?: B | undefined;
  readonly offset?: number | null | undefined;
  readonly length?: number | null | undefined;
  readonly position?: number | bigint | null | undefined;
}

/** What {@link FileHandle.write} takes as an object. */
export interface HandleWriteOptions {
  readonly offset?: number | null | undefined;
  readonly length?: number | null | undefined;
  readonly position?: number | null | undefined;
}

/** The buffer that node makes for a read that brings none. */
const DEFAULT_READ_BYTES = 16_384;

/** A read with everything filled in; `position` null: where the last one ended. */
export interface ReadRequest<B> {
  readonly buffer: B;
  readonly into: Uint8Array;
  readonly position: number | null;
  readonly signal: AbortSignal | undefined;
}

type Signalled<T> = T & { readonly signal?: AbortSignal | undefined };

/** `read(buffer, offset?, length?, position?)`, `read(buffer, options?)` and `read(options?)`. */
export function readRequest<B extends NodeJS.ArrayBufferView>(
  first: B | Signalled<HandleReadOptions<B>> | null | undefined,
  second: number | null | undefined | Signalled<HandleReadOptions<B>>,
  length: number | null | undefined,
  position: number | bigint | null | undefined,
): ReadRequest<B> {
  if (!ArrayBuffer.isView(first) && first !== undefined && first !== null && typeof first !== 'object')
    throw invalidType('options', 'of type object', first);
  const options: Signalled<HandleReadOptions<B>> = !ArrayBuffer.isView(first)
    ? (first ?? {})
    : typeof second === 'object' && second !== null
      ? { ...second, buffer: first }
      : { buffer: first, offset: second, length, position };
  const buffer = options.buffer === undefined ? (Buffer.alloc(DEFAULT_READ_BYTES) as unknown as B) : options.buffer;
  if (!ArrayBuffer.isView(buffer))
    throw invalidType('buffer', 'an instance of Buffer, TypedArray, or DataView', buffer);
  const offset = checkInteger(options.offset ?? 0, 'offset', 0);
  const size = options.length ?? buffer.byteLength - offset;
  if (size !== 0) {
    if (buffer.byteLength === 0) throw invalidValue('buffer', buffer, 'is empty and cannot be written');
    checkRange(buffer.byteLength, offset, size);
  }
  return {
    buffer,
    into: viewOf(buffer).subarray(offset, offset + size),
    position: positionOf(options.position),
    signal: options.signal,
  };
}

/** node takes anything that is no position for "here". */
function positionOf(position: number | bigint | null | undefined): number | null {
  const at = typeof position === 'bigint' ? Number(position) : position;
  return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? at : null;
}

/** `write(buffer, offset?, length?, position?)`, `write(buffer, options?)` and `write(text, position?, encoding?)`. */
export function writeRequest(
  data: unknown,
  second: number | null | undefined | HandleWriteOptions,
  third: number | string | null | undefined,
  fourth: number | null | undefined,
): { bytes: Uint8Array; position: number | null } {
  if (typeof data === 'string') {
    const encoding = typeof third === 'string' ? third : 'utf8';
    if (encoding === 'hex' && data.length % 2 !== 0)
      throw invalidValue('encoding', encoding, `is invalid for data of length ${data.length}`);
    return {
      bytes: Buffer.from(data, encoding as BufferEncoding),
      position: positionOf(typeof second === 'number' ? second : null),
    };
  }
  if (!ArrayBuffer.isView(data))
    throw invalidType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
  const view = viewOf(data as NodeJS.ArrayBufferView);
  const given: HandleWriteOptions =
    typeof second === 'object' && second !== null
      ? second
      : { offset: second, length: typeof third === 'number' ? third : undefined, position: fourth };
  if (view.length === 0) return { bytes: view, position: null };
  const offset = checkInteger(given.offset ?? 0, 'offset', 0);
  const length = typeof given.length === 'number' ? given.length : view.length - offset;
  checkRange(view.length, offset, length);
  return { bytes: view.subarray(offset, offset + length), position: positionOf(given.position) };
}
