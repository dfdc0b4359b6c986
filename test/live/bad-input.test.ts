/** What goes wrong before anything is written: one line that says it, the right code, and nothing lost. */
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { Cluster } from '../support/live.ts';
import { connectShared, makeFolder, sharedCluster, startCluster } from '../support/live.ts';
import { runMfs } from '../support/run-mfs.ts';

const { master } = sharedCluster();

/** Standard error is one line, and the status 1. */
async function oneLine(words: readonly string[], options: { master?: string; env?: Record<string, string> } = {}) {
  const { status, stdout, stderr } = await runMfs(words, { master, ...options });
  expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 1, stdout: '', lines: 2 });
  return stderr.trimEnd();
}

describe('whom it talks to', () => {
  let server: Server;
  let answer = '';

  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (answer !== '') socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

  test('no master at the address: named', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const refused = MooseFS.connect({ master: `127.0.0.1:${port}`, connectTimeoutMs: 3000 });
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(refused).rejects.toThrow(`127.0.0.1:${port}`);
  });

  test('something at that port that is no MooseFS', async () => {
    answer = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
    await expect(MooseFS.connect({ master: address(), connectTimeoutMs: 3000 })).rejects.toThrow(address());
    expect(await oneLine(['ls', '/'], { master: address() })).toContain(address());
  });

  test('something that takes the connection and says nothing: the connect time-out', async () => {
    answer = '';
    const start = performance.now();
    const silent = MooseFS.connect({ master: address(), connectTimeoutMs: 1500 });
    await expect(silent).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await expect(silent).rejects.toThrow(address());
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('a password', () => {
  let guarded: Cluster;

  beforeAll(async () => {
    guarded = await startCluster({ chunkservers: 1, exports: ['* / rw,alldirs,maproot=0,password=elk'] });
  });
  afterAll(() => guarded.stop());

  test('none, a wrong one, the right one', async () => {
    await expect(MooseFS.connect({ master: guarded.master })).rejects.toMatchObject({ code: 'EACCES' });
    await expect(MooseFS.connect({ master: guarded.master, password: 'moose' })).rejects.toMatchObject({
      code: 'EACCES',
    });
    expect(await oneLine(['ls', '/'], { master: guarded.master, env: { MFS_PASSWORD: 'moose' } })).toContain('EACCES');
    await using mfs = await MooseFS.connect({ master: guarded.master, password: 'elk' });
    expect(await mfs.readdir('/')).toEqual([]);
  });
});

describe('paths', () => {
  let mfs: MooseFS;
  let folder: string;

  beforeAll(async () => {
    mfs = await connectShared();
    folder = await makeFolder(mfs, 'bad-input', 2);
    await mfs.mkdir(`${folder}/sub/deep`, { recursive: true });
    for (const name of ['a', 'b', 'sub/c']) await mfs.writeFile(`${folder}/${name}`, `content of ${name}`);
    await mfs.link(`${folder}/a`, `${folder}/a2`);
  });
  afterAll(() => mfs.close());

  test('a missing folder: ENOENT with the path', async () => {
    const path = `${folder}/none/x`;
    await expect(mfs.writeFile(path, 'x')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open', path });
    expect(await oneLine(['put', '-', path])).toContain('ENOENT');
  });

  test('a name of 256 bytes: ENAMETOOLONG; one of 255 is fine', async () => {
    const long = `${folder}/${'ä'.repeat(128)}`;
    await expect(mfs.writeFile(long, 'x')).rejects.toMatchObject({ code: 'ENAMETOOLONG', path: long });
    await mfs.writeFile(`${folder}/${'ä'.repeat(127)}x`, 'x');
    await mfs.unlink(`${folder}/${'ä'.repeat(127)}x`);
  });

  test('a folder where a file is meant: EISDIR', async () => {
    const path = `${folder}/sub`;
    await expect(mfs.writeFile(path, 'x')).rejects.toMatchObject({ code: 'EISDIR', path });
    await expect(mfs.readFile(path)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await oneLine(['cat', path])).toContain('EISDIR');
  });

  test.each([
    ['a folder onto a file', 'sub', 'a', 'ENOTDIR'],
    ['a file onto a folder', 'a', 'sub', 'EISDIR'],
    ['a folder below itself', 'sub', 'sub/deep/sub', 'EINVAL'],
    ['a folder onto one that is not empty', 'sub/deep', 'sub', 'ENOTEMPTY'],
    ['what is not there', 'none', 'a', 'ENOENT'],
  ])('rename of %s', async (_what, from, to, code) => {
    const [path, dest] = [`${folder}/${from}`, `${folder}/${to}`];
    await expect(mfs.rename(path, dest)).rejects.toMatchObject({ code, syscall: 'rename', path, dest });
  });

  test('rename onto itself and onto another link of the same file: nothing happens', async () => {
    await mfs.rename(`${folder}/a`, `${folder}/a`);
    await mfs.rename(`${folder}/a`, `${folder}/a2`);
    await mfs.rename(`${folder}/sub`, `${folder}/sub`);
  });

  afterAll(async () => {
    // whatever was refused: everything is still there
    await using witness = await connectShared();
    const names = await witness.readdir(folder, { recursive: true });
    expect(names.sort()).toEqual(['a', 'a2', 'b', 'sub', 'sub/c', 'sub/deep']);
    for (const name of ['a', 'b', 'sub/c'])
      expect(await witness.readFile(`${folder}/${name}`, 'utf8')).toBe(`content of ${name}`);
  });
});
