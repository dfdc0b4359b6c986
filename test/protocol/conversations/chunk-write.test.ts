/** The write session: every pair of its table, and a model over any order of acknowledgements, cuts and failures. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, StateError, StatusError } from '../../../src/errors.ts';
import { ChunkWrite } from '../../../src/protocol/conversations/chunk-write.ts';
import type { BlockWrite, ChunkWriteState } from '../../../src/protocol/conversations/chunk-write.ts';
import { BLOCK_SIZE, CHUNK_BLOCKS } from '../../../src/protocol/geometry.ts';
import { hex, raw } from '../../support/message-cases.ts';

const CHUNK = 0x1300_0000_0000_0041n;
const ID = '1300000000000041';
const chain = [
  { ip: 0x0a4d000d, port: 0x4bde },
  { ip: 0x0a4d000e, port: 0x4bdf },
];
const make = (windowBlocks = 64) => new ChunkWrite({ chunkId: CHUNK, chunkVersion: 7, chain, windowBlocks });
/** With no other server behind the first. */
const makeOnly = () => new ChunkWrite({ chunkId: CHUNK, chunkVersion: 7, chain: [], windowBlocks: 64 });
const block = (index = 2, text = 'abc', offset = 5): BlockWrite => ({
  block: index,
  offset,
  size: text.length,
  data: [raw(text)],
});
/** A WRITE_STATUS, by hand. */
const status = (writeId: number, code = 0, id = ID) =>
  hex(`000000d3 0000000d ${id} ${writeId.toString(16).padStart(8, '0')} ${code.toString(16).padStart(2, '0')}`);
const NOP = hex('00000000 00000000');
const FINISH = hex(`000000d5 0000000c ${ID} 00000007`);
const GET_VERSION = hex('0000000a 00000000');
/** 4.59.2 in numbers and in letters. */
const VERSION = hex('0000000b 0000000a 00043b04 342e35392e32');

/** Each state with the way to it. In `opening` and `streaming` block 1 is pending where the name says so. */
const states: Record<string, () => ChunkWrite> = {
  new: make,
  opening: () => {
    const machine = make();
    machine.open();
    return machine;
  },
  'opening, 1 pending': () => {
    const machine = states['opening']!();
    machine.sendBlock(block());
    return machine;
  },
  streaming: () => {
    const machine = states['opening']!();
    machine.receive(status(0));
    return machine;
  },
  'streaming, 1 pending': () => {
    const machine = states['streaming']!();
    machine.sendBlock(block());
    return machine;
  },
  finished: () => {
    const machine = states['streaming']!();
    machine.finish();
    return machine;
  },
  confirming: () => {
    const machine = makeOnly();
    machine.open();
    machine.receive(status(0));
    machine.finish();
    return machine;
  },
  'finished, one server': () => {
    const machine = states['confirming']!();
    machine.receive(VERSION);
    return machine;
  },
  failed: () => {
    const machine = states['streaming, 1 pending']!();
    machine.lost();
    return machine;
  },
};

const events: Record<string, (machine: ChunkWrite) => unknown> = {
  open: (machine) => machine.open(),
  sendBlock: (machine) => machine.sendBlock(block()),
  finish: (machine) => machine.finish(),
  lost: (machine) => machine.lost(),
  'status(0) OK': (machine) => machine.receive(status(0)),
  'status(1) OK': (machine) => machine.receive(status(1)),
  'status(2) OK': (machine) => machine.receive(status(2)),
  'status(0) not OK': (machine) => machine.receive(status(0, 26)),
  'status(1) not OK': (machine) => machine.receive(status(1, 29)),
  'status of another chunk': (machine) => machine.receive(status(1, 0, '0000000000000041')),
  'another packet': (machine) => machine.receive(hex('000000c9 00000009 0000000000000041 00')),
  'a malformed status': (machine) => machine.receive(hex(`000000d3 0000000c ${ID} 00000000`)),
  'too long a packet': (machine) => machine.receive(hex('000000d3 00000041')),
  NOP: (machine) => machine.receive(NOP),
  'half a NOP': (machine) => machine.receive(NOP.subarray(0, 4)),
  VERSION: (machine) => machine.receive(VERSION),
};

type Outcome = ChunkWriteState | 'StateError' | 'StatusError' | 'ProtocolError';
const misuse: Record<string, Outcome> = Object.fromEntries(Object.keys(events).map((event) => [event, 'StateError']));
const live: Record<string, Outcome> = {
  open: 'StateError',
  lost: 'failed',
  'status(0) not OK': 'StatusError',
  'status(1) not OK': 'StatusError',
  'status(1) OK': 'ProtocolError',
  'status(2) OK': 'ProtocolError',
  'status of another chunk': 'ProtocolError',
  'another packet': 'ProtocolError',
  'a malformed status': 'ProtocolError',
  'too long a packet': 'ProtocolError',
  VERSION: 'ProtocolError',
};
const opening: Record<string, Outcome> = {
  ...live,
  sendBlock: 'opening',
  finish: 'StateError',
  'status(0) OK': 'streaming',
  NOP: 'opening',
  'half a NOP': 'opening',
};
const streaming: Record<string, Outcome> = {
  ...live,
  sendBlock: 'streaming',
  finish: 'finished',
  'status(0) OK': 'ProtocolError',
  NOP: 'streaming',
  'half a NOP': 'streaming',
};
const expected: Record<string, Record<string, Outcome>> = {
  new: { ...misuse, open: 'opening', lost: 'failed' },
  opening,
  'opening, 1 pending': { ...opening, 'status(1) OK': 'opening' },
  streaming,
  'streaming, 1 pending': { ...streaming, finish: 'StateError', 'status(1) OK': 'streaming' },
  confirming: {
    ...streaming,
    sendBlock: 'StateError',
    finish: 'StateError',
    NOP: 'confirming',
    'half a NOP': 'confirming',
    VERSION: 'finished',
  },
  finished: { ...misuse, lost: 'finished' },
  'finished, one server': { ...misuse, lost: 'finished' },
  failed: { ...misuse, lost: 'failed' },
};

describe('the table', () => {
  for (const [state, start] of Object.entries(states)) {
    it.each(Object.entries(events))(`${state}: %s`, (name, event) => {
      const machine = start();
      const before = machine.state;
      const outcome = expected[state]![name]!;
      if (outcome === 'StateError') {
        expect(() => event(machine)).toThrow(StateError);
        expect(machine.state, 'our misuse changes nothing').toBe(before);
      } else if (outcome === 'StatusError' || outcome === 'ProtocolError') {
        expect(() => event(machine)).toThrow(outcome === 'StatusError' ? StatusError : ProtocolError);
        expect(machine.state).toBe('failed');
        expect(machine.canSend || machine.canFinish).toBe(false);
      } else {
        event(machine);
        expect(machine.state).toBe(outcome);
      }
    });
  }
});

describe('what is sent', () => {
  it('the end to a chain of one server has a question behind it that is answered after it', () => {
    const machine = makeOnly();
    expect(machine.open()).toEqual(hex(`000000d2 0000000d 01 ${ID} 00000007`));
    machine.receive(status(0));
    expect(machine.finish()).toEqual(Buffer.concat([FINISH, GET_VERSION]));
    expect([machine.pending, machine.reusable]).toEqual([1, false]);
    machine.receive(Buffer.concat([NOP, VERSION]));
    expect([machine.pending, machine.reusable]).toEqual([0, true]);
  });

  it('opens, writes and ends as the wire says', () => {
    const machine = make();
    expect(machine.open()).toEqual(hex(`000000d2 00000019 01 ${ID} 00000007 0a4d000d4bde 0a4d000e4bdf`));
    machine.receive(status(0));
    const one = block();
    const [head, ...data] = machine.sendBlock(one);
    expect(head).toEqual(hex(`000000d4 0000001b ${ID} 00000001 0002 0005 00000003 352441c2`));
    expect(data[0], 'by reference').toBe(one.data[0]);
    const [second] = machine.sendBlock({ block: 1023, offset: 0, size: 3, data: [raw('a'), raw(''), raw('bc')] });
    expect(second).toEqual(hex(`000000d4 0000001b ${ID} 00000002 03ff 0000 00000003 352441c2`));
    machine.receive(Buffer.concat([status(1), status(2)]));
    expect(machine.finish()).toEqual(FINISH);
  });
  it.each<[string, Partial<BlockWrite>]>([
    ['nothing, which would make replicas longer', { size: 0, data: [] }],
    ['empty pieces', { size: 0, data: [raw('')] }],
    ['fewer bytes than announced', { size: 4 }],
    ['more bytes than announced', { size: 2 }],
    ['across a block’s border', { offset: BLOCK_SIZE - 2 }],
    ['before the block', { offset: -1 }],
    ['before the chunk', { block: -1 }],
    ['beyond the chunk', { block: CHUNK_BLOCKS }],
  ])('is never %s', (_what, change) => {
    const machine = states['streaming']!();
    expect(() => machine.sendBlock({ ...block(), ...change })).toThrow(StateError);
    expect(machine.unacknowledged).toEqual([]);
    expect(machine.canFinish).toBe(true);
    machine.sendBlock({ block: CHUNK_BLOCKS - 1, offset: BLOCK_SIZE - 3, size: 3, data: [raw('abc')] });
  });
  it.each([1, 2, 3, 64])('is never more than the window of %i, in which the opening counts', (window) => {
    const machine = make(window);
    machine.open();
    for (let i = 1; i < window; i++) machine.sendBlock(block(i));
    expect(machine.canSend).toBe(false);
    expect(() => machine.sendBlock(block())).toThrow(StateError);
    machine.receive(status(0));
    expect(machine.canSend).toBe(true);
    machine.sendBlock(block());
    expect(machine.pending).toBe(window);
    expect(() => machine.sendBlock(block())).toThrow(StateError);
  });
});

describe('acknowledgements', () => {
  it('may overtake the opening', () => {
    const machine = states['opening, 1 pending']!();
    expect(machine.receive(status(1))).toHaveLength(1);
    expect([machine.state, machine.pending, machine.opened, machine.canFinish]).toEqual(['opening', 1, false, false]);
    machine.receive(status(0));
    expect([machine.state, machine.pending, machine.opened, machine.canFinish]).toEqual(['streaming', 0, true, true]);
  });
  it('come once', () => {
    const machine = states['streaming, 1 pending']!();
    machine.receive(status(1));
    expect(() => machine.receive(status(1))).toThrow(/id 1, which is not pending/);
  });
  it('before an error count, although receive throws', () => {
    const machine = states['streaming']!();
    const blocks = [1, 2, 3].map((i) => block(i));
    for (const each of blocks) machine.sendBlock(each);
    expect(() => machine.receive(Buffer.concat([status(2), status(1, 22), status(3)]))).toThrow(
      /status IO for block 1/,
    );
    expect(machine.acknowledged).toEqual([blocks[1]]);
    expect(machine.unacknowledged).toEqual([blocks[0], blocks[2]]);
  });
  it('tell the status and the errno of a refusal', () => {
    const refused = (() => {
      try {
        return states['opening']!().receive(status(0, 26));
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toMatchObject({ status: 26, code: 'EIO' });
    expect((refused as Error).message).toMatch(/CANTCONNECT for the opening of the chain/);
  });
});

describe('the connection', () => {
  it('may be used again after a finish', () => {
    const machine = states['streaming']!();
    expect(machine.reusable).toBe(false);
    machine.finish();
    expect(machine.reusable).toBe(true);
  });
  it('may not, while half a packet hangs in it', () => {
    const machine = states['streaming']!();
    machine.receive(NOP.subarray(0, 3));
    machine.finish();
    expect(machine.reusable).toBe(false);
  });
  it.each(['new', 'opening', 'failed', 'streaming, 1 pending'])('may not in state %s', (state) => {
    expect(states[state]!().reusable).toBe(false);
  });
});

describe('the bug that this package exists to end', () => {
  it('WRITE_FINISH does not leave while the second WRITE_STATUS is missing', () => {
    const machine = states['streaming']!();
    machine.sendBlock(block(0));
    machine.sendBlock(block(1));
    machine.receive(status(1));
    expect(() => machine.finish()).toThrow(/1 unacknowledged: replicas would lose their tails/);
    machine.receive(status(2));
    expect(machine.finish()).toEqual(FINISH);
  });

  type Step = readonly [what: 'send' | 'ack' | 'open' | 'nop' | 'finish' | 'fail' | 'stranger' | 'lost', pick: number];
  const step = fc.tuple(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom<Step[0]>('send', 'send', 'ack', 'ack', 'open', 'nop', 'finish') },
      { weight: 1, arbitrary: fc.constantFrom<Step[0]>('fail', 'stranger', 'lost') },
    ),
    fc.nat(1000),
  );

  /** A random history: what the machine sent and took must agree with a model that keeps two sets. */
  it('does not come back by any order of acknowledgements, cuts of bytes, or failures', () => {
    let finished = 0;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
        (steps, window, cuts) => {
          const machine = new ChunkWrite<BlockWrite & { id: number }>({
            chunkId: CHUNK,
            chunkVersion: 7,
            chain,
            windowBlocks: window,
          });
          machine.open();
          const sent: number[] = [];
          const acked = new Set<number>();
          let opened = false;
          let over = false;
          let cut = 0;
          const owed = () => sent.filter((id) => !acked.has(id));

          const check = () => {
            expect(machine.unacknowledged.map((each) => each.id)).toEqual(owed());
            expect(new Set([...owed(), ...acked]).size).toBe(sent.length);
            expect(machine.canFinish).toBe(!over && opened && owed().length === 0);
            const pending = owed().length + (opened ? 0 : 1);
            if (!over) expect(machine.pending).toBe(pending);
            expect(machine.canSend).toBe(!over && pending < window);
          };
          /** Gives bytes in random pieces; collects what they acknowledge until one throws. */
          const give = (bytes: Buffer) => {
            for (let at = 0; at < bytes.length;) {
              const size = cuts[cut++ % cuts.length]!;
              try {
                machine.receive(bytes.subarray(at, at + size));
              } finally {
                for (const each of machine.acknowledged) {
                  expect(acked.has(each.id), 'acknowledged twice').toBe(false);
                  acked.add(each.id);
                }
              }
              at += size;
            }
          };

          for (const [what, pick] of steps) {
            if (over) {
              expect(() => machine.receive(NOP)).toThrow(StateError);
              expect(() => machine.sendBlock({ ...block(), id: 0 })).toThrow(StateError);
              expect(() => machine.finish()).toThrow(StateError);
              break;
            }
            const waiting = owed();
            const target = waiting[pick % Math.max(1, waiting.length)];
            if (what === 'send') {
              const next = { ...block(pick), id: sent.length + 1 };
              if (machine.canSend) sent.push(machine.sendBlock(next).length > 0 ? next.id : 0);
              else expect(() => machine.sendBlock(next)).toThrow(StateError);
            } else if (what === 'open' && !opened) {
              opened = true;
              give(status(0));
            } else if (what === 'ack' && target !== undefined) {
              give(pick % 3 === 0 ? Buffer.concat([NOP, status(target), NOP]) : status(target));
              expect(acked.has(target)).toBe(true);
            } else if (what === 'nop') {
              give(NOP);
            } else if (what === 'finish') {
              if (opened && waiting.length === 0) {
                expect(machine.finish()).toEqual(FINISH);
                expect(machine.state).toBe('finished');
                finished++;
                over = true;
              } else {
                expect(() => machine.finish(), 'WRITE_FINISH must not leave').toThrow(StateError);
              }
            } else if (what === 'fail' && target !== undefined) {
              over = true;
              const other = waiting.find((id) => id !== target);
              const before = other === undefined ? Buffer.alloc(0) : status(other);
              expect(() => give(Buffer.concat([before, status(target, 28)]))).toThrow(StatusError);
              expect(machine.state).toBe('failed');
            } else if (what === 'stranger') {
              over = true;
              expect(() => give(status(sent.length + 1 + pick))).toThrow(ProtocolError);
            } else if (what === 'lost') {
              over = true;
              machine.lost();
            }
            check();
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(finished, 'histories that got to the end').toBeGreaterThan(50);
  });
});
