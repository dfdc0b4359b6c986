/** Waiting for what is written: who is answered when, and what becomes of a write that nobody waits for any more. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AcknowledgedChunks } from '../../src/client/acknowledged-chunks.ts';
import { ChunkWriter } from '../../src/client/chunk-writer.ts';
import type { WritableFile } from '../../src/client/chunk-lease.ts';
import { MooseFS } from '../../src/index.ts';
import { writeChunk } from '../../src/protocol/messages/chunk.ts';
import { FakeChunkserver } from '../support/fake-chunkserver.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { FakeMaster } from '../support/fake-master.ts';

describe('drain', () => {
  it('answers a caller who comes in the very turn in which the last session ends', async () => {
    await using chunkserver = await FakeChunkserver.start();
    await using master = await FakeMaster.start({ chunkservers: [chunkserver], goal: 1 });
    await using mfs = await MooseFS.connect({ master: master.address });
    await using handle = await mfs.open('/file', 'w');
    const file: WritableFile = {
      inode: handle.inode,
      site: {},
      acknowledged: () => undefined,
      takesOver: false,
      lengthCommitted: () => undefined,
      locationChanged: () => undefined,
      chunks: new AcknowledgedChunks(handle.volume.session),
      wantedReplicas: () => Promise.resolve(undefined),
    };
    const writer = new ChunkWriter(handle.volume, file, 0);
    writer.add(0, Buffer.from('some bytes'), false);
    const drained = writer.drain();
    const running = writer.run();
    await drained;
    // One microtask after the first answer: the writer is still on its way out.
    await writer.drain();
    await running;
    expect(writer.buffer.bytes).toBe(0);
  });
});

describe('a write that is given up', () => {
  it('is over soon though the master does not answer, and releases its lock when it does', async () => {
    await using cluster = await FakeCluster.start({ servers: 1 });
    await using mfs = await cluster.connect();
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    cluster.master.on(writeChunk, async (_value, { next }) => {
      await answered;
      return next();
    });
    const stream = mfs.createWriteStream('/f');
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(100_000));
    await cluster.timeline.until({ kind: 'received', name: 'WRITE_CHUNK' });
    const startedAt = performance.now();
    stream.destroy();
    await once(stream, 'close');
    // Not ioTimeoutMs, which is a minute.
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    answer();
    await cluster.timeline.until({ kind: 'received', name: 'WRITE_CHUNK_END' });
    expect(cluster.violations).toEqual([]);
  });
});
