/** An upload service on MooseFS: tus and multipart end points, a page, downloads, proof of every replica, metrics, health. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Server as TusServer } from '@tus/server';
import type { Upload } from '@tus/server';
import express from 'express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import multer from 'multer';
import type { MooseFS } from '../../src/index.ts';
import { MooseFSStorage, safeName } from '../../src/adapters/multer.ts';
import type { StoredFile } from '../../src/adapters/multer.ts';
import { MooseFSStore } from '../../src/adapters/tus.ts';
import { Metrics } from './metrics.ts';

/** What the service is set up with; everything but the folder has a default. */
export interface ServiceOptions {
  /** The folder that uploads land in. */
  readonly directory: string;
  readonly port?: number;
  readonly host?: string;
  /** The largest file. */
  readonly maxBytes?: number;
  /** What may be uploaded: media types, or `image/` for all of a kind. */
  readonly types?: readonly string[];
  /** Unfinished uploads are removed after this. */
  readonly expirationMs?: number;
  /** A connection that says nothing for so long is closed. */
  readonly idleMs?: number;
  /** A request that is not over after so long is closed; its upload can be resumed. */
  readonly requestMs?: number;
  /** How long running requests may go on after close() was called; then they are broken off, and their uploads parked. */
  readonly graceMs?: number;
}

const DEFAULTS = {
  port: 8080,
  host: '127.0.0.1',
  maxBytes: 5 * 1024 ** 3,
  types: ['image/', 'video/', 'audio/', 'text/plain', 'text/csv', 'application/pdf', 'application/zip'],
  expirationMs: 24 * 3_600_000,
  idleMs: 60_000,
  requestMs: 3_600_000,
  graceMs: 10_000,
} as const;

const HEADERS_MS = 10_000;
const EXPIRY_CHECK_MS = 600_000;
const HEALTH_MS = 3000;
const HOUSE_STYLE = {
  'Content-Security-Policy': "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};
const UNSUPPORTED_TYPE = { status_code: 415, body: 'Files of this type are not taken\n' } as const;
const TOO_LARGE = 'LIMIT_FILE_SIZE';

const publicFolder = fileURLToPath(new URL('public/', import.meta.url));
const tusScript = join(
  dirname(createRequire(import.meta.url).resolve('tus-js-client/package.json')),
  'dist/tus.min.js',
);

/** A running service. */
export class UploadService {
  readonly #mfs: MooseFS;
  readonly #options: Required<ServiceOptions>;
  readonly #store: MooseFSStore;
  readonly #tus: TusServer;
  readonly #server: HttpServer;
  readonly #metrics: Metrics;
  #expiry: NodeJS.Timeout | undefined;
  #closing = false;

  private constructor(mfs: MooseFS, options: ServiceOptions) {
    this.#mfs = mfs;
    this.#options = { ...DEFAULTS, ...options };
    this.#metrics = new Metrics(mfs);
    const { directory, expirationMs, maxBytes } = this.#options;
    this.#store = new MooseFSStore(mfs, {
      directory,
      expirationMs,
      // Safe as a whole: with the id in front, a long name is cut once more.
      fileName: (upload) => safeName(`${upload.id}-${safeName(upload.metadata?.['filename'])}`),
    });
    this.#tus = new TusServer({
      path: '/files',
      datastore: this.#store,
      locker: this.#store.locker,
      maxSize: maxBytes,
      relativeLocation: true,
      onUploadCreate: (_request, upload) => this.#checkType(upload),
    });
    this.#server = createServer({ connectionsCheckingInterval: 1000 }, this.#app());
    this.#server.headersTimeout = Math.min(HEADERS_MS, this.#options.requestMs);
    this.#server.requestTimeout = this.#options.requestMs;
    this.#server.timeout = this.#options.idleMs;
  }

  /** Starts listening. */
  static async start(mfs: MooseFS, options: ServiceOptions): Promise<UploadService> {
    await mfs.mkdir(options.directory, { recursive: true });
    const service = new UploadService(mfs, options);
    const { port, host } = service.#options;
    await new Promise<void>((resolve, reject) => {
      service.#server.once('error', reject).listen(port, host, resolve);
    });
    const expire = (): void => {
      service.#store.deleteExpired().catch((error: unknown) => console.error('removing expired uploads:', error));
    };
    service.#expiry = setInterval(expire, EXPIRY_CHECK_MS).unref();
    return service;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** Takes no new requests, lets the running ones finish, parks what takes too long. The client stays open. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#expiry);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const park = setTimeout(() => this.#server.closeAllConnections(), this.#options.graceMs);
    await closed;
    clearTimeout(park);
    await this.#store.idle();
  }

  #app(): express.Express {
    const app = express();
    app.disable('x-powered-by');
    app.use(this.#metrics.middleware(), (_request, response, next) => {
      response.set(HOUSE_STYLE);
      if (this.#closing) response.set('Connection', 'close');
      next();
    });
    app.use((request, response, next) => {
      if (!/^\/files(\/|$)/.test(request.path)) {
        next();
        return;
      }
      const handle = () => this.#tus.handle(request, response);
      this.#store.checking(request.headers['upload-checksum'], handle).catch(next);
    });
    app.post('/upload', this.#form(), (request, response) => this.#formDone(request, response));
    app.get('/download/:name', (request, response) => this.#download(request, response));
    app.get('/api/uploads/:id', async (request, response) => {
      const { storage } = await this.#store.getUpload(request.params.id);
      response.json(await this.#describe(basename(storage!.path)));
    });
    app.get('/api/verify/:name', (request, response) => this.#verify(request, response));
    app.get('/health', (request, response) => this.#health(request, response));
    app.get('/metrics', (_request, response) => {
      response.type('text/plain; version=0.0.4').send(this.#metrics.text());
    });
    app.get('/tus.min.js', (_request, response) => response.sendFile(tusScript));
    app.use(express.static(publicFolder));
    app.use(this.#failed);
    return app;
  }

  #takes(type: string | null | undefined): boolean {
    const name = type?.split(';')[0]!.trim().toLowerCase() ?? '';
    return this.#options.types.some((each) => (each.endsWith('/') ? name.startsWith(each) : name === each));
  }

  async #checkType(upload: Upload): Promise<object> {
    if (!this.#takes(upload.metadata?.['filetype'])) throw Object.assign(new Error('type'), UNSUPPORTED_TYPE);
    return {};
  }

  #form(): RequestHandler {
    const { directory, maxBytes } = this.#options;
    return multer({
      storage: new MooseFSStorage(this.#mfs, { directory }),
      limits: { fileSize: maxBytes, files: 20, fields: 20, parts: 40, fieldSize: 10_000, headerPairs: 50 },
      fileFilter: (_request, file, callback) => {
        if (this.#takes(file.mimetype)) callback(null, true);
        else callback(Object.assign(new Error(UNSUPPORTED_TYPE.body.trim()), UNSUPPORTED_TYPE));
      },
    }).array('file', 20);
  }

  #formDone(request: Request, response: Response): void {
    const files = (request.files ?? []) as unknown as StoredFile[];
    if (files.length === 0) {
      response.status(400).json({ error: 'no file in the field "file"' });
      return;
    }
    response.status(201).json(
      files.map(({ filename, originalname, size, md5, crc32 }) => ({
        ...{ name: filename, originalName: originalname, size, md5, crc32 },
        link: `/download/${encodeURIComponent(filename)}`,
      })),
    );
  }

  /** A name of a finished file; anything that is none, a path above all, is not there. */
  #path(name: string | string[] | undefined): string {
    if (typeof name !== 'string' || name !== safeName(name)) throw Object.assign(new Error(), { code: 'ENOENT' });
    return `${this.#options.directory}/${name}`;
  }

  async #describe(name: string): Promise<object> {
    const hash = createHash('md5');
    let size = 0;
    for await (const chunk of this.#mfs.createReadStream(this.#path(name)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
    return { name, size, md5: hash.digest('hex'), link: `/download/${encodeURIComponent(name)}` };
  }

  async #download(request: Request, response: Response): Promise<void> {
    const path = this.#path(request.params['name']);
    const { size } = await this.#mfs.stat(path);
    // Never shown in place: it is a stranger's.
    response.attachment(basename(path)).set({ 'Content-Length': String(size) });
    await pipeline(this.#mfs.createReadStream(path), response).catch((error: unknown) => {
      if (!response.destroyed) throw error;
    });
  }

  async #verify(request: Request, response: Response): Promise<void> {
    const stop = new AbortController();
    response.once('close', () => stop.abort());
    const path = this.#path(request.params['name']);
    const { ok, length, digests, chunks } = await this.#mfs.verify(path, { method: 'md5', signal: stop.signal });
    response.json({
      ...{ ok, length, digests },
      chunks: chunks.map(({ index, id, replicas }) => ({
        index,
        id: (id ?? 0n).toString(16).padStart(16, '0'),
        replicas: replicas.map(({ host, port, state, digest, ok: good }) => ({ host, port, state, digest, ok: good })),
      })),
    });
  }

  async #health(_request: Request, response: Response): Promise<void> {
    try {
      await this.#mfs.stat(this.#options.directory, { signal: AbortSignal.timeout(HEALTH_MS) });
      response.status(this.#closing ? 503 : 200).json({ status: this.#closing ? 'closing' : 'ok' });
    } catch (error) {
      response.status(503).json({ status: 'unreachable', error: (error as Error).message });
    }
  }

  readonly #failed = (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status = statusOf(error);
    if (status >= 500) console.error(error);
    response.status(status).json({ error: status >= 500 ? 'the storage failed' : (error as Error).message });
  };
}

function statusOf(error: unknown): number {
  const { code, status_code: answer, status } = error as { code?: string; status_code?: number; status?: number };
  if (answer !== undefined) return answer;
  if (code === 'ENOENT') return 404;
  if (code === TOO_LARGE) return 413;
  // Everything else that multer refuses is the request's fault.
  if (error instanceof multer.MulterError || code === 'ERR_INVALID_ARG_VALUE') return 400;
  if (error instanceof Error && /multipart|boundary|unexpected end|malformed|request aborted/i.test(error.message))
    return 400;
  return status ?? 500;
}
