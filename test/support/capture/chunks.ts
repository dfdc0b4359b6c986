/** Captures chunks: where they lie, a write through the whole chain, reads, queries, and the pushes that a watcher gets. */
import { ipText } from '../../../src/protocol/address.ts';
import { crc32 } from '../../../src/protocol/crc32.ts';
import { BLOCK_SIZE } from '../../../src/protocol/geometry.ts';
import { decodePacket, encodePacket } from '../../../src/protocol/message.ts';
import type { Packet } from '../../../src/protocol/message.ts';
import * as chunk from '../../../src/protocol/messages/chunk.ts';
import * as packets from '../../../src/protocol/messages/chunkserver.ts';
import * as inode from '../../../src/protocol/messages/inode.ts';
import * as names from '../../../src/protocol/messages/namespace.ts';
import * as push from '../../../src/protocol/messages/push.ts';
import { RawConnection } from '../raw-connection.ts';
import type { Recorder } from './recorder.ts';
import type { MasterSession } from './session.ts';

const root = { uid: 0, gids: [0] };
const raw = (text: string) => Buffer.from(text, 'latin1');
const parent = 1;
const SLEEP_MS = 300;

type Location = Awaited<ReturnType<typeof writeChunk>>;

/** Everything about the chunks of one file, and of a copy of it. */
export async function captureChunks(s: MasterSession, watcher: MasterSession): Promise<void> {
  const name = raw(`capture-chunks-${process.pid}`);
  const { inode: file } = await s.must(inode.create, { parent, name, mode: 0o644, umask: 0, ...root });
  await watcher.must(inode.open, { inode: file, ...root, flags: 1 });
  await s.must(chunk.readChunk, { inode: file, chunkIndex: 0, flags: 0 });
  await s.ask(chunk.readChunk, { inode: 0x7fff_fff0, chunkIndex: 0, flags: 0 });
  await s.ask(chunk.checkChunk, { ...checkMode, inode: file, chunkIndex: 0 });

  const where = await writeChunk(s, file);
  const bytes = raw('captured');
  const position = BLOCK_SIZE - 3;
  await write(s.recorder, where, position, bytes);
  const length = position + bytes.length;
  const end = { chunkId: where.chunkId, inode: file, chunkIndex: 0, length, flags: 0 };
  await s.must(chunk.writeChunkEnd, { ...end, offset: position, size: bytes.length });
  await s.ask(chunk.writeChunkEnd, { ...end, chunkId: 0x00ff_ffff_ffff_fff0n, offset: 0, size: 0 });
  await watcher.pushes(push.chunkHasChanged);

  await s.must(chunk.readChunk, { inode: file, chunkIndex: 0, flags: 0 });
  await s.must(names.lookup, { parent, name, ...root });
  await s.must(chunk.checkChunk, { ...checkMode, inode: file, chunkIndex: 0 });
  await read(s.recorder, where, position, bytes.length);
  await query(s.recorder, where);

  const copyName = raw(`capture-copy-${process.pid}`);
  const copy = await s.must(inode.create, { parent, name: copyName, mode: 0o644, umask: 0, ...root });
  const slice = { flags: 0, destination: copy.inode, source: file, from: 0, to: 0x8000_0000, ...root };
  await s.must(chunk.appendSlice, slice);
  await s.ask(chunk.appendSlice, { ...slice, source: copy.inode });
  await s.must(inode.truncate, { inode: file, flags: 0, ...root, length: 10 });
  await watcher.pushes(push.chunkHasChanged);
  await s.must(inode.truncate, { inode: file, flags: 0, ...root, length: 200_000_000 });
  await watcher.pushes(push.lengthHasChanged);
  for (const each of [name, copyName]) await s.must(names.unlink, { parent, name: each, ...root });
}

/** For servers that have the mode. */
const checkMode = { mode: chunk.CHECK_WITH_PARTS };

/** Asks until the master has servers for the chunk. */
async function writeChunk(s: MasterSession, file: number) {
  for (let tries = 0; tries < 50; tries++) {
    const reply = await s.ask(chunk.writeChunk, { inode: file, chunkIndex: 0, flags: 0 });
    if (reply?.value !== undefined && reply.value.servers.length > 0) return reply.value;
    await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));
  }
  throw new Error('WRITE_CHUNK: no servers');
}

/** A connection to a chunkserver, recorded. */
class ChunkserverConnection {
  readonly #raw: RawConnection;
  readonly #recorder: Recorder;

  private constructor(raw: RawConnection, recorder: Recorder) {
    this.#raw = raw;
    this.#recorder = recorder;
  }

  static async open(recorder: Recorder, { servers }: Location): Promise<ChunkserverConnection> {
    const { ip, port } = servers[0]!;
    return new ChunkserverConnection(await RawConnection.open(ipText(ip), port), recorder);
  }

  tell<V extends object>(message: Packet<V>, value: V): void {
    const bytes = encodePacket(message, value, 0);
    this.#recorder.add(message.name, 'body', 'chunkserver', bytes);
    this.#raw.send(bytes);
  }

  /** Takes a packet; `otherwise` is what a body of another size is. */
  async expect<V extends object>(message: Packet<V>): Promise<V> {
    const packet = await this.#raw.next(message.type);
    this.#recorder.addPacket(message.name, 'body', 'chunkserver', packet);
    return decodePacket(message, packet.body, 0);
  }

  async close(): Promise<void> {
    await this.#raw[Symbol.asyncDispose]();
  }
}

/** One write session on the whole chain: a statement for each packet of it. */
async function write(recorder: Recorder, where: Location, position: number, bytes: Buffer): Promise<void> {
  const { chunkId, chunkVersion } = where;
  const chain = where.servers.slice(1).map(({ ip, port }) => ({ ip, port }));
  const connection = await ChunkserverConnection.open(recorder, where);
  connection.tell(packets.write, { protocol: packets.DATA_PROTOCOL, chunkId, chunkVersion, chain });
  let writeId = 0;
  const acknowledged = async () => {
    const { status, writeId: id } = await connection.expect(packets.writeStatus);
    if (status !== 0 || id !== writeId) throw new Error(`write status ${status} for ${id}`);
  };
  await acknowledged();
  for (let at = 0; at < bytes.length;) {
    const offset = (position + at) % BLOCK_SIZE;
    const data = bytes.subarray(at, at + BLOCK_SIZE - offset);
    const block = Math.floor((position + at) / BLOCK_SIZE);
    writeId++;
    connection.tell(packets.writeData, { chunkId, writeId, block, offset, size: data.length, crc: crc32(data), data });
    await acknowledged();
    at += data.length;
  }
  connection.tell(packets.writeFinish, { chunkId, chunkVersion });
  await connection.close();
}

async function read(recorder: Recorder, where: Location, offset: number, size: number): Promise<void> {
  const { chunkId, chunkVersion } = where;
  const connection = await ChunkserverConnection.open(recorder, where);
  const ask = { protocol: packets.DATA_PROTOCOL, chunkId, chunkVersion, offset, size };
  connection.tell(packets.read, ask);
  for (let left = size; left > 0;) left -= (await connection.expect(packets.readData)).size;
  await connection.expect(packets.readStatus);
  connection.tell(packets.read, { ...ask, chunkVersion: chunkVersion + 1 });
  await connection.expect(packets.readStatus);
  await connection.close();
}

async function query(recorder: Recorder, { chunkId, chunkVersion, servers }: Location): Promise<void> {
  const connection = await ChunkserverConnection.open(recorder, { servers } as Location);
  const right = { chunkId, chunkVersion };
  const wrong = { chunkId, chunkVersion: chunkVersion + 7 };
  for (const value of [right, wrong]) {
    connection.tell(packets.getChunkBlocks, value);
    await connection.expect(packets.chunkBlocks);
  }
  connection.tell(packets.getChunkChecksum, right);
  await connection.expect(packets.chunkChecksum);
  connection.tell(packets.getChunkChecksumTable, right);
  await connection.expect(packets.chunkChecksumTable);
  connection.tell(packets.getChunkChecksumTable, wrong);
  await connection.expect(packets.chunkQueryStatus);
  await connection.close();
}
