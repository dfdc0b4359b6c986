/** Peers that send what no server sends: everything ends soon, with an error that names the peer, or goes on elsewhere. */
import { randomBytes } from 'node:crypto';
import createDebug from 'debug';
import { describe, expect, it } from 'vitest';
import { readChunk } from '../../src/protocol/messages/chunk.ts';
import { getattr } from '../../src/protocol/messages/inode.ts';
import type { MooseFSError } from '../../src/index.ts';
import { MooseFS } from '../../src/index.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { FakeMaster } from '../support/fake-master.ts';
import { withoutLeaks } from '../support/leaks.ts';

const data = randomBytes(300_000);
/** Everything here gives up sooner than by default. */
const brief = { connectTimeoutMs: 1500, requestTimeoutMs: 1500, ioTimeoutMs: 2500, read: { stallMs: 200 } };

/** The header of a packet that never comes. */
function header(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(type);
  bytes.writeUInt32BE(length, 4);
  return bytes;
}

const failureOf = (work: Promise<unknown>): Promise<MooseFSError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as MooseFSError,
  );

describe('a master', () => {
  it.each([
    ['garbage', () => randomBytes(4096)],
    ['an oversized length', () => header(401, 0xffff_fff0)],
    ['HTTP', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['half a packet', () => header(401, 8)],
    ['a flood of packets nobody asked for', () => Buffer.alloc(8 * 1024 * 1024, header(9999, 0))],
  ])('that sends %s at the registration is refused by name', async (_, bytes) => {
    await using master = await FakeMaster.start();
    master.onConnect = (connection) => {
      connection.send(bytes());
      return 'mute';
    };
    const startedAt = performance.now();
    const error = await withoutLeaks(() => failureOf(MooseFS.connect({ master: master.address, ...brief })));
    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect(error.message).toContain(master.address);
  });

  it.each([
    ['garbage', () => randomBytes(64)],
    ['an oversized length', () => header(getattr.type + 1, 0x7fff_ffff)],
    ['a reply that is cut short', () => Buffer.concat([header(getattr.type + 1, 6), Buffer.alloc(6)])],
    ['nothing after half a packet', () => header(getattr.type + 1, 40)],
  ])('that answers with %s costs one connection, and not the session', async (_, bytes) => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await withoutLeaks(async () => {
      const mfs = await cluster.connect(brief);
      await mfs.writeFile('/file', data);
      let hostile = true;
      cluster.master.on(getattr, (_value, { next }) => (hostile ? bytes() : next()));
      cluster.master.on(readChunk, (_value, { next }) => (hostile ? bytes() : next()));
      const startedAt = performance.now();
      const outcome = await mfs.readFile('/file').catch((error: unknown) => error as MooseFSError);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      if (outcome instanceof Error) expect(outcome.message).toMatch(/^E[A-Z]+: /);
      hostile = false;
      for (const connection of cluster.master.connections) connection.reset();
      expect((await mfs.readFile('/file')).equals(data)).toBe(true);
      await mfs.close();
    });
  });

  it('and chunkservers that send one byte at a time are slow, and nothing else', { timeout: 60_000 }, async () => {
    await using cluster = await FakeCluster.start({ master: { chopBytes: 1 }, chunkserver: { chopBytes: 1 } });
    const mfs = await cluster.connect();
    const small = data.subarray(0, 3000);
    await mfs.writeFile('/file', small);
    expect((await mfs.readFile('/file')).equals(small)).toBe(true);
    await mfs.close();
    expect(cluster.violations).toEqual([]);
  });
});

describe('a chunkserver', () => {
  it.each([
    ['garbage', () => randomBytes(64)],
    ['an oversized length', () => header(201, 0xffff_fff0)],
    ['a packet that nobody asked for', () => header(4711, 0)],
    ['half a packet', () => header(201, 20)],
  ])('that answers reads with %s is left for another one', async (_, bytes) => {
    await using cluster = await FakeCluster.start();
    await withoutLeaks(async () => {
      const mfs = await cluster.connect(brief);
      await mfs.writeFile('/file', data);
      cluster.cs(1).outgoing = (packet) => (packet.name === 'READ_DATA' ? bytes() : 'send');
      expect((await mfs.readFile('/file')).equals(data)).toBe(true);
      cluster.cs(2).outgoing = (packet) => (packet.name === 'READ_DATA' ? bytes() : 'send');
      const error = await failureOf(mfs.readFile('/file'));
      expect(error.code).toBe('EIO');
      expect(error.message).toMatch(new RegExp(`${cluster.cs(1).address}|${cluster.cs(2).address}`));
      await mfs.close();
    });
  });

  it.each([
    ['garbage', () => randomBytes(64)],
    ['an oversized length', () => header(211, 0xffff_fff0)],
    ['half a status', () => header(211, 13)],
  ])('that answers writes with %s ends in an error that names it', async (_, bytes) => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await withoutLeaks(async () => {
      const mfs = await cluster.connect(brief);
      cluster.cs(1).outgoing = (packet) => (packet.name === 'WRITE_STATUS' ? bytes() : 'send');
      const error = await failureOf(mfs.writeFile('/file', data));
      expect(error.message).toContain(cluster.cs(1).address);
      expect(error.path).toBe('/file');
      await mfs.close().catch(() => undefined);
    });
  });

  it('whose statuses come twice, or late and in another order, loses nothing', async () => {
    await using cluster = await FakeCluster.start();
    const mfs = await cluster.connect(brief);
    cluster.cs(1).outgoing = (packet) =>
      packet.name === 'WRITE_STATUS' && packet.value.writeId % 2 === 1 ? { delayMs: 50 } : 'send';
    await mfs.writeFile('/late', data);
    cluster.cs(1).outgoing = (packet, { bytes }) =>
      packet.name === 'WRITE_STATUS' && packet.value.writeId === 1 ? Buffer.concat([bytes, bytes]) : 'send';
    // A status that nobody waits for is against the protocol: the chain is given up, and the bytes are written again.
    const outcome = await mfs.writeFile('/twice', data).catch((error: unknown) => error as MooseFSError);
    cluster.cs(1).outgoing = undefined;
    expect((await mfs.readFile('/late')).equals(data)).toBe(true);
    if (outcome instanceof Error) expect(outcome.message).toContain(cluster.cs(1).address);
    else expect((await mfs.readFile('/twice')).equals(data)).toBe(true);
    await mfs.close().catch(() => undefined);
  });

  it('that accepts and never answers: write, sync, close and the end of a stream reject inside their limits, naming it', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await withoutLeaks(async () => {
      const mfs = await cluster.connect({ ...brief, write: { flushTimeoutMs: 3000 } });
      const handle = await mfs.open('/file', 'w');
      cluster.cs(1).onConnect = () => 'mute';
      const startedAt = performance.now();
      await handle.write(data);
      const synced = await failureOf(handle.sync());
      expect(synced.message).toContain(cluster.cs(1).address);
      await handle.close().catch(() => undefined);
      await failureOf(mfs.writeFile('/other', data));
      await mfs.close().catch(() => undefined);
      expect(performance.now() - startedAt).toBeLessThan(15_000);
    });
  });
});

describe('a password', () => {
  it('appears in no error and in nothing that DEBUG prints', async () => {
    const password = 'correct horse battery';
    const printed: string[] = [];
    const { log } = createDebug;
    createDebug.log = (...args: unknown[]) => printed.push(args.map(String).join(' '));
    const before = createDebug.disable();
    createDebug.enable('moosefs:*');
    try {
      await using master = await FakeMaster.start({ password });
      await using mfs = await MooseFS.connect({ master: master.address, password });
      const wrong = await failureOf(MooseFS.connect({ master: master.address, password: `${password}!`, ...brief }));
      const { createHash } = await import('node:crypto');
      const digest = createHash('md5').update(password).digest('hex');
      const shown = [printed.join('\n'), wrong.stack, JSON.stringify(wrong), String(wrong.cause), JSON.stringify(mfs.session)].join('\n'); // prettier-ignore
      expect(printed.length).toBeGreaterThan(0);
      expect(shown).not.toContain(password);
      expect(shown).not.toContain(digest);
    } finally {
      createDebug.log = log;
      createDebug.enable(before);
    }
  });
});
