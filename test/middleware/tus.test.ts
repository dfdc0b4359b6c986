/** The tus store in @tus/server: the protocol's verbs, bad input, and answers while MooseFS is away. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@tus/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MooseFSStore, safeName } from '../../src/adapters/tus.ts';
import { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder, startCluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const COPIES = 2;
const HEADERS = { 'Tus-Resumable': '1.0.0' };
const OFFSET_TYPE = 'application/offset+octet-stream';
let mfs: MooseFS;
let folder: string;
let site: Site;

interface Site {
  readonly url: string;
  readonly store: MooseFSStore;
  readonly http: HttpServer;
}

async function serve(client: MooseFS, directory: string, options: { expirationMs?: number } = {}): Promise<Site> {
  const store = new MooseFSStore(client, {
    directory,
    fileName: (upload) => `${upload.id}-${safeName(upload.metadata?.['filename'])}`,
    unreachableMs: 2000,
    lock: { acquireTimeoutMs: 20_000, expiryMs: 3000, unreachableMs: 2000 },
    ...options,
  });
  const tus = new Server({
    path: '/files',
    datastore: store,
    locker: store.locker,
    maxSize: 50e6,
    lockDrainTimeout: 100,
  });
  const http = createServer((req, res) => {
    void store.checking(req.headers['upload-checksum'], () => tus.handle(req, res));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/files`, store, http };
}

beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'tus', COPIES);
  site = await serve(mfs, folder);
});
afterAll(async () => {
  site.http.closeAllConnections();
  site.http.close();
  await site.store.idle();
  await mfs.close();
});

const b64 = (text: string) => Buffer.from(text).toString('base64');
async function create(headers: Record<string, string>, body?: Uint8Array, at = site.url): Promise<Response> {
  return fetch(at, { method: 'POST', headers: { ...HEADERS, ...headers }, ...(body && { body: Buffer.from(body) }) });
}
async function created(size: number, name = 'a.bin'): Promise<string> {
  const response = await create({ 'Upload-Length': String(size), 'Upload-Metadata': `filename ${b64(name)}` });
  expect(response.status).toBe(201);
  return response.headers.get('location')!;
}
const patch = (url: string, offset: number, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'PATCH',
    headers: { ...HEADERS, 'Upload-Offset': String(offset), 'Content-Type': OFFSET_TYPE, ...headers },
    body: Buffer.from(body),
  });
const head = (url: string) => fetch(url, { method: 'HEAD', headers: HEADERS });
const idOf = (url: string) => url.split('/').at(-1)!;
const finalPath = (url: string, name = 'a.bin') => `${folder}/${idOf(url)}-${name}`;

test('creation, two bodies, and the final name only at the end', async () => {
  const data = pattern(3_000_017, 1);
  const url = await created(data.length, 'film.mp4');
  expect((await patch(url, 0, data.subarray(0, 1_000_000))).headers.get('upload-offset')).toBe('1000000');
  expect(await mfs.exists(finalPath(url, 'film.mp4'))).toBe(false);
  const seen = await head(url);
  expect([seen.status, seen.headers.get('upload-offset'), seen.headers.get('upload-length')]).toEqual([
    200,
    '1000000',
    String(data.length),
  ]);
  expect((await patch(url, 1_000_000, data.subarray(1_000_000))).status).toBe(204);
  await expectReplicas(mfs, finalPath(url, 'film.mp4'), md5(data), COPIES);
  expect((await head(url)).headers.get('upload-offset')).toBe(String(data.length));
  const got = await fetch(url);
  expect(md5(Buffer.from(await got.arrayBuffer()))).toBe(md5(data));
  expect(await mfs.xattr.list(finalPath(url, 'film.mp4'))).toEqual([]);
});

test('creation with upload, of nothing, and with its length told later', async () => {
  const data = pattern(100_000, 2);
  const whole = await create({ 'Upload-Length': '100000', 'Content-Type': OFFSET_TYPE }, data);
  expect([whole.status, whole.headers.get('upload-offset')]).toEqual([201, '100000']);
  await expectReplicas(mfs, finalPath(whole.headers.get('location')!, 'file'), md5(data), COPIES);
  const empty = await created(0, 'empty');
  expect((await mfs.stat(finalPath(empty, 'empty'))).size).toBe(0);
  const later = await create({ 'Upload-Defer-Length': '1' });
  const url = later.headers.get('location')!;
  expect((await patch(url, 0, data)).status).toBe(204);
  expect((await head(url)).headers.get('upload-defer-length')).toBe('1');
  expect((await patch(url, 100_000, new Uint8Array(), { 'Upload-Length': '100000' })).status).toBe(204);
  await expectReplicas(mfs, finalPath(url, 'file'), md5(data), COPIES);
});

test('termination leaves nothing, and then it is gone', async () => {
  const url = await created(1000);
  await patch(url, 0, pattern(500, 3));
  expect((await fetch(url, { method: 'DELETE', headers: HEADERS })).status).toBe(204);
  expect(await mfs.exists(`${folder}/.tus/${idOf(url)}`)).toBe(false);
  expect((await head(url)).status).toBe(404);
  expect((await patch(url, 0, pattern(500, 3))).status).toBe(404);
});

test('checksums: the right one is taken, a wrong one moves nothing, an unknown one is refused', async () => {
  const data = pattern(200_000, 4);
  const url = await created(data.length);
  const sum = (algorithm: string, of: Uint8Array) =>
    `${algorithm} ${createHash(algorithm).update(of).digest('base64')}`;
  const half = data.subarray(0, 100_000);
  expect((await patch(url, 0, half, { 'Upload-Checksum': sum('sha1', data) })).status).toBe(460);
  expect((await head(url)).headers.get('upload-offset')).toBe('0');
  expect((await patch(url, 0, half, { 'Upload-Checksum': 'crc9 AAAA' })).status).toBe(400);
  expect((await patch(url, 0, half, { 'Upload-Checksum': sum('sha1', half) })).status).toBe(204);
  const rest = data.subarray(100_000);
  expect((await patch(url, 100_000, rest, { 'Upload-Checksum': sum('sha256', rest) })).status).toBe(204);
  await expectReplicas(mfs, finalPath(url), md5(data), COPIES);
});

test('bad input: wrong offset 409, too large 413, unknown and strange ids 404, no header 403 and 412', async () => {
  const url = await created(1000);
  expect((await patch(url, 7, pattern(10, 1))).status).toBe(409);
  expect((await patch(url, 0, pattern(1001, 1))).status).toBe(413);
  expect((await create({ 'Upload-Length': '50000001' })).status).toBe(413);
  expect((await create({ 'Upload-Length': '-1' })).status).toBe(400);
  expect((await create({ 'Upload-Length': '5', 'Upload-Metadata': 'filename !!!' })).status).toBe(400);
  for (const id of [randomUUID(), '..%2F..%2Fetc', '%2e%2e', 'a%00b', '.tus', 'x'.repeat(300)]) {
    expect((await head(`${site.url}/${id}`)).status, id).toBe(404);
    expect((await patch(`${site.url}/${id}`, 0, pattern(5, 1))).status, id).toBe(404);
    expect((await fetch(`${site.url}/${id}`, { method: 'DELETE', headers: HEADERS })).status, id).toBe(404);
  }
  const bare = await fetch(url, { method: 'PATCH', headers: { ...HEADERS, 'Content-Type': OFFSET_TYPE }, body: 'x' });
  expect(bare.status).toBe(403);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(412);
  expect((await head(url)).headers.get('upload-offset')).toBe('0');
});

test('names that would lead out of the folder stay in it', async () => {
  for (const name of ['../../etc/passwd', '..', '/abs/x', 'a\\..\\b', 'nul\0l', '‮gpj.exe', ' ']) {
    const url = await created(3, name);
    expect((await patch(url, 0, Buffer.from('abc'))).status).toBe(204);
    expect(await mfs.readFile(finalPath(url, safeName(name)), 'utf8'), name).toBe('abc');
  }
  expect(await mfs.readdir('/')).not.toContain('etc');
});

test('a client that goes in the middle: what arrived counts, and the next request goes on there', async () => {
  const data = pattern(5_000_000, 5);
  const url = await created(data.length);
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `PATCH ${pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
      `Content-Type: ${OFFSET_TYPE}\r\nContent-Length: ${data.length}\r\n\r\n`,
  );
  socket.write(data.subarray(0, 3_000_000));
  await sleep(1000);
  socket.resetAndDestroy();
  const seen = await head(url);
  const offset = Number(seen.headers.get('upload-offset'));
  expect(offset).toBe(3_000_000);
  expect((await patch(url, offset, data.subarray(offset))).status).toBe(204);
  await expectReplicas(mfs, finalPath(url), md5(data), COPIES);
});

test('an upload that expired answers 410 and is removed, a running one is not', async () => {
  const short = await serve(mfs, `${folder}/short`, { expirationMs: 1500 });
  try {
    const response = await create({ 'Upload-Length': '10' }, undefined, short.url);
    expect(response.headers.get('upload-expires')).toMatch(/GMT$/);
    expect(await short.store.deleteExpired()).toBe(0);
    await sleep(1600);
    expect((await head(response.headers.get('location')!)).status).toBe(410);
    expect(await short.store.deleteExpired()).toBe(1);
    expect(await mfs.readdir(`${folder}/short/.tus`)).toEqual([]);
  } finally {
    short.http.close();
  }
});

test('two processes, one upload: the second asks the first to end, then goes on where that stopped', async () => {
  const other = await connectShared();
  const second = await serve(other, folder);
  try {
    const data = pattern(2_000_000, 6);
    const url = await created(data.length);
    const { port, pathname } = new URL(url);
    const slow = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    slow.write(
      `PATCH ${pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
        `Content-Type: ${OFFSET_TYPE}\r\nContent-Length: ${data.length}\r\n\r\n`,
    );
    slow.write(data.subarray(0, 500_000));
    await sleep(500);
    const there = `${second.url}/${idOf(url)}`;
    expect((await head(there)).headers.get('upload-offset')).toBe('500000');
    expect((await patch(there, 500_000, data.subarray(500_000))).status).toBe(204);
    slow.destroy();
    await expectReplicas(mfs, finalPath(url), md5(data), COPIES);
  } finally {
    second.http.closeAllConnections();
    second.http.close();
    await second.store.idle();
    await other.close();
  }
});

test('[programs] while MooseFS is away the answer is 423, afterwards the same upload goes on', async () => {
  await using cluster = await startCluster({ chunkservers: 1 });
  const client = await MooseFS.connect({ master: cluster.master });
  await client.mkdir('/in');
  const away = await serve(client, '/in');
  try {
    const response = await create({ 'Upload-Length': '1000' }, undefined, away.url);
    const url = response.headers.get('location')!;
    expect((await patch(url, 0, pattern(400, 7))).status).toBe(204);
    await cluster.masterControl.pause();
    expect((await head(url)).status).toBe(423);
    expect((await patch(url, 400, pattern(600, 7))).status).toBe(423);
    await cluster.masterControl.resume();
    await expect.poll(async () => (await head(url)).status, { timeout: 60_000, interval: 500 }).toBe(200);
    expect((await head(url)).headers.get('upload-offset')).toBe('400');
    expect((await patch(url, 400, pattern(600, 8))).status).toBe(204);
  } finally {
    away.http.closeAllConnections();
    away.http.close();
    await client.close();
  }
});

test('nothing is left open', async () => {
  await site.store.idle();
  await expect
    .poll(() => mfs.resources, { timeout: 10_000 })
    .toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
});
