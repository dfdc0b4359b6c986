/** Exports that allow less: what is refused, by which code, and that nothing was done. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { ConnectOptions } from '../../src/index.ts';
import { sharedCluster, startCluster } from '../support/live.ts';
import type { Cluster } from '../support/live.ts';

const isOld = sharedCluster().version.startsWith('3.');
const three = isOld ? '3' : '3CP';
const DISABLED = ['chmod', 'unlink', 'snapshot', 'settrash', 'setsclass', 'seteattr', 'setxattr', 'appendchunks'];

describe.skipIf(sharedCluster().provider === 'external')('an export', () => {
  let cluster: Cluster;
  let admin: MooseFS;

  const connect = (root: string, options: ConnectOptions = {}) =>
    MooseFS.connect({
      master: cluster.master,
      root,
      chunkserverAddress: (address) => cluster.mapAddress(address),
      ...options,
    });

  beforeAll(async () => {
    cluster = await startCluster({
      exports: [
        '* / rw,admin,maproot=0:0',
        '* /ro ro,maproot=0:0',
        '* /plain rw,maproot=0:0',
        '* /mapped rw,admin,maproot=1000:1000',
        '* /limited rw,maproot=0:0,mintrashtime=1d,maxtrashtime=2d',
        `* /grouped rw,maproot=0:0,${isOld ? 'mingoal=2,maxgoal=2' : 'sclassgroups=1'}`,
        `* /disabled rw,admin,maproot=0:0,disable=${DISABLED.join(':')}`,
      ],
    });
    admin = await connect('/');
    for (const name of ['ro', 'plain', 'mapped', 'limited', 'grouped', 'disabled']) {
      await admin.mkdir(`/${name}/folder`, { recursive: true });
      await admin.writeFile(`/${name}/file`, 'content');
    }
  });
  afterAll(async () => {
    await admin.close();
    await cluster.stop();
  });

  test('that is read-only refuses every change with EROFS', async () => {
    await using mfs = await connect('/ro');
    expect(mfs.session.readOnly).toBe(true);
    expect(await mfs.readFile('/file', 'utf8')).toBe('content');
    expect(await mfs.goal.get('/file')).toBe(2);
    const refused: Record<string, () => Promise<unknown>> = {
      writeFile: () => mfs.writeFile('/new', 'x'),
      open: () => mfs.open('/file', 'r+'),
      mkdir: () => mfs.mkdir('/new'),
      unlink: () => mfs.unlink('/file'),
      rmdir: () => mfs.rmdir('/folder'),
      rename: () => mfs.rename('/file', '/other'),
      link: () => mfs.link('/file', '/other'),
      symlink: () => mfs.symlink('file', '/other'),
      chmod: () => mfs.chmod('/file', 0o600),
      truncate: () => mfs.truncate('/file', 1),
      xattr: () => mfs.xattr.set('/file', 'user.a', 'b'),
      acl: () => mfs.acl.set('/file', null),
      storageClass: () => mfs.storageClass.set('/file', three),
      goal: () => mfs.goal.set('/file', 3),
      retention: () => mfs.trash.setRetention('/file', 3600),
      eattr: () => mfs.eattr.add('/file', ['noowner']),
      archive: () => mfs.archive.set('/file'),
      snapshot: () => mfs.snapshot('/file', '/other'),
      quota: () => mfs.quota.set('/folder', { hard: { inodes: 1 } }),
      repair: () => mfs.repair('/file', { erase: true }),
    };
    for (const [what, call] of Object.entries(refused)) {
      const error = await call().then(
        () => undefined,
        (failure: unknown) => failure as NodeJS.ErrnoException,
      );
      expect.soft({ what, code: error?.code, errno: error?.errno }).toEqual({ what, code: 'EROFS', errno: -30 });
      expect.soft(error?.message).toMatch(/^EROFS: read-only file system, /);
    }
    expect((await admin.readdir('/ro')).sort()).toEqual(['file', 'folder']);
  });

  test('without admin refuses changes of classes and quotas with EPERM, and says why', async () => {
    await using mfs = await connect('/plain');
    for (const call of [
      () => mfs.storageClass.create('new', { keep: 1 }),
      () => mfs.storageClass.duplicate(three, 'new'),
      () => mfs.storageClass.rename(three, 'new'),
      () => mfs.storageClass.delete(three),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'EPERM',
        cause: { message: expect.stringContaining('the export does not allow administration') as string },
      });
    await expect(mfs.quota.set('/folder', { hard: { inodes: 1 } })).rejects.toMatchObject({ code: 'EPERM' });
    await expect(mfs.quota.remove('/folder')).rejects.toMatchObject({ code: 'EPERM' });
    // What needs no administrator.
    expect((await mfs.storageClass.describe(three)).keep.copies).toHaveLength(3);
    expect(await mfs.storageClass.set('/file', three)).toMatchObject({ changed: 1 });
    expect((await mfs.quota.get('/folder')).hard).toEqual({});
    expect(await admin.storageClass.list()).not.toContain('new');
  });

  test('that maps root to somebody refuses quotas with EACCES, and what is not theirs with EPERM', async () => {
    await using mfs = await connect('/mapped', { uid: 0, gid: 0 });
    await expect(mfs.quota.set('/folder', { hard: { inodes: 1 } })).rejects.toMatchObject({ code: 'EACCES' });
    await expect(mfs.storageClass.set('/file', three)).rejects.toMatchObject({ code: 'EPERM', path: '/file' });
    await expect(mfs.trash.setRetention('/file', 3600)).rejects.toMatchObject({ code: 'EPERM' });
    await expect(mfs.eattr.add('/file', ['noowner'])).rejects.toMatchObject({ code: 'EPERM' });
    // In a tree they are counted.
    expect(await mfs.storageClass.set('/', three, { recursive: true })).toEqual({
      changed: 0,
      notChanged: 0,
      notPermitted: 3,
    });
    expect(await admin.storageClass.get('/mapped/file')).not.toBe(three);
  });

  test('with limits of the trash time refuses others with EPERM', async () => {
    await using mfs = await connect('/limited');
    await expect(mfs.trash.setRetention('/file', 3600)).rejects.toMatchObject({ code: 'EPERM' });
    await expect(mfs.trash.setRetention('/file', 4 * 86_400)).rejects.toMatchObject({ code: 'EPERM' });
    await mfs.trash.setRetention('/file', 86_400);
    expect(await mfs.trash.getRetention('/file')).toBe(86_400);
  });

  test('with limits of goals or class groups refuses other classes with EPERM', async () => {
    await using mfs = await connect('/grouped');
    await expect(mfs.storageClass.set('/file', three)).rejects.toMatchObject({ code: 'EPERM' });
    await expect(mfs.goal.set('/file', 3)).rejects.toMatchObject({ code: 'EPERM' });
    expect(await admin.goal.get('/grouped/file')).toBe(2);
  });

  test('with disabled operations refuses each with EPERM', async () => {
    await using mfs = await connect('/disabled');
    for (const [what, call] of Object.entries({
      chmod: () => mfs.chmod('/file', 0o600),
      unlink: () => mfs.unlink('/file'),
      snapshot: () => mfs.snapshot('/file', '/other'),
      removeSnapshot: () => mfs.removeSnapshot('/file'),
      settrash: () => mfs.trash.setRetention('/file', 3600),
      setsclass: () => mfs.storageClass.set('/file', three),
      seteattr: () => mfs.eattr.add('/file', ['noowner']),
      archive: () => mfs.archive.set('/file'),
      setxattr: () => mfs.xattr.set('/file', 'user.a', 'b'),
      appendchunks: () => mfs.concat('/file', ['/other-file']),
    })) {
      if (what === 'appendchunks') await mfs.writeFile('/other-file', 'x');
      const error = await call().then(
        () => undefined,
        (failure: unknown) => failure as NodeJS.ErrnoException,
      );
      expect.soft({ what, code: error?.code }).toEqual({ what, code: 'EPERM' });
    }
    expect(await mfs.readFile('/file', 'utf8')).toBe('content');
  });

  test('without the meta file system has no trash, and says what is missing', async () => {
    for (const call of [
      () => admin.trash.list(),
      () => admin.trash.restore('/x'),
      () => admin.trash.purge({ pattern: '**' }),
      () => admin.trash.sustained(),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'EACCES',
        message: expect.stringContaining(
          "no line of the master's exports allows the meta file system (path .)",
        ) as string,
      });
  });
});
