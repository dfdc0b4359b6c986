/**
 * The work of the benchmarks, as one process of its own: node bench/client.mjs '<job as JSON>'
 *
 * Through this package (`{ master }`) or through a folder, which is a mount (`{ mount }`, of the process `mountPid`).
 * bench/libmfsio/client.c does the same in C. The work is done once before, on other files, and not counted: what is measured
 * is a program that runs, not one that starts. Prints one line of JSON: seconds and CPU seconds of the work alone, the
 * peak of resident memory, how many operations and bytes of data the work was, and of a mount its /proc/PID/stat before and
 * after.
 *
 * Plain JavaScript, so that no compiler's work is counted as the client's.
 */
import * as fs from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';

const MIB = 1024 * 1024;
const PAGE = 4096;
const given = JSON.parse(process.argv[2]);
/** The work being done: the warm-up first, then what was given. */
let job = warmUp(given);
const pattern = Buffer.from(Uint8Array.from({ length: MIB }, (_, i) => i * 31 + (i >> 8)));
let moved = 0;

/** The same on other files, in a folder beside that of the work; of one large file a quarter is enough. */
function warmUp({ files, bytes, folder, ...rest }) {
  const large = files === 1 || rest.op.startsWith('rand');
  return { ...rest, files, bytes: large ? Math.ceil(bytes / 4 / PAGE) * PAGE : bytes, folder: `${folder}-warm` };
}

/** Sizes of uploads, 1 to 5 MiB: the same formula as in bench/libmfsio/client.c. */
const uploadSize = (i) => MIB + ((i * 2654435) % (4 * MIB + 1));

/** Offsets of random access: the same formula as in bench/libmfsio/client.c. */
function randomOffset(i) {
  let x = (Math.imul(i, 2654435761) + 12345) >>> 0;
  x ^= x >>> 15;
  x = Math.imul(x, 2246822519) >>> 0;
  x = (x ^ (x >>> 13)) >>> 0;
  return (x % (job.bytes / PAGE)) * PAGE;
}

function check(piece, at, path) {
  if (piece[0] !== pattern[at % MIB] || piece[piece.length - 1] !== pattern[(at + piece.length - 1) % MIB])
    throw new Error(`other bytes than written at ${at} of ${path}`);
}

function checkLength(found, wanted, path) {
  if (found !== wanted) throw new Error(`${path} has ${found} bytes, not ${wanted}`);
  moved += found;
}

/** `concurrency` lanes take the numbers 0 to count - 1 as they come. */
async function lanes(count, concurrency, work) {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
}

/** A write in pieces of at most 1 MiB; done when everything is acknowledged. */
async function putPieces(handle, size) {
  for (let at = 0; at < size; at += MIB) await handle.write(pattern, 0, Math.min(MIB, size - at), at);
  moved += size;
}

/** A read of a whole file in pieces of at most 1 MiB, into the same memory, as bench/libmfsio/client.c reads. */
async function getPieces(handle, size, path) {
  const buffer = Buffer.allocUnsafe(Math.min(MIB, size));
  let position = 0;
  while (position < size) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    check(buffer.subarray(0, bytesRead), position, path);
    position += bytesRead;
  }
  await handle.close();
  checkLength(position, size, path);
}

/** The same as node's programs do it most: from a stream, which makes new memory for every piece. */
async function getStream(stream, size, path) {
  let at = 0;
  for await (const piece of stream) {
    check(piece, at, path);
    at += piece.length;
  }
  checkLength(at, size, path);
}

/** The work through this package. */
async function ours() {
  const { MooseFS } = await import(job.module);
  const mfs = await MooseFS.connect({ master: job.master });
  const handle = (path, flags) => mfs.open(path, flags);
  return {
    close: () => mfs.close(),
    open: handle,
    // close() resolves when all is acknowledged
    finish: (opened) => opened.close(),
    async put(path, size) {
      if (size <= MIB) {
        await mfs.writeFile(path, pattern.subarray(0, size));
        moved += size;
        return;
      }
      const opened = await mfs.open(path, 'w');
      await putPieces(opened, size);
      await opened.close();
    },
    async get(path, size) {
      if (size <= MIB) {
        const bytes = await mfs.readFile(path);
        check(bytes, 0, path);
        checkLength(bytes.length, size, path);
        return;
      }
      await getPieces(await mfs.open(path), size, path);
    },
    stream: (path, size) => getStream(mfs.createReadStream(path), size, path),
    stat: (path) => mfs.stat(path),
    unlink: (path) => mfs.unlink(path),
    list: (path) => listWithStats(mfs, path),
    verify: async (path, method) => {
      const { ok, chunks } = await mfs.verify(path, { method });
      if (!ok) throw new Error(`${path} does not verify`);
      moved += chunks.reduce((sum, { length, replicas }) => sum + length * replicas.length, 0);
    },
  };
}

/** The work through a mounted folder: every write ends with fsync and close, which is what it takes to be as safe. */
function mounted() {
  const at = (path) => join(job.mount, path);
  return {
    close: async () => undefined,
    open: (path, flags) => fs.open(at(path), flags),
    async finish(opened) {
      await opened.sync();
      await opened.close();
    },
    async put(path, size) {
      const opened = await fs.open(at(path), 'w');
      await putPieces(opened, size);
      await opened.sync();
      await opened.close();
    },
    get: async (path, size) => getPieces(await fs.open(at(path), 'r'), size, path),
    stream: (path, size) => getStream(createReadStream(at(path)), size, path),
    stat: (path) => fs.lstat(at(path)),
    unlink: (path) => fs.unlink(at(path)),
    list: (path) => listWithStats(fs, at(path)),
    async verify(path, method) {
      const hash = createHash(method);
      const opened = await fs.open(at(path), 'r');
      const buffer = Buffer.allocUnsafe(MIB);
      for (let position = 0; ;) {
        const { bytesRead } = await opened.read(buffer, 0, MIB, position);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        position += bytesRead;
        moved += bytesRead;
      }
      await opened.close();
      hash.digest();
    },
  };
}

/** As a program on either would do it: the names, then the attributes of each, 200 at once. */
async function listWithStats(api, path) {
  const names = await api.readdir(path);
  let sizes = 0;
  await lanes(names.length, 200, async (i) => {
    sizes += (await api.lstat(`${path}/${names[i]}`)).size;
  });
  if (names.length !== job.files || sizes !== job.files * job.bytes)
    throw new Error(`${path} lists ${names.length} files of together ${sizes} bytes`);
}

async function randomAccess(api, flags, work) {
  const opened = await api.open(`${job.folder}/f0`, flags);
  await lanes(job.files, job.concurrency, (i) => work(opened, randomOffset(i)));
  moved += job.files * PAGE;
  if (flags === 'r') await opened.close();
  else await api.finish(opened);
}

const path = (i) => `${job.folder}/f${i}`;
const each = (work) => lanes(job.files, job.concurrency, work);
const operations = {
  write: (api) => each((i) => api.put(path(i), job.bytes)),
  create: (api) => each((i) => api.put(path(i), job.bytes)),
  upload: (api) => each((i) => api.put(path(i), uploadSize(i))),
  read: (api) => each((i) => api.get(path(i), job.bytes)),
  stream: (api) => each((i) => api.stream(path(i), job.bytes)),
  readall: (api) => each((i) => api.get(path(i), job.bytes)),
  // as services of node's do it
  download: (api) => each((i) => api.stream(path(i), uploadSize(i))),
  stat: (api) => each(async (i) => checkLength((await api.stat(path(i))).size, job.bytes, path(i))),
  unlink: (api) => each((i) => api.unlink(path(i))),
  list: (api) => api.list(job.folder),
  randread: (api) =>
    randomAccess(api, 'r', async (opened, at) => {
      const { buffer, bytesRead } = await opened.read(Buffer.allocUnsafe(PAGE), 0, PAGE, at);
      if (bytesRead !== PAGE) throw new Error(`${bytesRead} bytes read at ${at}`);
      check(buffer, at, 'f0');
    }),
  randwrite: (api) => randomAccess(api, 'r+', (opened, at) => opened.write(pattern, at % MIB, PAGE, at)),
  'verify-checksums': (api) => api.verify(path(0), 'checksums'),
  'verify-md5': (api) => api.verify(path(0), 'md5'),
};

const api = job.mount === undefined ? await ours() : mounted();
await operations[job.op](api);
job = given;
moved = 0;
const mountStat = () => (job.mountPid === undefined ? undefined : fs.readFile(`/proc/${job.mountPid}/stat`, 'utf8'));
const mountBefore = await mountStat();
const before = process.resourceUsage();
const start = process.hrtime.bigint();
await operations[job.op](api);
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
const after = process.resourceUsage();
const mountAfter = await mountStat();
await api.close();
const cpu = (usage) => (usage.userCPUTime + usage.systemCPUTime) / 1e6;
const result = {
  seconds,
  cpuSeconds: cpu(after) - cpu(before),
  peakBytes: after.maxRSS * 1024,
  operations: job.files,
  // a stat moves none
  bytes: job.op === 'stat' ? 0 : moved,
  ...(mountBefore !== undefined && { mountStat: [mountBefore, mountAfter] }),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
