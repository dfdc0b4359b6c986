/** What is no MooseFS that we work with is named: old ones, LizardFS and SaunaFS, each by a fake of how its master behaves. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { FrameParser, frame } from '../../src/protocol/frame.ts';
import { FakeMaster } from '../support/fake-master.ts';

const [GET_VERSION, VERSION, REGISTER, INFO, INFO_REPLY] = [10, 11, 400, 510, 511];

/** What a master does with one packet: answers with packets, or hangs up. */
type Behaviour = (type: number, body: Buffer) => [type: number, body: Buffer][] | 'hang up';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function listen(behave: Behaviour): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const parser = new FrameParser(
      { bodyLimit: 100_000 },
      {
        frame: (type, body) => {
          const answer = behave(type, body);
          if (answer === 'hang up') socket.destroy();
          else for (const [replyType, reply] of answer) socket.write(frame(replyType, reply));
        },
      },
    );
    socket.on('data', (bytes) => parser.push(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** INFO as MooseFS 1.6 and its relatives give it: the version in front, the rest of no interest. */
function info(version: number, size = 76): Buffer {
  const body = Buffer.alloc(size);
  body.writeUInt32BE(version);
  return body;
}

const u32 = (value: number) => Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const isNewRegistration = (body: Buffer) => body.includes('moosefs-client');

/** A master that hangs up on packets that it does not know, as theirs do, and on a session id behind the path. */
const relative =
  (version: number, size = 76): Behaviour =>
  (type) =>
    type === INFO ? [[INFO_REPLY, info(version, size)]] : 'hang up';

async function refusal(master: string, connectTimeoutMs = 5000) {
  const started = performance.now();
  const error = await MooseFS.connect({ master, connectTimeoutMs }).then(
    () => undefined,
    (failure: unknown) => failure as Error & { code: string; retryable: boolean },
  );
  expect(performance.now() - started).toBeLessThan(connectTimeoutMs + 1000);
  return error!;
}

describe('a master of something else', () => {
  it.each([
    ['LizardFS 3.13.0', 0x00030d00],
    ['LizardFS 2.6.0', 0x00020600],
    ['SaunaFS 4.7.0', 0x00040700],
    ['SaunaFS 5.0.2', 0x00050002],
    ['MooseFS 1.6.27', 0x0001061b],
  ])('that hangs up on what it does not know: %s', async (name, version) => {
    const master = await listen(relative(version));
    const error = await refusal(master);
    expect(error.message).toContain(`${master} is ${name}; this client works with MooseFS since 3.0.115`);
    expect(error).toMatchObject({ code: 'ENOTSUP', retryable: false });
  });

  it.each([
    ['LizardFS 3.13.0', 0x00030d00],
    ['SaunaFS 4.7.0', 0x00040700],
    ['SaunaFS 5.0.0', 0x00050000],
  ])('that tells its version as if it were one: %s', async (name, version) => {
    const master = await listen((type, body) => {
      if (type === GET_VERSION) return [[VERSION, u32(version)]];
      if (type === REGISTER) return isNewRegistration(body) ? 'hang up' : [];
      return relative(version)(type, body);
    });
    expect((await refusal(master)).message).toContain(`is ${name};`);
  });

  it('that is silent to what it does not know', async () => {
    const master = await listen((type) => (type === INFO ? [[INFO_REPLY, info(0x00030c00)]] : []));
    expect((await refusal(master)).message).toContain('is LizardFS 3.12.0;');
  });

  it('that sends its own configuration first', async () => {
    const master = await listen((type) =>
      type === INFO
        ? [
            [1100, Buffer.alloc(12)],
            [INFO_REPLY, info(0x00030d00)],
          ]
        : [[1100, Buffer.alloc(12)]],
    );
    expect((await refusal(master)).message).toContain('is LizardFS 3.13.0;');
  });
});

describe('a MooseFS', () => {
  it.each(['3.0.114', '3.0.86', '2.0.88', '4.21.0'] as const)('of version %s, too old', async (version) => {
    await using master = await FakeMaster.start({ version });
    const error = await refusal(`${master.host}:${master.port}`);
    expect(error.message).toContain(`MooseFS ${version}`);
    expect(error.message).toContain('3.0.115');
    expect(error.code).toBe('ENOTSUP');
  });

  it('that hangs up is not taken for something else', async () => {
    const master = await listen(relative(0x000300ea, 149));
    const error = await refusal(master);
    expect(error.message).toContain('refuses this client');
    expect(error.code).not.toBe('ENOTSUP');
  });
});

it('something that only hangs up is no MooseFS master', async () => {
  const error = await refusal(await listen(() => 'hang up'));
  expect(error.message).toContain('it is no MooseFS master');
});
