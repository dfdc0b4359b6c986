/** The msgid multiplexer: every pair of its table, and a model over random histories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, StateError } from '../../../src/errors.ts';
import { Calls } from '../../../src/protocol/conversations/calls.ts';
import { encodeStatusReply } from '../../../src/protocol/message.ts';
import { statfs, pathLookup, readlink } from '../../../src/protocol/messages/namespace.ts';
import { paths } from '../../../src/protocol/messages/inode.ts';
import { OURS, version } from '../../../src/protocol/version.ts';
import { hex } from '../../support/message-cases.ts';

const PATHS_REPLY = 487;
const reply = (msgid: number) => {
  const body = Buffer.alloc(9, '\0\0\0\0\0\0\0\x01a', 'latin1');
  body.writeUInt32BE(msgid);
  return body;
};
const status = (msgid: number, code: number) => encodeStatusReply(paths, msgid, code).subarray(8);

describe('the table', () => {
  const make = () => {
    const calls = new Calls<string>(OURS);
    const { msgid, bytes } = calls.request(paths, { inode: 13 }, 'token');
    return { calls, msgid, bytes };
  };

  it('request: bytes, and the msgid waits', () => {
    const { calls, msgid, bytes } = make();
    expect(msgid).toBe(1);
    expect(bytes).toEqual(hex('000001e6 00000008 00000001 0000000d'));
    expect(calls.waiting).toBe(1);
    expect(calls.nextMsgid).toBe(2);
  });
  it('the reply of one that waits', () => {
    const { calls, msgid } = make();
    expect(calls.receive(PATHS_REPLY, reply(msgid))).toMatchObject({
      kind: 'reply',
      waiting: { msgid, token: 'token', message: paths },
      reply: { status: 0, value: { paths: [{ path: Buffer.from('a') }] } },
    });
    expect(calls.waiting).toBe(0);
    expect(() => calls.receive(PATHS_REPLY, reply(msgid))).toThrow(/nobody sent/);
  });
  it('a status for one that waits', () => {
    const { calls, msgid } = make();
    expect(calls.receive(PATHS_REPLY, status(msgid, 3))).toMatchObject({ kind: 'reply', reply: { status: 3 } });
  });
  it('a reply of another type', () => {
    const { calls, msgid } = make();
    for (const type of [486, 403, 1, 2, 9999]) expect(() => calls.receive(type, reply(msgid))).toThrow(ProtocolError);
  });
  it('a malformed reply leaves the request waiting: it is lost with the connection', () => {
    const { calls, msgid } = make();
    expect(() => calls.receive(PATHS_REPLY, reply(msgid).subarray(0, 8))).toThrow(ProtocolError);
    expect(calls.lost().waiting.map((each) => each.msgid)).toEqual([msgid]);
  });
  it('abandon, then the late reply', () => {
    const { calls, msgid } = make();
    calls.abandon(msgid);
    expect(calls.waiting).toBe(0);
    expect(calls.receive(PATHS_REPLY, reply(msgid))).toMatchObject({ kind: 'late', waiting: { token: 'token' } });
    expect(() => calls.receive(PATHS_REPLY, reply(msgid))).toThrow(ProtocolError);
  });
  it('a late reply of another type', () => {
    const { calls, msgid } = make();
    calls.abandon(msgid);
    expect(() => calls.receive(403, reply(msgid))).toThrow(ProtocolError);
  });
  it('abandon what does not wait', () => {
    const { calls, msgid } = make();
    expect(() => calls.abandon(msgid + 1)).toThrow(StateError);
    calls.abandon(msgid);
    expect(() => calls.abandon(msgid)).toThrow(StateError);
  });
  it.each(['', '00', '000000', '00000002', '00000000'])('a reply to nobody: %j', (body) => {
    const { calls } = make();
    expect(() => calls.receive(PATHS_REPLY, hex(body))).toThrow(ProtocolError);
    expect(calls.waiting).toBe(1);
  });
  it.each(['', '00000000', '00000001'])('a NOP with body %j is nothing', (body) => {
    const { calls } = make();
    expect(calls.receive(0, hex(body))).toEqual({ kind: 'nop' });
    expect(calls.waiting).toBe(1);
  });
  it('pushes', () => {
    const { calls } = make();
    expect(calls.receive(706, hex('00000000'))).toEqual({
      kind: 'push',
      push: { name: 'INVALIDATE_CHUNK_CACHE', zero: 0 },
    });
    expect(calls.receive(5, hex('00000000 003c'))).toMatchObject({ push: { name: 'FORCE_TIMEOUT', seconds: 60 } });
    expect(calls.receive(703, hex('00000000 0000000c 0000000012c00000'))).toMatchObject({
      push: { name: 'FLENG_HAS_CHANGED', inode: 12, length: 0x12c00000 },
    });
    const changed = hex('00000000 0000000c 00000000 0000000000000002 00000001 00000000000003e8 00');
    expect(() => calls.receive(702, changed)).toThrow(ProtocolError);
    expect(new Calls(version('3.0.117')).receive(702, changed)).toMatchObject({ push: { name: 'CHUNK_HAS_CHANGED' } });
    expect(calls.waiting).toBe(1);
  });
  it('lost: every request that waits, in the order asked, and the abandoned apart', () => {
    const { calls, msgid } = make();
    calls.request(statfs, {}, 'second');
    calls.request(readlink, { inode: 1 }, 'third');
    calls.abandon(msgid);
    const { waiting, abandoned } = calls.lost();
    expect(waiting.map((each) => each.token)).toEqual(['second', 'third']);
    expect(abandoned.map((each) => each.token)).toEqual(['token']);
    expect(calls.waiting).toBe(0);
    expect(() => calls.receive(PATHS_REPLY, reply(msgid))).toThrow(ProtocolError);
    expect(calls.lost()).toEqual({ waiting: [], abandoned: [] });
  });
});

describe('message ids', () => {
  it('go on where the session’s last connection ended', () => {
    const calls = new Calls<undefined>(OURS, 77);
    expect(calls.request(statfs, {}, undefined).msgid).toBe(77);
    expect(calls.nextMsgid).toBe(78);
  });
  it('are never 0, and never one that is still owed a reply', () => {
    const calls = new Calls<number>(OURS, 0xffff_fffe);
    const ids = [1, 2, 3].map((token) => calls.request(statfs, {}, token).msgid);
    expect(ids).toEqual([0xffff_fffe, 0xffff_ffff, 1]);
    calls.abandon(1);
    const again = new Calls<number>(OURS, 1);
    again.request(statfs, {}, 1);
    again.abandon(1);
    expect(again.nextMsgid).toBe(2);
    const wrapped = new Calls<number>(OURS, 0xffff_ffff);
    wrapped.request(statfs, {}, 0);
    expect(wrapped.nextMsgid).toBe(2 ** 32);
    expect(new Calls<number>(OURS, wrapped.nextMsgid).request(statfs, {}, 0).msgid).toBe(1);
  });
  it('pass over one that waits long, however many are asked and answered meanwhile', () => {
    const calls = new Calls<string>(OURS);
    const patient = calls.request(paths, { inode: 13 }, 'patient');
    for (let i = 0; i < 5000; i++) {
      const { msgid } = calls.request(paths, { inode: 13 }, `${i}`);
      expect(msgid).not.toBe(patient.msgid);
      expect(calls.receive(PATHS_REPLY, reply(msgid))).toMatchObject({ waiting: { token: `${i}` } });
    }
    expect(calls.receive(PATHS_REPLY, reply(patient.msgid))).toMatchObject({ waiting: { token: 'patient' } });
    expect(calls.waiting).toBe(0);
  });
  it('keep their order, also where they begin anew: any number may wait', () => {
    const calls = new Calls<number>(OURS, 0xffff_ff00);
    const ids = Array.from({ length: 1000 }, (_, token) => calls.request(paths, { inode: 13 }, token).msgid);
    expect(new Set(ids).size).toBe(1000);
    for (const msgid of ids.filter((_, i) => i % 3 === 0)) calls.receive(PATHS_REPLY, reply(msgid));
    const left = Array.from({ length: 1000 }, (_, token) => token).filter((token) => token % 3 !== 0);
    expect(calls.unanswered().map(({ token }) => token)).toEqual(left);
    expect(calls.lost().waiting.map(({ token }) => token)).toEqual(left);
    expect(calls.waiting).toBe(0);
  });
});

describe('a request that the server would not understand', () => {
  it('is refused here: it would cost the connection', () => {
    const calls = new Calls<undefined>(version('3.0.117'));
    const value = { base: 1, path: Buffer.from('a'), uid: 0, gids: [0] };
    expect(() => calls.request(pathLookup, value, undefined)).toThrow(StateError);
    expect(calls.waiting).toBe(0);
    expect(new Calls<undefined>(OURS).request(pathLookup, value, undefined).msgid).toBe(1);
  });
  it('is refused when it cannot be encoded, and waits for nothing', () => {
    const calls = new Calls<undefined>(OURS);
    expect(() => calls.request(readlink, { inode: -1 }, undefined)).toThrow(RangeError);
    expect(calls.waiting).toBe(0);
    expect(calls.lost()).toEqual({ waiting: [], abandoned: [] });
  });
});

describe('any history', () => {
  type Step = readonly ['request' | 'reply' | 'status' | 'abandon' | 'nop' | 'push' | 'stranger', number];
  const step = fc.tuple(
    fc.constantFrom<Step[0]>(
      'request',
      'request',
      'request',
      'reply',
      'reply',
      'status',
      'abandon',
      'nop',
      'push',
      'stranger',
    ),
    fc.nat(50),
  );

  it('keeps waiting, abandoned and answered apart', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(1, 0xffff_fff0), (steps, first) => {
        const calls = new Calls<number>(OURS, first);
        const waiting = new Map<number, number>();
        const abandoned = new Map<number, number>();
        let count = 0;
        for (const [what, pick] of steps) {
          const owed = [...waiting.keys(), ...abandoned.keys()];
          const msgid = owed[pick % Math.max(1, owed.length)];
          if (what === 'request') {
            const made = calls.request(paths, { inode: 1 }, ++count);
            expect(made.msgid).toBeGreaterThan(0);
            expect(owed).not.toContain(made.msgid);
            waiting.set(made.msgid, count);
          } else if (what === 'nop') {
            expect(calls.receive(0, Buffer.alloc(pick % 8))).toEqual({ kind: 'nop' });
          } else if (what === 'push') {
            expect(calls.receive(706, Buffer.alloc(4)).kind).toBe('push');
          } else if (what === 'stranger') {
            let free = pick;
            while (owed.includes(free)) free++;
            expect(() => calls.receive(PATHS_REPLY, reply(free))).toThrow(ProtocolError);
          } else if (msgid !== undefined && what === 'abandon') {
            if (waiting.has(msgid)) {
              calls.abandon(msgid);
              abandoned.set(msgid, waiting.get(msgid)!);
              waiting.delete(msgid);
            } else {
              expect(() => calls.abandon(msgid)).toThrow(StateError);
            }
          } else if (msgid !== undefined) {
            const event = calls.receive(PATHS_REPLY, what === 'reply' ? reply(msgid) : status(msgid, 45));
            const kind = waiting.has(msgid) ? 'reply' : 'late';
            expect(event).toMatchObject({ kind, waiting: { token: waiting.get(msgid) ?? abandoned.get(msgid) } });
            waiting.delete(msgid);
            abandoned.delete(msgid);
          }
          expect(calls.waiting).toBe(waiting.size);
        }
        const lost = calls.lost();
        expect(lost.waiting.map((each) => each.token)).toEqual([...waiting.values()]);
        expect(lost.abandoned.map((each) => each.token)).toEqual([...abandoned.values()]);
      }),
      { numRuns: 300 },
    );
  });
});
