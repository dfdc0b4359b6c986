/**
 * npm run example -- examples/resumable-upload.ts [LOCAL REMOTE]
 *
 * Uploads a file so that it can be broken off at any moment, also by kill -9, and goes on where every replica has the bytes. How
 * far that is stands in an attribute of the unfinished file, put down after each sync(): the file's length alone may run ahead.
 * Without arguments it makes a file, breaks off in the middle, and goes on.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MooseFS } from '../src/index.ts';
import { connect, folderWithCopies } from './connect.ts';

const MIB = 1024 * 1024;
const CHECKPOINT_BYTES = 8 * MIB;
const OFFSET = 'user.offset';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** How much of an unfinished file counts. */
async function acknowledged(mfs: MooseFS, part: string): Promise<number> {
  try {
    return Number(await mfs.xattr.get(part, OFFSET, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENODATA') return 0;
    throw error;
  }
}

/** Uploads, or goes on uploading; gives where it began. */
async function upload(mfs: MooseFS, local: string, remote: string, signal?: AbortSignal): Promise<number> {
  const part = `${remote}.part`;
  const from = await acknowledged(mfs, part);
  // What a killed process left locked is ours.
  const handle = await mfs.open(part, from === 0 ? 'w' : 'r+', undefined, { takeOver: true });
  try {
    let position = from;
    let put = from;
    const checkpoint = async (): Promise<void> => {
      await handle.sync();
      await mfs.xattr.set(part, OFFSET, String(position));
      put = position;
    };
    for await (const bytes of createReadStream(local, { start: from, highWaterMark: MIB }) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      await handle.write(bytes, 0, bytes.length, position);
      position += bytes.length;
      if (position - put >= CHECKPOINT_BYTES) await checkpoint();
    }
    await checkpoint();
    // More than counted may have been written the last time.
    await handle.truncate(position);
  } finally {
    await handle.close();
  }
  await mfs.xattr.remove(part, OFFSET);
  await mfs.rename(part, remote);
  return from;
}

async function makeFile(path: string, size: number): Promise<string> {
  const digest = createHash('md5');
  const out = createWriteStream(path);
  for (let at = 0; at < size; at += MIB) {
    const bytes = createHash('sha256').update(String(at)).digest();
    const piece = Buffer.alloc(MIB, bytes);
    digest.update(piece);
    if (!out.write(piece)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return digest.digest('hex');
}

await using connected = await connect();
const { mfs } = connected;
const [local, remote] = process.argv.slice(2);
if (local !== undefined && remote !== undefined) {
  const from = await upload(mfs, local, remote);
  console.log(`${remote}: ${(await stat(local)).size} bytes, ${from} of them from before`);
} else {
  const folder = await mkdtemp(join(tmpdir(), 'resumable-'));
  const film = join(folder, 'film.bin');
  const target = '/resumable-upload/film.bin';
  try {
    const md5 = await makeFile(film, 64 * MIB);
    await folderWithCopies(mfs, '/resumable-upload', 2);
    const stop = new AbortController();
    const watch = setInterval(() => {
      void acknowledged(mfs, `${target}.part`).then((bytes) => (bytes >= 16 * MIB ? stop.abort() : undefined));
    }, 20);
    await upload(mfs, film, target, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
      console.log('broken off');
    });
    clearInterval(watch);
    const from = await upload(mfs, film, target);
    console.log(`went on at byte ${from}`);
    const { ok, digests } = await mfs.verify(target, { method: 'md5' });
    const equal = ok && digests.every((digest) => digest === md5);
    console.log(equal ? `all ${digests.length} replicas are ${md5}` : `DIFFERENT: ${digests.join(' ')}, not ${md5}`);
    if (!equal) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}
