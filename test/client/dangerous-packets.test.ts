/** Packets that crash masters, or have answers that cannot be trusted: nothing that a user can call sends them. Every frame is looked at. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { FrameParser, frame } from '../../src/protocol/frame.ts';
import * as admin from '../../src/protocol/messages/admin.ts';
import * as inodes from '../../src/protocol/messages/inode.ts';
import * as placement from '../../src/protocol/messages/placement.ts';
import * as quota from '../../src/protocol/messages/quota.ts';
import { declaredCalls, declaredPackets } from '../support/declared-messages.ts';
import { FakeMaster } from '../support/fake-master.ts';

/** PARENTS and NODE_INFO crash masters; the other two drop chunkservers and sessions of anybody. */
const FORBIDDEN = [484, 546, 524, 526];
const MATRIX = 516;
const OPEN_FILES = 532;
const LOCKS = 534;
const MISSING = 544;
/** Answers to questions that the fake master does not know, by type. */
const canned = new Map([
  [MATRIX, frame(MATRIX + 1, Buffer.alloc(1 + 2 * 484))],
  [OPEN_FILES, frame(OPEN_FILES + 1, Buffer.alloc(0))],
  [LOCKS, frame(LOCKS + 1, Buffer.alloc(0))],
  [MISSING, frame(MISSING + 1, Buffer.alloc(0))],
]);

interface Sent {
  readonly type: number;
  readonly body: Buffer;
}

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A client of a fake master, and every frame that it sends. */
async function watched(version: '3.0.117' | '4.59.2', options: { groups?: number[] } = {}, answers = canned) {
  const master = await FakeMaster.start({ version });
  const sent: Sent[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(master.port, master.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    const parser = new FrameParser(
      { bodyLimit: 1_000_000 },
      {
        frame: (type, body) => {
          sent.push({ type, body: Buffer.from(body) });
          const answer = answers.get(type);
          if (answer === undefined) upstream.write(frame(type, body));
          else client.write(answer);
        },
      },
    );
    client.on('data', (bytes) => parser.push(bytes));
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const mfs = await MooseFS.connect({
    master: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    uid: 0,
    gid: 0,
    ...options,
  });
  closing.push(async () => {
    await mfs.close();
    server.close();
    for (const socket of sockets) socket.destroy();
    await master[Symbol.asyncDispose]();
  });
  await mfs.writeFile('/file', '');
  await mfs.mkdir('/folder');
  sent.length = 0;
  return { mfs, master, sent };
}

it('none of them is declared', () => {
  for (const { message } of [...declaredCalls, ...declaredPackets]) expect(FORBIDDEN).not.toContain(message.type);
});

describe.each(['3.0.117', '4.59.2'] as const)('on %s', (version) => {
  it('paths of an inode are asked for by the packet that takes deleted inodes', async () => {
    const { mfs, master, sent } = await watched(version);
    master.on(inodes.paths, () => ({ paths: [{ path: Buffer.from('./TRASH (file)') }] }));
    const { ino } = await mfs.stat('/file');
    expect(await mfs.pathsOf(ino)).toEqual(['./TRASH (file)']);
    expect(sent.map(({ type }) => type)).toContain(inodes.paths.type);
    for (const number of [0, -1, 1.5, 2 ** 32]) {
      await expect(mfs.pathsOf(number)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
    expect(sent.filter(({ type }) => FORBIDDEN.includes(type))).toEqual([]);
  });

  it('a list of groups is never empty, and never longer than a server takes', async () => {
    for (const groups of [[], Array.from({ length: 5000 }, (_, i) => i + 1)]) {
      const { mfs, master, sent } = await watched(version, { groups });
      master.on(admin.repair, () => ({ notChanged: 0, erased: 0, repaired: 0 }));
      await mfs.repair('/file', { erase: true });
      const { body } = sent.find(({ type }) => type === admin.repair.type)!;
      // msgid, inode, uid, then the count and as many ids.
      const count = body.readUInt32BE(12);
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(4096);
      expect(body.length).toBe(16 + 4 * count + (version === '3.0.117' ? 0 : 1));
    }
  });

  it('the chunk matrix is asked for by an empty packet, locks and open files for all', async () => {
    const { mfs, sent } = await watched(version);
    await mfs.cluster.chunkMatrix();
    await mfs.cluster.locks();
    await mfs.cluster.openFiles();
    await mfs.cluster.missingChunks();
    const body = (wanted: number) =>
      sent.filter(({ type }) => type === wanted).map((each) => each.body.toString('hex'));
    expect(body(MATRIX)).toEqual(['']);
    expect(body(LOCKS)).toEqual(['00000000']);
    expect(body(OPEN_FILES)).toEqual(['00000000']);
  });

  it('locks of both kinds: what old masters send is not believed to its end', async () => {
    const entry = (inode: number, pid: number, start: bigint, end: bigint) => {
      const b = Buffer.alloc(37);
      b.writeUInt32BE(inode, 0);
      b.writeUInt32BE(pid, 16);
      b.writeBigUInt64BE(start, 20);
      b.writeBigUInt64BE(end, 28);
      b[36] = 2;
      return b;
    };
    // Two POSIX locks and a flock: it stands over the first of them, and the last entry was never written.
    const flock = entry(5, 0, 0n, 0n);
    const posix = entry(6, 77, 10n, 20n);
    const garbage = Buffer.alloc(37, 0xa5);
    const answers = new Map(canned).set(LOCKS, frame(LOCKS + 1, Buffer.concat([flock, posix, garbage])));
    const { mfs } = await watched(version, {}, answers);
    const { locks, complete } = await mfs.cluster.locks();
    expect(complete).toBe(version === '4.59.2');
    expect(locks.map(({ inode, kind }) => [inode, kind]).slice(0, 2)).toEqual([
      [5, 'flock'],
      [6, 'posix'],
    ]);
    expect(locks).toHaveLength(version === '4.59.2' ? 3 : 2);
  });

  it('a quota is never set by the form that resets the grace period', async () => {
    const { mfs, master, sent } = await watched(version);
    const none = { flags: 0, graceFlags: 0, grace: 0, inodes: 0, length: 0n, size: 0n, realSize: 0n };
    const limits = (kind: 'soft' | 'hard') => ({
      [`${kind}Inodes`]: 0,
      [`${kind}Length`]: 0n,
      [`${kind}Size`]: 0n,
      [`${kind}RealSize`]: 0n,
    });
    const reply = { ...none, ...limits('soft'), ...limits('hard') } as never;
    master.on(quota.setQuota, () => reply);
    master.on(quota.getQuota, () => reply);
    await mfs.quota.set('/folder', { soft: { inodes: 5, size: null } });
    await mfs.quota.set('/folder', { hard: { realSize: 2 ** 50 }, graceSeconds: 60 });
    const bodies = sent.filter(({ type }) => type === quota.setQuota.type).map(({ body }) => body);
    expect(bodies.map(({ length }) => length)).toEqual([9, 69, 69]);
    // The grace period: kept, each version in its own way; then as it was said.
    expect(bodies[1]!.readUInt32BE(9)).toBe(version === '3.0.117' ? 0 : 0xffff_ffff);
    expect(bodies[2]!.readUInt32BE(9)).toBe(60);
    await expect(mfs.quota.set('/folder', { graceSeconds: 0xffff_ffff })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });

  it('a class is never sent with more labels than a master survives, nor in a format that it does not know', async () => {
    const { mfs, master, sent } = await watched(version);
    master.on(placement.createStorageClass, () => 0);
    for (const keep of [10, '9A,B', Array.from({ length: 10 }, () => '*'), { copies: Array(11).fill('A') as string[] }])
      await expect(mfs.storageClass.create('many', { keep })).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(INVALID_ARG_VALUE|OUT_OF_RANGE)$/) as string,
      });
    for (const name of ['', 'x'.repeat(256)])
      await expect(mfs.storageClass.create(name, { keep: 1 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(sent.filter(({ type }) => type === placement.createStorageClass.type)).toEqual([]);
    await mfs.storageClass.create('nine', { keep: 9 });
    const { body } = sent.find(({ type }) => type === placement.createStorageClass.type)!;
    // msgid, the name with its length, the format.
    expect(body[4 + 5]).toBe(version === '3.0.117' ? 0 : 6);
  });
});
