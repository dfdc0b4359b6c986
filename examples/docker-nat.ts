/**
 * A client that reaches no server at its own address, only published ports: as with Docker Desktop, or behind NAT. The master names
 * the chunkservers by their addresses in the containers' network; `chunkserverAddress` says where to dial instead.
 *
 *   docker compose -f docker/compose.yaml up --build --wait
 *   npx tsx examples/docker-nat.ts
 */
import { randomBytes } from 'node:crypto';
import { MooseFS } from '../src/index.ts';

/** Where the ports are published. */
const host = process.env['MFS_NAT_HOST'] ?? '127.0.0.1';
const masterPort = Number(process.env['MFS_PORT'] ?? 9421);

await using mfs = await MooseFS.connect({
  master: `${host}:${masterPort}`,
  write: { replicas: 'goal' }, // not fewer because the chunkservers have only just come
  chunkserverAddress: (named) => {
    // docker/compose.yaml publishes each data port under its own number. With other numbers a table takes the place of this line:
    // a chunkserver is known by the host and port that the master names.
    const dialled = { host, port: named.port };
    console.log(`the master names ${named.host}:${named.port}, dialled is ${dialled.host}:${dialled.port}`);
    return dialled;
  },
});

const path = '/by-published-ports';
const data = randomBytes(3_000_001);
await mfs.writeFile(path, data);
const isEqual = data.equals(await mfs.readFile(path));
const { ok, chunks } = await mfs.verify(path, { method: 'md5' });
await mfs.unlink(path);
const replicas = chunks.flatMap((chunk) => chunk.replicas);
console.log(`MooseFS ${mfs.serverVersion}: ${data.length} bytes, read back ${isEqual ? 'equal' : 'DIFFERENT'}`);
for (const { host: at, port, digest } of replicas) console.log(`replica on ${at}:${port}: ${digest ?? 'unreadable'}`);
if (!isEqual || !ok) process.exitCode = 1;
