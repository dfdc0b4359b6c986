/**
 * Typed wire records on top of buffer-layout, whose only importer this file is. It closes the library's traps:
 *
 * - 64-bit values: buffer-layout's own go through doubles and lose precision. Here they are bigint (`u64`), or a number that
 *   is refused when it is not a safe integer (`length64`).
 * - Encoding with a missing field would leave stale bytes: here it throws.
 * - Decoding must consume the payload exactly, never one byte less or more.
 * - A record with variable fields knows its size before a buffer is made.
 * - A field that only some versions have stands in the one declaration, behind its {@link Gate}.
 */
import { Layout, Structure } from 'buffer-layout';
import { ProtocolError } from '../errors.ts';
import { formatVersion } from './version.ts';
import type { Gate, Version } from './version.ts';

/** One field of a record: a name, how it lies on the wire, and in which versions. */
export interface Field<N extends string = string, T = unknown, G extends boolean = boolean> {
  readonly name: N;
  /** Whether the field is missing in some versions. */
  readonly gated: G;
  readonly gate: Gate | undefined;
  /** @internal */
  readonly layout: SizedLayout<T>;
}

// `any`, because a tuple of fields of different value types has no other common supertype.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type AnyField = Field<string, any>;
type Flatten<T> = { [K in keyof T]: T[K] };

/** The object that a list of fields reads and writes. */
export type ValueOf<F extends readonly AnyField[]> = Flatten<
  { readonly [E in F[number] as E['gated'] extends true ? never : E['name']]: ValueOfField<E> } & {
    readonly [E in F[number] as E['gated'] extends true ? E['name'] : never]?: ValueOfField<E>;
  }
>;
type ValueOfField<E> = E extends Field<string, infer T> ? T : never;

/** @internal a buffer-layout Layout that can tell a value's size before it is encoded */
interface SizedLayout<T> {
  readonly span: number;
  sizeOf(value: T): number;
  decode(b: Buffer, offset: number): T;
  encode(value: T, b: Buffer, offset: number): number;
  getSpan(b: Buffer, offset: number): number;
  replicate(property: string): Layout;
  /** Whether the value may be undefined: an optional() tail. */
  readonly mayBeMissing?: boolean;
}

function field<N extends string, T>(name: N, layout: SizedLayout<T>): Field<N, T, false> {
  return { name, gated: false, gate: undefined, layout };
}

/** Puts a field behind a gate: only versions that the gate includes have it. */
export function gated<N extends string, T>(gate: Gate, inner: Field<N, T>): Field<N, T, true> {
  return { ...inner, gated: true, gate };
}

class Fixed<T> extends Layout<T> implements SizedLayout<T> {
  readonly #read: (b: Buffer, offset: number) => T;
  readonly #write: (value: T, b: Buffer, offset: number) => void;

  constructor(
    span: number,
    read: (b: Buffer, offset: number) => T,
    write: (value: T, b: Buffer, offset: number) => void,
  ) {
    super(span);
    this.#read = read;
    this.#write = write;
  }

  override decode(b: Buffer, offset: number): T {
    return this.#read(b, offset);
  }

  override encode(value: T, b: Buffer, offset: number): number {
    this.#write(value, b, offset);
    return this.span;
  }

  override replicate(property: string): this {
    // buffer-layout would copy by Object.assign, which loses private fields.
    const copy = new Fixed(this.span, this.#read, this.#write) as this;
    (copy as { property: string | undefined }).property = property;
    return copy;
  }

  sizeOf(): number {
    return this.span;
  }
}

class Variable<T> extends Layout<T> implements SizedLayout<T> {
  readonly #codec: VariableCodec<T>;
  readonly mayBeMissing: boolean;

  constructor(codec: VariableCodec<T>) {
    super(-1);
    this.#codec = codec;
    this.mayBeMissing = codec.mayBeMissing ?? false;
  }

  override decode(b: Buffer, offset: number): T {
    return this.#codec.read(b, offset);
  }

  override encode(value: T, b: Buffer, offset: number): number {
    this.#codec.write(value, b, offset);
    return this.#codec.sizeOf(value);
  }

  override getSpan(b: Buffer, offset: number): number {
    return this.#codec.span(b, offset);
  }

  override replicate(property: string): this {
    const copy = new Variable(this.#codec) as this;
    (copy as { property: string | undefined }).property = property;
    return copy;
  }

  sizeOf(value: T): number {
    return this.#codec.sizeOf(value);
  }
}

/** How a field of variable size is read and written. `read` and `span` may throw RangeError where bytes are missing. */
export interface VariableCodec<T> {
  sizeOf(value: T): number;
  /** The bytes that the field takes at `offset`, read from its prefix. */
  span(b: Buffer, offset: number): number;
  read(b: Buffer, offset: number): T;
  write(value: T, b: Buffer, offset: number): void;
  /** Whether the value may be undefined. Default false. */
  readonly mayBeMissing?: boolean;
}

type WriteInteger = (value: number, b: Buffer, at: number) => number;

/** A Buffer writes what is no number as 0 and cuts fractions off: here both are refused. */
const integer = (span: number, read: (b: Buffer, at: number) => number, write: WriteInteger) =>
  new Fixed<number>(span, read, (value, b, at) => {
    if (!Number.isInteger(value)) throw new TypeError(`not a whole number: ${String(value)}`);
    write(value, b, at);
  });

const layoutU8 = integer(
  1,
  (b, at) => b.readUInt8(at),
  (value, b, at) => b.writeUInt8(value, at),
);
const layoutU16 = integer(
  2,
  (b, at) => b.readUInt16BE(at),
  (value, b, at) => b.writeUInt16BE(value, at),
);
const layoutU32 = integer(
  4,
  (b, at) => b.readUInt32BE(at),
  (value, b, at) => b.writeUInt32BE(value, at),
);

/** An unsigned byte. */
export const u8 = <N extends string>(name: N) => field(name, layoutU8);
/** An unsigned 16-bit number, big-endian. */
export const u16 = <N extends string>(name: N) => field(name, layoutU16);
/** An unsigned 32-bit number, big-endian. */
export const u32 = <N extends string>(name: N) => field(name, layoutU32);

/** An unsigned 64-bit number as bigint: ids. */
export const u64 = <N extends string>(name: N) =>
  field(
    name,
    new Fixed<bigint>(
      8,
      (b, at) => b.readBigUInt64BE(at),
      (value, b, at) => b.writeBigUInt64BE(value, at),
    ),
  );

/** An unsigned 64-bit number of bytes as a number: refused where it is not a safe integer. */
export const length64 = <N extends string>(name: N) => field(name, new Fixed<number>(8, readLength, writeLength));

/** Reads a u64 as a safe integer. */
export function readLength(b: Buffer, at: number): number {
  const value = b.readUInt32BE(at) * 0x1_0000_0000 + b.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) throw new RangeError(`a length of ${b.readBigUInt64BE(at)} bytes is beyond 2^53`);
  return value;
}

/** Writes a safe integer as a u64. */
export function writeLength(value: number, b: Buffer, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a length: ${value}`);
  b.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  b.writeUInt32BE(value >>> 0, at + 4);
}

/** Bytes that are always the same, such as the register blob. Decoding refuses others. */
export function constant<N extends string>(name: N, bytes: Uint8Array): Field<N, Uint8Array, true> {
  const layout = new Fixed<Uint8Array>(
    bytes.length,
    (b, at) => {
      const found = b.subarray(at, at + bytes.length);
      if (!found.equals(bytes)) throw new RangeError(`${name} is not what the protocol says`);
      return found;
    },
    (_value, b, at) => b.set(bytes, at),
  );
  // "gated" only for the type: callers never give the value; encodeInto fills it in.
  return { name, gated: true, gate: undefined, layout: Object.assign(layout, { constantBytes: bytes }) };
}

/** A fixed number of raw bytes. */
export const bytes = <N extends string>(name: N, length: number) =>
  field(
    name,
    new Fixed<Uint8Array>(
      length,
      (b, at) => b.subarray(at, at + length),
      (value, b, at) => {
        if (value.length !== length) throw new RangeError(`${name} takes ${length} bytes, not ${value.length}`);
        b.set(value, at);
      },
    ),
  );

/** A fixed-size value coded by hand, such as the attribute record. */
export const fixed = <N extends string, T>(
  name: N,
  span: number,
  read: (b: Buffer, offset: number) => T,
  write: (value: T, b: Buffer, offset: number) => void,
) => field(name, new Fixed(span, read, write));

/** A value of variable size coded by hand. */
export const variable = <N extends string, T>(name: N, codec: VariableCodec<T>) => field(name, new Variable(codec));

const prefixed = (prefix: 1 | 2 | 4, maximum: number): VariableCodec<Uint8Array> => ({
  sizeOf: (value) => prefix + value.length,
  span: (b, at) => prefix + b.readUIntBE(at, prefix),
  read: (b, at) => {
    const length = b.readUIntBE(at, prefix);
    return slice(b, at + prefix, length);
  },
  write: (value, b, at) => {
    if (value.length > maximum) throw new RangeError(`${value.length} bytes where at most ${maximum} fit`);
    b.writeUIntBE(value.length, at, prefix);
    b.set(value, at + prefix);
  },
});

function slice(b: Buffer, at: number, length: number): Buffer {
  if (at + length > b.length) throw new RangeError(`${length} bytes announced, ${b.length - at} left`);
  return b.subarray(at, at + length);
}

/** u8 length, then that many raw bytes: names. */
export const bytes8 = <N extends string>(name: N) => variable(name, prefixed(1, 0xff));
/** u32 length, then that many raw bytes: paths, values. */
export const bytes32 = <N extends string>(name: N) => variable(name, prefixed(4, 0xffff_ffff));

/** All bytes up to the end of the packet. */
export const rest = <N extends string>(name: N) =>
  variable<N, Uint8Array>(name, {
    sizeOf: (value) => value.length,
    span: (b, at) => b.length - at,
    read: (b, at) => b.subarray(at),
    write: (value, b, at) => b.set(value, at),
  });

/** u32 count, then that many u32: group lists. Never empty (a count of 0 crashes 3.x masters). */
export const gids = <N extends string>(name: N) =>
  variable<N, readonly number[]>(name, {
    sizeOf: (value) => 4 + 4 * value.length,
    span: (b, at) => 4 + 4 * b.readUInt32BE(at),
    read: (b, at) => {
      const count = b.readUInt32BE(at);
      slice(b, at + 4, 4 * count);
      return Array.from({ length: count }, (_, i) => b.readUInt32BE(at + 4 + 4 * i));
    },
    write: (value, b, at) => {
      if (value.length === 0 || value.length > 4096)
        throw new RangeError(`a group list has 1 to 4096 ids, not ${value.length}`);
      b.writeUInt32BE(value.length, at);
      value.forEach((gid, i) => b.writeUInt32BE(gid, at + 4 + 4 * i));
    },
  });

/** Records of one shape, repeated up to the end of the packet. */
export const repeated = <N extends string, V extends object>(name: N, element: RecordCodec<V>, version: Version = 0) =>
  variable<N, readonly V[]>(name, {
    sizeOf: (value) => value.reduce((sum, each) => sum + element.sizeOf(each, version), 0),
    span: (b, at) => b.length - at,
    read: (b, at) => {
      const found: V[] = [];
      while (at < b.length) {
        const [value, end] = element.decodeAt(b, at, version);
        found.push(value);
        at = end;
      }
      return found;
    },
    write: (value, b, at) => {
      for (const each of value) at = element.encodeAt(each, b, at, version);
    },
  });

/** A record that stands at the end of the packet or is missing altogether. */
export const optional = <N extends string, V extends object>(name: N, element: RecordCodec<V>, version: Version = 0) =>
  variable<N, V | undefined>(name, {
    mayBeMissing: true,
    sizeOf: (value) => (value === undefined ? 0 : element.sizeOf(value, version)),
    span: (b, at) => b.length - at,
    read: (b, at) => {
      if (at === b.length) return undefined;
      const [value, end] = element.decodeAt(b, at, version);
      if (end !== b.length) throw new RangeError(`${b.length - end} bytes too many`);
      return value;
    },
    write: (value, b, at) => {
      if (value !== undefined) element.encodeAt(value, b, at, version);
    },
  });

/** Encodes and decodes one record. `version` is the effective version of the connection. */
export interface RecordCodec<V extends object> {
  /** Whether the record has no field in any version. */
  readonly isEmpty: boolean;
  sizeOf(value: V, version: Version): number;
  /** Writes at `offset` and returns where the record ends. */
  encodeAt(value: V, b: Buffer, offset: number, version: Version): number;
  /** Reads at `offset` and returns the value and where it ends. Throws RangeError where bytes are missing. */
  decodeAt(b: Buffer, offset: number, version: Version): [value: V, end: number];
  encode(value: V, version: Version): Buffer;
  /** Reads a whole payload. Throws {@link ProtocolError} unless every byte is used; `what` names the packet in it. */
  decode(payload: Uint8Array, version: Version, what: string): V;
}

class StrictStructure extends Structure {
  readonly names: readonly string[];
  readonly layouts: readonly SizedLayout<unknown>[];
  readonly constants: readonly (Uint8Array | undefined)[];

  constructor(fields: readonly AnyField[]) {
    super(fields.map((each) => each.layout.replicate(each.name)));
    this.names = fields.map((each) => each.name);
    this.layouts = fields.map((each) => each.layout as SizedLayout<unknown>);
    this.constants = fields.map((each) => (each.layout as { constantBytes?: Uint8Array }).constantBytes);
  }

  valueOf_(source: Record<string, unknown>, i: number): unknown {
    const value = source[this.names[i]!] ?? this.constants[i];
    if (value === undefined && this.layouts[i]!.mayBeMissing !== true)
      throw new TypeError(`the field ${this.names[i]!} is missing`);
    return value;
  }

  decodeFrom(b: Buffer, offset: number): [Record<string, unknown>, number] {
    const result = this.makeDestinationObject();
    for (let i = 0; i < this.names.length; i++) {
      const layout = this.layouts[i]!;
      const span = layout.span >= 0 ? layout.span : layout.getSpan(b, offset);
      if (offset + span > b.length) {
        throw new RangeError(`${this.names[i]!} needs ${span} bytes, ${b.length - offset} are left`);
      }
      result[this.names[i]!] = layout.decode(b, offset);
      offset += span;
    }
    return [result, offset];
  }
}

/** Declares a record. The fields stand on the wire in this order, without padding. */
export function record<const F extends readonly AnyField[]>(...fields: F): RecordCodec<ValueOf<F>> {
  type V = ValueOf<F>;
  const gates = fields.map((each) => each.gate);
  const structures = new Map<string, StrictStructure>();
  let last: { version: Version; structure: StrictStructure } | undefined;

  const structureOf = (version: Version): StrictStructure => {
    if (last?.version === version) return last.structure;
    // Not by name: two gated fields may have one name and lie differently.
    const present = fields.map((_, i) => gates[i]?.includes(version) ?? true);
    const key = present.join();
    let structure = structures.get(key);
    if (structure === undefined) {
      structures.set(key, (structure = new StrictStructure(fields.filter((_, i) => present[i]))));
    }
    last = { version, structure };
    return structure;
  };

  const codec: RecordCodec<V> = {
    isEmpty: fields.length === 0,
    sizeOf(value, version) {
      const structure = structureOf(version);
      let size = 0;
      for (let i = 0; i < structure.names.length; i++) {
        const layout = structure.layouts[i]!;
        size += layout.span >= 0 ? layout.span : layout.sizeOf(structure.valueOf_(value, i));
      }
      return size;
    },
    encodeAt(value, b, offset, version) {
      const structure = structureOf(version);
      for (let i = 0; i < structure.names.length; i++) {
        offset += structure.layouts[i]!.encode(structure.valueOf_(value, i), b, offset);
      }
      return offset;
    },
    decodeAt(b, offset, version) {
      return structureOf(version).decodeFrom(b, offset) as [V, number];
    },
    encode(value, version) {
      const b = Buffer.allocUnsafe(codec.sizeOf(value, version));
      const end = codec.encodeAt(value, b, 0, version);
      if (end !== b.length) throw new RangeError(`encoded ${end} bytes where ${b.length} were announced`);
      return b;
    },
    decode(payload, version, what) {
      const b = asBuffer(payload);
      try {
        const [value, end] = codec.decodeAt(b, 0, version);
        if (end !== b.length) throw new RangeError(`${b.length - end} bytes too many`);
        return value;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new ProtocolError(
          `malformed ${what} of ${payload.length} bytes (read as version ${formatVersion(version)}): ${error.message}`,
          { cause: error },
        );
      }
    },
  };
  return codec;
}

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
