/** The read of a range: every pair of its table, any range in any pieces, and what stays good when it fails. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, StateError, StatusError } from '../../../src/errors.ts';
import { ChunkRead } from '../../../src/protocol/conversations/chunk-read.ts';
import type { ChunkReadState } from '../../../src/protocol/conversations/chunk-read.ts';
import { BLOCK_SIZE, CHUNK_SIZE } from '../../../src/protocol/geometry.ts';
import { hex } from '../../support/message-cases.ts';

/** The range of the example in the protocol's document: 12 bytes over a block's border. */
const example = { chunkId: 0x517n, chunkVersion: 1, offset: 65530 };
const FIRST = hex('000000ca 0000001a 0000000000000517 0000 fffa 00000006 c07ccb04 e0d758fd394b');
const SECOND = hex('000000ca 0000001a 0000000000000517 0001 0000 00000006 99084e64 1e31f0418287');
const OK = hex('000000c9 00000009 0000000000000517 00');
const DATA = hex('e0d758fd394b 1e31f0418287');
const NOP = hex('00000000 00000000');

const make = (into: Uint8Array = Buffer.alloc(12)) => new ChunkRead({ ...example, into });
/** A copy with one byte changed. */
const twist = (packet: Buffer, at: number, by = 1) => {
  const changed = Buffer.from(packet);
  changed[at]! ^= by;
  return changed;
};

const states: Record<string, () => ChunkRead> = {
  new: () => make(),
  reading: () => {
    const machine = make();
    machine.request();
    return machine;
  },
  'reading, all verified': () => {
    const machine = states['reading']!();
    machine.receive(Buffer.concat([FIRST, SECOND]));
    return machine;
  },
  done: () => {
    const machine = states['reading, all verified']!();
    machine.receive(OK);
    return machine;
  },
  failed: () => {
    const machine = states['reading']!();
    machine.lost();
    return machine;
  },
};
const events: Record<string, (machine: ChunkRead) => unknown> = {
  request: (machine) => machine.request(),
  lost: (machine) => machine.lost(),
  'the next piece': (machine) => machine.receive(FIRST),
  'a later piece': (machine) => machine.receive(SECOND),
  'an empty piece': (machine) => machine.receive(hex('000000ca 00000014 0000000000000517 0001 0006 00000000 00000000')),
  'a piece of another chunk': (machine) => machine.receive(twist(FIRST, 15)),
  'a piece of another block': (machine) => machine.receive(twist(FIRST, 17)),
  'a piece at another place': (machine) => machine.receive(twist(FIRST, 19)),
  'a piece that is too short': (machine) =>
    machine.receive(hex('000000ca 00000019 0000000000000517 0000 fffa 00000005 00000000 e0d758fd39')),
  'a piece across the border': (machine) =>
    machine.receive(hex('000000ca 0000001b 0000000000000517 0000 fffa 00000007 00000000 e0d758fd394b1e')),
  'a piece whose size is not its length': (machine) => machine.receive(twist(FIRST, 23)),
  'a piece whose length is not its size': (machine) => machine.receive(twist(FIRST, 7)),
  'a piece without a whole head': (machine) => machine.receive(hex('000000ca 00000013')),
  'a piece with a wrong CRC': (machine) => machine.receive(twist(FIRST, 24)),
  'a piece with a wrong byte': (machine) => machine.receive(twist(FIRST, 33, 0x80)),
  'status OK': (machine) => machine.receive(OK),
  'status OK of another chunk': (machine) => machine.receive(twist(OK, 15)),
  'status not OK': (machine) => machine.receive(hex('000000c9 00000009 0000000000000517 13')),
  'a malformed status': (machine) => machine.receive(hex('000000c9 00000008 0000000000000517')),
  'another packet': (machine) => machine.receive(hex('000000d3 0000000d 0000000000000517 00000000 00')),
  'too long a packet': (machine) => machine.receive(hex('000000ca 00010015')),
  NOP: (machine) => machine.receive(NOP),
  'half a NOP': (machine) => machine.receive(NOP.subarray(0, 5)),
};

type Outcome = ChunkReadState | 'StateError' | 'StatusError' | 'ProtocolError';
const misuse: Record<string, Outcome> = Object.fromEntries(Object.keys(events).map((event) => [event, 'StateError']));
const broken: Record<string, Outcome> = Object.fromEntries(
  Object.keys(events).map((event) => [event, 'ProtocolError']),
);
const reading: Record<string, Outcome> = {
  ...broken,
  request: 'StateError',
  lost: 'failed',
  'status not OK': 'StatusError',
  NOP: 'reading',
  'half a NOP': 'reading',
};
const expected: Record<string, Record<string, Outcome>> = {
  new: { ...misuse, request: 'reading', lost: 'failed' },
  reading: {
    ...reading,
    'the next piece': 'reading',
    'a piece with a wrong CRC': 'StatusError',
    'a piece with a wrong byte': 'StatusError',
  },
  'reading, all verified': { ...reading, 'status OK': 'done' },
  done: { ...misuse, lost: 'done' },
  failed: { ...misuse, lost: 'failed' },
};

describe('the table', () => {
  for (const [state, start] of Object.entries(states)) {
    it.each(Object.entries(events))(`${state}: %s`, (name, event) => {
      const machine = start();
      const before = [machine.state, machine.verified];
      const outcome = expected[state]![name]!;
      if (outcome === 'StateError') {
        expect(() => event(machine)).toThrow(StateError);
        expect([machine.state, machine.verified], 'our misuse changes nothing').toEqual(before);
      } else if (outcome === 'StatusError' || outcome === 'ProtocolError') {
        expect(() => event(machine)).toThrow(outcome === 'StatusError' ? StatusError : ProtocolError);
        expect([machine.state, machine.verified]).toEqual(['failed', before[1]]);
      } else {
        event(machine);
        expect(machine.state).toBe(outcome);
      }
    });
  }
});

describe('a read', () => {
  it('asks as the wire says', () => {
    expect(make().request()).toEqual(hex('000000c8 00000015 01 0000000000000517 00000001 0000fffa 0000000c'));
  });
  it('puts the bytes in their place, whatever kind of memory it is', () => {
    for (const into of [Buffer.alloc(12), new Uint8Array(12), new Uint8Array(20).subarray(4, 16)]) {
      const machine = make(into);
      machine.request();
      expect(machine.receive(Buffer.concat([NOP, FIRST, NOP, SECOND, OK, NOP]))).toBe('done');
      expect(machine.verified).toBe(12);
      expect(Buffer.from(into)).toEqual(DATA);
      expect(machine.reusable).toBe(true);
    }
  });
  it('counts only what has the right CRC', () => {
    const machine = states['reading']!();
    machine.receive(FIRST);
    for (const byte of SECOND.subarray(0, -1)) {
      machine.receive(Uint8Array.of(byte));
      expect(machine.verified).toBe(6);
    }
    machine.receive(SECOND.subarray(-1));
    expect(machine.verified).toBe(12);
  });
  it('keeps what was verified when it fails', () => {
    for (const bad of [twist(SECOND, 30), hex('000000c9 00000009 0000000000000517 16'), twist(SECOND, 17)]) {
      const into = Buffer.alloc(12);
      const machine = make(into);
      machine.request();
      expect(() => machine.receive(Buffer.concat([FIRST, bad]))).toThrow();
      expect(machine.verified).toBe(6);
      expect(into.subarray(0, 6)).toEqual(DATA.subarray(0, 6));
      expect([machine.state, machine.reusable]).toEqual(['failed', false]);
    }
  });
  it('is not over before all of it has come', () => {
    const machine = states['reading']!();
    machine.receive(FIRST);
    expect(() => machine.receive(OK)).toThrow(/ended well after 6 of 12 bytes/);
  });
  it('takes nothing after its end but NOPs', () => {
    for (const extra of [OK, FIRST]) {
      const machine = states['reading, all verified']!();
      expect(() => machine.receive(Buffer.concat([OK, extra]))).toThrow(/after the end/);
    }
    const machine = states['reading, all verified']!();
    expect(machine.receive(Buffer.concat([OK, NOP, NOP.subarray(0, 3)]))).toBe('done');
    expect(machine.reusable, 'half a packet hangs in the connection').toBe(false);
  });
  it('says which status and errno', () => {
    expect(() => states['reading']!().receive(twist(FIRST, 33))).toThrow(
      expect.objectContaining({ status: 29, code: 'EIO', message: expect.stringMatching(/wrong checksum in block 0/) }),
    );
    expect(() => states['reading']!().receive(hex('000000c9 00000009 0000000000000517 13'))).toThrow(
      expect.objectContaining({
        status: 19,
        code: 'EIO',
        message: expect.stringMatching(/WRONGVERSION after 0 bytes/),
      }),
    );
  });
  it.each([
    [0, 0],
    [-1, 5],
    [CHUNK_SIZE, 1],
    [CHUNK_SIZE - 4, 5],
  ])('of no range of a chunk is refused: offset %i, %i bytes', (offset, size) => {
    expect(() => new ChunkRead({ ...example, offset, into: Buffer.alloc(size) })).toThrow(StateError);
  });
});

describe('any range', () => {
  /** The CRC by definition, so that the machine is not checked against itself. */
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let i = 0; i < 8; i++) n = (n >>> 1) ^ ((n & 1) * 0xedb8_8320);
    return n;
  });
  const crcOf = (data: Uint8Array) => {
    let crc = 0xffff_ffff;
    for (const byte of data) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
    return (crc ^ 0xffff_ffff) >>> 0;
  };
  /** What a chunkserver answers, built by hand. */
  const answer = (offset: number, data: Buffer, nops: readonly number[]): Buffer => {
    const packets: Buffer[] = [];
    for (let at = 0; at < data.length;) {
      const inside = (offset + at) % BLOCK_SIZE;
      const piece = data.subarray(at, at + BLOCK_SIZE - inside);
      const head = Buffer.alloc(28);
      head.writeUInt32BE(202, 0);
      head.writeUInt32BE(20 + piece.length, 4);
      head.writeBigUInt64BE(0x517n, 8);
      head.writeUInt16BE(Math.floor((offset + at) / BLOCK_SIZE), 16);
      head.writeUInt16BE(inside, 18);
      head.writeUInt32BE(piece.length, 20);
      head.writeUInt32BE(crcOf(piece), 24);
      if (nops.includes(packets.length)) packets.push(NOP);
      packets.push(head, piece);
      at += piece.length;
    }
    return Buffer.concat([...packets, OK]);
  };
  const offset = fc.oneof(
    fc.nat(3 * BLOCK_SIZE),
    fc.nat(1023).map((block) => block * BLOCK_SIZE),
    fc.nat(70_000).map((back) => CHUNK_SIZE - 1 - back),
  );

  it('comes whole, in any pieces, from buffers that are used again at once', () => {
    fc.assert(
      fc.property(
        offset,
        fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3 * BLOCK_SIZE })),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1 }),
        fc.array(fc.nat(8)),
        fc.nat(255),
        (at, wanted, cuts, nops, seed) => {
          const data = Buffer.alloc(Math.min(wanted, CHUNK_SIZE - at));
          for (let i = 0; i < data.length; i++) data[i] = (i * 31 + seed) & 0xff;
          const into = Buffer.alloc(data.length, 0xaa);
          const machine = new ChunkRead({ chunkId: 0x517n, chunkVersion: 1, offset: at, into });
          machine.request();
          let wire = answer(at, data, nops);
          let verified = 0;
          for (let i = 0; wire.length > 0; i++) {
            // After some small pieces the rest may come at once: thousands of them add nothing.
            const size = i < 50 ? cuts[i % cuts.length]! : BLOCK_SIZE + 100;
            const chunk = Buffer.from(wire.subarray(0, size));
            wire = wire.subarray(size);
            machine.receive(chunk);
            chunk.fill(0xee);
            expect(machine.verified).toBeGreaterThanOrEqual(verified);
            verified = machine.verified;
            expect(into.subarray(0, verified).equals(data.subarray(0, verified))).toBe(true);
          }
          expect([machine.state, machine.verified, machine.reusable]).toEqual(['done', data.length, true]);
          expect(into.equals(data)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});
