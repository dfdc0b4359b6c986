/** Registration: every pair of state and event of the table in the machine's head, and the bytes that it sends. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ProtocolError, StateError, StatusError } from '../../../src/errors.ts';
import { Registration, passwordDigest } from '../../../src/protocol/conversations/registration.ts';
import type { RegistrationRequest } from '../../../src/protocol/conversations/registration.ts';
import { version } from '../../../src/protocol/version.ts';
import { hex } from '../../support/message-cases.ts';

const BLOB = '"DjI1GAQDULI5d2YjA26ypc3ovkhjvhciTQVx3CS4nYgtBoUcsljiVpsErJENHaw0"';
const RANDOM = 'f3d46adbe07467b1a4a5d426fcb3a27424c7075e1265fbe714c8c83fd65cce73';
const META = '6b0084590154 3226'.replace(' ', '');
const md5 = (data: Uint8Array) => createHash('md5').update(data).digest();
const passwordMd5 = md5(Buffer.from('secret'));
const resume = { sessionId: 0x35, metaId: BigInt(`0x${META}`) };

const base: RegistrationRequest = { root: '/', info: 'proto-a', md5 };

/** What can come, by name: type and body. */
const events = {
  nop: [0, '00000000'],
  'empty nop': [0, ''],
  version: [11, '00043b04 "4.59.2-1"'],
  'short version': [11, '00043b'],
  random: [401, RANDOM],
  session: [
    401,
    `00043b04 0000001e ${META} 08 0012 00000000 00000000 000003e7 000003e7 ffff 00000000 ffffffff 000080c0 6b00845e3ab61df6`,
  ],
  'session of 3.x': [
    401,
    `000300ea 00000035 ${META} 08 0000 00000000 00000000 000003e7 000003e7 01 09 00000000 ffffffff 00000000`,
  ],
  'meta session': [401, `00043b04 0000004a ${META} 00 ffff 00000000 ffffffff 6b00845e3ab61df6`],
  'reconnected, OK': [401, '00043b04 6b008a612a0ae397 00'],
  'reconnected, EPERM': [401, '00043b04 6b008a612a0ae397 01'],
  'reconnected, BADSESSIONID': [401, '00043b04 6b008a612a0ae397 23'],
  'status NOPASSWORD': [401, '24'],
  'status OK': [401, '00'],
  redirect: [401, '0a000007'],
  'nothing in it': [401, ''],
  'another packet': [403, '00000000'],
  push: [706, '00000000'],
} as const;
type Event = keyof typeof events;

const receive = (machine: Registration, event: Event) => {
  const [type, body] = events[event];
  return machine.receive(type, hex(body));
};

type Outcome = 'wait' | 'send' | 'registered' | 'redirected' | 'StatusError' | 'ProtocolError';
const outcome = (machine: Registration, event: Event): Outcome => {
  try {
    return receive(machine, event).kind;
  } catch (error) {
    if (error instanceof StatusError) return 'StatusError';
    if (error instanceof ProtocolError) return 'ProtocolError';
    throw error;
  }
};

/** Each state with the way to it, and what does not end in a ProtocolError there. */
const states: Record<string, { make: () => Registration; expected: Partial<Record<Event, Outcome>> }> = {
  idle: { make: () => new Registration(base), expected: {} },
  probing: {
    make: () => started(base),
    expected: { nop: 'wait', 'empty nop': 'wait', version: 'send' },
  },
  challenging: {
    make: () => started({ ...base, passwordMd5 }, 'version'),
    expected: { nop: 'wait', 'empty nop': 'wait', random: 'send', 'status NOPASSWORD': 'StatusError' },
  },
  'registering anew': {
    make: () => started(base, 'version'),
    expected: {
      nop: 'wait',
      'empty nop': 'wait',
      session: 'registered',
      'status NOPASSWORD': 'StatusError',
      redirect: 'redirected',
    },
  },
  'registering anew with a password': {
    make: () => started({ ...base, passwordMd5 }, 'version', 'random'),
    expected: {
      nop: 'wait',
      'empty nop': 'wait',
      session: 'registered',
      'status NOPASSWORD': 'StatusError',
      redirect: 'redirected',
    },
  },
  'registering with the meta file system': {
    // What there was to go on with means nothing here.
    make: () => started({ ...base, meta: true, resume }, 'version'),
    expected: {
      nop: 'wait',
      'empty nop': 'wait',
      'meta session': 'registered',
      'status NOPASSWORD': 'StatusError',
      redirect: 'redirected',
    },
  },
  reconnecting: {
    make: () => started({ ...base, resume }, 'version'),
    expected: {
      nop: 'wait',
      'empty nop': 'wait',
      'reconnected, OK': 'registered',
      'reconnected, EPERM': 'send',
      'reconnected, BADSESSIONID': 'send',
      redirect: 'redirected',
    },
  },
  registered: { make: () => started(base, 'version', 'session'), expected: {} },
  redirected: { make: () => started(base, 'version', 'redirect'), expected: {} },
  refused: {
    make: () => {
      const machine = started(base, 'version');
      expect(outcome(machine, 'status NOPASSWORD')).toBe('StatusError');
      return machine;
    },
    expected: {},
  },
};

function started(request: RegistrationRequest, ...path: Event[]): Registration {
  const machine = new Registration(request);
  machine.start();
  for (const event of path) receive(machine, event);
  return machine;
}

describe('the table', () => {
  for (const [state, { make, expected }] of Object.entries(states)) {
    it.each(Object.keys(events) as Event[])(`${state}: %s`, (event) => {
      const machine = make();
      const result = outcome(machine, event);
      expect(result).toBe(expected[event] ?? 'ProtocolError');
      if (result === 'wait' || result === 'send') return;
      // It has ended, well or not: nothing more is believed.
      for (const next of Object.keys(events) as Event[]) expect(outcome(machine, next), next).toBe('ProtocolError');
    });
  }
  it('starts once', () => {
    expect(() => started(base).start()).toThrow(StateError);
    expect(() => started(base, 'version', 'session').start()).toThrow(StateError);
  });
});

describe('what is sent', () => {
  const sent = (request: RegistrationRequest, ...path: Event[]): string => {
    const machine = new Registration(request);
    let bytes = machine.start();
    for (const event of path) {
      const step = receive(machine, event);
      if (step.kind === 'send') bytes = step.bytes;
    }
    return Buffer.from(bytes).toString('hex');
  };
  const is = (text: string) => hex(text).toString('hex');

  it('is a question for the version first', () => expect(sent(base)).toBe(is('0000000a 00000000')));
  it('is a new session, in the lower of both versions', () => {
    expect(sent({ ...base, root: '/exports' }, 'version')).toBe(
      is(
        `00000190 0000006a ${BLOB} 02 00043b04 00000008 "proto-a" 00 00000009 "/exports" 00 00000000 0000000000000000`,
      ),
    );
    const machine = started(base);
    const old = machine.receive(11, hex('000300eb "3.0.117-1 PRO"'));
    expect(Buffer.from(old.kind === 'send' ? old.bytes : []).toString('hex', 73, 77)).toBe('000300ea');
  });
  it('is a challenge and the digest of the password', () => {
    expect(sent({ ...base, passwordMd5 }, 'version')).toBe(is(`00000190 00000041 ${BLOB} 01`));
    expect(sent({ ...base, passwordMd5 }, 'version', 'random')).toBe(
      is(
        `00000190 00000073 ${BLOB} 02 00043b04 00000008 "proto-a" 00 00000002 "/" 00 00000000 0000000000000000
         e92b673067fe40be833681bcb7a7eff6`,
      ),
    );
    expect(Buffer.from(passwordDigest(hex(RANDOM), passwordMd5, md5)).toString('hex')).toBe(
      'e92b673067fe40be833681bcb7a7eff6',
    );
  });
  it('is a meta session, which names no folder, with a password too', () => {
    expect(sent({ ...base, meta: true }, 'version')).toBe(
      is(`00000190 0000005d ${BLOB} 05 00043b04 00000008 "proto-a" 00 00000000 0000000000000000`),
    );
    expect(sent({ ...base, meta: true, passwordMd5 }, 'version', 'random')).toBe(
      is(`00000190 0000006d ${BLOB} 05 00043b04 00000008 "proto-a" 00 00000000 0000000000000000
         e92b673067fe40be833681bcb7a7eff6`),
    );
  });
  it('is a reconnect for an old session', () => {
    expect(sent({ ...base, resume }, 'version')).toBe(is(`00000190 00000051 ${BLOB} 03 00000035 00043b04 ${META}`));
  });
  it('takes the old session over when only the exports changed', () => {
    expect(sent({ ...base, resume }, 'version', 'reconnected, EPERM')).toBe(
      is(`00000190 00000063 ${BLOB} 02 00043b04 00000008 "proto-a" 00 00000002 "/" 00 00000035 ${META}`),
    );
  });
  it('asks for a fresh session when the old one is gone', () => {
    expect(sent({ ...base, resume }, 'version', 'reconnected, BADSESSIONID')).toBe(
      is(`00000190 00000063 ${BLOB} 02 00043b04 00000008 "proto-a" 00 00000002 "/" 00 00000000 0000000000000000`),
    );
  });
  it('goes through the challenge again after a refused reconnect', () => {
    const machine = started({ ...base, resume, passwordMd5 }, 'version');
    expect(receive(machine, 'reconnected, EPERM')).toEqual({
      kind: 'send',
      bytes: hex(`00000190 00000041 ${BLOB} 01`),
    });
    expect(receive(machine, 'random').kind).toBe('send');
    expect(receive(machine, 'session').kind).toBe('registered');
  });
});

describe('what is granted', () => {
  const grant = (request: RegistrationRequest, ...path: Event[]) => {
    const last = path.pop()!;
    const step = receive(started(request, ...path), last);
    return step.kind === 'registered' ? step.session : undefined;
  };
  it('is told by a new session', () => {
    expect(grant(base, 'version', 'session')).toEqual({
      sessionId: 0x1e,
      metaId: resume.metaId,
      serverVersion: version('4.59.2'),
      version: version('4.59.2'),
      flags: 8,
      umask: 0o22,
      disabled: 0x80c0,
      processId: 0x6b00_845e_3ab6_1df6n,
      resumed: false,
    });
  });
  it('is told by a master of 3.x', () => {
    const machine = started(base);
    machine.receive(11, hex('000300ea "3.0.117-1"'));
    const step = receive(machine, 'session of 3.x');
    expect(step.kind === 'registered' && step.session).toMatchObject({
      version: version('3.0.117'),
      sessionId: 0x35,
      processId: undefined,
    });
  });
  it('is told by a meta session', () => {
    expect(grant({ ...base, meta: true }, 'version', 'meta session')).toMatchObject({
      sessionId: 0x4a,
      metaId: resume.metaId,
      flags: 0,
      umask: undefined,
      disabled: undefined,
      resumed: false,
    });
  });
  it('is known from before after a reconnect, which tells only the process', () => {
    expect(grant({ ...base, resume }, 'version', 'reconnected, OK')).toEqual({
      ...resume,
      serverVersion: version('4.59.2'),
      version: version('4.59.2'),
      flags: undefined,
      umask: undefined,
      disabled: undefined,
      processId: 0x6b00_8a61_2a0a_e397n,
      resumed: true,
    });
  });
  it.each([
    [0x35, 'reconnected, EPERM', true],
    [0x36, 'reconnected, EPERM', false],
    [0x35, 'reconnected, BADSESSIONID', false],
  ] as const)('id %i after %s: resumed %s', (sessionId, event, resumed) => {
    const machine = started({ ...base, resume }, 'version', event);
    const body = Buffer.from(hex(events.session[1]));
    body.writeUInt32BE(sessionId, 4);
    const step = machine.receive(401, body);
    expect(step.kind === 'registered' && step.session).toMatchObject({ sessionId, resumed });
  });
  it('is nothing by a redirect but the leader', () => {
    expect(receive(started(base, 'version'), 'redirect')).toEqual({ kind: 'redirected', leader: 0x0a000007 });
  });
});

describe('a refusal', () => {
  it.each([
    [1, 'EPERM', /does not take clients of version 4\.59\.2/],
    [3, 'ENOENT', /folder \/ does not exist/],
    [4, 'EACCES', /exports allows \/ /],
    [36, 'EACCES', /needs a password/],
    [37, 'EACCES', /wrong password/],
    [6, 'EINVAL', /invalid argument/],
  ])('with status %i is %s', (status, code, text) => {
    const machine = started(base, 'version');
    const refused = (() => {
      try {
        return machine.receive(401, Buffer.of(status));
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(StatusError);
    expect(refused).toMatchObject({ status, code });
    expect((refused as Error).message).toMatch(text);
  });
  it('of a meta session says that the meta file system is not exported', () => {
    expect(() => started({ ...base, meta: true }, 'version').receive(401, Buffer.of(4))).toThrow(/meta file system/);
  });
  it.each([
    ['3.0.114', '000300e4'],
    ['4.0.0', '00040000'],
    ['4.21.0', '00041500'],
    ['1.6.27', '0001061b'],
  ])('is ours for a master of %s', (_text, wire) => {
    expect(() => started(base).receive(11, hex(wire))).toThrow(expect.objectContaining({ code: 'ENOTSUP' }));
  });
  it('is not for a master that is newer than we are: we announce what we know', () => {
    const step = started(base).receive(11, hex('00050000'));
    expect(Buffer.from(step.kind === 'send' ? step.bytes : []).toString('hex', 73, 77)).toBe('00043b04');
  });
});
