/**
 * The official client, mounted, as a second witness: what we write it reads, what it writes we read, and both obey each other's locks.
 * Where nothing can be mounted (no /dev/fuse, no right to, no mfsmount) every test is skipped and the reason is told; the mark
 * [mount] in the names says so.
 */
import * as fs from 'node:fs/promises';
import { join } from 'node:path/posix';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { KernelCalls } from '../support/kernel-calls.ts';
import { mountOfficial, whyNotMounted } from '../support/cluster/mount.ts';
import type { OfficialMount } from '../support/cluster/mount.ts';
import { startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';

/** A witness must see what is stored now. */
const UNCACHED = ['mfsattrcacheto', 'mfsxattrcacheto', 'mfsentrycacheto', 'mfsdirentrycacheto', 'mfssymlinkcacheto'];
const options = ['-o', ['mfscachemode=NEVER', ...UNCACHED.map((each) => `${each}=0`)].join(',')];

let cluster: Cluster;
let mfs: MooseFS;
let mount: OfficialMount | undefined;
let kernel: KernelCalls;
let reason: string | undefined;

beforeAll(async () => {
  cluster = await startCluster({ chunkservers: 2 });
  mfs = await MooseFS.connect({ master: cluster.master, umask: 0, chunkserverAddress: (at) => cluster.mapAddress(at) });
  reason = whyNotMounted(cluster);
  if (reason !== undefined) process.stderr.write(`the mount is no witness here: ${reason}\n`);
  else mount = await mountOfficial(cluster, options);
  kernel = new KernelCalls();
});
afterAll(async () => {
  await kernel[Symbol.asyncDispose]();
  await mount?.unmount();
  await mfs.close();
  await cluster.stop();
});
beforeEach((context: TestContext) => {
  if (reason !== undefined) context.skip(reason);
});

/** The path in the mount. */
const there = (path: string): string => join(mount!.folder, path);

const MIB = 1024 * 1024;
/** Around blocks and chunks, and one that is hardly a multiple of anything. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, 5 * MIB + 4711];

test.each(SIZES)('[mount] %d bytes that one writes the other reads', async (size) => {
  const data = pattern(size, size + 1);
  await mfs.writeFile(`/ours-${size}`, data);
  expect((await fs.readFile(there(`/ours-${size}`))).equals(data)).toBe(true);
  expect((await fs.stat(there(`/ours-${size}`))).size).toBe(size);
  await fs.writeFile(there(`/theirs-${size}`), data);
  expect((await mfs.readFile(`/theirs-${size}`)).equals(data)).toBe(true);
  expect((await mfs.stat(`/theirs-${size}`)).size).toBe(size);
});

test('[mount] changes in the middle of a file, across a border of chunks, are seen by the other, and so are holes', async () => {
  const border = 64 * MIB;
  await mfs.writeFile('/border', '');
  await using ours = await mfs.open('/border', 'r+');
  await ours.write('from us', border - 3);
  await ours.sync();
  const theirs = await fs.open(there('/border'), 'r+');
  try {
    expect((await theirs.read(Buffer.alloc(9), 0, 9, border - 5)).buffer.toString('latin1')).toBe('\0\0from us');
    await theirs.write('them', border - 1);
    await theirs.sync();
  } finally {
    await theirs.close();
  }
  expect((await ours.read(Buffer.alloc(7), 0, 7, border - 3)).buffer.toString('latin1')).toBe('frthems');
  expect((await ours.read(Buffer.alloc(4), 0, 4, 1000)).buffer.toString('latin1')).toBe('\0\0\0\0');
  await mfs.truncate('/border', border);
  expect((await fs.stat(there('/border'))).size).toBe(border);
  await fs.truncate(there('/border'), 10);
  expect((await mfs.stat('/border')).size).toBe(10);
});

/** Not UTF-8, or what UTF-8 has of strangeness; never `/` and never the byte 0. */
const NAMES = [
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0x80]),
  Buffer.from('latin1 \xe9\xff', 'latin1'),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from('é composed and e\u0301 not'),
  Buffer.from('new\nline \t\\ "quoted" *?[]'),
  Buffer.from(' leading and trailing '),
  Buffer.from('🫎'.repeat(63)),
  Buffer.from(Array.from({ length: 254 }, (_, i) => i + 1).filter((byte) => byte !== 0x2f)),
  Buffer.alloc(255, 0xc3),
];

test('[mount] names of any bytes are the same for both', async () => {
  await mfs.mkdir('/names');
  await mfs.mkdir('/their-names');
  for (const name of NAMES) {
    const text = `file ${name.toString('hex')}`;
    await mfs.writeFile(Buffer.concat([Buffer.from('/names/'), name]), text);
    const path = Buffer.concat([Buffer.from(there('/names/')), name]);
    expect(await fs.readFile(path, 'utf8')).toBe(text);
    await fs.writeFile(Buffer.concat([Buffer.from(there('/their-names/')), name]), text);
  }
  const hex = (names: readonly Buffer[]) => names.map((name) => name.toString('hex')).sort();
  const wanted = hex(NAMES);
  expect(hex(await fs.readdir(there('/names'), { encoding: 'buffer' }))).toEqual(wanted);
  const found = await mfs.readdir('/their-names', { encoding: 'buffer' });
  expect(hex(found)).toEqual(wanted);
  for (const name of found) {
    const path = Buffer.concat([Buffer.from('/their-names/'), name]);
    expect(await mfs.readFile(path, 'utf8')).toBe(`file ${name.toString('hex')}`);
    const moved = Buffer.concat([Buffer.from('/names/moved-'), name.subarray(0, 200)]);
    await mfs.rename(path, moved);
    expect((await fs.stat(Buffer.concat([Buffer.from(mount!.folder), moved]))).isFile()).toBe(true);
  }
  expect(await fs.readdir(there('/their-names'))).toEqual([]);
});

test('[mount] symlinks of any bytes, hard links and types are the same for both', async () => {
  const target = Buffer.from([0x2e, 0x2f, 0xff, 0x80]);
  await mfs.symlink(target, '/our-symlink');
  expect(await fs.readlink(there('/our-symlink'), { encoding: 'buffer' })).toEqual(target);
  await fs.symlink(target, there('/their-symlink'));
  expect(await mfs.readlink('/their-symlink', { encoding: 'buffer' })).toEqual(target);
  await mfs.writeFile('/first', 'linked');
  await mfs.link('/first', '/second');
  await fs.link(there('/second'), there('/third'));
  const [ours, theirs] = [await mfs.stat('/third'), await fs.stat(there('/first'))];
  expect([ours.nlink, theirs.nlink]).toEqual([3, 3]);
  expect(ours.ino).toBe(theirs.ino);
  await mfs.mknod('/our-fifo', 'fifo', { mode: 0o640 });
  await mfs.mknod('/our-device', 'characterDevice', { device: 0x0103 });
  const [fifo, device] = [await fs.lstat(there('/our-fifo')), await fs.lstat(there('/our-device'))];
  expect([fifo.isFIFO(), fifo.mode & 0o777]).toEqual([true, 0o640]);
  expect([device.isCharacterDevice(), device.rdev]).toEqual([true, 0x0103]);
  const types = (await fs.readdir(mount!.folder, { withFileTypes: true })).map(
    (each) => `${each.name} ${each.isFile()} ${each.isDirectory()} ${each.isSymbolicLink()}`,
  );
  const ourTypes = (await mfs.readdir('/', { withFileTypes: true })).map(
    (each) => `${each.name} ${each.isFile()} ${each.isDirectory()} ${each.isSymbolicLink()}`,
  );
  expect(ourTypes.sort()).toEqual(types.sort());
});

test.each([0o000, 0o777, 0o644, 0o4755, 0o2711, 0o1777])('[mount] mode %s is the same for both', async (mode) => {
  const path = `/mode-${mode.toString(8)}`;
  await mfs.writeFile(path, '');
  await mfs.chmod(path, mode);
  expect((await fs.stat(there(path))).mode & 0o7777).toBe(mode);
  await fs.chmod(there(path), mode ^ 0o055);
  expect((await mfs.stat(path)).mode & 0o7777).toBe(mode ^ 0o055);
});

test('[mount] owners and times are the same for both', async () => {
  await mfs.writeFile('/owned', 'text');
  await mfs.chown('/owned', 1234, 4321);
  await mfs.utimes('/owned', 1_000_000_000, 2_000_000_000);
  expect(await fs.stat(there('/owned'))).toMatchObject({
    uid: 1234,
    gid: 4321,
    atimeMs: 1_000_000_000_000,
    mtimeMs: 2_000_000_000_000,
  });
  await fs.chown(there('/owned'), 1, 2);
  await fs.utimes(there('/owned'), 3, 4_000_000_000);
  expect(await mfs.stat('/owned')).toMatchObject({ uid: 1, gid: 2, atimeMs: 3000, mtimeMs: 4_000_000_000_000 });
  // Writing moves mtime, whoever does it and whoever looks. (The mount tells the master some time later.)
  await mfs.writeFile('/owned', 'more');
  expect(Math.abs((await fs.stat(there('/owned'))).mtimeMs - Date.now())).toBeLessThan(60_000);
  await fs.utimes(there('/owned'), 3, 4);
  await fs.appendFile(there('/owned'), 'and more');
  await expect
    .poll(async () => Math.abs((await mfs.stat('/owned')).mtimeMs - Date.now()), { timeout: 60_000 })
    .toBeLessThan(120_000);
});

test('[mount] extended attributes that one sets the other sees', async () => {
  await mfs.writeFile('/attributes', '');
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await mfs.xattr.set('/attributes', 'user.ours', bytes);
  expect(await kernel.getxattr(there('/attributes'), 'user.ours')).toEqual(bytes);
  await kernel.setxattr(there('/attributes'), 'user.theirs', bytes);
  await kernel.setxattr(there('/attributes'), 'user.empty', '');
  expect(await mfs.xattr.get('/attributes', 'user.theirs')).toEqual(bytes);
  expect(await mfs.xattr.get('/attributes', 'user.empty')).toEqual(Buffer.alloc(0));
  const names = ['user.empty', 'user.ours', 'user.theirs'];
  expect((await mfs.xattr.list('/attributes')).sort()).toEqual(names);
  expect((await kernel.listxattr(there('/attributes'))).sort()).toEqual(names);
  await kernel.removexattr(there('/attributes'), 'user.ours');
  await expect(mfs.xattr.get('/attributes', 'user.ours')).rejects.toMatchObject({ code: 'ENODATA' });
  await mfs.xattr.remove('/attributes', 'user.theirs');
  await expect(kernel.getxattr(there('/attributes'), 'user.theirs')).rejects.toMatchObject({ code: 'ENODATA' });
});

/** An ACL as Linux keeps it in an extended attribute: version 2, then tag, rights and id of each entry. */
function linuxAcl(entries: readonly (readonly [tag: number, rights: number, id?: number])[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  for (const [i, [tag, rights, id = 0xffff_ffff]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i);
    bytes.writeUInt16LE(rights, 6 + 8 * i);
    bytes.writeUInt32LE(id, 8 + 8 * i);
  }
  return bytes;
}
const tags = { owner: 1, user: 2, ownerGroup: 4, group: 8, mask: 16, other: 32 };

test('[mount] ACLs that one sets the other sees', async () => {
  await mfs.mkdir('/listed');
  for (const [type, name] of [
    ['access', 'system.posix_acl_access'],
    ['default', 'system.posix_acl_default'],
  ] as const) {
    const acl = {
      owner: 7,
      group: 5,
      other: 1,
      mask: 6,
      users: [{ uid: 1000, permissions: 6 }],
      groups: [{ gid: 2000, permissions: 4 }],
    };
    await mfs.acl.set('/listed', acl, { type });
    const wanted = linuxAcl([
      [tags.owner, 7],
      [tags.user, 6, 1000],
      [tags.ownerGroup, 5],
      [tags.group, 4, 2000],
      [tags.mask, 6],
      [tags.other, 1],
    ]);
    expect(await kernel.getxattr(there('/listed'), name)).toEqual(wanted);
    const theirs = linuxAcl([
      [tags.owner, 6],
      [tags.user, 1, 3000],
      [tags.ownerGroup, 4],
      [tags.group, 2, 4000],
      [tags.mask, 7],
      [tags.other, 0],
    ]);
    await kernel.setxattr(there('/listed'), name, theirs);
    expect(await mfs.acl.get('/listed', { type })).toEqual({
      owner: 6,
      group: 4,
      other: 0,
      mask: 7,
      users: [{ uid: 3000, permissions: 1 }],
      groups: [{ gid: 4000, permissions: 2 }],
    });
  }
});

test('[mount] flock: each waits for the other', async () => {
  await mfs.writeFile('/flock', 'x'.repeat(100));
  await using ours = await mfs.open('/flock', 'r+');
  const theirs = await kernel.open(there('/flock'));
  const lock = await ours.lock();
  await expect(kernel.flock(theirs, 'exclusive')).rejects.toMatchObject({ code: 'EAGAIN' });
  const waiting = kernel.flock(theirs, 'exclusive', { wait: true });
  await ours.stat();
  await lock.unlock();
  await waiting;
  await expect(ours.lock({ wait: false })).rejects.toMatchObject({ code: 'EAGAIN' });
  const ourTurn = ours.lock();
  await ours.stat();
  await kernel.flock(theirs, 'shared');
  await kernel.flock(theirs, 'unlock');
  await (await ourTurn).unlock();
  await kernel.close(theirs);
});

test('[mount] POSIX locks: ranges exclude each other, and closing releases them', async () => {
  await mfs.writeFile('/fcntl', 'x'.repeat(100));
  await using ours = await mfs.open('/fcntl', 'r+');
  const theirs = await kernel.open(there('/fcntl'));
  const lock = await ours.lock({ start: 10, end: 20 });
  await expect(kernel.fcntl(theirs, 'shared', 19, 1)).rejects.toMatchObject({ code: 'EAGAIN' });
  await kernel.fcntl(theirs, 'exclusive', 20, 5);
  await expect(ours.lock({ start: 24, wait: false })).rejects.toMatchObject({ code: 'EAGAIN' });
  await (await ours.lock({ start: 25, wait: false })).unlock();
  const waiting = kernel.fcntl(theirs, 'exclusive', 0, 15, { wait: true });
  await ours.stat();
  await lock.unlock();
  await waiting;
  await expect(ours.lock({ start: 14, end: 15, wait: false })).rejects.toMatchObject({ code: 'EAGAIN' });
  await kernel.close(theirs);
  await (await ours.lock({ start: 0 })).unlock();
});
