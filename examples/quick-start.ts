/** npm run example -- examples/quick-start.ts: a file written, read, streamed, and proved replica by replica. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect, folderWithCopies } from './connect.ts';

await using connected = await connect();
const { mfs } = connected;
await folderWithCopies(mfs, '/quick-start', 2);

await mfs.writeFile('/quick-start/elk.txt', 'a photo of an elk\n');
console.log(await mfs.readFile('/quick-start/elk.txt', 'utf8'));

const film = Readable.from(Array.from({ length: 160 }, (_, i) => Buffer.alloc(65_536, i)));
await pipeline(film, mfs.createWriteStream('/quick-start/film.bin'));
for (const entry of await mfs.readdir('/quick-start', { withFileTypes: true })) {
  const { size } = await mfs.stat(`/quick-start/${entry.name}`);
  console.log(`${entry.name}: ${size} bytes`);
}

const { ok, chunks } = await mfs.verify('/quick-start/film.bin', { method: 'md5' });
for (const { index, replicas } of chunks)
  for (const { host, port, digest } of replicas) console.log(`chunk ${index} at ${host}:${port}: ${digest}`);
console.log(ok ? 'all replicas agree' : 'REPLICAS DIFFER');
if (!ok) process.exitCode = 1;
