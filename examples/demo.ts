/**
 * npm run demo: a real cluster with three chunkservers, a file written with three copies, read back, and every replica's digest.
 * Needs nothing but Node; see test/support/cluster/README.md for where the servers come from.
 */
import { createHash, randomBytes } from 'node:crypto';
import { MooseFS } from '../src/index.ts';
import { startCluster } from '../test/support/cluster/cluster.ts';

const MIB = 1024 * 1024;
const SIZE = Number(process.env['DEMO_MIB'] ?? 300) * MIB + 7;
const PIECE = 4 * MIB;

const colour = process.stdout.isTTY
  ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`
  : (_: number, text: string) => text;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Shows how far a transfer is: in place on a terminal, otherwise once at its end. */
function progress(what: string) {
  const begun = performance.now();
  return (transferred: number): void => {
    const isDone = transferred >= SIZE;
    if (!process.stdout.isTTY && !isDone) return;
    const speed = transferred / MIB / ((performance.now() - begun) / 1000);
    const bar = '█'.repeat(Math.floor((transferred / SIZE) * 30)).padEnd(30, '░');
    process.stdout.write(
      `${process.stdout.isTTY ? '\r' : ''}${what} ${bar} ${(transferred / MIB).toFixed(0)} MiB, ${speed.toFixed(0)} MiB/s${isDone ? '\n' : ''}`,
    );
  };
}

async function upload(mfs: MooseFS, path: string): Promise<string> {
  const digest = createHash('md5');
  const stream = mfs.createWriteStream(path);
  const show = progress('upload  ');
  const piece = randomBytes(PIECE);
  for (let at = 0; at < SIZE; at += PIECE) {
    // The same random bytes, made different in every piece.
    piece.writeUInt32BE(at / PIECE, 0);
    const bytes = Buffer.from(piece.subarray(0, Math.min(PIECE, SIZE - at)));
    digest.update(bytes);
    if (!stream.write(bytes)) await new Promise((resolve) => stream.once('drain', resolve));
    show(Math.min(SIZE - 1, at + bytes.length));
  }
  await new Promise<void>((resolve, reject) => stream.once('error', reject).once('finish', resolve).end());
  show(SIZE);
  return digest.digest('hex');
}

async function download(mfs: MooseFS, path: string): Promise<string> {
  const digest = createHash('md5');
  const show = progress('download');
  let transferred = 0;
  for await (const bytes of mfs.createReadStream(path)) {
    digest.update(bytes as Buffer);
    show((transferred += (bytes as Buffer).length));
  }
  return digest.digest('hex');
}

say('starting a MooseFS cluster: one master, three chunkservers …');
await using cluster = await startCluster({ chunkservers: 3 });
await using mfs = await MooseFS.connect({
  master: cluster.master,
  chunkserverAddress: (address) => cluster.mapAddress(address),
});
say(`MooseFS ${mfs.serverVersion} (${cluster.provider}), master ${cluster.master}`);

await mfs.mkdir('/demo');
await mfs.storageClass.set('/demo', cluster.version.startsWith('3.') ? '3' : '3CP');
const written = await upload(mfs, '/demo/film.mp4');
const read = await download(mfs, '/demo/film.mp4');
const report = await mfs.verify('/demo/film.mp4', { method: 'md5' });

say('\nchunk  replica            digest (md5)                      agrees');
for (const { index, replicas } of report.chunks) {
  for (const { host, port, digest, ok } of replicas) {
    say(
      `${String(index).padStart(5)}  ${`${host}:${port}`.padEnd(17)}  ${(digest ?? 'unreadable').padEnd(32)}  ${ok ? colour(32, 'yes') : colour(31, 'NO')}`,
    );
  }
}
const equal = report.ok && written === read && report.digests.every((digest) => digest === written);
say(`\nwritten ${written}\nread    ${read}`);
report.digests.forEach((digest, i) => say(`file from replica ${i + 1} of every chunk: ${digest}`));
say(equal ? colour(32, 'all equal') : colour(31, 'DIFFERENCES'));
if (!equal) process.exitCode = 1;
