/** A master that lists fewer servers than the storage class asks for: told, never silent; and refused where the caller says so. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { MooseFS } from '../../src/index.ts';
import type { ChunkReplication, ConnectOptions, UnderReplicated } from '../../src/index.ts';
import type { Volume } from '../../src/client/volume.ts';
import { bytes8, record, u16, u32, u8 } from '../../src/protocol/layout.ts';
import { call } from '../../src/protocol/message.ts';
import { version as numbered } from '../../src/protocol/version.ts';
import type { VersionText } from '../../src/protocol/version.ts';
import { Deadline } from '../../src/transport/deadline.ts';
import type { Cluster } from '../support/live.ts';
import { makeFolder, sharedCluster, startCluster } from '../support/live.ts';
import { difference, pattern } from '../support/pattern.ts';

const { version } = sharedCluster();
const MIB = 1024 * 1024;

describe.skipIf(sharedCluster().provider === 'external')('two chunkservers for three copies', () => {
  let cluster: Cluster;
  let folder: string;
  let servers: string[];
  const connect = (options: ConnectOptions = {}) =>
    MooseFS.connect({
      master: cluster.master,
      chunkserverAddress: (address) => cluster.mapAddress(address),
      ...options,
    });

  beforeAll(async () => {
    cluster = await startCluster({ chunkservers: 2 });
    await using mfs = await connect();
    folder = await makeFolder(mfs, 'three', 3);
    await mfs.writeFile('/probe', 'x');
    servers = (await mfs.chunks('/probe'))
      .flatMap(({ replicas }) => replicas.map(({ host, port }) => `${host}:${port}`))
      .sort();
  });
  afterAll(() => cluster.stop());

  test('is told by an event and by handle.replication', async () => {
    await using mfs = await connect();
    const told: UnderReplicated[] = [];
    mfs.on('underReplicated', (event) => told.push(event));
    const data = pattern(MIB, 1);
    const path = `${folder}/handle`;
    const handle = await mfs.open(path, 'w');
    await handle.write(data);
    await handle.sync();
    const [chunk, ...others] = handle.replication;
    expect(others).toEqual([]);
    expect(chunk).toMatchObject({ chunk: 0, wanted: 3 });
    expect([...chunk!.servers].sort()).toEqual(servers);
    await handle.close();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ path, chunk: 0, chunkId: chunk!.chunkId, listed: 2, wanted: 3 });
    expect([...told[0]!.servers].sort()).toEqual(servers);
  });

  test('is told chunk by chunk, by streams and by one-call forms', { timeout: 240_000 }, async () => {
    await using mfs = await connect();
    const told: UnderReplicated[] = [];
    mfs.on('underReplicated', (event) => told.push(event));
    const data = pattern(65 * MIB, 2);
    let replication: readonly ChunkReplication[] = [];
    await mfs.writeFile(`${folder}/one-call`, data, { onReplication: (found) => (replication = found) });
    expect(replication.map(({ chunk, servers: { length }, wanted }) => [chunk, length, wanted])).toEqual([
      [0, 2, 3],
      [1, 2, 3],
    ]);
    expect(told.map(({ path, chunk, listed, wanted }) => [path, chunk, listed, wanted]).sort()).toEqual([
      [`${folder}/one-call`, 0, 2, 3],
      [`${folder}/one-call`, 1, 2, 3],
    ]);
    expect(difference(await mfs.readFile(`${folder}/one-call`), data)).toBeUndefined();

    const stream = mfs.createWriteStream(`${folder}/stream`);
    stream.end(data.subarray(0, 1000));
    await new Promise((resolve, reject) => stream.on('finish', resolve).on('error', reject));
    expect(stream.replication).toMatchObject([{ chunk: 0, wanted: 3 }]);
    expect(stream.replication[0]!.servers).toHaveLength(2);
    expect(told).toHaveLength(3);
  });

  test.each([['goal'], [3]] as const)('write.replicas %j rejects inside the deadline', async (replicas) => {
    await using mfs = await connect({ write: { replicas }, ioTimeoutMs: 3000 });
    const started = performance.now();
    const path = `${folder}/wants-${replicas}`;
    const error: unknown = await mfs.writeFile(path, pattern(MIB, 3)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ENOSPC', syscall: 'write', path });
    expect((error as Error).message).toContain('the master lists 2 of 3 required replicas for chunk 0');
    expect(performance.now() - started).toBeLessThan(60_000);
    expect((await mfs.stat(path)).size).toBe(0);
    expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0 });
    // The chunk's lock is not left behind: another client can write at once.
    await using other = await connect();
    await other.writeFile(path, 'now');
    expect(await other.readFile(path, 'utf8')).toBe('now');
  });

  test('write.replicas 2 is content with two; and "goal" where the class asks for two', async () => {
    const data = pattern(MIB, 4);
    await using two = await connect({ write: { replicas: 2 } });
    await two.writeFile(`${folder}/two`, data);
    expect((await two.verify(`${folder}/two`, { method: 'md5' })).chunks[0]!.replicas).toHaveLength(2);
    await using goal = await connect({ write: { replicas: 'goal' } });
    const told: UnderReplicated[] = [];
    goal.on('underReplicated', (event) => told.push(event));
    const enough = await makeFolder(goal, 'two', 2);
    await goal.writeFile(`${enough}/file`, data);
    expect((await goal.verify(`${enough}/file`)).ok).toBe(true);
    expect(told).toEqual([]);
  });

  test('of many small files only the first ones are asked for their class', async () => {
    await using mfs = await connect();
    const two = await makeFolder(mfs, 'siblings', 2);
    const asked: string[] = [];
    const note = (message: unknown): void => void asked.push((message as { request: string }).request);
    subscribe('tracing:moosefs.master:start', note);
    for (let i = 0; i < 50; i++) await mfs.writeFile(`${two}/${i}`, 'x');
    unsubscribe('tracing:moosefs.master:start', note);
    expect(asked.filter((each) => each === 'CREATE')).toHaveLength(50);
    expect(asked.filter((each) => each === 'GETSCLASS').length).toBeLessThan(10);
  });

  /** PATTERN_ADD, as the official admin tool sends it: new files get a class by their names. Nothing takes it back here. */
  const addPattern = call({
    name: 'PATTERN_ADD',
    type: 370,
    request: record(
      u8('format'),
      bytes8('glob'),
      u32('uid'),
      u32('gid'),
      u8('priority'),
      u8('settings'),
      bytes8('storageClass'),
      u16('trashHours'),
      u8('setEattr'),
      u8('clearEattr'),
    ),
    reply: record(),
    whenReplyLost: 'doubt',
  });

  test.skipIf(numbered(version as VersionText) < numbered('4.57.0'))(
    '[4.57+] a class that is given by a name pattern is seen file by file',
    async () => {
      await using mfs = await connect();
      const two = await makeFolder(mfs, 'patterns', 2);
      await mfs.writeFile(`${two}/before`, 'x');
      const site = { syscall: 'addPattern' };
      const storageClass = Buffer.from('3CP');
      await (mfs as unknown as { volume: Volume }).volume.session.call(
        addPattern,
        {
          format: 0,
          glob: Buffer.from('*.three'),
          uid: 0xffffffff,
          gid: 0xffffffff,
          priority: 0,
          settings: 1,
          storageClass,
          trashHours: 0,
          setEattr: 0,
          clearEattr: 0,
        },
        { deadline: Deadline.in(5000), site },
      );
      await using other = await connect();
      const told: UnderReplicated[] = [];
      other.on('underReplicated', (event) => told.push(event));
      for (const name of ['a', 'b.three', 'c', 'd.three']) await other.writeFile(`${two}/${name}`, name);
      await expect.poll(() => told.map(({ path }) => path)).toEqual([`${two}/b.three`, `${two}/d.three`]);
      expect(told.map(({ listed, wanted }) => [listed, wanted])).toEqual([
        [2, 3],
        [2, 3],
      ]);
    },
  );

  test('"goal" is had when the third server comes inside the deadline', async () => {
    await using mfs = await connect({ write: { replicas: 'goal' }, ioTimeoutMs: 90_000 });
    const data = pattern(MIB, 5);
    const writing = mfs.writeFile(`${folder}/late`, data);
    await cluster.addChunkserver();
    await writing;
    const { ok, chunks } = await mfs.verify(`${folder}/late`, { method: 'md5' });
    expect(ok).toBe(true);
    expect(chunks[0]!.replicas).toHaveLength(3);
  });
});
