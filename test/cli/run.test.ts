/** The command as a whole, in this process, against the fake servers: what it prints and how it ends. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChunk, writeChunk } from '../../src/protocol/messages/chunk.ts';
import { readdir } from '../../src/protocol/messages/namespace.ts';
import { Status } from '../../src/protocol/status.ts';
import { FakeChunkserver } from '../support/fake-chunkserver.ts';
import { FakeMaster } from '../support/fake-master.ts';
import { runMfs } from '../support/run-mfs.ts';
import type { MfsRunOptions } from '../support/run-mfs.ts';

const QUOTA = 34;
let folder: string;
const local = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mfs-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A master with two chunkservers, and mfs with its address. */
async function cluster(options: Parameters<typeof FakeMaster.start>[0] = {}) {
  const chunkservers = [await FakeChunkserver.start(), await FakeChunkserver.start()] as const;
  const master = await FakeMaster.start({ chunkservers, goal: 2, ...options });
  return {
    master,
    chunkservers,
    mfs: (words: string, more: MfsRunOptions = {}) =>
      runMfs(words.split(' ').filter(Boolean), { master: `${master.host}:${master.port}`, ...more }),
    // What was left over would be the next test's.
    [Symbol.asyncDispose]: async () => {
      await master[Symbol.asyncDispose]();
      for (const each of chunkservers) await each[Symbol.asyncDispose]();
    },
  };
}

describe('exit status 2: the command line makes no sense', () => {
  it.each([
    ['', 'mfs: which command? Try mfs --help\n'],
    ['put a', 'mfs: put: REMOTE missing; usage: mfs put [OPTION]... LOCAL... REMOTE\n'],
    ['ls --nope', "mfs: ls: unknown option '--nope'\n"],
    ['put - x /y', 'mfs: put: - stands alone: it is one file\n'],
    ['put a /b --jobs 0', 'mfs: put: --jobs takes a whole number from 1 to 64, not "0"\n'],
    ['get -r /a -', 'mfs: get: - is standard output: it takes bytes, no folders and no JSON\n'],
    ['ls --master :::', 'mfs: ls: the option master takes host, host:port or mfs://host:port/folder, not ":::"\n'],
  ])('mfs %s', async (words, stderr) => {
    // No master is there: nothing of this gets so far.
    expect(await runMfs(words.split(' ').filter(Boolean))).toMatchObject({ status: 2, stdout: '', stderr });
  });
});

it('help and version are answers: standard output, status 0, no master needed', async () => {
  expect(await runMfs(['--help'])).toMatchObject({ status: 0, stderr: '' });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await runMfs(['--version'])).toMatchObject({ status: 0, stdout: `mfs ${version}\n` });
});

describe('exit status 1: one line that says what failed', () => {
  it('no master there, without the password', async () => {
    const env = { MFS_PASSWORD: 'verysecret' };
    const { status, stderr } = await runMfs(['ls'], { master: '127.0.0.1:1', env });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^mfs: ls: ECONNREFUSED: .*127\.0\.0\.1:1.*\n$/);
    expect(stderr).not.toContain('verysecret');
  });

  it('a wrong password', async () => {
    await using it = await cluster({ password: 'right' });
    const { status, stderr } = await it.mfs('ls', { env: { MFS_PASSWORD: 'verysecret' } });
    expect(status).toBe(1);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr).not.toContain('verysecret');
    expect(await it.mfs('ls', { env: { MFS_PASSWORD: 'right' } })).toMatchObject({ status: 0, stderr: '' });
  });

  it('each thing that is not there, and the rest is done', async () => {
    await using it = await cluster();
    await it.mfs('mkdir /a /b');
    const { status, stderr } = await it.mfs('rm -r /x /a /y /b');
    expect(status).toBe(1);
    expect(stderr).toBe(
      'mfs: rm: /x: ENOENT: no such file or directory\nmfs: rm: /y: ENOENT: no such file or directory\n',
    );
    expect((await it.mfs('ls')).stdout).toBe('');
  });

  it('a name that would act on the terminal is shown, not sent', async () => {
    await using it = await cluster();
    const { stderr } = await runMfs(['ls', '/\u001b[31m\n'], { master: `${it.master.host}:${it.master.port}` });
    expect(stderr).toBe('mfs: ls: /\\u{1b}[31m\\n: ENOENT: no such file or directory\n');
  });

  it('a full file system, and what was there before is untouched', async () => {
    await using it = await cluster();
    writeFileSync(local('old'), 'old');
    writeFileSync(local('new'), 'new');
    expect(await it.mfs(`put ${local('old')} /f`)).toMatchObject({ status: 0, stderr: '' });
    it.master.on(writeChunk, () => QUOTA);
    const { status, stderr } = await it.mfs(`put ${local('new')} /f`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^mfs: put: \/f: EDQUOT: .*\n$/);
    expect((await it.mfs('cat /f')).stdout).toBe('old');
    expect((await it.mfs('ls /')).stdout).toBe('f\n');
  });

  it('rm never takes the root', async () => {
    await using it = await cluster();
    await it.mfs('mkdir /a');
    for (const path of ['/', '//', '/a/..', '/.', '.']) {
      expect(await it.mfs(`rm -rf ${path}`)).toMatchObject({
        status: 1,
        stderr: `mfs: rm: ${path}: EPERM: the whole file system is not removed\n`,
      });
    }
    expect((await it.mfs('ls /')).stdout).toBe('a\n');
    expect(it.master.timeline.first({ name: 'RMDIR' })).toBeUndefined();
  });
});

describe('put, get, cat', () => {
  it('a file there and back, by name, by - and into a folder', async () => {
    await using it = await cluster();
    const data = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    writeFileSync(local('data'), data);
    await it.mfs('mkdir /in');
    expect(await it.mfs(`put ${local('data')} /in`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await it.mfs('put - /in/two', { stdin: [data.subarray(0, 7), data.subarray(7)] })).toMatchObject({
      status: 0,
    });
    expect((await it.mfs('ls /in')).stdout).toBe('data\ntwo\n');
    expect((await it.mfs('cat /in/data')).bytes.equals(data)).toBe(true);
    expect((await it.mfs('get /in/two -')).bytes.equals(data)).toBe(true);
    expect(await it.mfs(`get /in/data /in/two ${folder}`)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(local('two')).equals(data)).toBe(true);
    for (const each of it.chunkservers) expect(each.violations).toEqual([]);
  });

  it('a get that fails leaves what was there, and nothing else', async () => {
    await using it = await cluster();
    await it.mfs('put - /f', { stdin: [Buffer.alloc(100_000, 1)] });
    writeFileSync(local('f'), 'before');
    it.master.on(readChunk, () => Status.EINVAL);
    const before = readdirSync(folder);
    expect(await it.mfs(`get /f ${local('f')}`)).toMatchObject({ status: 1, stdout: '' });
    expect(readFileSync(local('f'), 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(before);
  });

  it('an interrupted put leaves nothing, and says so in one line: status 130', async () => {
    await using it = await cluster();
    const controller = new AbortController();
    const endless = (async function* () {
      for (let i = 0; ; i++) {
        if (i === 20) controller.abort();
        yield Buffer.alloc(65_536);
        await new Promise(setImmediate);
      }
    })();
    expect(await it.mfs('put - /f', { stdin: endless, interrupt: controller.signal })).toEqual({
      status: 130,
      stdout: '',
      bytes: Buffer.alloc(0),
      stderr: 'mfs: put: interrupted\n',
    });
    expect(() => it.master.tree.at('/f')).toThrow('status 3');
    expect((await it.mfs('ls /')).stdout).toBe('');
  });

  it('an interrupt ends a put whose standard input says no more', async () => {
    await using it = await cluster();
    const controller = new AbortController();
    // A stream, as standard input is: node 24 waits for ever for a generator that waits for ever.
    const stalled = new PassThrough();
    stalled.write(Buffer.alloc(1_000_000), () => setTimeout(() => controller.abort(), 100));
    const run = it.mfs('put - /f', { stdin: stalled, interrupt: controller.signal });
    expect(await run).toMatchObject({ status: 130, stderr: 'mfs: put: interrupted\n' });
    expect((await it.mfs('ls /')).stdout).toBe('');
  });

  it('ends quietly when nobody reads', async () => {
    await using it = await cluster();
    await it.mfs('put - /f', { stdin: [Buffer.alloc(5 << 20)] });
    expect(await it.mfs('cat /f', { closeAfterBytes: 1 })).toMatchObject({ status: 0, stderr: '' });
  });

  it('tells of fewer servers than the class asks for', async () => {
    await using it = await cluster();
    it.master.tree.chunkservers = [it.chunkservers[0]];
    const { status, stderr } = await it.mfs('put - /f', { stdin: [Buffer.from('x')] });
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^mfs: put: \/f: warning: chunk 0 was written to 1 of 2 wanted servers \(127\.0\.0\.1:\d+\)\n$/,
    );
  });

  it('folders with all that is in them, and back', async () => {
    await using it = await cluster();
    mkdirSync(local('tree/sub/deep'), { recursive: true });
    writeFileSync(local('tree/a'), 'a');
    writeFileSync(local('tree/sub/b'), '');
    symlinkSync('../a', local('tree/sub/link'));
    expect(await it.mfs(`put ${local('tree')} /`)).toMatchObject({
      status: 1,
      stderr: `mfs: put: ${local('tree')}: EISDIR: is a folder; -r takes folders with all that is in them\n`,
    });
    for (let i = 0; i < 2; i++)
      expect(await it.mfs(`put -r ${local('tree')} /`)).toMatchObject({ status: 0, stderr: '' });
    expect((await it.mfs('ls -R /tree')).stdout).toBe(
      '/tree:\na\nsub\n\n/tree/sub:\nb\ndeep\nlink\n\n/tree/sub/deep:\n',
    );
    expect(await it.mfs(`get -r /tree ${local('back')}`)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(local('back'), { recursive: true }).sort()).toEqual([
      'a',
      'sub',
      'sub/b',
      'sub/deep',
      'sub/link',
    ]);
    expect(readlinkSync(local('back/sub/link'))).toBe('../a');
    expect(await it.mfs('cp -r /tree /tree/sub')).toMatchObject({ status: 1 });
    expect(await it.mfs('cp -r /tree /copy')).toMatchObject({ status: 0, stderr: '' });
    expect((await it.mfs('cat /copy/sub/link')).stdout).toBe('a');
  });

  it('a server that names a file ../x is not believed', async () => {
    await using it = await cluster();
    await it.mfs('mkdir /d');
    it.master.on(readdir, async (value, { next }) => {
      const answer = await next();
      if (typeof answer !== 'object' || answer instanceof Uint8Array) return answer;
      const name = Buffer.from('../x');
      return { ...answer, entries: Buffer.concat([Buffer.from([name.length]), name, Buffer.from([0, 0, 0, 9, 1])]) };
    });
    const { status, stderr } = await it.mfs(`get -r /d ${local('d')}`);
    expect(status).toBe(1);
    expect(stderr).toContain('a name that no file can have: ../x');
  });

  it('JSON: a line for each file', async () => {
    await using it = await cluster();
    writeFileSync(local('j'), 'json');
    const { stdout } = await it.mfs(`put --json --verify ${local('j')} /j`);
    const servers = it.chunkservers.map(({ host, port }) => `${host}:${port}`);
    expect(JSON.parse(stdout)).toMatchObject({
      path: '/j',
      bytes: 4,
      replication: [{ chunk: 0, servers }],
      md5: '466deec76ecdf5fca6d38571f6324d54',
      replicasVerified: 2,
    });
  });
});

describe('exit status 3: a difference', () => {
  async function damaged() {
    const it = await cluster();
    await it.mfs('put - /f', { stdin: [Buffer.alloc(100_000, 7)] });
    const { id } = it.master.tree.at('/f').chunks[0]!;
    it.chunkservers[1].replicas.write(id, 1, 0, Buffer.from('damaged'));
    return it;
  }

  it.each(['checksums', 'md5', 'sha256'])('verify --method %s', async (method) => {
    await using it = await damaged();
    const { status, stdout } = await it.mfs(`verify --method ${method} /f`);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^FILE +CHUNK +REPLICA +DIGEST +OK\n/);
    expect(stdout).toContain('DIFFERS');
    expect(stdout).toMatch(/1 file, 1 chunk, 2 replicas: 1 file NOT OK\n$/);
  });

  it('also when nobody reads what is printed, and before a failure elsewhere', async () => {
    await using it = await damaged();
    expect(await it.mfs('verify /f', { closeAfterBytes: 0 })).toMatchObject({ status: 3, stderr: '' });
    expect(await it.mfs('verify /f /nope')).toMatchObject({ status: 3 });
    expect(await it.mfs('verify /nope')).toMatchObject({ status: 1 });
  });

  it('put --verify keeps a file from its name when a replica does not hold what was sent', async () => {
    await using it = await cluster();
    it.chunkservers[1].incoming = (packet) => {
      if (packet.name !== 'READ') return 'accept';
      it.chunkservers[1].replicas.write(packet.value.chunkId, 0, 0, Buffer.from('damaged'));
      return 'accept';
    };
    const { status, stderr } = await it.mfs('put --verify - /f', { stdin: [Buffer.from('what was sent')] });
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^mfs: put: \/f: EIO: what was read back differs from what was sent.*; the file was not put in place\n$/,
    );
    expect((await it.mfs('ls /')).stdout).toBe('');
  });
});

describe('what is printed', () => {
  it('names on a terminal in columns and safe, elsewhere one a line and as they are', async () => {
    await using it = await cluster();
    const master = `${it.master.host}:${it.master.port}`;
    await runMfs(['mkdir', '/a\u001b[1m', '/b', '/c'], { master });
    expect((await runMfs(['ls'], { master })).stdout).toBe('a\u001b[1m\nb\nc\n');
    expect((await runMfs(['ls'], { master, columns: 80 })).stdout).toBe('a\\u{1b}[1m  b  c\n');
  });

  it('ls -l, stat, df and chunks', async () => {
    await using it = await cluster();
    await it.mfs('put - /file', { stdin: [Buffer.alloc(1234)] });
    await it.mfs('mkdir /folder');
    expect((await it.mfs('ls -l /')).stdout).toMatch(
      /^total 2\n-rw-\S+ 1 \d+ \d+ 1234 \w{3} [ \d]\d [\d:]+ file\ndrwx\S+ 2 \d+ \d+ +0 .* folder\n$/,
    );
    expect((await it.mfs('stat /file')).stdout).toMatch(
      /^ {2}File: \/file\n {2}Size: 1234 {2}Type: regular file\n.*Storage class: 2CP\n/,
    );
    expect((await it.mfs('df')).stdout).toMatch(
      /^Filesystem +1K-blocks +Used +Available +Use%\nmfs:\/\/127\.0\.0\.1:\d+ +10485760 +2097152 +8388608 +20%\n$/,
    );
    const { stdout } = await it.mfs('chunks /file');
    expect(stdout.split('\n')[0]).toMatch(/^CHUNK {2}ID +VERSION {2}LENGTH {2}REPLICA +STATE/);
    for (const { host, port } of it.chunkservers) expect(stdout).toContain(`${host}:${port}`);
  });

  it('JSON objects, one a line', async () => {
    await using it = await cluster();
    await it.mfs('put - /file', { stdin: [Buffer.alloc(1234)] });
    const json = async (words: string) => JSON.parse((await it.mfs(words)).stdout) as unknown;
    expect(await json('ls --json /')).toMatchObject({
      path: '/file',
      type: 'file',
      size: 1234,
      mode: expect.stringMatching(/^0[0-7]{3}$/),
    });
    expect(await json('stat --json /file')).toMatchObject({ path: '/file', size: 1234, storageClass: '2CP' });
    expect(await json('df --json')).toMatchObject({ total: 10 * 2 ** 30, available: 8 * 2 ** 30 });
    const replica = { state: 'valid', host: '127.0.0.1' };
    expect(await json('chunks --json /file')).toMatchObject({
      path: '/file',
      chunk: 0,
      id: '0000000000000001',
      replicas: [replica, replica],
    });
    expect(await json('verify --json /file')).toMatchObject({
      path: '/file',
      ok: true,
      method: 'checksums',
      chunks: [{ ok: true }],
    });
  });
});
