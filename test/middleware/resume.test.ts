/**
 * tus-js-client against the service in a process of its own: broken off at random points, the process killed in between. Whatever
 * happens, every replica holds in the end what was sent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, freePort, md5, ServiceProcess } from '../support/upload-service.ts';

const MIB = 1024 * 1024;
const COPIES = 3;
let mfs: MooseFS;
let folder: string;
let service: ServiceProcess;
beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'resume', COPIES);
  service = new ServiceProcess(await freePort(), folder);
  await service.start();
});
afterAll(async () => {
  await service.end('SIGKILL');
  await mfs.close();
});

/** One upload that can be broken off and taken up again, as a person does who closes the page and opens it later. */
class Client {
  readonly #data: Buffer;
  readonly #name: string;
  readonly #chunkSize: number;
  readonly #settle: { resolve: () => void; reject: (error: Error) => void };
  readonly done: Promise<void>;
  #stop: () => Promise<void> = async () => undefined;
  #url: string | undefined;
  /** Bytes that the client believes to have sent, since it was started last. */
  sent = 0;
  /** The furthest offset that was acknowledged to it. */
  acknowledged = 0;

  constructor(data: Buffer, name: string, chunkSize = 4 * MIB) {
    this.#data = data;
    this.#name = name;
    this.#chunkSize = chunkSize;
    let settle: { resolve: () => void; reject: (error: Error) => void };
    this.done = new Promise((resolve, reject) => (settle = { resolve, reject }));
    this.#settle = settle!;
    this.done.catch(() => undefined);
  }

  get id(): string {
    return this.#url!.split('/').at(-1)!;
  }

  /**
   * Begins, or goes on where the server stands. With an `Upload` of its own each time: one that is started again before its aborted
   * request has failed takes that for a failure of the new one, and from then on two of them fight over the offset.
   */
  start(): void {
    this.sent = 0;
    let stopped = false;
    const upload = new Upload(this.#data, {
      endpoint: `${service.url}/files`,
      uploadUrl: this.#url ?? null,
      chunkSize: this.#chunkSize,
      retryDelays: Array.from({ length: 400 }, () => 300),
      metadata: { filename: this.#name, filetype: 'video/mp4' },
      // An abort between two requests stops neither the next one nor a retry that is being prepared.
      onBeforeRequest: () => {
        if (stopped) throw new Error('broken off');
      },
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        return !stopped && (status < 400 || status >= 500 || status === 409 || status === 423);
      },
      onUploadUrlAvailable: () => (this.#url ??= upload.url!),
      onProgress: (sent) => (stopped ? undefined : (this.sent = sent)),
      onChunkComplete: (_size, accepted) => (this.acknowledged = Math.max(this.acknowledged, accepted)),
      onSuccess: () => this.#settle.resolve(),
      onError: (error) => (stopped ? undefined : this.#settle.reject(error)),
    });
    this.#stop = () => {
      stopped = true;
      return upload.abort();
    };
    upload.start();
  }

  /** Waits until so much is sent. */
  async reaches(bytes: number): Promise<void> {
    while (this.sent < Math.min(bytes, this.#data.length)) await Promise.race([sleep(5), this.done]);
  }

  async breakOff(): Promise<void> {
    await this.#stop();
  }
}

test('100 MiB, broken off ten times at random points, the service killed twice', { timeout: 300_000 }, async () => {
  const data = pattern(100 * MIB, 1);
  const client = new Client(data, 'film.mp4', Infinity);
  // Random, but the same in every run.
  let state = 20_251_120;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const points = Array.from({ length: 10 }, () => Math.floor(random() * 95 * MIB)).sort((a, b) => a - b);
  const kills = new Set([3, 7]);
  const started = performance.now();
  for (const [i, point] of points.entries()) {
    client.start();
    await client.reaches(point);
    if (kills.has(i)) await service.end('SIGKILL');
    await client.breakOff();
    if (kills.has(i)) await service.start();
  }
  client.start();
  await client.done;
  const seconds = (performance.now() - started) / 1000;
  await expectReplicas(mfs, `${folder}/${client.id}-film.mp4`, md5(data), COPIES);
  process.stdout.write(
    `100 MiB by tus on MooseFS ${mfs.serverVersion}: ${points.length} breaks, ${kills.size} SIGKILLs, ${seconds.toFixed(1)} s, md5 equal on ${COPIES} replicas\n`,
  );
});

/**
 * Uploads at once; smaller than the one above, because 50 of that size are more than a machine for tests writes in its time. The full
 * size, with ten breaks each: `UPLOAD_MIB=100 npm run test:middleware -- test/middleware/resume.test.ts`.
 */
const AT_ONCE = 50;
const EACH = Number(process.env['UPLOAD_MIB'] ?? 4) * MIB;
const BREAKS = EACH >= 100 * MIB ? 10 : 1;
test(
  `${AT_ONCE} uploads of ${EACH / MIB} MiB at once, each broken off, the service killed twice`,
  { timeout: 240_000 + (1000 * AT_ONCE * EACH) / (5 * MIB) },
  async () => {
    // Each one begins elsewhere in the same bytes: 50 of them need not be in memory.
    const source = pattern(EACH + AT_ONCE * 1009, 2);
    const clients = Array.from({ length: AT_ONCE }, (_, i) => {
      const data = source.subarray(i * 1009, i * 1009 + EACH + i);
      return { data, client: new Client(data, `${i}.mp4`, Math.max(MIB, EACH / 10)) };
    });
    const started = performance.now();
    for (const { client } of clients) client.start();
    const broken = clients.map(async ({ client }, i) => {
      for (let n = 0; n < BREAKS; n++) {
        const part = ((i * 7919 + n * 104_729) % 1000) / 1000;
        await client.reaches(((n + 0.1 + 0.8 * part) * EACH) / (BREAKS + 0.2));
        await client.breakOff();
        await sleep(100);
        client.start();
      }
      await client.done;
    });
    for (const part of [0.2, 0.6]) {
      await Promise.race([Promise.all(broken), reach(clients, part)]);
      await service.end('SIGKILL');
      await service.start();
    }
    await Promise.all(broken);
    const seconds = (performance.now() - started) / 1000;
    for (const [i, { client, data }] of clients.entries())
      await expectReplicas(mfs, `${folder}/${client.id}-${i}.mp4`, md5(data), COPIES);
    process.stdout.write(
      `${AT_ONCE} tus uploads of ${EACH / MIB} MiB at once on MooseFS ${mfs.serverVersion}: ${BREAKS * AT_ONCE} breaks, 2 SIGKILLs, ${seconds.toFixed(1)} s, md5 equal on ${COPIES} replicas each\n`,
    );
  },
);

async function reach(clients: readonly { client: Client }[], part: number): Promise<void> {
  const sum = () => clients.reduce((bytes, { client }) => bytes + client.acknowledged, 0);
  while (sum() < part * AT_ONCE * EACH) await sleep(20);
}

test(
  'SIGTERM: a running upload is parked, nothing of it is lost, and the process ends by itself',
  { timeout: 120_000 },
  async () => {
    const data = pattern(30 * MIB, 99);
    const client = new Client(data, 'parked.mp4', Infinity);
    client.start();
    await client.reaches(2 * MIB);
    expect(await service.end('SIGTERM')).toBe(0);
    await service.start();
    await client.done;
    await expectReplicas(mfs, `${folder}/${client.id}-parked.mp4`, md5(data), COPIES);
  },
);
