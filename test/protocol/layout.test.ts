/** The traps of record layouts, one by one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import {
  asBuffer,
  bytes,
  bytes32,
  bytes8,
  constant,
  gated,
  gids,
  length64,
  optional,
  record,
  repeated,
  rest,
  u16,
  u32,
  u64,
  u8,
} from '../../src/protocol/layout.ts';
import type { RecordCodec } from '../../src/protocol/layout.ts';
import { OURS, since, until, version } from '../../src/protocol/version.ts';
import { hex, raw } from '../support/message-cases.ts';

const V3 = version('3.0.117');
/** Encodes what the types forbid. */
const force = (codec: RecordCodec<object>, value: object) => codec.encode(value, OURS);
const decode = <V extends object>(codec: RecordCodec<V>, text: string) => codec.decode(hex(text), OURS, 'it');

describe('numbers', () => {
  const codec = record(u8('a'), u16('b'), u32('c'), u64('d'), length64('e'));
  const wire = '01 0203 04050607 ff01020304050607 001fffffffffffff';
  it('are big-endian, without padding', () => {
    const value = { a: 1, b: 0x203, c: 0x4050607, d: 0xff01_0203_0405_0607n, e: Number.MAX_SAFE_INTEGER };
    expect(decode(codec, wire)).toEqual(value);
    expect(codec.encode(value, OURS)).toEqual(hex(wire));
    expect(codec.sizeOf(value, OURS)).toBe(23);
  });
  it('of 64 bits keep every bit', () => {
    const one = record(u64('x'));
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (x) => one.decode(one.encode({ x }, 0), 0, 'x').x === x),
    );
    for (const x of [-1n, 2n ** 64n]) expect(() => one.encode({ x }, 0)).toThrow(RangeError);
    expect(() => force(one, { x: 5 })).toThrow(TypeError);
  });
  it('that are lengths are exact or refused', () => {
    const one = record(length64('x'));
    fc.assert(fc.property(fc.maxSafeNat(), (x) => one.decode(one.encode({ x }, 0), 0, 'x').x === x));
    for (const text of ['0020000000000000', '8000000000000000', 'ffffffffffffffff']) {
      expect(() => decode(one, text)).toThrow(ProtocolError);
    }
    for (const x of [-1, 0.5, 2 ** 53, NaN, Infinity]) expect(() => one.encode({ x }, 0)).toThrow(RangeError);
  });
  it.each([
    [u8('x'), 0xff],
    [u16('x'), 0xffff],
    [u32('x'), 0xffff_ffff],
  ])('have a range (%#)', (field, maximum) => {
    const one = record(field);
    expect(one.decode(one.encode({ x: maximum }, 0), 0, 'x').x).toBe(maximum);
    for (const x of [-1, maximum + 1]) expect(() => one.encode({ x }, 0)).toThrow(RangeError);
    for (const x of [1.5, NaN, Infinity, '7', null, 7n]) expect(() => force(one, { x })).toThrow(TypeError);
  });
});

describe('a missing field', () => {
  const codec = record(u8('a'), u64('b'), length64('c'), bytes8('d'), rest('e'), u8('f'));
  const value = { a: 1, b: 2n, c: 3, d: raw('d'), e: raw('e'), f: 6 };
  it.each(Object.keys(value))('%s is refused, not left as it was in memory', (name) => {
    const without = Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
    expect(() => force(codec, without)).toThrow(`the field ${name} is missing`);
    expect(() => force(codec, { ...value, [name]: undefined })).toThrow(`the field ${name} is missing`);
  });
  it('encodes nothing over old bytes but its own', () => {
    const b = Buffer.alloc(20, 0xaa);
    const small = record(u8('a'), u16('b'));
    expect(small.encodeAt({ a: 1, b: 2 }, b, 5, OURS)).toBe(8);
    expect(b).toEqual(hex(`${'aa'.repeat(5)} 01 0002 ${'aa'.repeat(12)}`));
  });
});

describe('a payload', () => {
  const codec = record(u8('a'), bytes32('b'));
  it('is used up exactly', () => {
    expect(decode(codec, '01 00000002 "xy"')).toEqual({ a: 1, b: raw('xy') });
    for (const text of ['', '01', '01 000000', '01 00000002', '01 00000002 "x"', '01 00000002 "xyz"']) {
      expect(() => decode(codec, text), text).toThrow(ProtocolError);
    }
  });
  it('that announces more than it has costs no memory', () => {
    expect(() => decode(codec, '01 ffffffff "xy"')).toThrow(ProtocolError);
    expect(() => decode(record(gids('g')), 'ffffffff 00000001')).toThrow(ProtocolError);
    expect(() => decode(record(gids('g')), '40000000 00000001')).toThrow(ProtocolError);
  });
  it('may be any kind of bytes', () => {
    const inside = new Uint8Array(hex('ffff 01 00000001 "x" ffff')).subarray(2, 8);
    expect(codec.decode(inside, OURS, 'it')).toEqual({ a: 1, b: raw('x') });
    expect(asBuffer(inside)).toHaveLength(6);
  });
  it('of a record without fields is empty', () => {
    expect(record().isEmpty).toBe(true);
    expect(codec.isEmpty).toBe(false);
    expect(decode(record(), '')).toEqual({});
    expect(() => decode(record(), '00')).toThrow(ProtocolError);
  });
});

describe('bytes', () => {
  it('of a fixed number', () => {
    const codec = record(bytes('x', 3));
    expect(decode(codec, '"abc"')).toEqual({ x: raw('abc') });
    expect(codec.encode({ x: raw('abc') }, OURS)).toEqual(raw('abc'));
    for (const x of ['ab', 'abcd']) expect(() => codec.encode({ x: raw(x) }, OURS)).toThrow(RangeError);
  });
  it('behind a length of one byte: at most 255', () => {
    const codec = record(bytes8('x'));
    expect(codec.encode({ x: Buffer.alloc(255, 1) }, OURS)).toHaveLength(256);
    expect(() => codec.encode({ x: Buffer.alloc(256) }, OURS)).toThrow(RangeError);
    expect(decode(codec, '00')).toEqual({ x: raw('') });
  });
  it('to the end', () => {
    const codec = record(u8('a'), rest('x'));
    expect(decode(codec, '01 0203')).toEqual({ a: 1, x: hex('0203') });
    expect(decode(codec, '01')).toEqual({ a: 1, x: raw('') });
    expect(codec.encode({ a: 1, x: new Uint8Array([2, 3]) }, OURS)).toEqual(hex('010203'));
  });
  it('that are always the same are filled in and checked', () => {
    const codec = record(constant('magic', raw('MFS')), u8('a'));
    expect(codec.encode({ a: 1 }, OURS)).toEqual(hex('"MFS" 01'));
    expect(decode(codec, '"MFS" 01')).toEqual({ magic: raw('MFS'), a: 1 });
    expect(() => decode(codec, '"MFT" 01')).toThrow(/magic is not what the protocol says/);
  });
});

describe('a list of groups', () => {
  const codec = record(gids('g'), u8('z'));
  it('has a count before it', () => {
    const value = { g: [0, 0xffff_ffff], z: 9 };
    expect(codec.encode(value, OURS)).toEqual(hex('00000002 00000000 ffffffff 09'));
    expect(decode(codec, '00000002 00000000 ffffffff 09')).toEqual(value);
  });
  it('is never empty, which would crash a 3.x master, nor longer than 4.59 takes', () => {
    for (const count of [0, 4097]) {
      expect(() => codec.encode({ g: Array.from({ length: count }, () => 1), z: 0 }, OURS)).toThrow(RangeError);
    }
    expect(codec.encode({ g: Array.from({ length: 4096 }, () => 1), z: 0 }, OURS)).toHaveLength(4 + 4 * 4096 + 1);
  });
});

describe('repeated and optional records', () => {
  const pair = record(u8('k'), bytes8('v'));
  it('repeat to the end', () => {
    const codec = record(u8('n'), repeated('all', pair));
    const value = {
      n: 7,
      all: [
        { k: 1, v: raw('a') },
        { k: 2, v: raw('') },
      ],
    };
    expect(codec.encode(value, OURS)).toEqual(hex('07 01 01 "a" 02 00'));
    expect(decode(codec, '07 01 01 "a" 02 00')).toEqual(value);
    expect(decode(codec, '07')).toEqual({ n: 7, all: [] });
    for (const text of ['07 01', '07 01 01', '07 01 01 "a" 02'])
      expect(() => decode(codec, text)).toThrow(ProtocolError);
  });
  it('stand at the end or not at all', () => {
    const codec = record(u8('n'), optional('tail', pair));
    expect(decode(codec, '07')).toEqual({ n: 7, tail: undefined });
    expect(codec.encode({ n: 7, tail: undefined }, OURS)).toEqual(hex('07'));
    expect(force(codec, { n: 7 })).toEqual(hex('07'));
    expect(decode(codec, '07 01 01 "a"')).toEqual({ n: 7, tail: { k: 1, v: raw('a') } });
    for (const text of ['07 01', '07 01 01', '07 01 00 00']) expect(() => decode(codec, text)).toThrow(ProtocolError);
  });
});

describe('a gate', () => {
  const codec = record(u8('a'), gated(since('4.40.0'), u16('late')), gated(until('4.40.0'), u8('early')), u8('z'));
  it('opens and closes fields by version', () => {
    expect(codec.encode({ a: 1, early: 2, z: 3 }, V3)).toEqual(hex('01 02 03'));
    expect(codec.encode({ a: 1, late: 2, z: 3 }, OURS)).toEqual(hex('01 0002 03'));
    expect(codec.decode(hex('010203'), V3, 'it')).toEqual({ a: 1, early: 2, z: 3 });
    expect(codec.decode(hex('01000203'), OURS, 'it')).toEqual({ a: 1, late: 2, z: 3 });
    expect(() => codec.decode(hex('01000203'), V3, 'it')).toThrow(ProtocolError);
    expect(() => codec.decode(hex('010203'), OURS, 'it')).toThrow(ProtocolError);
  });
  it('demands a field only where it is open, and ignores it elsewhere', () => {
    expect(() => codec.encode({ a: 1, early: 2, z: 3 }, OURS)).toThrow('the field late is missing');
    expect(codec.encode({ a: 1, early: 2, late: 9, z: 3 }, V3)).toEqual(hex('01 02 03'));
  });
  it('may give one name two layouts', () => {
    const two = record(gated(since('4.0.0'), u16('x')), gated(until('4.0.0'), u8('x')));
    expect(two.encode({ x: 1 }, V3)).toEqual(hex('01'));
    expect(two.encode({ x: 1 }, OURS)).toEqual(hex('0001'));
    expect(two.encode({ x: 1 }, V3)).toEqual(hex('01'));
  });
  it('is decided anew for each version, whatever came before', () => {
    const versions = [V3, OURS, version('4.39.0'), version('4.40.0'), V3, V3, OURS];
    expect(versions.map((at) => codec.encode({ a: 1, early: 2, late: 2, z: 3 }, at).length)).toEqual([
      3, 4, 3, 4, 3, 3, 4,
    ]);
  });
});

describe('any record', () => {
  const codec = record(u8('a'), u64('b'), bytes8('c'), gids('d'), repeated('e', record(u16('f'), bytes32('g'))));
  const u16s = fc.nat(0xffff);
  const value = fc.record({
    a: fc.nat(255),
    b: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    c: fc.uint8Array({ maxLength: 255 }).map((each) => Buffer.from(each)),
    d: fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 20 }),
    e: fc.array(fc.record({ f: u16s, g: fc.uint8Array({ maxLength: 30 }).map((each) => Buffer.from(each)) })),
  });
  it('goes there and back, and knows its size before', () => {
    fc.assert(
      fc.property(value, (each) => {
        const wire = codec.encode(each, OURS);
        expect(wire).toHaveLength(codec.sizeOf(each, OURS));
        expect(codec.decode(wire, OURS, 'it')).toEqual(each);
      }),
    );
  });
  it('takes garbage with a ProtocolError or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
        try {
          expect(codec.encode(codec.decode(garbage, OURS, 'it'), OURS).equals(garbage)).toBe(true);
        } catch (error) {
          // A count of groups that is 0 can come but not go.
          if (!(error instanceof ProtocolError)) expect((error as Error).message).toMatch(/group list/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
