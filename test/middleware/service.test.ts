/** The upload service over HTTP: bad input, clients that stall or go, metrics, health, and its end. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UploadService } from '../../examples/upload-service/service.ts';
import type { ServiceOptions } from '../../examples/upload-service/service.ts';
import { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder, startCluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const COPIES = 2;
const TUS = { 'Tus-Resumable': '1.0.0' };
const BODY = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };
const MAX_BYTES = 3_000_000;
const SOON = { timeout: 30_000 };
let mfs: MooseFS;
let folder: string;
let service: UploadService;

beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'service', COPIES);
  service = await serve();
});
afterAll(async () => {
  await service.close();
  await mfs.close();
});

/** With limits that a test can wait for. */
const serve = (options: Partial<ServiceOptions> = {}): Promise<UploadService> =>
  UploadService.start(mfs, {
    ...{ directory: folder, port: 0, maxBytes: MAX_BYTES, idleMs: 3000, requestMs: 6000, graceMs: 1000 },
    ...options,
  });
/** Where a slow machine is not to be taken for a slow client. */
const PATIENT = { idleMs: 60_000, requestMs: 60_000 };

const b64 = (text: string) => Buffer.from(text).toString('base64');
const metadata = (name: string, type = 'image/png') => `filename ${b64(name)},filetype ${b64(type)}`;
async function create(size: number, name = 'a.png', type?: string, at = service): Promise<Response> {
  return fetch(`${at.url}/files`, {
    method: 'POST',
    headers: { ...TUS, 'Upload-Length': String(size), 'Upload-Metadata': metadata(name, type) },
  });
}
async function created(size: number, name?: string, at = service): Promise<string> {
  const response = await create(size, name, undefined, at);
  expect(response.status).toBe(201);
  return new URL(response.headers.get('location')!, at.url).href;
}
const patch = (url: string, offset: number, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'PATCH',
    headers: { ...BODY, 'Upload-Offset': String(offset), ...headers },
    body: Buffer.from(body),
  });
const head = (url: string) => fetch(url, { method: 'HEAD', headers: TUS });
const offsetOf = async (url: string) => Number((await head(url)).headers.get('upload-offset'));
const remove = (url: string) => fetch(url, { method: 'DELETE', headers: TUS });

function form(data: Uint8Array, name: string, type = 'image/png'): FormData {
  const made = new FormData();
  made.set('file', new Blob([Buffer.from(data)], { type }), name);
  return made;
}
const post = (body: FormData | string, headers: Record<string, string> = {}, at = service) =>
  fetch(`${at.url}/upload`, { method: 'POST', body, headers });

/** A request with exactly this path: fetch would tidy it. */
async function rawPath(path: string): Promise<number> {
  const { hostname, port } = new URL(service.url);
  const sent = httpRequest({ hostname, port, path, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode!;
}

/** A client that sends what it likes. What the server said, once it has closed the connection. */
function rawClient(at = service): { socket: Socket; ended: Promise<string> } {
  const { hostname, port } = new URL(at.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => (said += text));
  return { socket, ended: once(socket, 'close').then(() => said) };
}
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

/** Everything in the folder, at any depth. */
const tree = async (): Promise<string[]> => (await mfs.readdir(folder, { recursive: true })).map(String).sort();
async function metric(name: string, at = service): Promise<number> {
  const text = await (await fetch(`${at.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1));
}

test('tus: wrong offset 409, too large 413, wrong checksum 460, unknown 404, type 415; nothing moves', async () => {
  const url = await created(1000);
  const data = pattern(1000, 1);
  expect((await patch(url, 5, data.subarray(0, 10))).status).toBe(409);
  expect((await patch(url, 0, pattern(1001, 1))).status).toBe(413);
  expect((await create(MAX_BYTES + 1)).status).toBe(413);
  const sum = createHash('sha1').update(pattern(1000, 2)).digest('base64');
  expect((await patch(url, 0, data, { 'Upload-Checksum': `sha1 ${sum}` })).status).toBe(460);
  expect((await patch(url, 0, data, { 'Upload-Checksum': 'rot13 AAAA' })).status).toBe(400);
  expect((await patch(url, 0, data, { 'Content-Type': 'text/plain' })).status).toBe(400);
  for (const id of [randomUUID(), '%2e%2e%2fx', '..%5c..%5cx', 'a%00b', '.tus', '%zz']) {
    const strange = `${service.url}/files/${id}`;
    for (const answer of [await head(strange), await patch(strange, 0, data), await remove(strange)])
      expect([id, answer.status]).toEqual([id, 404]);
  }
  for (const type of ['application/x-msdownload', 'text/html', ''])
    expect((await create(10, 'x', type)).status).toBe(415);
  expect(await offsetOf(url)).toBe(0);
  expect((await remove(url)).status).toBe(204);
  expect(await tree()).toEqual(['.tus']);
});

test('forms: too large 413, no file and broken ones 400, type 415; nothing is left', async () => {
  const before = await tree();
  expect((await post(form(pattern(MAX_BYTES + 1, 1), 'a.png'))).status).toBe(413);
  const empty = new FormData();
  empty.set('title', 'no file');
  expect((await post(empty)).status).toBe(400);
  const wrongField = new FormData();
  wrongField.set('other', new Blob(['x'], { type: 'image/png' }), 'a.png');
  expect((await post(wrongField)).status).toBe(400);
  expect((await post(form(pattern(10, 1), 'a.exe', 'application/x-msdownload'))).status).toBe(415);
  const start = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: image/png\r\n\r\n';
  const type = { 'Content-Type': 'multipart/form-data; boundary=b' };
  expect((await post(`${start}cut off`, type)).status).toBe(400);
  expect((await post('nonsense', type)).status).toBe(400);
  expect((await post('x', { 'Content-Type': 'multipart/form-data' })).status).toBe(400);
  await expect.poll(tree, SOON).toEqual(before);
});

test('paths: names and metadata cannot leave the folder, and no request reads outside of it', async () => {
  await mfs.writeFile('/secret.txt', 'secret');
  const data = pattern(100, 3);
  const urls: string[] = [];
  for (const name of ['../../evil.png', '/abs.png', 'a\\..\\b.png', '..', 'nul\0l.png', 'x'.repeat(4000)]) {
    const url = await created(data.length, name);
    urls.push(url);
    expect((await patch(url, 0, data)).status).toBe(204);
  }
  for (const name of ['../../evil.png', '..\\evil.png', '/abs.png'])
    expect((await post(form(data, name))).status).toBe(201);
  const names = (await mfs.readdir(folder)).filter((name) => name !== '.tus');
  expect(names).toHaveLength(9);
  for (const name of names) {
    await expectReplicas(mfs, `${folder}/${name}`, md5(data), COPIES);
    expect((await fetch(`${service.url}/download/${encodeURIComponent(name)}`)).status).toBe(200);
  }
  expect(await mfs.readdir('/')).not.toContain('evil.png');
  expect(await mfs.readdir('/')).not.toContain('abs.png');
  const inside = ['..%2fsecret.txt', '..%2F..%2Fsecret.txt', '%2fsecret.txt', '..%5csecret.txt', '%00', '.tus', '..'];
  for (const path of inside)
    for (const end of ['download', 'api/verify', 'api/uploads', 'files'])
      expect([path, end, await rawPath(`/${end}/${path}`)]).toEqual([path, end, 404]);
  for (const path of ['/../service.ts', '/..%2fservice.ts', '/%2e%2e/main.ts'])
    expect([403, 404]).toContain(await rawPath(path));
  for (const url of urls) expect((await remove(url)).status).toBe(204);
  for (const name of await mfs.readdir(folder)) if (name !== '.tus') await mfs.rm(`${folder}/${name}`);
  expect(await tree()).toEqual(['.tus']);
});

test(
  'slow-loris: heads and bodies that never end are ended, what arrived of an upload counts',
  { timeout: 90_000 },
  async () => {
    const url = await created(2_000_000);
    const silent = rawClient();
    const dripping = rawClient();
    dripping.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n');
    const slow = rawClient();
    slow.socket.write(
      `PATCH ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
        'Content-Type: application/offset+octet-stream\r\nContent-Length: 2000000\r\n\r\n',
    );
    slow.socket.write(pattern(2_000_000, 4).subarray(0, 1000));
    const slowForm = rawClient();
    slowForm.socket.write(
      'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 2000000\r\n\r\n' +
        '--b\r\nContent-Disposition: form-data; name="file"; filename="slow"\r\nContent-Type: image/png\r\n\r\n',
    );
    // Never so quiet that the connection counts as idle.
    const drip = setInterval(() => {
      dripping.socket.write('X-More: 1\r\n');
      for (const { socket } of [slow, slowForm]) socket.write('x');
    }, 300);
    try {
      // The others are served meanwhile.
      expect((await fetch(`${service.url}/health`)).status).toBe(200);
      const [, head408] = await Promise.all([silent.ended, dripping.ended, slow.ended, slowForm.ended]);
      expect(statusOf(head408)).toBe(408);
    } finally {
      clearInterval(drip);
    }
    const offset = await offsetOf(url);
    expect(offset).toBeGreaterThanOrEqual(1000);
    expect(offset).toBeLessThan(2000);
    expect((await remove(url)).status).toBe(204);
    await expect.poll(tree, SOON).toEqual(['.tus']);
  },
);

test(
  'clients that go in the middle, fifty at once: nothing is left, nothing stays open',
  { timeout: 90_000 },
  async () => {
    const patient = await serve(PATIENT);
    const urls = await Promise.all(Array.from({ length: 25 }, () => created(1_000_000, undefined, patient)));
    const half = pattern(500_000, 5);
    const clients = [
      ...urls.map((url) => ({
        head:
          `PATCH ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
          'Content-Type: application/offset+octet-stream\r\nContent-Length: 1000000\r\n\r\n',
      })),
      ...urls.map(() => ({
        head:
          'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n' +
          '--b\r\nContent-Disposition: form-data; name="file"; filename="half.png"\r\nContent-Type: image/png\r\n\r\n',
      })),
    ].map(({ head: start }) => {
      const client = rawClient(patient);
      client.socket.write(start);
      client.socket.write(half);
      return client;
    });
    await expect.poll(() => metric('upload_active_requests', patient), SOON).toBe(clients.length + 1);
    await sleep(500);
    for (const [i, { socket }] of clients.entries()) {
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await expect.poll(() => metric('upload_active_requests', patient), SOON).toBe(1);
    await expect.poll(async () => (await tree()).filter((path) => !path.startsWith('.tus')), SOON).toEqual([]);
    for (const url of urls) {
      const offset = await offsetOf(url);
      expect(offset).toBeLessThanOrEqual(half.length);
      expect((await remove(url)).status).toBe(204);
    }
    await patient.close();
    expect(await tree()).toEqual(['.tus']);
  },
);

test('metrics and health', async () => {
  const before = await metric('upload_received_bytes_total');
  const stored = await (await post(form(pattern(1_000_000, 6), 'm.png'))).json();
  expect(stored).toMatchObject([{ size: 1_000_000, md5: md5(pattern(1_000_000, 6)) }]);
  expect((await fetch(`${service.url}/made-up-${randomUUID()}`)).status).toBe(404);
  expect((await metric('upload_received_bytes_total')) - before).toBeGreaterThan(1_000_000);
  const response = await fetch(`${service.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('version=0.0.4');
  const lines = (await response.text()).trimEnd().split('\n');
  for (const line of lines)
    expect(line).toMatch(/^(# TYPE [a-z_]+ (counter|gauge)|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+]+)$/);
  expect(lines.filter((line) => line.includes('made-up'))).toEqual([]);
  expect(lines).toContainEqual(
    expect.stringMatching(/^upload_requests_total\{method="POST",path="\/upload",status="201"\} \d+$/),
  );
  const health = await fetch(`${service.url}/health`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  for (const [header, value] of [
    ['x-content-type-options', 'nosniff'],
    ['content-security-policy', expect.stringContaining("default-src 'self'")],
  ])
    expect(health.headers.get(String(header))).toEqual(value);
});

test('[programs] health says 503 while MooseFS is away, and 200 again afterwards', { timeout: 120_000 }, async () => {
  await using cluster = await startCluster({ chunkservers: 1 });
  const client = await MooseFS.connect({ master: cluster.master });
  const away = await UploadService.start(client, { directory: '/in', port: 0, graceMs: 100 });
  const status = async () => (await fetch(`${away.url}/health`)).status;
  try {
    expect(await status()).toBe(200);
    await cluster.masterControl.pause();
    await expect.poll(status, SOON).toBe(503);
    await cluster.masterControl.resume();
    await expect.poll(status, { timeout: 60_000 }).toBe(200);
  } finally {
    await away.close();
    await client.close();
  }
});

test(
  'close: what can finish does, what takes too long is parked and goes on in the next process',
  { timeout: 90_000 },
  async () => {
    const data = pattern(2_000_000, 7);
    const first = await serve({ ...PATIENT, graceMs: 3000 });
    const firstUrl = first.url;
    const parked = await created(data.length, 'parked.png', first);
    const stalled = rawClient(first);
    stalled.socket.write(
      `PATCH ${new URL(parked).pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
        `Content-Type: application/offset+octet-stream\r\nContent-Length: ${data.length}\r\n\r\n`,
    );
    stalled.socket.write(data.subarray(0, 700_000));
    const url = await created(data.length, 'finishing.png', first);
    const finishing = rawClient(first);
    finishing.socket.write(
      `PATCH ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
        `Content-Type: application/offset+octet-stream\r\nContent-Length: ${data.length}\r\n\r\n`,
    );
    finishing.socket.write(data.subarray(0, 1_000_000));
    await sleep(1000);
    const closing = first.close();
    finishing.socket.write(data.subarray(1_000_000));
    expect(statusOf(await finishing.ended)).toBe(204);
    await closing;
    await stalled.ended;
    await expect(fetch(`${firstUrl}/health`).catch(() => 'refused')).resolves.toBe('refused');

    const again = (old: string) => new URL(new URL(old).pathname, service.url).href;
    expect(await offsetOf(again(url))).toBe(data.length);
    expect(await offsetOf(again(parked))).toBe(700_000);
    expect((await patch(again(parked), 700_000, data.subarray(700_000))).status).toBe(204);
    for (const [link, name] of [
      [url, 'finishing.png'],
      [parked, 'parked.png'],
    ] as const)
      await expectReplicas(mfs, `${folder}/${link.split('/').at(-1)!}-${name}`, md5(data), COPIES);
  },
);

test('nothing is left open', async () => {
  await expect
    .poll(() => mfs.resources, { timeout: 20_000 })
    .toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
});
