/** Captures what is done with names and inodes. */
import { NodeType } from '../../../src/protocol/attributes.ts';
import * as inode from '../../../src/protocol/messages/inode.ts';
import * as lock from '../../../src/protocol/messages/lock.ts';
import * as names from '../../../src/protocol/messages/namespace.ts';
import * as placement from '../../../src/protocol/messages/placement.ts';
import { amtimeInodes, sustainedInodes, timeSync } from '../../../src/protocol/messages/session.ts';
import { version } from '../../../src/protocol/version.ts';
import type { MasterSession } from './session.ts';

const root = { uid: 0, gids: [0] };
const raw = (text: string) => Buffer.from(text, 'latin1');
const all = { maxEntries: 0xffff_ffff, startId: 0n };

/** Makes a folder, fills it, asks everything about it, and removes it. */
export async function captureTree(s: MasterSession): Promise<void> {
  await s.must(names.statfs, {});
  await s.must(timeSync, {});
  const name = raw(`capture-${process.pid}`);
  const made = await s.must(names.mkdir, { parent: 1, name, mode: 0o2755, umask: 0o22, ...root, copySgid: 1 });
  const folder = made.inode;
  await captureNames(s, folder);
  await captureInode(s, folder);
  await captureXattrs(s, folder);
  await captureLocks(s, folder);
  await captureClasses(s, folder);
  await clear(s, folder);
  await s.must(names.rmdir, { parent: 1, name, ...root });
}

/** Removes everything in a folder. */
async function clear(s: MasterSession, folder: number): Promise<void> {
  const list = await s.must(names.readdir, { inode: folder, ...root, flags: 0, ...all });
  for (const { name, nodeType } of names.plainEntries.decode(list.entries, s.version, 'entries').entries) {
    if (['.', '..'].includes(Buffer.from(name).toString('latin1'))) continue;
    if (nodeType !== NodeType.directory) {
      await s.must(names.unlink, { parent: folder, name, ...root });
      continue;
    }
    const found = await s.must(names.lookup, { parent: folder, name, ...root });
    await clear(s, found.inode);
    await s.must(names.rmdir, { parent: folder, name, ...root });
  }
}

const create = (s: MasterSession, parent: number, name: string) =>
  s.must(inode.create, { parent, name: raw(name), mode: 0o644, umask: 0o22, ...root });

async function captureNames(s: MasterSession, folder: number): Promise<void> {
  const parent = folder;
  const file = await create(s, parent, 'f');
  await s.ask(inode.create, { parent, name: raw('f'), mode: 0o644, umask: 0o22, ...root });
  await s.must(names.mkdir, { parent, name: raw('d'), mode: 0o755, umask: 0, ...root, copySgid: 0 });
  await s.must(names.mkdir, {
    parent,
    name: raw('\xff\xfe'),
    mode: 0o700,
    umask: 0,
    uid: 0,
    gids: [0, 4],
    copySgid: 0,
  });
  const node = { parent, mode: 0o600, umask: 0, ...root };
  await s.must(names.mknod, { ...node, name: raw('pipe'), nodeType: NodeType.fifo, rdev: 0 });
  await s.must(names.mknod, { ...node, name: raw('char'), nodeType: NodeType.characterDevice, rdev: 0x0103_0005 });
  await s.must(names.mknod, { ...node, name: raw('block'), nodeType: NodeType.blockDevice, rdev: 0x0801_0000 });
  await s.must(names.mknod, { ...node, name: raw('socket'), nodeType: NodeType.socket, rdev: 0 });
  const link = await s.must(names.symlink, { parent, name: raw('l'), target: raw('../n1'), ...root });
  await s.must(names.readlink, { inode: link.inode });
  await s.ask(names.readlink, { inode: file.inode });
  await s.must(names.lookup, { parent, name: raw('f'), ...root });
  await s.must(names.lookup, { parent, name: raw('..'), ...root });
  await s.ask(names.lookup, { parent, name: raw('missing'), ...root });
  await s.ask(names.lookup, { parent: 0x7fff_fff0, name: raw('x'), ...root });
  await s.ask(names.pathLookup, { base: parent, path: raw('d'), ...root });
  await s.ask(names.pathLookup, { base: parent, path: raw('missing'), ...root });
  await s.ask(names.pathLookup, { base: parent, path: raw('missing/x'), ...root });
  await s.ask(names.pathLookup, { base: 1, path: raw('/'), ...root });
  for (const mask of [4, 7]) await s.ask(names.access, { inode: file.inode, uid: 1000, gids: [1000, 4], mask });
  await s.must(names.link, { inode: file.inode, newParent: parent, newName: raw('f2'), ...root });
  await s.must(inode.paths, { inode: file.inode });
  await s.ask(inode.paths, { inode: 0x7fff_fff0 });
  for (const flags of [0, names.ReaddirFlag.attributes]) {
    await s.must(names.readdir, { inode: parent, ...root, flags, ...all });
    if (names.readdirPaging.includes(s.version)) {
      await s.must(names.readdir, { inode: parent, ...root, flags, maxEntries: 3, startId: 0n });
    }
  }
  await s.ask(names.readdir, { inode: file.inode, ...root, flags: 0, ...all });
  const move = { parent, newParent: parent, ...root };
  await s.must(names.rename, { ...move, name: raw('f2'), newName: raw('f3'), mode: 0 });
  await s.ask(names.rename, { ...move, name: raw('missing'), newName: raw('f3'), mode: 0 });
  if (s.version >= version('4.18.0')) {
    await s.must(names.rename, { ...move, name: raw('f3'), newName: raw('l'), mode: 1 });
    await s.ask(names.rename, { ...move, name: raw('f3'), newName: raw('l'), mode: 2 });
  }
  await s.must(names.unlink, { parent, name: raw('f3'), ...root });
  await s.ask(names.unlink, { parent, name: raw('d'), ...root });
  await s.ask(names.rmdir, { parent: 1, name: raw(`capture-${process.pid}`), ...root });
}

async function captureInode(s: MasterSession, folder: number): Promise<void> {
  const { inode: number } = await create(s, folder, 'inode');
  const its = { inode: number, opened: 0 };
  await s.must(inode.getattr, { ...its, uid: 0, gid: 0 });
  await s.ask(inode.getattr, { inode: 0x7fff_fff0, opened: 0, uid: 0, gid: 0 });
  const change = { mode: 0o4755, newUid: 1000, newGid: 100, atime: 1, mtime: 0xffff_fffe, winattr: 8 };
  const setMask = 0x6f;
  await s.must(inode.setattr, { ...its, ...root, setMask, ...change, sugidClear: inode.SUGID_CLEAR_EXT });
  await s.ask(inode.setattr, { ...its, uid: 5, gids: [5], setMask: 2, ...change, sugidClear: 0 });
  await s.must(inode.open, { inode: number, ...root, flags: 3 });
  await s.ask(inode.open, { inode: folder, ...root, flags: 1 });
  for (const length of [100_000_000, 5000]) await s.must(inode.truncate, { inode: number, flags: 0, ...root, length });
  await s.must(inode.truncate, { inode: number, flags: 0x0b, ...root, length: 1234 });
  await s.ask(inode.truncate, { inode: folder, flags: 0, ...root, length: 0 });
  s.connection.tell(amtimeInodes, { times: [{ inode: number, atime: 0x6b00_0000, mtime: 0x6b00_0001 }] });
  s.connection.tell(sustainedInodes, { inodes: [{ inode: number }] });
  await s.must(inode.getattr, { ...its, uid: 0, gid: 0 });
}

async function captureXattrs(s: MasterSession, folder: number): Promise<void> {
  const { inode: number } = await create(s, folder, 'xattr');
  const its = { inode: number, opened: 0, ...root };
  const name = raw('user.k');
  await s.must(inode.setxattr, { ...its, name, value: raw('abc'), mode: inode.XattrSetMode.set });
  await s.must(inode.setxattr, { ...its, name: raw('user.z'), value: raw(''), mode: inode.XattrSetMode.create });
  await s.ask(inode.setxattr, { ...its, name, value: raw('abc'), mode: inode.XattrSetMode.create });
  await s.must(inode.getxattr, { ...its, name, mode: inode.XattrGetMode.value });
  await s.must(inode.getxattr, { ...its, name: raw('user.z'), mode: inode.XattrGetMode.value });
  await s.must(inode.getxattr, { ...its, name: raw(''), mode: inode.XattrGetMode.value });
  await s.ask(inode.getxattr, { ...its, name: raw('user.none'), mode: inode.XattrGetMode.value });
  await s.must(inode.setxattr, { ...its, name, value: raw(''), mode: inode.XattrSetMode.remove });

  const acl = { inode: number, uid: 0, aclType: inode.AclType.access };
  await s.ask(inode.getfacl, { inode: number, aclType: inode.AclType.access });
  const entries = { users: [{ id: 1234, permissions: 6 }], groups: [{ id: 4321, permissions: 4 }] };
  await s.must(inode.setfacl, { ...acl, user: 6, group: 4, other: 0, mask: 6, entries });
  await s.must(inode.getfacl, { inode: number, aclType: inode.AclType.access });
  const none = inode.ACL_NONE;
  const nobody = { users: [], groups: [] };
  await s.must(inode.setfacl, { ...acl, user: none, group: none, other: none, mask: none, entries: nobody });
}

async function captureLocks(s: MasterSession, folder: number): Promise<void> {
  const { inode: number } = await create(s, folder, 'lock');
  const its = { inode: number, requestId: 0 };
  await s.must(lock.flock, { ...its, owner: 77n, command: lock.FlockCommand.tryExclusive });
  await s.ask(lock.flock, { ...its, owner: 78n, command: lock.FlockCommand.tryShared });
  await s.must(lock.flock, { ...its, owner: 77n, command: lock.FlockCommand.unlock });
  const range = { ...its, pid: 4242, start: 100n, end: 200n };
  const { PosixLockCommand, PosixLockType } = lock;
  await s.must(lock.posixLock, {
    ...range,
    owner: 77n,
    command: PosixLockCommand.trySet,
    lockType: PosixLockType.write,
  });
  const question = { command: PosixLockCommand.get, lockType: PosixLockType.read, owner: 78n };
  await s.must(lock.posixLock, { ...range, ...question });
  await s.must(lock.posixLock, { ...range, ...question, start: 300n, end: lock.LOCK_TO_END });
  await s.ask(lock.posixLock, { ...range, ...question, command: PosixLockCommand.trySet });
  await s.must(lock.posixLock, { ...range, owner: 77n, command: PosixLockCommand.set, lockType: PosixLockType.unlock });
}

async function captureClasses(s: MasterSession, folder: number): Promise<void> {
  const file = await s.must(names.lookup, { parent: folder, name: raw('xattr'), ...root });
  const v4 = s.version >= version('4.0.0');
  const className = raw(v4 ? '3CP' : '3');
  for (const recursive of [0, 1]) await s.must(placement.getStorageClass, { inode: folder, recursive });
  const set = { uid: 0, byName: placement.CLASS_BY_NAME, setMode: placement.SetMode.set };
  await s.must(placement.setStorageClass, { inode: file.inode, ...set, name: className });
  await s.ask(placement.setStorageClass, { inode: file.inode, ...set, name: raw('nope') });
  await s.must(placement.getStorageClass, { inode: folder, recursive: 1 });
  await s.must(placement.listStorageClasses, { format: 0 });
  if (s.version >= version('4.57.0')) await s.must(placement.listPatterns, { format: 0 });
  const { set: archived, clear } = placement.ArchiveCommand;
  for (const command of [archived, clear]) await s.must(placement.archive, { inode: file.inode, command, uid: 0 });
  const format = v4 ? { format: 6, padding: Buffer.alloc(47) } : { format: 0, padding: Buffer.alloc(7) };
  await s.ask(placement.readStorageClass, { name: className, changeMask: 0, ...format });
  const copy = { source: file.inode, parent: folder, name: raw('snapshot'), ...root, mode: 0, umask: 0o22 };
  await s.must(placement.snapshot, copy);
  await s.ask(placement.snapshot, copy);
  const into = { ...copy, source: folder, name: raw('inside'), mode: 0 };
  await s.ask(placement.snapshot, into);
}
