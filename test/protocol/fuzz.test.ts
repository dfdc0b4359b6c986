/**
 * Garbage, and real frames with something changed, into every decoder and every machine: the only answers are a value, a
 * ProtocolError or a StatusError. Never another class of error, never an endless loop, never memory for bytes that are not there.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, StatusError } from '../../src/errors.ts';
import { Calls } from '../../src/protocol/conversations/calls.ts';
import { ChunkRead } from '../../src/protocol/conversations/chunk-read.ts';
import { ChunkWrite } from '../../src/protocol/conversations/chunk-write.ts';
import { Registration } from '../../src/protocol/conversations/registration.ts';
import { FrameParser, HEADER_SIZE } from '../../src/protocol/frame.ts';
import { decodeReply, decodeRequest, encodeRequest } from '../../src/protocol/message.ts';
import { paths } from '../../src/protocol/messages/inode.ts';
import { version } from '../../src/protocol/version.ts';
import { declaredCalls, declaredPackets, declaredRecords } from '../support/declared-messages.ts';
import { fixtures } from '../support/fixtures.ts';
import { hex } from '../support/message-cases.ts';

const VERSIONS = (['3.0.117', '4.25.0', '4.40.0', '4.59.2'] as const).map(version);

/** Runs it; true when it went well. Anything but the two classes that speak of the peer is thrown on. */
function believes(take: () => void): boolean {
  try {
    take();
    return true;
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof StatusError) return false;
    throw error;
  }
}

/** How bytes may be spoilt. */
type Spoiling = readonly (readonly [
  how: 'flip' | 'set' | 'big' | 'cut' | 'insert' | 'double',
  at: number,
  value: number,
])[];
const spoiling = fc.array(
  fc.tuple(
    fc.constantFrom<Spoiling[number][0]>('flip', 'flip', 'set', 'big', 'cut', 'insert', 'double'),
    fc.nat(5000),
    fc.nat(255),
  ),
  { minLength: 1, maxLength: 4 },
);

function spoil(bytes: Buffer, how: Spoiling, from = 0): Buffer {
  let spoilt = Buffer.from(bytes);
  for (const [what, pick, value] of how) {
    if (spoilt.length <= from) break;
    const at = from + (pick % (spoilt.length - from));
    if (what === 'flip') spoilt[at]! ^= 1 << (value % 8);
    else if (what === 'set') spoilt[at] = value;
    else if (what === 'big') spoilt.fill(0xff, at, Math.min(at + 4, spoilt.length));
    else if (what === 'cut') spoilt = spoilt.subarray(0, at);
    else if (what === 'insert') spoilt = Buffer.concat([spoilt.subarray(0, at), Buffer.of(value), spoilt.subarray(at)]);
    else spoilt = Buffer.concat([spoilt, spoilt.subarray(at)]);
  }
  return spoilt;
}

/** Every way in which bytes become a value. */
const decoders: { name: string; decode: (body: Buffer, at: number) => void }[] = [
  ...declaredPackets.map(({ message }) => ({
    name: `${message.name} body`,
    decode: (body: Buffer, at: number) => message.body.decode(body, at, message.name),
  })),
  ...declaredCalls.flatMap(({ message }) => [
    { name: `${message.name} request`, decode: (body: Buffer, at: number) => decodeRequest(message, body, at) },
    { name: `${message.name} reply`, decode: (body: Buffer, at: number) => decodeReply(message, body, at) },
  ]),
  ...declaredRecords.map(({ exportName, message }) => ({
    name: exportName,
    decode: (body: Buffer, at: number) => message.decode(body, at, exportName),
  })),
];
const decoderOf = new Map(decoders.map((each) => [each.name, each.decode]));

const captured = fixtures.flatMap((fixture) =>
  fixture.frames.map((frame) => ({
    decode: decoderOf.get(`${frame.message} ${frame.part === 'status' ? 'reply' : frame.part}`)!,
    bytes: Buffer.from(frame.hex, 'hex'),
    at: version(fixture.version),
  })),
);

describe('decoders', () => {
  it.each(decoders)('$name takes garbage or refuses it', ({ decode }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...VERSIONS), (garbage, at) => {
        believes(() => decode(Buffer.from(garbage), at));
      }),
      { numRuns: 200 },
    );
  });
  it('take real frames that something happened to, or refuse them', () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...captured), spoiling, ({ decode, bytes, at }, how) => {
        if (!believes(() => decode(spoil(bytes, how, HEADER_SIZE).subarray(HEADER_SIZE), at))) refused++;
      }),
      { numRuns: 5000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
  it('take real frames in the layout of another version, or refuse them', () => {
    for (const { decode, bytes } of captured) {
      for (const at of VERSIONS) believes(() => decode(bytes.subarray(HEADER_SIZE), at));
    }
  });
  it('spend no memory on what is only announced', () => {
    const before = process.memoryUsage();
    for (const { decode, bytes, at } of captured) {
      for (let i = HEADER_SIZE; i < Math.min(bytes.length, 100); i++) {
        const body = Buffer.from(bytes.subarray(HEADER_SIZE));
        body.fill(0x7f, i - HEADER_SIZE, Math.min(i - HEADER_SIZE + 4, body.length));
        believes(() => decode(body, at));
      }
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(256 * 1024 * 1024);
  });
});

/** Gives a stream to a taker in pieces until it refuses. */
function feed(stream: Buffer, sizes: readonly number[], take: (piece: Buffer) => unknown): boolean {
  for (let at = 0, i = 0; at < stream.length; i++) {
    const piece = Buffer.from(stream.subarray(at, at + sizes[i % sizes.length]!));
    if (!believes(() => void take(piece))) return false;
    piece.fill(0xee);
    at += piece.length;
  }
  return true;
}
const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
const garbage = fc.uint8Array({ maxLength: 400 }).map((each) => Buffer.from(each));

/** A machine of each kind, ready for a stream that a healthy server would send it. */
const machines: Record<string, { readonly healthy: Buffer; readonly make: () => (piece: Buffer) => unknown }> = {
  'a write session': {
    healthy: hex(
      `000000d3 0000000d 0000000000000041 00000000 00 00000000 00000000
       000000d3 0000000d 0000000000000041 00000002 00 000000d3 0000000d 0000000000000041 00000001 00`,
    ),
    make: () => {
      const machine = new ChunkWrite({ chunkId: 0x41n, chunkVersion: 1, chain: [], windowBlocks: 8 });
      machine.open();
      for (let i = 0; i < 3; i++) machine.sendBlock({ block: i, offset: 0, size: 1, data: [Buffer.of(i)] });
      return (piece) => {
        machine.receive(piece);
        expect(machine.canFinish).toBe(false);
      };
    },
  },
  'a read': {
    healthy: hex(
      `000000ca 0000001a 0000000000000517 0000 fffa 00000006 c07ccb04 e0d758fd394b 00000000 00000000
       000000ca 0000001a 0000000000000517 0001 0000 00000006 99084e64 1e31f0418287 000000c9 00000009 0000000000000517 00`,
    ),
    make: () => {
      const into = Buffer.alloc(14, 0xaa);
      const machine = new ChunkRead({ chunkId: 0x517n, chunkVersion: 1, offset: 65530, into: into.subarray(1, 13) });
      machine.request();
      return (piece) => {
        if (machine.state === 'reading') machine.receive(piece);
        expect([into[0], into[13]], 'writes outside of its buffer').toEqual([0xaa, 0xaa]);
        expect(machine.verified).toBeLessThanOrEqual(12);
      };
    },
  },
  'a registration': {
    healthy: Buffer.concat([
      hex('00000000 00000004 00000000 0000000b 0000000c 00043b04 "4.59.2-1"'),
      hex(`00000191 00000020 ${'5a'.repeat(32)}`),
      hex(
        `00000191 00000039 00043b04 0000001e 6b00845ee7ff6cd3 08 0000 00000000 00000000 000003e7 000003e7
         ffff 00000000 ffffffff 00000000 6b00845e3ab61df6`,
      ),
    ]),
    make: () => {
      const md5 = (data: Uint8Array) => createHash('md5').update(data).digest();
      const machine = new Registration({ root: '/', info: 'fuzz', md5, passwordMd5: Buffer.alloc(16) });
      machine.start();
      const parser = new FrameParser(
        { bodyLimit: 10_000 },
        { frame: (type, body) => void machine.receive(type, body) },
      );
      return (piece) => parser.push(piece);
    },
  },
  'the calls of a connection': {
    healthy: Buffer.concat(
      fixtures
        .find((each) => each.version === '4.59.2')!
        .frames.filter((each) => ['PATHS', 'CHUNK_HAS_CHANGED', 'FLENG_HAS_CHANGED', 'NOP'].includes(each.message))
        .filter((each) => each.part !== 'request')
        .map((each) => Buffer.from(each.hex, 'hex')),
    ),
    make: () => {
      const calls = new Calls<number>(version('4.59.2'));
      for (let i = 0; i < 100; i++) {
        const { msgid } = calls.request(paths, { inode: i }, i);
        if (i % 3 === 0) calls.abandon(msgid);
      }
      const parser = new FrameParser({ bodyLimit: 100_000 }, { frame: (type, body) => void calls.receive(type, body) });
      return (piece) => {
        parser.push(piece);
        expect(calls.waiting).toBeLessThanOrEqual(66);
      };
    },
  },
};

describe.each(Object.entries(machines))('%s', (_name, { healthy, make }) => {
  it('takes what a healthy server sends', () => {
    fc.assert(fc.property(sizes, (each) => feed(healthy, each, make())));
  });
  it('takes garbage or refuses it', () => {
    fc.assert(
      fc.property(garbage, sizes, (stream, each) => void feed(stream, each, make())),
      { numRuns: 500 },
    );
  });
  it('takes a stream that something happened to, or refuses it', () => {
    let refused = 0;
    fc.assert(
      fc.property(spoiling, sizes, (how, each) => {
        if (!feed(spoil(healthy, how), each, make())) refused++;
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(200);
  });
  it('takes every single bit turned over, or refuses it', () => {
    for (let bit = 0; bit < 8 * healthy.length; bit++) {
      const turned = Buffer.from(healthy);
      turned[bit >>> 3]! ^= 1 << (bit & 7);
      feed(turned, [healthy.length], make());
    }
  });
});

describe('a frame parser', () => {
  it('cuts garbage into frames or refuses it, and never holds more than came', () => {
    fc.assert(
      fc.property(garbage, sizes, (stream, each) => {
        let given = 0;
        const parser = new FrameParser(
          { bodyLimit: 1 << 28, streamType: 0x01010101, streamHeadSize: 20 },
          {
            frame: (_type, body) => void (given += HEADER_SIZE + body.length),
            streamHead: (head) => void (given += HEADER_SIZE + head.length),
            streamed: (bytes) => void (given += bytes.length),
          },
        );
        feed(stream, each, (piece) => parser.push(piece));
        expect(given).toBeLessThanOrEqual(stream.length);
      }),
      { numRuns: 1000 },
    );
  });
  it('is not slowed down by a packet that comes byte by byte', () => {
    const size = 200_000;
    let seen = 0;
    const parser = new FrameParser({ bodyLimit: size }, { frame: (_type, body) => void (seen += body.length) });
    const stream = encodeRequest(paths, 1, { inode: 1 }, 0).subarray(0, HEADER_SIZE);
    stream.writeUInt32BE(size, 4);
    parser.push(stream);
    const one = Buffer.alloc(1);
    const start = performance.now();
    for (let i = 0; i < size; i++) parser.push(one);
    expect(seen).toBe(size);
    expect(performance.now() - start, 'milliseconds: it is not quadratic').toBeLessThan(5000);
  });
});
