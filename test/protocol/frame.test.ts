/** Framing: however the bytes arrive, the same packets come out, and nothing is spent on bytes that have not come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { CHUNKSERVER_NOP, FrameParser, HEADER_SIZE, NOP, frame, writeHeader } from '../../src/protocol/frame.ts';
import type { FrameOptions } from '../../src/protocol/frame.ts';
import { hex } from '../support/message-cases.ts';

const STREAM = 202;
const HEAD = 4;
const options = { bodyLimit: 1000, streamType: STREAM, streamHeadSize: HEAD };
type Seen = [type: number, body: string];

/** Collects packets; streamed ones as one, after checking that `remaining` counts down to zero. */
function collector(its: FrameOptions = options) {
  const seen: Seen[] = [];
  let streamed: Buffer[] = [];
  let left = -1;
  const ended = () => {
    if (left !== 0) return;
    seen.push([STREAM, Buffer.concat(streamed).toString('hex')]);
    left = -1;
  };
  const parser = new FrameParser(its, {
    frame: (type, body) => {
      expect(left, 'a packet inside of a streamed one').toBe(-1);
      seen.push([type, body.toString('hex')]);
    },
    streamHead: (head, remaining) => {
      expect(head).toHaveLength(HEAD);
      streamed = [Buffer.from(head)];
      left = remaining;
      ended();
    },
    streamed: (bytes, remaining) => {
      expect(bytes.length).toBeGreaterThan(0);
      expect(remaining).toBe(left - bytes.length);
      streamed.push(Buffer.from(bytes));
      left = remaining;
      ended();
    },
  });
  return { parser, seen };
}

const packet = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(1, 401, 0xffff_ffff), fc.uint8Array({ maxLength: 40 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant(STREAM), fc.uint8Array({ minLength: HEAD, maxLength: 60 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant(NOP), fc.constantFrom(Buffer.alloc(0), Buffer.alloc(4))) },
);
const packets = fc.array(packet, { maxLength: 8 });
const wire = (all: readonly (readonly [number, Uint8Array])[]) =>
  Buffer.concat(all.map(([type, body]) => frame(type, body)));
const expected = (all: readonly (readonly [number, Uint8Array])[]): Seen[] =>
  all.map(([type, body]) => [type, Buffer.from(body).toString('hex')]);

describe('frame', () => {
  it('is type, length and body', () => {
    expect(frame(401, hex('0102'))).toEqual(hex('00000191 00000002 0102'));
    expect(frame(0xffffffff, hex(''))).toEqual(hex('ffffffff 00000000'));
    expect(CHUNKSERVER_NOP).toEqual(hex('00000000 00000000'));
    const b = Buffer.alloc(10, 0xaa);
    writeHeader(b, 1, 1, 2);
    expect(b).toEqual(hex('aa 00000001 00000002 aa'));
    expect(HEADER_SIZE).toBe(8);
  });
});

describe('FrameParser', () => {
  const sample = [
    [401, hex('0102030405')],
    [NOP, hex('')],
    [STREAM, hex('0a0b0c0d 0e0f')],
    [STREAM, hex('0a0b0c0d')],
    [NOP, hex('00000000')],
    [7, hex('')],
    [201, Buffer.alloc(50, 9)],
  ] as const;

  it('takes all at once', () => {
    const { parser, seen } = collector();
    parser.push(wire(sample));
    expect(seen).toEqual(expected(sample));
    expect(parser.atBoundary).toBe(true);
  });
  it('takes one byte at a time', () => {
    const { parser, seen } = collector();
    for (const byte of wire(sample)) parser.push(Uint8Array.of(byte));
    expect(seen).toEqual(expected(sample));
  });
  it('takes two pieces, cut at every byte', () => {
    const bytes = wire(sample);
    for (let at = 0; at <= bytes.length; at++) {
      const { parser, seen } = collector();
      parser.push(bytes.subarray(0, at));
      parser.push(bytes.subarray(at));
      expect(seen, `cut at ${at}`).toEqual(expected(sample));
    }
  });
  it('takes any pieces of any packets, and keeps nothing of a chunk that it was given', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 }), (all, sizes) => {
        const { parser, seen } = collector();
        let bytes = wire(all);
        for (const size of [...sizes, Infinity]) {
          const chunk = Buffer.from(bytes.subarray(0, size));
          bytes = bytes.subarray(size);
          parser.push(chunk);
          chunk.fill(0xee);
        }
        expect(seen).toEqual(expected(all));
        expect(parser.atBoundary).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
  it('copies nothing while a packet lies whole in one chunk', () => {
    let body: Buffer | undefined;
    const parser = new FrameParser({ bodyLimit: 100 }, { frame: (_type, each) => (body = each) });
    const chunk = frame(1, hex('0102'));
    parser.push(chunk);
    chunk[8] = 9;
    expect(body).toEqual(hex('0902'));
  });
  it('leaves every body alone as long as the chunks are', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 }), (all, sizes) => {
        const kept: [number, Buffer][] = [];
        const parser = new FrameParser({ bodyLimit: 100 }, { frame: (type, body) => kept.push([type, body]) });
        let bytes = wire(all);
        for (const size of [...sizes, Infinity]) {
          parser.push(Buffer.from(bytes.subarray(0, size)));
          bytes = bytes.subarray(size);
        }
        expect(kept.map(([type, body]) => [type, body.toString('hex')])).toEqual(expected(all));
      }),
      { numRuns: 300 },
    );
  });
  it('knows whether a packet has begun', () => {
    const { parser } = collector();
    const bytes = frame(STREAM, hex('0a0b0c0d 0e0f'));
    expect(parser.atBoundary).toBe(true);
    bytes.forEach((byte, i) => {
      parser.push(Uint8Array.of(byte));
      expect(parser.atBoundary, `after ${i + 1} bytes`).toBe(i === bytes.length - 1);
    });
  });
  it('refuses a body over the limit as soon as its header has come', () => {
    const { parser, seen } = collector();
    const header = Buffer.alloc(8);
    writeHeader(header, 0, 401, 1001);
    parser.push(header.subarray(0, 7));
    expect(() => parser.push(header.subarray(7))).toThrow(ProtocolError);
    expect(seen).toEqual([]);
    for (const type of [401, STREAM]) {
      writeHeader(header, 0, type, 0xffff_ffff);
      expect(() => collector().parser.push(header)).toThrow(/announces 4294967295 bytes, the limit is 1000/);
    }
    const longest = collector();
    longest.parser.push(frame(401, Buffer.alloc(1000)));
    expect(longest.seen).toHaveLength(1);
  });
  it('refuses a streamed packet that is shorter than its head', () => {
    for (let size = 0; size < HEAD; size++) {
      expect(() => collector().parser.push(frame(STREAM, Buffer.alloc(size)))).toThrow(ProtocolError);
    }
  });
  it('spends memory on what has come, not on what is announced', () => {
    const limit = 256 * 1024 * 1024;
    const header = Buffer.alloc(8);
    writeHeader(header, 0, 429, limit);
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 50 }, () => {
      const parser = new FrameParser({ bodyLimit: limit }, { frame: () => undefined });
      parser.push(header);
      parser.push(Buffer.alloc(5000));
      return parser;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    expect(parsers.every((parser) => !parser.atBoundary)).toBe(true);
  });
  it('lets a handler refuse', () => {
    const parser = new FrameParser(options, {
      frame: () => {
        throw new ProtocolError('not now');
      },
    });
    expect(() => parser.push(frame(1, hex('')))).toThrow('not now');
  });
});
