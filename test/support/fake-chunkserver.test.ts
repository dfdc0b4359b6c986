/** The fake chunkserver by itself: that it stores, forwards and answers as a real one, and does what a test tells it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../src/protocol/address.ts';
import { ChunkRead } from '../../src/protocol/conversations/chunk-read.ts';
import { ChunkWrite } from '../../src/protocol/conversations/chunk-write.ts';
import { BLOCK_SIZE } from '../../src/protocol/geometry.ts';
import { decodePacket, encodePacket } from '../../src/protocol/message.ts';
import * as packets from '../../src/protocol/messages/chunkserver.ts';
import { FakeChunkserver } from './fake-chunkserver.ts';
import { Timeline } from './fake-timeline.ts';
import { RawConnection } from './raw-connection.ts';

const CHUNK = 0x10n;
const pattern = (size: number, seed: number) => Buffer.from(Array.from({ length: size }, (_, i) => (i * seed) & 0xff));

describe('FakeChunkserver', () => {
  let timeline: Timeline;
  let servers: FakeChunkserver[];

  beforeEach(async () => {
    timeline = new Timeline();
    servers = await Promise.all(['a', 'b', 'c'].map((name) => FakeChunkserver.start({ name, timeline })));
    for (const server of servers) server.replicas.create(CHUNK, 1);
  });
  afterEach(() => Promise.all(servers.map((server) => server.close())));

  /** A write session over a bare socket, one packet a block. */
  async function startWrite(chain: readonly Address[] = [], windowBlocks = 64) {
    const raw = await RawConnection.open(servers[0]!.host, servers[0]!.port);
    const machine = new ChunkWrite({ chunkId: CHUNK, chunkVersion: 1, chain, windowBlocks });
    raw.send(machine.open());
    const status = async () => {
      const { type, body } = await raw.next();
      const header = Buffer.alloc(8);
      header.writeUInt32BE(type);
      header.writeUInt32BE(body.length, 4);
      machine.receive(Buffer.concat([header, body]));
    };
    const sendBlock = (block: number, data: Buffer) =>
      raw.send(...machine.sendBlock({ block, offset: 0, size: data.length, data: [data] }));
    return { raw, machine, status, sendBlock };
  }

  async function read(server: FakeChunkserver, offset: number, into: Buffer): Promise<ChunkRead> {
    await using raw = await RawConnection.open(server.host, server.port);
    const machine = new ChunkRead({ chunkId: CHUNK, chunkVersion: 1, offset, into });
    raw.send(machine.request());
    await new Promise<void>((resolve, reject) => {
      raw.socket.on('data', (bytes) => {
        try {
          if (machine.receive(bytes) === 'done') resolve();
        } catch (error) {
          reject(error);
        }
      });
      raw.socket.on('close', () => reject(new Error('closed')));
    });
    return machine;
  }

  it('forwards a write along the chain and acknowledges what all have', async () => {
    const data = [pattern(BLOCK_SIZE, 3), pattern(1000, 7)];
    const { raw, machine, status, sendBlock } = await startWrite(servers.slice(1).map((each) => each.location));
    data.forEach((each, i) => sendBlock(i, each));
    for (let i = 0; i < 3; i++) await status();
    raw.send(machine.finish());
    await timeline.until({ server: 'c', kind: 'received', name: 'WRITE_FINISH' });
    for (const server of servers) {
      expect(server.replicas.read(CHUNK, 0, BLOCK_SIZE + 1000).equals(Buffer.concat(data))).toBe(true);
      expect(server.violations).toEqual([]);
    }
    expect(servers[0]!.replicas.checksums(CHUNK)).toEqual(servers[2]!.replicas.checksums(CHUNK));
    // The connection is free for what comes next.
    raw.send(encodePacket(packets.getChunkBlocks, { chunkId: CHUNK, chunkVersion: 1 }, 0));
    const { body } = await raw.next(packets.chunkBlocks.type);
    expect(decodePacket(packets.chunkBlocks, body, 0)).toMatchObject({ blocks: 2, status: 0 });
    await raw[Symbol.asyncDispose]();
  });

  it('holds the second status back, so that a test sees whether WRITE_FINISH waits for it', async () => {
    servers[0]!.outgoing = (packet) => (packet.name === 'WRITE_STATUS' && packet.value.writeId === 2 ? 'hold' : 'send');
    const { raw, machine, status, sendBlock } = await startWrite();
    sendBlock(0, pattern(10, 1));
    sendBlock(1, pattern(10, 2));
    await status();
    await status();
    await timeline.until({ kind: 'held', name: 'WRITE_STATUS' });
    expect(machine.canFinish).toBe(false);
    expect(timeline.count({ name: 'WRITE_FINISH' })).toBe(0);
    servers[0]!.release();
    await status();
    raw.send(machine.finish());
    await timeline.until({ kind: 'received', name: 'WRITE_FINISH' });
    expect(
      timeline.before({ kind: 'sent', name: 'WRITE_STATUS', value: { writeId: 2 } }, { name: 'WRITE_FINISH' }),
    ).toBe(true);
    expect(servers[0]!.violations).toEqual([]);
    await raw[Symbol.asyncDispose]();
  });

  it('loses what is unacknowledged at an early WRITE_FINISH, and says so: the bug that this package exists to end', async () => {
    servers[1]!.outgoing = (packet) => (packet.name === 'WRITE_STATUS' && packet.value.writeId === 2 ? 'hold' : 'send');
    const { raw, status, sendBlock } = await startWrite([servers[1]!.location]);
    sendBlock(0, pattern(10, 1));
    sendBlock(1, pattern(10, 2));
    await status();
    await status();
    await timeline.until({ kind: 'held', server: 'b' });
    raw.send(encodePacket(packets.writeFinish, { chunkId: CHUNK, chunkVersion: 1 }, 0));
    await timeline.until({ server: 'b', kind: 'closed' });
    expect(servers[0]!.violations).toEqual(['WRITE_FINISH with ids 2 unacknowledged']);
    expect(servers[0]!.replicas.blockCount(CHUNK)).toBe(1);
    expect(servers[1]!.replicas.blockCount(CHUNK)).toBe(2);
    await raw[Symbol.asyncDispose]();
  });

  it('releases in reverse, answers with a status, resets, refuses', async () => {
    const [a] = servers as [FakeChunkserver];
    a.outgoing = (packet) => (packet.name === 'WRITE_STATUS' && packet.value.writeId > 0 ? 'hold' : 'send');
    const { raw, machine, status, sendBlock } = await startWrite();
    sendBlock(0, pattern(10, 1));
    sendBlock(1, pattern(10, 2));
    await timeline.until({ kind: 'held' }, { count: 2 });
    a.release({ reversed: true });
    await status();
    await status();
    expect(machine.unacknowledged).toMatchObject([{ block: 0 }]);
    await status();
    a.outgoing = undefined;
    a.incoming = (packet) => (packet.name === 'WRITE_DATA' ? 22 : 'accept');
    sendBlock(2, pattern(10, 3));
    await expect(status()).rejects.toMatchObject({ status: 22 });
    a.incoming = () => 'reset';
    raw.send(encodePacket(packets.writeFinish, { chunkId: CHUNK, chunkVersion: 1 }, 0));
    await raw.end();
    await a.refuse();
    await expect(RawConnection.open(a.host, a.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await a.listen();
    await (await RawConnection.open(a.host, a.port))[Symbol.asyncDispose]();
  });

  it('reads; corrupts, cuts and chops what it sends', async () => {
    const [a] = servers as [FakeChunkserver];
    const data = pattern(3 * BLOCK_SIZE + 5, 11);
    a.replicas.create(CHUNK, 1, data);
    const into = Buffer.alloc(2 * BLOCK_SIZE);
    expect((await read(a, 1000, into)).verified).toBe(into.length);
    expect(into.equals(data.subarray(1000, 1000 + into.length))).toBe(true);

    a.outgoing = (packet, { bytes, index }) => {
      if (packet.name !== 'READ_DATA' || index !== 4) return 'send';
      bytes[bytes.length - 1]! ^= 1;
      return bytes;
    };
    await expect(read(a, 0, Buffer.alloc(2 * BLOCK_SIZE))).rejects.toMatchObject({ status: 29 });

    a.outgoing = (packet) => (packet.name === 'READ_DATA' && packet.value.block === 1 ? 'reset' : 'send');
    await expect(read(a, 0, Buffer.alloc(2 * BLOCK_SIZE))).rejects.toThrow('closed');

    a.outgoing = undefined;
    a.chopBytes = 1;
    const small = Buffer.alloc(300);
    await read(a, BLOCK_SIZE - 100, small);
    expect(small.equals(data.subarray(BLOCK_SIZE - 100, BLOCK_SIZE + 200))).toBe(true);
    expect(a.violations).toEqual([]);
  });
});
