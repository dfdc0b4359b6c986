/**
 * npm run example -- examples/watch-replication.ts
 *
 * Writes a file with two copies, asks for three, and watches MooseFS make the third: the master looks at every chunk once in a
 * while, so this may take a minute or two.
 */
import { connect, folderWithCopies } from './connect.ts';

const WRITTEN = 2;
const WANTED = 3;
const PATIENCE_MS = 300_000;

await using connected = await connect();
const { mfs } = connected;
await folderWithCopies(mfs, '/watch-replication', WRITTEN);
const path = '/watch-replication/film.bin';
await mfs.writeFile(path, Buffer.alloc(70 * 1024 * 1024, 'moose'), {
  onReplication: (chunks) =>
    console.log(`acknowledged by ${chunks.map(({ servers }) => servers.length).join(' and ')} replicas`),
});
await mfs.storageClass.set(path, mfs.serverVersion.startsWith('3.') ? String(WANTED) : `${WANTED}CP`);

const begun = performance.now();
let last = '';
await mfs.waitForReplication(path, {
  timeoutMs: PATIENCE_MS,
  onProgress: ({ ready, chunks, fewest, wanted }) => {
    const line = `${ready} of ${chunks} chunks have ${wanted} copies, one has ${fewest}`;
    if (line !== last) console.log(`after ${Math.round((performance.now() - begun) / 1000)} s: ${line}`);
    last = line;
  },
});
const { ok } = await mfs.verify(path, { method: 'md5' });
console.log(ok ? 'all copies are equal' : 'THE COPIES DIFFER');
if (!ok) process.exitCode = 1;
