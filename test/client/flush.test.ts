import { describe, expect, it } from 'vitest';
import { ChunkWriter } from '../../src/client/chunk-writer.ts';
import type { WritableFile } from '../../src/client/chunk-writer.ts';
import { MooseFS } from '../../src/index.ts';
import { FakeChunkserver } from '../support/fake-chunkserver.ts';
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
      replicated: () => undefined,
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
