/** What connect() says of an address behind which no usable master is: one line that names it, a code, in time, nothing left. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MooseFS, MooseFSError } from '../../src/index.ts';
import type { ConnectOptions } from '../../src/index.ts';
import { FakeMaster } from '../support/fake-master.ts';
import { withoutLeaks } from '../support/leaks.ts';

const TIMEOUT_MS = 400;

/** A server that speaks something else, for as long as `work` runs; `work` gets its host:port. */
async function withServer<T>(server: Server, work: (address: string) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The error of an attempt to connect, and how long it took. */
async function failureOf(options: ConnectOptions): Promise<{ error: MooseFSError; tookMs: number }> {
  const started = performance.now();
  try {
    const mfs = await MooseFS.connect({ connectTimeoutMs: TIMEOUT_MS, ...options });
    await mfs.close();
  } catch (error) {
    expect(error).toBeInstanceOf(MooseFSError);
    return { error: error as MooseFSError, tookMs: performance.now() - started };
  }
  throw new Error('it connected');
}

function expectOneLine({ message }: Error): void {
  expect(message).not.toMatch(/\n/);
  expect(message.length).toBeLessThan(250);
}

const says = (text: string) => createServer((socket) => socket.write(text));

/** Answers GET_VERSION with this version, as it stands on the wire, and closes at the next packet, as LizardFS does. */
const announces = (wire: string) =>
  createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from(`0000000b00000009${wire}${Buffer.from('x.y.z').toString('hex')}`, 'hex'));
      socket.once('data', () => socket.end());
    });
  });

const strangers: readonly (readonly [name: string, server: () => Server, code: string, message: RegExp])[] = [
  ['a web server', () => createHttpServer((_, response) => response.end('hello')), 'EPROTO', /no MooseFS/],
  ['a server with an SSH banner', () => says('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'), 'EPROTO', /no MooseFS/],
  ['a server with an SMTP banner', () => says('220 mail.example ESMTP\r\n'), 'EPROTO', /no MooseFS/],
  ['a server that sends everything back', () => createServer((s) => s.pipe(s)), 'EPROTO', /no MooseFS/],
  ['a server that says nothing', () => createServer(() => undefined), 'ETIMEDOUT', /400 ms.*no MooseFS master/],
  [
    'a server that sends zeros',
    () => createServer((s) => s.write(Buffer.alloc(800))),
    'ETIMEDOUT',
    /no MooseFS master/,
  ],
  ['a server that closes', () => createServer((s) => s.end()), 'ECONNRESET', /no MooseFS master/],
  ['a server that resets', () => createServer((s) => s.resetAndDestroy()), 'ECONNRESET', /ECONNRESET|closed/],
  ['a master of LizardFS 3.13.0', () => announces('00030d00'), 'ECONNRESET', /no MooseFS master/],
  [
    'a master of SaunaFS 4.7.0',
    () => announces('00040700'),
    'ENOTSUP',
    /4\.7\.0 is too old.*since 3\.0\.115 \/ 4\.22\.0/,
  ],
  ['a master of 1.6.27', () => announces('0001061b'), 'ENOTSUP', /MooseFS 1\.6\.27 is too old/],
];

describe('something that is no usable master', () => {
  it.each(strangers)('%s is named with its address', async (_, server, code, message) => {
    await withoutLeaks(() =>
      withServer(server(), async (address) => {
        const { error, tookMs } = await failureOf({ master: address });
        expect(error).toMatchObject({ code, peer: address, syscall: expect.any(String) as string });
        expect(error.message).toMatch(message);
        expect(error.message).toContain(address);
        expectOneLine(error);
        expect(tookMs).toBeLessThan(TIMEOUT_MS + 1500);
      }),
    );
  });

  it.each(['3.0.100', '3.0.114', '2.0.89', '4.0.0', '4.21.9'] as const)(
    'a master of %s is too old, and is told so',
    async (version) => {
      await using master = await FakeMaster.start({ version });
      const { error } = await failureOf({ master: master.address });
      expect(error).toMatchObject({ code: 'ENOTSUP', peer: master.address });
      expect(error.message).toContain(`is MooseFS ${version}; this client works with MooseFS since 3.0.115`);
      expectOneLine(error);
      // Nothing was registered there.
      expect(master.sessions.all).toEqual([]);
      expect(master.violations).toEqual([]);
    },
  );

  it('a port where nobody listens', async () => {
    const free = await withServer(createServer(), (address) => Promise.resolve(address));
    await withoutLeaks(async () => {
      const { error, tookMs } = await failureOf({ master: free });
      expect(error).toMatchObject({
        code: 'ECONNREFUSED',
        errno: expect.any(Number) as number,
        syscall: 'connect',
        peer: free,
      });
      expect(error.message).toContain(free);
      expectOneLine(error);
      expect(tookMs).toBeLessThan(TIMEOUT_MS + 1500);
    });
  });

  it('a name that does not exist', async () => {
    const { error } = await failureOf({ master: 'no-such-host.invalid' });
    expect(error.code).toMatch(/ENOTFOUND|EAI_AGAIN|ETIMEDOUT/);
    expect(error.message).toContain('no-such-host.invalid:9421');
    expectOneLine(error);
  });

  it('several of them: each is named', async () => {
    await withServer(
      createServer((s) => s.end()),
      async (closing) => {
        const free = await withServer(createServer(), (address) => Promise.resolve(address));
        const { error } = await failureOf({ master: [free, closing] });
        expect(error.message).toContain(free);
        expect(error.message).toContain(closing);
        expect(error.message).not.toContain('\n');
        expect(error.cause).toBeInstanceOf(AggregateError);
      },
    );
  });

  it('a silent one in front of a good one: the good one is found in time', async () => {
    await using master = await FakeMaster.start();
    await withServer(
      createServer(() => undefined),
      async (silent) => {
        const mfs = await MooseFS.connect({ master: [silent, master.address], connectTimeoutMs: 3000 });
        expect(mfs.session.master).toBe(master.address);
        await mfs.close();
      },
    );
  });

  it('a refusal says more than a master that is down', async () => {
    await using master = await FakeMaster.start({ password: 'secret' });
    const free = await withServer(createServer(), (address) => Promise.resolve(address));
    for (const order of [
      [free, master.address],
      [master.address, free],
    ]) {
      expect((await failureOf({ master: order })).error).toMatchObject({ code: 'EACCES', peer: master.address });
    }
  });

  it('an abort ends the attempt at once', async () => {
    await withoutLeaks(() =>
      withServer(
        createServer(() => undefined),
        async (address) => {
          const stop = new AbortController();
          setTimeout(() => stop.abort(new Error('enough')), 50);
          const { error, tookMs } = await failureOf({ master: address, connectTimeoutMs: 60_000, signal: stop.signal });
          expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } });
          expect(tookMs).toBeLessThan(5000);
        },
      ),
    );
  });
});

describe('passwords', () => {
  it.each([
    ['a missing one', {}, /needs a password/],
    ['a wrong one', { password: 'sesame' }, /wrong password/],
    ['a wrong digest', { passwordMd5: '00112233445566778899aabbccddeeff' }, /wrong password/],
  ])('%s is refused with EACCES', async (_, options, message) => {
    await using master = await FakeMaster.start({ password: 'secret' });
    const { error } = await failureOf({ master: master.address, ...options });
    expect(error).toMatchObject({ code: 'EACCES', peer: master.address });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('sesame');
    expectOneLine(error);
    expect(master.violations).toEqual([]);
  });

  it.each([{ password: 'secret' }, { passwordMd5: '5ebe2294ecd0e0f08eab7690d2a6ee69' }])(
    'the right one is taken (%o)',
    async (options) => {
      await using master = await FakeMaster.start({ password: 'secret' });
      const mfs = await MooseFS.connect({ master: master.address, ...options });
      await mfs.close();
      expect(master.violations).toEqual([]);
    },
  );
});

describe('options that cannot be', () => {
  it.each<[string, ConnectOptions, string]>([
    ['an address with a space', { master: 'a b' }, 'master'],
    ['port 0', { master: 'a:0' }, 'master'],
    ['a port beyond 65535', { master: 'a:65536' }, 'master'],
    ['no address', { master: '' }, 'master'],
    ['no addresses', { master: [] }, 'master'],
    ['a root that is no absolute path', { root: 'here' }, 'root'],
    ['a negative uid', { uid: -1 }, 'uid'],
    ['a time-out of 0', { connectTimeoutMs: 0 }, 'connectTimeoutMs'],
    ['a time-out that is no number', { requestTimeoutMs: NaN }, 'requestTimeoutMs'],
    ['a window of 1 block', { write: { windowBlocks: 1 } }, 'write.windowBlocks'],
    ['0 replicas', { write: { replicas: 0 } }, 'write.replicas'],
    ['a word for replicas that is none', { write: { replicas: 'most' as 'goal' } }, 'write.replicas'],
    ['a digest of 15 bytes', { passwordMd5: Buffer.alloc(15) }, 'passwordMd5'],
  ])('%s', async (_, options, name) => {
    const { error } = await failureOf(options);
    expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(error.message).toContain(name);
    expectOneLine(error);
  });
});
