/** Multipart forms: the multer engine, and recipes for busboy, @fastify/multipart and formidable with plain createWriteStream. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import fastifyMultipart from '@fastify/multipart';
import busboy from 'busboy';
import express from 'express';
import type { ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import formidable from 'formidable';
import multer from 'multer';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { MooseFSStorage } from '../../src/adapters/multer.ts';
import type { MooseFSStorageOptions, StoredFile } from '../../src/adapters/multer.ts';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const COPIES = 2;
const DATA = pattern(2_500_013, 1);
let mfs: MooseFS;
let folder: string;
const servers: Server[] = [];

beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'forms', COPIES);
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(() => mfs.close());

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function form(data: Uint8Array = DATA, name = 'photo.png'): FormData {
  const made = new FormData();
  made.set('title', 'A moose');
  made.set('file', new Blob([Buffer.from(data)], { type: 'image/png' }), name);
  return made;
}
const send = (url: string, body: FormData = form()) => fetch(url, { method: 'POST', body });

async function withMulter(options: MooseFSStorageOptions, limits: multer.Options['limits'] = {}): Promise<string> {
  const app = express();
  app.post('/', multer({ storage: new MooseFSStorage(mfs, options), limits }).single('file'), (request, response) => {
    const { path, size, md5: sum, crc32: crc, verification } = request.file as unknown as StoredFile;
    response.json({ path, size, md5: sum, crc32: crc, verified: verification?.ok });
  });
  const failed: ErrorRequestHandler = (error: Error & { code?: string }, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    response.status(error.code === 'LIMIT_FILE_SIZE' ? 413 : 500).json({ code: error.code });
  };
  app.use(failed);
  return listen(app);
}
const newFolder = () => `${folder}/${randomUUID()}`;

test('multer: sums on the way, every replica read back before the callback', async () => {
  const url = await withMulter({ directory: newFolder(), verify: true });
  const response = await send(url);
  const stored = (await response.json()) as { path: string };
  expect(response.status).toBe(200);
  expect(stored).toMatchObject({
    size: DATA.length,
    md5: md5(DATA),
    crc32: crc32(DATA).toString(16).padStart(8, '0'),
    verified: true,
  });
  expect(stored.path).toMatch(/-photo\.png$/);
  await expectReplicas(mfs, stored.path, md5(DATA), COPIES);
});

test('multer: too large is refused and leaves nothing', async () => {
  const directory = newFolder();
  const url = await withMulter({ directory }, { fileSize: 1_000_000 });
  const response = await send(url);
  expect([response.status, await response.json()]).toEqual([413, { code: 'LIMIT_FILE_SIZE' }]);
  expect(await mfs.readdir(directory)).toEqual([]);
});

test('multer: a client that goes in the middle leaves nothing', async () => {
  const directory = newFolder();
  const url = await withMulter({ directory, filename: () => 'half' });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const part = 'Content-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: image/png\r\n\r\n';
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n--b\r\n${part}`,
  );
  socket.write(DATA);
  await expect.poll(() => mfs.exists(`${directory}/half`), { timeout: 20_000 }).toBe(true);
  socket.resetAndDestroy();
  await expect.poll(() => mfs.readdir(directory), { timeout: 20_000 }).toEqual([]);
});

test('multer: names of clients stay in the folder, names of functions must be names, nothing is overwritten', async () => {
  const directory = newFolder();
  const url = await withMulter({ directory });
  for (const name of ['../../evil', '...', 'a/b', 'ä'.repeat(300)])
    expect((await send(url, form(DATA, name))).status).toBe(200);
  const names = await mfs.readdir(directory);
  expect(names).toHaveLength(4);
  for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  const outside = await withMulter({ directory, filename: () => '../out' });
  expect((await send(outside)).status).toBe(500);
  expect(await mfs.exists(`${folder}/out`)).toBe(false);
  const fixed = await withMulter({ directory, filename: () => 'one' });
  expect((await send(fixed)).status).toBe(200);
  const again = await send(fixed, form(pattern(10, 2)));
  expect(await again.json()).toEqual({ code: 'EEXIST' });
  await expectReplicas(mfs, `${directory}/one`, md5(DATA), COPIES);
});

test('recipe: busboy', async () => {
  const path = `${folder}/busboy`;
  const url = await listen((request, response) => {
    const writes: Promise<void>[] = [];
    const parser = busboy({ headers: request.headers, limits: { files: 1 } });
    parser.on('file', (_field, file) => writes.push(pipeline(file, mfs.createWriteStream(path))));
    pipeline(request, parser)
      .then(() => Promise.all(writes))
      .then(
        () => response.writeHead(201).end(),
        () => response.writeHead(500).end(),
      );
  });
  expect((await send(url)).status).toBe(201);
  await expectReplicas(mfs, path, md5(DATA), COPIES);
});

test('recipe: @fastify/multipart', async () => {
  const path = `${folder}/fastify`;
  const app = fastify();
  await app.register(fastifyMultipart, { limits: { fileSize: 5e6 } });
  app.post('/', async (request, reply) => {
    const part = await request.file();
    await pipeline(part!.file, mfs.createWriteStream(path));
    return reply.code(part!.file.truncated ? 413 : 201).send();
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  try {
    expect((await send(url)).status).toBe(201);
    await expectReplicas(mfs, path, md5(DATA), COPIES);
  } finally {
    await app.close();
  }
});

test('recipe: formidable', async () => {
  const path = `${folder}/formidable`;
  const url = await listen((request, response) => {
    formidable({ fileWriteStreamHandler: () => mfs.createWriteStream(path) })
      .parse(request)
      .then(
        () => response.writeHead(201).end(),
        () => response.writeHead(500).end(),
      );
  });
  expect((await send(url)).status).toBe(201);
  await expectReplicas(mfs, path, md5(DATA), COPIES);
});

test('nothing is left open', async () => {
  await sleep(100);
  await expect.poll(() => mfs.resources, { timeout: 10_000 }).toMatchObject({ openFiles: 0, activeChunks: 0 });
});
