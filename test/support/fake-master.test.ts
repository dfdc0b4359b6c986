/** The fake master by itself: sessions, a file from create to read back, handlers. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Calls } from '../../src/protocol/conversations/calls.ts';
import { Registration } from '../../src/protocol/conversations/registration.ts';
import type { RegistrationRequest, SessionGrant } from '../../src/protocol/conversations/registration.ts';
import { encodePacket } from '../../src/protocol/message.ts';
import type { Call, Reply } from '../../src/protocol/message.ts';
import { readChunk, writeChunk, writeChunkEnd } from '../../src/protocol/messages/chunk.ts';
import { create, getattr } from '../../src/protocol/messages/inode.ts';
import { lookup, mkdir, readdir, fullEntries } from '../../src/protocol/messages/namespace.ts';
import { getStorageClass, readStorageClass } from '../../src/protocol/messages/placement.ts';
import { invalidateChunkCache } from '../../src/protocol/messages/push.ts';
import { sustainedInodes } from '../../src/protocol/messages/session.ts';
import { Status } from '../../src/protocol/status.ts';
import { formatVersion, version } from '../../src/protocol/version.ts';
import { FakeChunkserver } from './fake-chunkserver.ts';
import { FakeMaster } from './fake-master.ts';
import { fixtures } from './fixtures.ts';
import { RawConnection } from './raw-connection.ts';

const md5 = (data: Uint8Array) => createHash('md5').update(data).digest();
const root = { uid: 0, gids: [0] };

async function register(raw: RawConnection, request: Partial<RegistrationRequest> = {}): Promise<SessionGrant> {
  const machine = new Registration({ root: '/', info: 'test', md5, ...request });
  raw.send(machine.start());
  for (;;) {
    const { type, body } = await raw.next();
    const step = machine.receive(type, body);
    if (step.kind === 'send') raw.send(step.bytes);
    if (step.kind === 'registered') return step.session;
    if (step.kind === 'redirected') throw new Error(`redirected to ${step.leader}`);
  }
}

/** Asks one thing after another. */
async function open(master: FakeMaster, request: Partial<RegistrationRequest> = {}) {
  const raw = await RawConnection.open(master.host, master.port);
  const session = await register(raw, request);
  const calls = new Calls<undefined>(session.version);
  const ask = async <Q extends object, R extends object>(message: Call<Q, R>, value: Q): Promise<Reply<R>> => {
    raw.send(calls.request(message, value, undefined).bytes);
    const { type, body } = await raw.next(message.type + 1);
    const event = calls.receive(type, body);
    if (event.kind !== 'reply') throw new Error(event.kind);
    return event.reply as Reply<R>;
  };
  return { raw, session, calls, ask };
}

describe('FakeMaster', () => {
  it.each(['3.0.117', '4.57.5', '4.59.2'] as const)('makes a file, writes and finds it again, as %s', async (text) => {
    await using cs = await FakeChunkserver.start();
    await using master = await FakeMaster.start({ version: text, chunkservers: [cs], goal: 1 });
    const { raw, session, ask } = await open(master);
    expect(formatVersion(session.version)).toBe(text);
    const folder = await ask(mkdir, {
      parent: 1,
      name: Buffer.from('d'),
      mode: 0o755,
      umask: 0o22,
      copySgid: 1,
      ...root,
    });
    expect(folder.status).toBe(0);
    const parent = folder.value!.inode;
    const made = await ask(create, { parent, name: Buffer.from('f'), mode: 0o666, umask: 0o22, ...root });
    const { inode, attributes } = made.value!;
    expect(attributes).toMatchObject({ mode: 0o644, length: 0 });
    const where = (await ask(writeChunk, { inode, chunkIndex: 0, flags: 0 })).value!;
    expect(where.servers).toMatchObject([cs.location]);
    expect(await ask(readChunk, { inode, chunkIndex: 0, flags: 0 })).toEqual({ status: Status.LOCKED });
    cs.replicas.write(where.chunkId, 0, 0, Buffer.from('hello'));
    const end = { chunkId: where.chunkId, inode, chunkIndex: 0, length: 5, flags: 0, offset: 0, size: 5 };
    expect(await ask(writeChunkEnd, end)).toEqual({ status: 0, value: {} });
    expect((await ask(readChunk, { inode, chunkIndex: 0, flags: 0 })).value).toMatchObject({ length: 5 });
    const found = await ask(lookup, { parent, name: Buffer.from('f'), ...root });
    expect(found.value).toMatchObject({ inode, attributes: { length: 5 } });
    const list = await ask(readdir, { inode: parent, flags: 1, maxEntries: 0xffff_ffff, startId: 0n, ...root });
    const { entries } = fullEntries.decode(list.value!.entries, version(text), 'entries');
    expect(entries.map((each) => Buffer.from(each.name).toString())).toEqual(['.', '..', 'f']);
    expect(master.tree.at('/d/f').inode).toBe(inode);
    expect(master.violations).toEqual([]);
    await raw[Symbol.asyncDispose]();
  });

  it('asks handlers first: a status, a stall, a late reply, a reply that is lost after the deed', async () => {
    await using master = await FakeMaster.start();
    const { raw, ask, calls } = await open(master);
    master.on(getattr, (_value, { call, next }) => (call === 0 ? Status.EAGAIN : next()));
    expect(await ask(getattr, { inode: 1, opened: 0, uid: 0, gid: 0 })).toEqual({ status: Status.EAGAIN });
    expect((await ask(getattr, { inode: 1, opened: 0, uid: 0, gid: 0 })).status).toBe(0);

    let letGo!: () => void;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const remove = master.on(getattr, async (_value, { next }) => {
      await gate;
      return next();
    });
    const { msgid, bytes } = calls.request(getattr, { inode: 1, opened: 0, uid: 0, gid: 0 }, undefined);
    raw.send(bytes);
    calls.abandon(msgid);
    expect(
      (await ask(mkdir, { parent: 1, name: Buffer.from('x'), mode: 0, umask: 0, copySgid: 0, ...root })).status,
    ).toBe(0);
    letGo();
    const late = await raw.next();
    expect(calls.receive(late.type, late.body).kind).toBe('late');
    remove();

    master.on(create, async (_value, { next }) => {
      await next();
      return 'drop';
    });
    await expect(ask(create, { parent: 1, name: Buffer.from('f'), mode: 0, umask: 0, ...root })).rejects.toThrow(
      'hung up',
    );
    expect(master.tree.at('/f')).toBeDefined();
  });

  it('keeps sessions over connections, knows passwords and redirects', async () => {
    await using master = await FakeMaster.start({ password: 'secret' });
    await expect(open(master)).rejects.toMatchObject({ status: Status.NOPASSWORD });
    await expect(open(master, { passwordMd5: md5(Buffer.from('wrong')) })).rejects.toMatchObject({
      status: Status.BADPASSWORD,
    });
    const passwordMd5 = md5(Buffer.from('secret'));
    const first = await open(master, { passwordMd5 });
    first.raw.send(encodePacket(sustainedInodes, { inodes: [{ inode: 7 }] }, first.session.version));
    await master.timeline.until({ name: 'SUSTAINED_INODES' });
    expect(master.sessions.all[0]!.sustained).toEqual([7]);
    await first.raw[Symbol.asyncDispose]();
    const again = await open(master, { passwordMd5, resume: first.session });
    expect(again.session).toMatchObject({ resumed: true, sessionId: first.session.sessionId });
    master.push(invalidateChunkCache, { zero: 0 });
    const { type, body } = await again.raw.next();
    expect(again.calls.receive(type, body)).toMatchObject({ kind: 'push', push: { name: 'INVALIDATE_CHUNK_CACHE' } });
    master.sessions.drop(first.session.sessionId);
    const fresh = await open(master, { passwordMd5, resume: first.session });
    expect(fresh.session.resumed).toBe(false);
    master.onRegister = () => ({ leader: '10.0.0.7' });
    await expect(open(master)).rejects.toThrow(`redirected to 167772167`);
    await Promise.all([again, fresh].map(({ raw }) => raw[Symbol.asyncDispose]()));
  });

  it.each([
    ['3.0.117', '3'],
    ['4.59.2', '3CP'],
  ] as const)('defines a class as a real %s does', async (text, name) => {
    const real = fixtures
      .find((each) => each.version === text)!
      .frames.find((each) => each.message === readStorageClass.name && each.part === 'reply')!;
    await using master = await FakeMaster.start({ version: text, goal: 3 });
    const { raw, ask } = await open(master);
    const format = text === '4.59.2' ? 6 : 0;
    const padding = Buffer.alloc(format === 6 ? 47 : 7);
    const { value } = await ask(readStorageClass, { name: Buffer.from(name), format, changeMask: 0, padding });
    expect(Buffer.from(value!.definition).toString('hex')).toBe(real.hex.slice(2 * (8 + 4 + 1)));
    const its = await ask(getStorageClass, { inode: 1, recursive: 0 });
    expect(its.value!.classes.directories).toMatchObject([format === 6 ? { name: Buffer.from(name) } : { goal: 3 }]);
    await raw[Symbol.asyncDispose]();
  });

  it('hangs up on what a real master does not take', async () => {
    await using master = await FakeMaster.start({ version: '3.0.117' });
    await using raw = await RawConnection.open(master.host, master.port);
    raw.send(Buffer.from('0000019600000004' + '00000001', 'hex'));
    await raw.end();
    expect(master.violations).toHaveLength(1);
  });
});
