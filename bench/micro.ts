/**
 * npm run bench:micro -- [--save]
 *
 * What the parts of the protocol cost without a network: codec, framer, CRC, the write and the read machine. With --save the
 * figures go to docs/benchmarks/micro.json; in any case they are compared with those there.
 */
import { cpus } from 'node:os';
import { readEntries } from '../src/client/listing.ts';
import { ATTRIBUTES_SIZE } from '../src/protocol/attributes.ts';
import { ChunkRead } from '../src/protocol/conversations/chunk-read.ts';
import { ChunkWrite } from '../src/protocol/conversations/chunk-write.ts';
import { crc32 } from '../src/protocol/crc32.ts';
import { encodeReadDataHead } from '../src/protocol/data-packets.ts';
import { frame, FrameParser } from '../src/protocol/frame.ts';
import { BLOCK_SIZE } from '../src/protocol/geometry.ts';
import { decodePacket, encodePacket, encodeRequest } from '../src/protocol/message.ts';
import * as chunkserver from '../src/protocol/messages/chunkserver.ts';
import { lookup } from '../src/protocol/messages/namespace.ts';
import { version } from '../src/protocol/version.ts';
import { readSaved, writeSaved } from './saved.ts';
import { median } from './statistics.ts';
import { alignColumns } from './table.ts';

/** One measured part: what one call does, and how much that is. */
interface Part {
  readonly name: string;
  readonly unit: 'MB/s' | 'k/s';
  /** Bytes, or things, that one call works on. */
  readonly amount: number;
  readonly work: () => void;
}

/** What is kept. */
interface MicroReport {
  readonly node: string;
  readonly cpu: string;
  readonly parts: readonly { readonly name: string; readonly unit: string; readonly median: number }[];
}

const VERSION = version('4.59.2');
const ROUNDS = 7;
const ROUND_MS = 250;
const NOTHING = { frame: () => undefined };

function codec(): Part[] {
  const request = { parent: 4711, name: Buffer.from('a-name-of-a-file.txt'), uid: 1000, gids: [1000, 27] };
  const status = encodePacket(chunkserver.writeStatus, { chunkId: 0x1234n, writeId: 7, status: 0 }, VERSION).subarray(
    8,
  );
  const name = Buffer.from('file-0000.bin');
  // attributes of zeros: what they say costs nothing to read
  const entry = Buffer.concat([Buffer.of(name.length), name, Buffer.alloc(4 + ATTRIBUTES_SIZE)]);
  const listing = Buffer.concat(Array.from({ length: 2048 }, () => entry));
  return [
    times('encode LOOKUP request', 1000, () => encodeRequest(lookup, 99, request, VERSION)),
    times('decode WRITE_STATUS', 1000, () => decodePacket(chunkserver.writeStatus, status, VERSION)),
    { name: 'decode listing with attributes', unit: 'k/s', amount: 2048, work: () => readEntries(listing, true) },
  ];
}

function framer(): Part[] {
  const small = Buffer.concat(Array.from({ length: 2000 }, () => frame(407, Buffer.alloc(45))));
  const push = (piece: number) => () => {
    const parser = new FrameParser({ bodyLimit: 1024 }, NOTHING);
    for (let at = 0; at < small.length; at += piece) parser.push(small.subarray(at, at + piece));
  };
  return [
    { name: 'frame packets of 45 bytes, 64 KiB at a time', unit: 'k/s', amount: 2000, work: push(BLOCK_SIZE) },
    { name: 'frame packets of 45 bytes, 100 bytes at a time', unit: 'k/s', amount: 2000, work: push(100) },
  ];
}

function checksums(): Part[] {
  return [BLOCK_SIZE, 4096, 64].map((size) => {
    const bytes = Buffer.alloc(size, 0x5a);
    const count = Math.ceil(BLOCK_SIZE / size) * 8;
    const work = () => {
      for (let i = 0; i < count; i++) crc32(bytes);
    };
    return { name: `CRC-32 of ${size} bytes`, unit: 'MB/s', amount: size * count, work };
  });
}

/** A whole chunk of `blocks` blocks: sent, acknowledged one by one, finished. */
function writeMachine(size: number): Part {
  const blocks = 256;
  const data = [Buffer.alloc(size, 0x5a)];
  const chunkId = 0x1234n;
  const status = (writeId: number) => encodePacket(chunkserver.writeStatus, { chunkId, writeId, status: 0 }, 0);
  const statuses = Array.from({ length: blocks + 1 }, (_, writeId) => status(writeId));
  const work = () => {
    const machine = new ChunkWrite({ chunkId, chunkVersion: 1, chain: [], windowBlocks: 64 });
    machine.open();
    machine.receive(statuses[0]!);
    for (let block = 0; block < blocks; block++) {
      machine.sendBlock({ block, offset: 0, size, data });
      machine.receive(statuses[block + 1]!);
    }
    machine.finish();
  };
  return { name: `write machine, blocks of ${size} bytes`, unit: 'MB/s', amount: blocks * size, work };
}

/** A read of 4 MiB, its bytes arriving 64 KiB at a time. */
function readMachine(): Part {
  const length = 4 * 1024 * 1024;
  const data = Buffer.alloc(BLOCK_SIZE, 0x5a);
  const chunkId = 0x1234n;
  const head = (block: number) => encodeReadDataHead({ chunkId, block, offset: 0, size: BLOCK_SIZE, crc: crc32(data) });
  const wire = Buffer.concat([
    ...Array.from({ length: length / BLOCK_SIZE }, (_, block) => [head(block), data]).flat(),
    encodePacket(chunkserver.readStatus, { chunkId, status: 0 }, 0),
  ]);
  const into = Buffer.alloc(length);
  const work = () => {
    const machine = new ChunkRead({ chunkId, chunkVersion: 1, offset: 0, into });
    machine.request();
    for (let at = 0; at < wire.length; at += BLOCK_SIZE) machine.receive(wire.subarray(at, at + BLOCK_SIZE));
    if (machine.state !== 'done') throw new Error(`the read machine ended in state ${machine.state}`);
  };
  return { name: 'read machine, 4 MiB', unit: 'MB/s', amount: length, work };
}

function times(name: string, count: number, once: () => unknown): Part {
  const work = () => {
    for (let i = 0; i < count; i++) once();
  };
  return { name, unit: 'k/s', amount: count, work };
}

/** Calls a second, of one round. */
function callsPerSecond(work: () => void): number {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < ROUND_MS) {
    work();
    calls++;
  }
  return (calls * 1000) / (performance.now() - start);
}

function measure({ name, unit, amount, work }: Part): { name: string; unit: string; median: number } {
  const rates: number[] = [];
  // the first round is for the compiler
  for (let round = 0; round <= ROUNDS; round++) rates.push(callsPerSecond(work));
  const perSecond = median(rates.slice(1)) * amount;
  return { name, unit, median: Math.round(unit === 'MB/s' ? perSecond / 1e6 : perSecond / 1000) };
}

const parts = [...codec(), ...framer(), ...checksums(), writeMachine(BLOCK_SIZE), writeMachine(4096), readMachine()];
const report: MicroReport = {
  node: process.versions.node,
  cpu: cpus()[0]?.model.trim() ?? process.arch,
  parts: parts.map(measure),
};
const last = await readSaved<MicroReport>('micro.json');
const before = new Map(last?.parts.map((part) => [part.name, part.median]));
const rows = report.parts.map((part) => {
  const old = before.get(part.name);
  const change = old === undefined ? '' : `${Math.round((part.median / old - 1) * 100)}%`;
  return [part.name, String(part.median), part.unit, change];
});
process.stdout.write(alignColumns([['part', 'median', '', last === undefined ? '' : 'change'], ...rows]));
if (process.argv.includes('--save')) await writeSaved('micro.json', report);
