/** What this machine could do at all: no client can be faster than what its bytes must pass through. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../test/support/cluster/cluster.ts';
import { crc32 } from '../src/protocol/crc32.ts';
import { median } from './statistics.ts';

/** In MB (1,000,000 bytes) a second. */
export interface Limits {
  /** From one process of node's to another over the loopback, the sender's bytes all the same buffer. */
  readonly loopbackTcp: number;
  /** CRC-32 of blocks of 64 KiB, one core. */
  readonly crc32: number;
  /** One file written and flushed by fsync where the chunks lie. */
  readonly diskWrite: number;
}

const BLOCK = 64 * 1024;
const MIB = 1024 * 1024;

/** Measures each three times and gives the medians. */
export async function measureLimits(cluster: Cluster, bytes = 256 * MIB): Promise<Limits> {
  const folder = cluster.chunkservers[0]?.folders[0] ?? tmpdir();
  return {
    loopbackTcp: await medianOf(() => loopback(2 * bytes)),
    crc32: await medianOf(async () => crc(4 * bytes)),
    diskWrite: await medianOf(() => diskWrite(folder, bytes)),
  };
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < 3; run++) rates.push(await measure());
  return Math.round(median(rates));
}

const megabytes = (bytes: number, start: number): number => bytes / 1e6 / ((performance.now() - start) / 1000);

/** The sender is a process of its own, as a server is; this one receives into one static buffer, the cheapest way there is. */
const sender = `
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
  const piece = Buffer.alloc(${MIB});
  let left = Number(process.argv[2]);
  const send = () => {
    while (left > 0) {
      left -= piece.length;
      if (!socket.write(piece)) return socket.once('drain', send);
    }
    socket.end();
  };
  socket.on('connect', send).resume();
`;

async function loopback(bytes: number): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const child = spawn(process.execPath, ['-e', sender, String(port), String(bytes)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [socket] = (await once(server, 'connection')) as [Socket];
  const start = performance.now();
  let received = 0;
  socket.on('data', (chunk) => (received += chunk.length));
  await Promise.all([once(socket, 'end'), once(child, 'exit')]);
  const rate = megabytes(received, start);
  socket.destroy();
  server.close();
  if (received !== bytes) throw new Error(`loopback: ${received} of ${bytes} bytes arrived`);
  return rate;
}

function crc(bytes: number): number {
  const block = Buffer.alloc(BLOCK, 0x5a);
  const start = performance.now();
  let sum = 0;
  for (let at = 0; at < bytes; at += BLOCK) sum ^= crc32(block);
  const rate = megabytes(bytes, start);
  // an even number of equal values: also keeps the loop from being optimised away
  if (sum !== 0) throw new Error('CRC: equal blocks gave different sums');
  return rate;
}

async function diskWrite(folder: string, bytes: number): Promise<number> {
  const path = join(folder, 'benchmark-of-the-disk');
  const piece = Buffer.alloc(MIB, 0x5a);
  const start = performance.now();
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < bytes; at += MIB) await file.write(piece);
    await file.sync();
    return megabytes(bytes, start);
  } finally {
    await file.close();
    await rm(path);
  }
}
