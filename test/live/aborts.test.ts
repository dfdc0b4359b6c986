/**
 * AbortSignal on every call that waits, at any moment of it: the call ends, and nothing stays: no chunk is locked, no socket is open,
 * no handle is half registered, here or at the master.
 */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;
/** Fractions of the time that the call takes when it is left alone; 0 is at once, after it was asked. */
const MOMENTS = [0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95];

/** Sockets that are open in this process. */
const sockets = () => process.getActiveResourcesInfo().filter((type) => type.startsWith('TCP')).length;
const socketsBefore = sockets();

let mfs: MooseFS;
let witness: MooseFS;
let folder: string;
let source: string;
let tree: string;
const data = pattern(SIZE, 7);

beforeAll(async () => {
  mfs = await connectShared();
  // Were a chunk locked still, a write of the witness would wait for it, and longer than this.
  witness = await connectShared({ ioTimeoutMs: 30_000 });
  folder = await makeFolder(mfs, 'aborts', 2);
  source = `${folder}/source`;
  await mfs.writeFile(source, data);
  tree = `${folder}/tree`;
  await mfs.mkdir(tree);
  await Promise.all(Array.from({ length: 200 }, (_, i) => mfs.writeFile(`${tree}/${i}`, `${i}`)));
});

/** What is asked of `client`; what it writes goes to `path`. */
type Work = (client: MooseFS, signal: AbortSignal, path: string) => Promise<unknown>;

const calls: Record<string, Work> = {
  readFile: (client, signal) => client.readFile(source, { signal }),
  'readFile of a small file': (client, signal) => client.readFile(`${tree}/1`, { signal }),
  createReadStream: (client, signal) =>
    pipeline(client.createReadStream(source, { signal }), async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) expect(piece.length).toBeGreaterThan(0);
    }),
  'FileHandle.read': async (client, signal) => {
    await using file = await client.open(source, 'r', undefined, { signal });
    await file.read({ buffer: Buffer.alloc(SIZE), signal });
  },
  'FileHandle.readFile': async (client, signal) => {
    await using file = await client.open(source);
    await file.readFile({ signal });
  },
  writeFile: (client, signal, path) => client.writeFile(path, data, { signal }),
  'writeFile of pieces': (client, signal, path) =>
    client.writeFile(
      path,
      (async function* () {
        for (let at = 0; at < SIZE; at += MIB) yield data.subarray(at, at + MIB);
      })(),
      { signal },
    ),
  appendFile: (client, signal, path) => client.appendFile(path, data, { signal }),
  createWriteStream: async (client, signal, path) => {
    const stream = client.createWriteStream(path, { signal });
    const done = once(stream, 'close');
    try {
      await pipeline(client.createReadStream(source), stream);
    } finally {
      await done;
    }
  },
  'FileHandle.write and sync': async (client, signal, path) => {
    const file = await client.open(path, 'w', undefined, { signal });
    try {
      await file.write(data, { signal });
      await file.sync({ signal });
    } finally {
      await file.close({ signal }).catch(() => undefined);
    }
  },
  'FileHandle.close': async (client, signal, path) => {
    const file = await client.open(path, 'w');
    await file.write(data);
    await file.close({ signal });
  },
  open: async (client, signal, path) => (await client.open(path, 'w', 0o644, { signal })).close(),
  copyFile: (client, signal, path) => client.copyFile(source, path, 0, { signal }),
  'cp of a tree': (client, signal, path) => client.cp(tree, path, { recursive: true, signal }),
  readdir: (client, signal) => client.readdir(folder, { recursive: true, signal }),
  opendir: async (client, signal) => {
    for await (const entry of await client.opendir(folder, { recursive: true, signal }))
      expect(entry.name).not.toBe('');
  },
  verify: (client, signal) => client.verify(source, { method: 'md5', signal }),
  stat: (client, signal) => client.stat(source, { signal }),
  truncate: async (client, signal, path) => {
    await client.writeFile(path, 'text');
    await client.truncate(path, 100, { signal });
  },
};

/** Nothing of a call stays in the client. */
function expectNothingHeld(client: MooseFS): void {
  expect(client.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0, locks: 0 });
}

describe.each(Object.entries(calls))('%s', (name, work) => {
  test('an aborted signal is obeyed at once', async () => {
    const path = `${folder}/${name}-never`;
    const aborted = work(mfs, AbortSignal.abort(new Error('enough')), path);
    if (name === 'truncate' || name === 'FileHandle.close' || name === 'FileHandle.readFile')
      await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    else {
      await expect(aborted).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      expect(await mfs.exists(path)).toBe(false);
    }
    await expect.poll(() => mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
  });

  test('aborted on its way it leaves nothing', async () => {
    const first = performance.now();
    await work(mfs, new AbortController().signal, `${folder}/${name}`);
    const wholeMs = performance.now() - first;
    let aborted = 0;
    for (const moment of MOMENTS) {
      const path = `${folder}/${name}-${moment}`;
      const client = await connectShared();
      try {
        const abort = new AbortController();
        const working = work(client, abort.signal, path).then(
          () => undefined,
          (error: unknown) => error,
        );
        await sleep(wholeMs * moment);
        abort.abort(new Error('enough'));
        const error = await working;
        if (error !== undefined) {
          expect(error).toMatchObject({ name: 'AbortError' });
          aborted++;
        }
        await expect.poll(() => client.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
        // The client is as good as before, and nobody finds a chunk locked.
        const text = `after ${name}`;
        expect(await client.readFile(`${tree}/7`, 'utf8')).toBe('7');
        if (await client.exists(path)) {
          const isFolder = (await client.stat(path)).isDirectory();
          const target = isFolder ? `${path}/again` : path;
          const file = await witness.open(target, isFolder ? 'w' : 'r+');
          await file.write(text, 0);
          await file.close();
          expect((await client.readFile(target)).toString('utf8', 0, text.length)).toBe(text);
        }
        expectNothingHeld(client);
      } finally {
        await client.close();
      }
      expect(client.resources.connections).toBe(0);
    }
    expectNothingHeld(witness);
    process.stderr.write(
      `abort of ${name}: ${aborted} of ${MOMENTS.length} came before its end (${Math.round(wholeMs)} ms)\n`,
    );
  }, 300_000);
});

test('a write that waits for room in a full buffer is aborted, and what was taken before is not lost', async () => {
  await using client = await connectShared({ write: { bufferBytes: MIB } });
  const path = `${folder}/room`;
  const file = await client.open(path, 'w');
  const abort = new AbortController();
  const first = await file.write(data.subarray(0, MIB));
  const waiting = file.write(data, { position: MIB, signal: abort.signal });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await file.close();
  expect(first.bytesWritten).toBe(MIB);
  const found = await client.readFile(path);
  expect(found.length).toBeGreaterThanOrEqual(MIB);
  expect(found.subarray(0, MIB).equals(data.subarray(0, MIB))).toBe(true);
  expectNothingHeld(client);
});

test('the session holds no file of an aborted open', async () => {
  const client = await connectShared();
  const path = `${folder}/held`;
  for (let i = 0; i < 30; i++) {
    const abort = new AbortController();
    const opening = client.open(path, 'w', undefined, { signal: abort.signal });
    if (i % 3 > 0) await sleep(i % 3);
    abort.abort();
    await opening.then(
      (file) => file.close(),
      (error: unknown) => expect(error).toMatchObject({ name: 'AbortError' }),
    );
    expect(client.resources.openFiles).toBe(0);
  }
  // The list that the master is sent of what this session holds: nothing but what is open now.
  await using last = await client.open(path, 'w');
  expect(last.volume.session.held.inodes()).toEqual([last.inode]);
  await last.close();
  expect(last.volume.session.held.size).toBe(0);
  await client.rm(path);
  await client.close();
});

test('when all clients are closed no socket is open', async () => {
  await witness.rm(folder, { recursive: true });
  await witness.close();
  await mfs.close();
  await expect.poll(sockets, { timeout: 30_000 }).toBe(socketsBefore);
});
