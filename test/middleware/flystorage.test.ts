/** One program, its storage switched by configuration: local disk and MooseFS do the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FileStorage } from '@flystorage/file-storage';
import type { StorageAdapter } from '@flystorage/file-storage';
import { LocalStorageAdapter } from '@flystorage/local-fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MooseFSAdapter } from '../../src/adapters/flystorage.ts';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const COPIES = 2;
let mfs: MooseFS;
let folder: string;
let local: string;
beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'flystorage', COPIES);
  local = await mkdtemp(join(tmpdir(), 'flystorage-'));
});
afterAll(async () => {
  await mfs.close();
  await rm(local, { recursive: true });
});

/** What a program's configuration says, and all that depends on it. */
type Configuration = { readonly driver: 'local' } | { readonly driver: 'moosefs' };
function adapterOf({ driver }: Configuration): StorageAdapter {
  return driver === 'local' ? new LocalStorageAdapter(local) : new MooseFSAdapter(mfs, { root: folder });
}

test.each<Configuration>([{ driver: 'local' }, { driver: 'moosefs' }])(
  'a program on $driver',
  async (configuration) => {
    const storage = new FileStorage(adapterOf(configuration));
    const data = pattern(1_500_007, 1);
    await storage.write('a/b/one.bin', Readable.from([data.subarray(0, 700_000), data.subarray(700_000)]));
    await storage.write('two.txt', 'moose', { visibility: 'private' });
    expect(md5(await storage.readToBuffer('a/b/one.bin'))).toBe(md5(data));
    expect(await storage.readToString('two.txt')).toBe('moose');
    expect(await storage.visibility('two.txt')).toBe('private');
    await storage.changeVisibility('two.txt', 'public');
    expect(await storage.visibility('two.txt')).toBe('public');
    expect(await storage.checksum('a/b/one.bin')).toBe(md5(data));
    expect(await storage.fileSize('a/b/one.bin')).toBe(data.length);
    expect(await storage.mimeType('two.txt')).toBe('text/plain');
    expect(Math.abs((await storage.lastModified('two.txt')) - Date.now())).toBeLessThan(60_000);
    await storage.copyFile('a/b/one.bin', 'c/copy.bin');
    await storage.moveFile('c/copy.bin', 'd/moved.bin');
    const listed = await storage.list('', { deep: true }).toArray();
    expect(listed.map(({ path, type }) => `${type} ${path}`).sort()).toEqual([
      ...['directory a', 'directory a/b', 'directory c', 'directory d'],
      ...['file a/b/one.bin', 'file d/moved.bin', 'file two.txt'],
    ]);
    expect(await storage.fileExists('c/copy.bin')).toBe(false);
    expect(await storage.directoryExists('c')).toBe(true);
    await expect(storage.read('missing').then((stream) => stream.toArray())).rejects.toMatchObject({
      wasFileNotFound: true,
    });
    await expect(storage.readToString('../../etc/passwd')).rejects.toThrow();
    await storage.deleteFile('two.txt');
    await storage.deleteDirectory('c');
    expect(await storage.fileExists('two.txt')).toBe(false);
    const failing = Readable.from(
      (function* () {
        yield data;
        throw new Error('the client has gone');
      })(),
    );
    await expect(storage.write('d/half.bin', failing)).rejects.toThrow();
    if (configuration.driver === 'moosefs') {
      await expectReplicas(mfs, `${folder}/d/moved.bin`, md5(data), COPIES);
      expect(await mfs.readdir(`${folder}/d`)).toEqual(['moved.bin']);
    }
  },
);
