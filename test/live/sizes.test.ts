/**
 * Files of every awkward size, written in every way, come back equal in every way of reading and from every replica by itself.
 * The folder asks for three copies.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChunkInfo, MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { difference, pattern, shuffled } from '../support/pattern.ts';

const BLOCK = 65_536;
const CHUNK = 64 * 1024 * 1024;
const COPIES = 3;

const sizes: readonly (readonly [name: string, bytes: number])[] = [
  ['0', 0],
  ['1', 1],
  ['65535', BLOCK - 1],
  ['65536', BLOCK],
  ['65537', BLOCK + 1],
  ['64 MiB - 1', CHUNK - 1],
  ['64 MiB', CHUNK],
  ['64 MiB + 1', CHUNK + 1],
  ['130 MiB + 7', 130 * 1024 * 1024 + 7],
];

/** Primes, so that pieces end everywhere in blocks; small files in small pieces. */
const pieceSizes = (size: number) => (size <= 2 * BLOCK ? [1021, 1, 4093, 13] : [1_048_573, 65_539, 17, 99_991, 3]);

/** Cuts into pieces of these sizes in turn. */
function* piecesOf(data: Buffer, cycle: readonly number[]): Generator<{ readonly at: number; readonly bytes: Buffer }> {
  for (let at = 0, i = 0; at < data.length; i++) {
    const bytes = data.subarray(at, at + cycle[i % cycle.length]!);
    yield { at, bytes };
    at += bytes.length;
  }
}

type Writer = (mfs: MooseFS, path: string, data: Buffer) => Promise<void>;

const inOneGo: Writer = (mfs, path, data) => mfs.writeFile(path, data);

const asStream: Writer = async (mfs, path, data) => {
  const stream = mfs.createWriteStream(path);
  for (const { bytes } of piecesOf(data, pieceSizes(data.length))) {
    if (!stream.write(bytes)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
};

const shuffledPositions: Writer = async (mfs, path, data) => {
  const handle = await mfs.open(path, 'w');
  const pieces = [...piecesOf(data, pieceSizes(data.length))];
  for (const i of shuffled(pieces.length, data.length)) {
    const { at, bytes } = pieces[i]!;
    // write() may take the bytes only until it resolves: what is in this buffer afterwards must not matter.
    const scratch = Buffer.from(bytes);
    const { bytesWritten } = await handle.write(scratch, 0, scratch.length, at);
    expect(bytesWritten).toBe(bytes.length);
    scratch.fill(0xee);
  }
  await handle.close();
};

const writers: readonly (readonly [name: string, write: Writer])[] = [
  ['in one go', inOneGo],
  ['as a stream of odd-sized pieces', asStream],
  ['by positional writes in shuffled order', shuffledPositions],
];

async function collect(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function readByPositions(mfs: MooseFS, path: string, size: number): Promise<Buffer> {
  const found = Buffer.alloc(size, 0xdd);
  const step = size > 2 * BLOCK ? 1_999_993 : 1021;
  const handle = await mfs.open(path, 'r');
  for (const i of shuffled(Math.ceil(size / step), size)) {
    const wanted = Math.min(step, size - i * step);
    const { bytesRead } = await handle.read(found, i * step, wanted, i * step);
    expect(bytesRead).toBe(wanted);
  }
  expect((await handle.read(Buffer.alloc(10), 0, 10, size)).bytesRead).toBe(0);
  await handle.close();
  return found;
}

/** The servers that have a replica of every chunk. */
function serversOf(chunks: readonly ChunkInfo[]): string[] {
  const lists = chunks.map(({ replicas }) => replicas.map(({ host, port }) => `${host}:${port}`));
  return (lists[0] ?? []).filter((server) => lists.every((list) => list.includes(server)));
}

describe('files of all sizes', () => {
  let mfs: MooseFS;
  let folder: string;

  beforeAll(async () => {
    mfs = await connectShared();
    folder = await makeFolder(mfs, 'sizes', COPIES);
  });
  afterAll(() => mfs.close());

  describe.each(sizes)('%s bytes', (sizeName, size) => {
    test.each(writers)('written %s', { timeout: 300_000 }, async (how, write) => {
      const path = `${folder}/${sizeName} ${how}`;
      const data = pattern(size, size + how.length);
      const digest = createHash('md5').update(data).digest('hex');
      await write(mfs, path, data);

      expect((await mfs.stat(path)).size).toBe(size);
      expect(difference(await mfs.readFile(path), data)).toBeUndefined();
      expect(difference(await collect(mfs.createReadStream(path)), data)).toBeUndefined();
      expect(difference(await readByPositions(mfs, path, size), data)).toBeUndefined();

      const chunks = await mfs.chunks(path);
      expect(chunks).toHaveLength(Math.ceil(size / CHUNK));
      for (const { replicas } of chunks) expect(replicas).toHaveLength(COPIES);

      const verified = await mfs.verify(path, { method: 'md5' });
      expect(verified.ok).toBe(true);
      expect(verified.digests).toEqual(Array.from({ length: size === 0 ? 1 : COPIES }, () => digest));
      expect(await mfs.verify(path)).toMatchObject({ ok: true, method: 'checksums' });

      if (size === 0) return;
      const servers = serversOf(chunks);
      expect(servers).toHaveLength(COPIES);
      for (const replica of servers) {
        expect(difference(await mfs.readFile(path, { replica }), data), replica).toBeUndefined();
        expect(difference(await collect(mfs.createReadStream(path, { replica })), data), replica).toBeUndefined();
      }
      await mfs.unlink(path);
    });
  });
});
