/** Checks of arguments as node:fs makes them, with node's codes: what is wrong with a call is told before anything is asked. */
import { inspect } from 'node:util';

type Coded<E extends Error> = E & { readonly code: string };

function coded<E extends Error>(error: E, code: string): Coded<E> {
  return Object.assign(error, { code });
}

function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${String(value)}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value.constructor as { name?: string } | undefined)?.name;
    return name === undefined ? `Received ${inspect(value, { depth: -1 })}` : `Received an instance of ${name}`;
  }
  return `Received type ${typeof value} (${inspect(value).slice(0, 28)})`;
}

/** An argument of a wrong type: node's `ERR_INVALID_ARG_TYPE`. `expected` goes on after "must be". */
export function invalidType(name: string, expected: string, value: unknown): Coded<TypeError> {
  const kind = name.includes('.') ? 'property' : 'argument';
  return coded(new TypeError(`The "${name}" ${kind} must be ${expected}. ${received(value)}`), 'ERR_INVALID_ARG_TYPE');
}

/** An argument of the right type and a wrong value: node's `ERR_INVALID_ARG_VALUE`. */
export function invalidValue(name: string, value: unknown, reason = 'is invalid'): Coded<TypeError> {
  const kind = name.includes('.') ? 'property' : 'argument';
  const shown = inspect(value);
  return coded(
    new TypeError(
      `The ${kind} '${name}' ${reason}. Received ${shown.length > 128 ? `${shown.slice(0, 128)}...` : shown}`,
    ),
    'ERR_INVALID_ARG_VALUE',
  );
}

/** A number outside its range: node's `ERR_OUT_OF_RANGE`. */
export function outOfRange(name: string, wanted: string, value: unknown): Coded<RangeError> {
  return coded(
    new RangeError(`The value of "${name}" is out of range. It must be ${wanted}. Received ${inspect(value)}`),
    'ERR_OUT_OF_RANGE',
  );
}

/** A whole number in a range. */
export function checkInteger(
  value: unknown,
  name: string,
  low: number = Number.MIN_SAFE_INTEGER,
  high: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < low || value > high) throw outOfRange(name, `>= ${low} && <= ${high}`, value);
  return value;
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
  return value;
}

/** A callback, or any other function. */
export function checkFunction(value: unknown, name: string): (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
  return value as (...args: never[]) => unknown;
}

export function checkSignal(signal: unknown, name = 'options.signal'): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (signal === null || typeof signal !== 'object' || !('aborted' in signal))
    throw invalidType(name, 'an instance of AbortSignal', signal);
  return signal as AbortSignal;
}

export function checkEncoding(encoding: unknown, name = 'encoding'): void {
  if (encoding === undefined || encoding === null || encoding === 'buffer') return;
  if (typeof encoding !== 'string' || !Buffer.isEncoding(encoding)) throw invalidValue(name, encoding);
}

/** Options that may be an encoding alone. Throws where they are neither. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- says what the caller takes them for
export function readOptions<T extends object>(options: unknown): T {
  if (options === undefined || options === null || typeof options === 'function') return {} as T;
  if (typeof options === 'string') {
    checkEncoding(options);
    return { encoding: options } as unknown as T;
  }
  if (typeof options !== 'object') throw invalidType('options', 'of type string or an instance of Object', options);
  const { encoding, signal } = options as { encoding?: unknown; signal?: unknown };
  checkEncoding(encoding);
  checkSignal(signal);
  return options as T;
}

/** Views of the same memory as bytes. */
export function viewOf(buffer: NodeJS.ArrayBufferView): Uint8Array {
  return buffer instanceof Uint8Array ? buffer : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** A list of buffers, for the vectored calls. */
export function checkBuffers(buffers: unknown): readonly NodeJS.ArrayBufferView[] {
  if (!Array.isArray(buffers) || !buffers.every((each) => ArrayBuffer.isView(each)))
    throw invalidType('buffers', 'of type ArrayBufferView[]', buffers);
  return buffers as NodeJS.ArrayBufferView[];
}

/** A range of a buffer. */
export function checkRange(size: number, offset: number, length: number): void {
  if (offset > size) throw outOfRange('offset', `<= ${size}`, offset);
  if (!Number.isInteger(length)) throw outOfRange('length', 'an integer', length);
  if (length < 0) throw outOfRange('length', '>= 0', length);
  if (length > size - offset) throw outOfRange('length', `<= ${size - offset}`, length);
}

/** The largest uid and gid. */
const ID_LIMIT = 0xffff_ffff;

/** A uid or gid to change to; -1 leaves it. */
export function checkId(value: unknown, name: string): number {
  return checkInteger(value, name, -1, ID_LIMIT);
}
