/** Extended attributes on real servers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared } from '../support/live.ts';

let mfs: MooseFS;
let folder: string;
let file: string;

beforeAll(async () => {
  mfs = await connectShared();
  folder = await mfs.mkdtemp('/xattr-');
  file = `${folder}/file`;
  await mfs.writeFile(file, 'text');
});
afterAll(async () => {
  await mfs.rm(folder, { recursive: true });
  await mfs.close();
});

test('values are bytes of any kind, and come back as bytes or text', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await mfs.xattr.set(file, 'user.bytes', bytes);
  expect(await mfs.xattr.get(file, 'user.bytes')).toEqual(bytes);
  await mfs.xattr.set(file, 'user.text', 'élan');
  expect(await mfs.xattr.get(file, 'user.text', 'utf8')).toBe('élan');
  expect(await mfs.xattr.get(file, 'user.text', { encoding: 'hex' })).toBe(Buffer.from('élan').toString('hex'));
  await mfs.xattr.set(file, 'user.text', '6d6f6f7365', { encoding: 'hex' });
  expect(await mfs.xattr.get(file, 'user.text', 'latin1')).toBe('moose');
  await mfs.xattr.set(file, 'user.view', new Uint16Array([0x6f6d, 0x7365]));
  expect(await mfs.xattr.get(file, 'user.view')).toHaveLength(4);
  expect((await mfs.xattr.list(file)).sort()).toEqual(['user.bytes', 'user.text', 'user.view']);
  for (const name of await mfs.xattr.list(file)) await mfs.xattr.remove(file, name);
  expect(await mfs.xattr.list(file)).toEqual([]);
});

test.each([0, 1, 255, 256, 4096, 65_535, 65_536])('a value of %d bytes', async (size) => {
  const value = Buffer.alloc(size, 'moose');
  await mfs.xattr.set(file, 'user.size', value);
  expect(await mfs.xattr.get(file, 'user.size')).toEqual(value);
  await mfs.xattr.remove(file, 'user.size');
});

test('create and replace say what was there', async () => {
  const failed = (code: string, syscall: string) => ({ code, syscall, path: file });
  await expect(mfs.xattr.set(file, 'user.a', 'x', { replace: true })).rejects.toMatchObject(
    failed('ENODATA', 'setxattr'),
  );
  await mfs.xattr.set(file, 'user.a', '1', { create: true });
  await expect(mfs.xattr.set(file, 'user.a', '2', { create: true })).rejects.toMatchObject(
    failed('EEXIST', 'setxattr'),
  );
  await mfs.xattr.set(file, 'user.a', '3', { replace: true });
  expect(await mfs.xattr.get(file, 'user.a', 'utf8')).toBe('3');
  await mfs.xattr.remove(file, 'user.a');
  await expect(mfs.xattr.get(file, 'user.a')).rejects.toMatchObject(failed('ENODATA', 'getxattr'));
  await expect(mfs.xattr.remove(file, 'user.a')).rejects.toMatchObject(failed('ENODATA', 'removexattr'));
});

test('what cannot be is refused as Linux does, and the session goes on', async () => {
  const nowhere = `${folder}/nowhere`;
  await expect(mfs.xattr.list(nowhere)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'listxattr', path: nowhere });
  await expect(mfs.xattr.set(file, 'user.big', Buffer.alloc(65_537))).rejects.toMatchObject({ code: 'E2BIG' });
  await expect(mfs.xattr.set(file, '', 'x')).rejects.toMatchObject({ code: 'ERANGE' });
  await expect(mfs.xattr.set(file, `user.${'n'.repeat(251)}`, 'x')).rejects.toMatchObject({ code: 'ERANGE' });
  await expect(mfs.xattr.get(file, 'system.posix_acl_access')).rejects.toMatchObject({ code: 'ENOTSUP' });
  await expect(mfs.xattr.set(file, 1 as never, 'x')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  await expect(mfs.xattr.set(file, 'user.x', 1 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  const longest = `user.${'n'.repeat(250)}`;
  await mfs.xattr.set(file, longest, 'x');
  expect(await mfs.xattr.list(file)).toEqual([longest]);
  await mfs.xattr.remove(file, longest);
});

test('folders and symlinks have their own', async () => {
  const link = `${folder}/link`;
  await mfs.symlink('file', link);
  await mfs.xattr.set(folder, 'user.of', 'folder');
  await mfs.xattr.set(link, 'user.of', 'file');
  expect(await mfs.xattr.get(file, 'user.of', 'utf8')).toBe('file');
  await mfs.xattr.set(link, 'trusted.of', 'link', { follow: false });
  expect(await mfs.xattr.list(link, { follow: false })).toEqual(['trusted.of']);
  expect(await mfs.xattr.list(link)).toEqual(['user.of']);
  expect(await mfs.xattr.get(folder, 'user.of', 'utf8')).toBe('folder');
  await mfs.xattr.remove(link, 'user.of');
  expect(await mfs.xattr.list(file)).toEqual([]);
});

test('who may not write a file may not set them, nor read them who may not read it', async () => {
  await mfs.chmod(folder, 0o755);
  const path = `${folder}/private`;
  await mfs.writeFile(path, 'text', { mode: 0o600 });
  await mfs.xattr.set(path, 'user.secret', 'x');
  await mfs.xattr.set(path, 'trusted.secret', 'x');
  await using stranger = await connectShared({ uid: 1234, gid: 1234 });
  await expect(stranger.xattr.get(path, 'user.secret')).rejects.toMatchObject({ code: 'EACCES' });
  await expect(stranger.xattr.set(path, 'user.secret', 'y')).rejects.toMatchObject({ code: 'EACCES' });
  await expect(stranger.xattr.remove(path, 'user.secret')).rejects.toMatchObject({ code: 'EACCES' });
  await mfs.chmod(path, 0o644);
  expect(await stranger.xattr.get(path, 'user.secret', 'utf8')).toBe('x');
  await expect(stranger.xattr.set(path, 'user.secret', 'y')).rejects.toMatchObject({ code: 'EACCES' });
  await expect(stranger.xattr.set(path, 'trusted.secret', 'y')).rejects.toMatchObject({ code: 'EPERM' });
});

test('they stay with the file when it is renamed, and are not copied: node has no word for them', async () => {
  await mfs.xattr.set(file, 'user.of', 'file');
  await mfs.copyFile(file, `${folder}/copy`);
  expect(await mfs.xattr.list(`${folder}/copy`)).toEqual([]);
  await mfs.rename(file, `${folder}/moved`);
  expect(await mfs.xattr.get(`${folder}/moved`, 'user.of', 'utf8')).toBe('file');
  await mfs.rename(`${folder}/moved`, file);
});
