/** What libmfsio has and node:fs has not: mknod, times that stay as they are, attributes and ACLs of open files. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared } from '../support/live.ts';

let mfs: MooseFS;
let folder: string;

beforeAll(async () => {
  mfs = await connectShared({ umask: 0o022 });
  folder = await mfs.mkdtemp('/more-');
  await mfs.chmod(folder, 0o777);
});
afterAll(async () => {
  await mfs.rm(folder, { recursive: true });
  await mfs.close();
});

test('mknod makes nodes of every type', async () => {
  const type = async (name: string) => {
    const stats = await mfs.lstat(`${folder}/${name}`);
    return {
      file: stats.isFile(),
      fifo: stats.isFIFO(),
      socket: stats.isSocket(),
      block: stats.isBlockDevice(),
      character: stats.isCharacterDevice(),
      mode: (stats.mode & 0o777).toString(8),
      rdev: stats.rdev,
    };
  };
  const none = { file: false, fifo: false, socket: false, block: false, character: false, mode: '644', rdev: 0 };
  await mfs.mknod(`${folder}/file`, 'file');
  await mfs.mknod(`${folder}/fifo`, 'fifo', { mode: 0o600 });
  await mfs.mknod(`${folder}/socket`, 'socket', { mode: '777' });
  await mfs.mknod(`${folder}/block`, 'blockDevice', { device: 0x0801 });
  await mfs.mknod(`${folder}/null`, 'characterDevice', { mode: 0o666, device: 0x0103 });
  expect(await type('file')).toEqual({ ...none, file: true });
  expect(await type('fifo')).toEqual({ ...none, fifo: true, mode: '600' });
  expect(await type('socket')).toEqual({ ...none, socket: true, mode: '755' });
  expect(await type('block')).toEqual({ ...none, block: true, rdev: 0x0801 });
  expect(await type('null')).toEqual({ ...none, character: true, rdev: 0x0103 });
  await mfs.writeFile(`${folder}/file`, 'text');
  expect(await mfs.readFile(`${folder}/file`, 'utf8')).toBe('text');
  for (const name of ['fifo', 'socket', 'block', 'null'])
    await expect(mfs.open(`${folder}/${name}`)).rejects.toMatchObject({ code: 'ENXIO', syscall: 'open' });
});

test('mknod refuses what cannot be', async () => {
  const path = `${folder}/refused`;
  await expect(mfs.mknod(path, 'directory' as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  await expect(mfs.mknod(path, 'blockDevice', { device: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  await expect(mfs.mknod(folder, 'fifo')).rejects.toMatchObject({ code: 'EEXIST', syscall: 'mknod', path: folder });
  await expect(mfs.mknod(`${folder}/nothing/fifo`, 'fifo')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(mfs.mknod(`${path}/`, 'fifo')).rejects.toMatchObject({ code: 'ENOENT' });
  await using user = await connectShared({ uid: 1000, gid: 1000 });
  await expect(user.mknod(path, 'characterDevice')).rejects.toMatchObject({ code: 'EPERM', syscall: 'mknod', path });
  await user.mknod(path, 'fifo');
  expect(await mfs.stat(path)).toMatchObject({ uid: 1000, gid: 1000 });
});

test('times: both, one, none, and now', async () => {
  const path = `${folder}/times`;
  await mfs.writeFile(path, 'text');
  const times = async () => {
    const { atimeMs, mtimeMs } = await mfs.stat(path);
    return [atimeMs, mtimeMs];
  };
  await mfs.utimes(path, 1000, new Date(2_000_000));
  expect(await times()).toEqual([1_000_000, 2_000_000]);
  await mfs.utimes(path, null, 3000);
  expect(await times()).toEqual([1_000_000, 3_000_000]);
  await mfs.utimes(path, 4000, null);
  expect(await times()).toEqual([4_000_000, 3_000_000]);
  await mfs.utimes(path, null, null);
  expect(await times()).toEqual([4_000_000, 3_000_000]);
  await using file = await mfs.open(path, 'r+');
  await file.utimes(5000, null);
  expect(await times()).toEqual([5_000_000, 3_000_000]);
  // What was read before counts where the time of reading is left as it is.
  await file.read(Buffer.alloc(4), 0, 4, 0);
  await file.utimes(null, 6000);
  const [atime, mtime] = await times();
  expect(Math.abs(atime! - Date.now())).toBeLessThan(60_000);
  expect(mtime).toBe(6_000_000);
  await mfs.utimes(path, -1, -1);
  for (const time of await times()) expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  await mfs.symlink('times', `${folder}/link`);
  await mfs.lutimes(`${folder}/link`, null, 7000);
  expect((await mfs.lstat(`${folder}/link`)).mtimeMs).toBe(7_000_000);
  await expect(mfs.utimes(`${folder}/nothing`, null, null)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(mfs.utimes(path, undefined as never, 1)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
});

test('extended attributes and ACLs of an open file, whatever becomes of its name', async () => {
  const path = `${folder}/open`;
  const file = await mfs.open(path, 'w+');
  await mfs.xattr.set(file, 'user.of', 'handle');
  expect(await mfs.xattr.get(path, 'user.of', 'utf8')).toBe('handle');
  const acl = { owner: 6, group: 4, other: 0, mask: 4, users: [{ uid: 1000, permissions: 4 }], groups: [] };
  await mfs.acl.set(file, acl);
  expect(await mfs.acl.get(path)).toEqual(acl);
  await mfs.unlink(path);
  expect(await mfs.xattr.get(file, 'user.of', 'utf8')).toBe('handle');
  expect(await mfs.xattr.list(file)).toEqual(['user.of']);
  await mfs.xattr.remove(file, 'user.of');
  expect(await mfs.xattr.list(file)).toEqual([]);
  expect(await mfs.acl.get(file)).toEqual(acl);
  await mfs.acl.set(file, null);
  expect(await mfs.acl.get(file)).toBeUndefined();
  await file.close();
  await expect(mfs.xattr.list(file)).rejects.toMatchObject({ code: 'EBADF', syscall: 'listxattr' });
  await expect(mfs.acl.get(file)).rejects.toMatchObject({ code: 'EBADF' });
});
