/**
 * The workload that this package was made for: 200 uploads of 1 to 5 MiB at once, 3 copies each, through HTTP. Every replica is read
 * back by itself, and the service, in a process of its own, holds no more memory in the last round than in the first.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, freePort, md5, ServiceProcess } from '../support/upload-service.ts';

const MIB = 1024 * 1024;
/** Fewer in CI, which has to say the same on a machine of any speed. */
const AT_ONCE = Number(process.env['UPLOADS_AT_ONCE'] ?? 200);
const COPIES = 3;
const ROUNDS = Number(process.env['UPLOAD_ROUNDS'] ?? 2);
/** The bodies are 600 MiB, and node with the service 120 more: one that held them would be above. */
const MEMORY_LIMIT = 512 * MIB;
/** What the later rounds may add: a heap that has not been collected yet, not a share of 600 MiB that stays. */
const GROWTH_LIMIT = 64 * MIB;
/** All bodies are cut out of this one, each at a place of its own. */
const SOURCE = pattern(6 * MIB, 1);

let mfs: MooseFS;
let folder: string;
let service: ServiceProcess;
beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'many', COPIES);
  service = new ServiceProcess(await freePort(), folder);
  await service.start();
});
afterAll(async () => {
  await service.end('SIGTERM');
  await mfs.close();
});

interface Sent {
  readonly path: string;
  readonly digest: string;
}

/** Sends parts that are in memory anyway, without another copy of them: fetch would make one for each upload. */
function send(
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  parts: Uint8Array[],
): Promise<IncomingMessage> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return new Promise((resolve, reject) => {
    const url = new URL(path, service.url);
    const request = httpRequest(
      url,
      { method, agent: false, headers: { ...headers, 'Content-Length': length } },
      resolve,
    );
    request.once('error', reject);
    for (const part of parts) request.write(part);
    request.end();
  });
}

async function byForm(data: Buffer, i: number): Promise<Sent> {
  const start =
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${i}.png"\r\n` + 'Content-Type: image/png\r\n\r\n';
  const response = await send('POST', '/upload', { 'Content-Type': 'multipart/form-data; boundary=b' }, [
    ...[Buffer.from(start), data, Buffer.from('\r\n--b--\r\n')],
  ]);
  const [file] = (await json(response)) as { name: string; md5: string; size: number }[];
  expect([response.statusCode, file?.size, file?.md5]).toEqual([201, data.length, md5(data)]);
  return { path: `${folder}/${file!.name}`, digest: md5(data) };
}

async function byTus(data: Buffer, i: number): Promise<Sent> {
  const b64 = (text: string) => Buffer.from(text).toString('base64');
  const headers = {
    ...{ 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream', 'Upload-Length': data.length },
    'Upload-Metadata': `filename ${b64(`${i}.png`)},filetype ${b64('image/png')}`,
  };
  let response = await send('POST', '/files', headers, [data]);
  // As tus-js-client does: the master was not asked in time, so many are waiting.
  for (let again = 0; response.statusCode === 423 && again < 20; again++) {
    response.resume();
    await sleep(1000);
    response = await send('POST', '/files', headers, [data]);
  }
  response.resume();
  expect([response.statusCode, response.headers['upload-offset']]).toEqual([201, String(data.length)]);
  const id = response.headers.location!.split('/').at(-1)!;
  return { path: `${folder}/${id}-${i}.png`, digest: md5(data) };
}

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** 200 uploads at once; the most memory that the service held meanwhile. */
async function round(number: number): Promise<{ sent: Sent[]; peak: number; seconds: number; bytes: number }> {
  let peak = 0;
  const watch = setInterval(() => {
    gauge('process_resident_memory_bytes').then(
      (bytes) => (peak = Math.max(peak, bytes)),
      () => undefined,
    );
  }, 250);
  const started = performance.now();
  try {
    const bodies = Array.from({ length: AT_ONCE }, (_, i) => {
      const size = Math.round(MIB + (4 * MIB * i) / (AT_ONCE - 1));
      const at = (number * AT_ONCE + i) * 101;
      return SOURCE.subarray(at, at + size);
    });
    const sent = await Promise.all(bodies.map((data, i) => (i % 2 === 0 ? byForm(data, i) : byTus(data, i))));
    const seconds = (performance.now() - started) / 1000;
    return { sent, peak, seconds, bytes: bodies.reduce((sum, { length }) => sum + length, 0) };
  } finally {
    clearInterval(watch);
  }
}

test(
  `${AT_ONCE} uploads at once, ${ROUNDS} times: md5 of every replica, memory flat`,
  { timeout: 400_000 },
  async () => {
    const peaks: number[] = [];
    const mib = (bytes: number) => Math.round(bytes / MIB);
    for (let i = 0; i < ROUNDS; i++) {
      const { sent, peak, seconds, bytes } = await round(i);
      peaks.push(peak);
      process.stdout.write(
        `${AT_ONCE} uploads at once on MooseFS ${mfs.serverVersion}: ${mib(bytes)} MiB in ${seconds.toFixed(1)} s, service at most ${mib(peak)} MiB\n`,
      );
      const queue = new PQueue({ concurrency: 8 });
      await queue.addAll(
        sent.map(
          ({ path, digest }) =>
            () =>
              expectReplicas(mfs, path, digest, COPIES),
        ),
      );
      await Promise.all(sent.map(({ path }) => mfs.rm(path)));
    }
    expect(Math.max(...peaks)).toBeLessThan(MEMORY_LIMIT);
    expect(peaks.at(-1)! - peaks[0]!).toBeLessThan(GROWTH_LIMIT);
    await expect.poll(() => gauge('moosefs_open_files'), { timeout: 20_000 }).toBe(0);
    expect(await gauge('moosefs_active_chunks')).toBe(0);
    expect(await gauge('upload_active_requests')).toBe(1);
  },
);
