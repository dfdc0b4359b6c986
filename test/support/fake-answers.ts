/** What a fake master answers by default: one function a call, over the tree in memory. Calls without one earn ENOTSUP. */
import { NodeType } from '../../src/protocol/attributes.ts';
import type { Address } from '../../src/protocol/address.ts';
import type { Call } from '../../src/protocol/message.ts';
import * as chunk from '../../src/protocol/messages/chunk.ts';
import * as inode from '../../src/protocol/messages/inode.ts';
import * as lock from '../../src/protocol/messages/lock.ts';
import * as namespace from '../../src/protocol/messages/namespace.ts';
import * as placement from '../../src/protocol/messages/placement.ts';
import { timeSync } from '../../src/protocol/messages/session.ts';
import { Status } from '../../src/protocol/status.ts';
import type { AnyCall } from './declared-messages.ts';
import { classDefinition, copiesOf, hasNames } from './fake-classes.ts';
import { nameKey, Refusal } from './fake-tree.ts';
import type { FakeChunk, FakeNode, FakeTree } from './fake-tree.ts';

/** Computes a reply's value, or throws a Refusal. `version` is the effective one of the connection. */
type Answer<Q, R> = (tree: FakeTree, value: Q, version: number) => R;

const NO_ATTRIBUTES = 38;
const NOT_EMPTY = 7;

/** The default answers, by call. */
export const defaultAnswers = new Map<AnyCall, Answer<never, object>>();

function answer<Q extends object, R extends object>(message: Call<Q, R>, how: Answer<Q, R>): void {
  defaultAnswers.set(message, how);
}

const entry = (tree: FakeTree, node: FakeNode) => ({ inode: node.inode, attributes: tree.attributes(node) });
/** For calls that are only checked for their inode. */
const existing = (tree: FakeTree, value: { readonly inode: number }) => {
  tree.node(value.inode);
  return {};
};
const now = () => Math.floor(Date.now() / 1000);

// --- names

const space = 1 << 30;
answer(namespace.statfs, (tree) => ({
  total: 10 * space,
  available: 8 * space,
  free: 8 * space,
  trash: 0,
  sustained: 0,
  inodes: tree.nodes.size,
}));
answer(namespace.access, existing);
answer(namespace.lookup, (tree, { parent, name }) => {
  if (!tree.nodes.has(parent)) throw new Refusal(Status.ENOENT_NOCACHE);
  return { ...entry(tree, tree.child(parent, name)), lookupFlags: 0xff, chunk: undefined };
});
answer(namespace.pathLookup, (tree, { base, path }) => {
  const names = nameKey(path).split('/').filter(Boolean);
  const last = Buffer.from(names.pop() ?? '', 'latin1');
  const parent = names.reduce((at, name) => tree.child(at, Buffer.from(name, 'latin1')).inode, base);
  if (last.length === 0) return { parent: 0, name: last, ...entry(tree, tree.node(base)) };
  if (tree.folder(parent).children.has(nameKey(last))) {
    return { parent, name: last, ...entry(tree, tree.child(parent, last)) };
  }
  const none = {
    flags: 0,
    type: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    atime: 0,
    mtime: 0,
    ctime: 0,
    nlink: 0,
    length: 0,
    rdev: 0,
  };
  return { parent, name: last, inode: 0, attributes: { ...none, winattr: 0 } as never };
});
answer(namespace.readlink, (tree, value) => {
  const node = tree.node(value.inode);
  if (node.type !== NodeType.symlink) throw new Refusal(Status.EINVAL);
  return { target: Buffer.concat([node.target, Buffer.alloc(1)]) };
});
answer(namespace.symlink, (tree, { parent, name, target, uid, gids }) => {
  const node = tree.add(NodeType.symlink, 0o777, uid, gids[0]!);
  node.target = Buffer.from(nameKey(target).replace(/\0+$/, ''), 'latin1');
  node.length = node.target.length;
  return entry(tree, tree.enter(parent, name, node));
});
answer(namespace.mknod, (tree, { parent, name, nodeType, mode, umask, uid, gids, rdev }) => {
  const node = tree.add(nodeType as NodeType, mode & ~umask, uid, gids[0]!);
  node.rdev = rdev;
  return entry(tree, tree.enter(parent, name, node));
});
answer(namespace.mkdir, (tree, { parent, name, mode, umask, uid, gids }) =>
  entry(tree, tree.enter(parent, name, tree.add(NodeType.directory, mode & ~umask, uid, gids[0]!))),
);
answer(namespace.unlink, (tree, { parent, name }) => {
  if (tree.child(parent, name).type === NodeType.directory) throw new Refusal(Status.EPERM);
  return { inode: tree.leave(parent, name).inode };
});
answer(namespace.rmdir, (tree, { parent, name }) => {
  const node = tree.folder(tree.child(parent, name).inode);
  if (node.children.size > 0) throw new Refusal(NOT_EMPTY);
  return { inode: tree.leave(parent, name).inode };
});
answer(namespace.rename, (tree, { parent, name, newParent, newName, mode }) => {
  const node = tree.child(parent, name);
  const there = tree.folder(newParent).children.get(nameKey(newName));
  if (parent === newParent && nameKey(name) === nameKey(newName))
    throw new Error('RENAME onto itself kills a real master');
  for (let folder = newParent; ; folder = tree.node(folder).parent) {
    if (folder === node.inode) throw new Refusal(Status.EINVAL);
    if (folder === 1) break;
  }
  if (mode === 1) {
    if (there === undefined) throw new Refusal(Status.ENOENT);
    tree.folder(parent).children.set(nameKey(name), there);
    tree.folder(newParent).children.set(nameKey(newName), node.inode);
    return { inode: 0, attributes: tree.attributes(node) };
  }
  if (there !== undefined) {
    if (mode === 2) throw new Refusal(Status.EEXIST);
    if (tree.node(there).children.size > 0) throw new Refusal(NOT_EMPTY);
    tree.leave(newParent, newName);
  }
  tree.folder(parent).children.delete(nameKey(name));
  tree.folder(newParent).children.set(nameKey(newName), node.inode);
  node.parent = newParent;
  return entry(tree, node);
});
answer(namespace.link, (tree, value) => {
  const node = tree.node(value.inode);
  if (node.type === NodeType.directory) throw new Refusal(Status.EPERM);
  tree.enter(value.newParent, value.newName, node);
  node.nlink++;
  return entry(tree, node);
});
answer(namespace.readdir, (tree, value, version) => {
  const folder = tree.folder(value.inode);
  const names: [string, number][] = [['.', folder.inode], ['..', folder.parent], ...folder.children];
  const paging = namespace.readdirPaging.includes(version);
  const start = paging ? Number(value.startId) : 0;
  const end = paging ? Math.min(names.length, start + value.maxEntries) : names.length;
  const entries = names.slice(start, end).map(([name, child]) => {
    const node = tree.node(child);
    const key = { name: Buffer.from(name, 'latin1'), inode: child };
    return { ...key, nodeType: node.type, attributes: tree.attributes(node) };
  });
  const layout =
    (value.flags & namespace.ReaddirFlag.attributes) === 0 ? namespace.plainEntries : namespace.fullEntries;
  const nextId = !paging ? value.startId : end === names.length ? namespace.READDIR_END : BigInt(end);
  return { nextId, entries: layout.encode({ entries }, version) };
});

// --- inodes

answer(inode.getattr, (tree, value) => ({ attributes: tree.attributes(tree.node(value.inode)) }));
answer(inode.setattr, (tree, value) => {
  const node = tree.node(value.inode);
  const has = (bit: number) => (value.setMask & bit) !== 0;
  const { SetMask } = inode;
  if (has(SetMask.winattr)) node.winattr = value.winattr;
  if (has(SetMask.mode)) node.mode = value.mode & 0o7777;
  if (has(SetMask.uid)) node.uid = value.newUid;
  if (has(SetMask.gid)) node.gid = value.newGid;
  if (has(SetMask.atime)) node.atime = value.atime;
  if (has(SetMask.mtime)) node.mtime = value.mtime;
  if (has(SetMask.atimeNow)) node.atime = now();
  if (has(SetMask.mtimeNow)) node.mtime = now();
  node.ctime = now();
  return { attributes: tree.attributes(node) };
});
answer(inode.open, (tree, value) => {
  const node = tree.file(value.inode);
  if ((value.flags & inode.OpenFlag.truncate) !== 0) tree.truncate(node, 0);
  return { openedFlags: 0, attributes: tree.attributes(node) };
});
answer(inode.create, (tree, { parent, name, mode, umask, uid, gids }) => {
  const node = tree.enter(parent, name, tree.add(NodeType.file, mode & ~umask, uid, gids[0]!));
  return { openedFlags: 0, ...entry(tree, node) };
});
answer(inode.truncate, (tree, { inode: number, flags, length }) => {
  const node = tree.file(number);
  const { TruncateFlag } = inode;
  let previousLength = node.length;
  if ((flags & TruncateFlag.reserve) !== 0) {
    previousLength = Math.max(node.length, node.reserved);
    node.reserved = previousLength + length;
  } else if ((flags & TruncateFlag.update) !== 0) {
    node.length = Math.max(node.length, length);
  } else {
    tree.truncate(node, length);
  }
  return { previousLength, attributes: tree.attributes(node) };
});
answer(inode.getxattr, (tree, { inode: number, name }) => {
  const { xattrs } = tree.node(number);
  if (name.length === 0) {
    return { value: Buffer.from([...xattrs.keys()].map((key) => `${key}\0`).join(''), 'latin1') };
  }
  const value = xattrs.get(nameKey(name));
  if (value === undefined) throw new Refusal(NO_ATTRIBUTES);
  return { value };
});
answer(inode.setxattr, (tree, { inode: number, name, value, mode }) => {
  const { xattrs } = tree.node(number);
  const exists = xattrs.has(nameKey(name));
  const { XattrSetMode } = inode;
  if (mode === XattrSetMode.create && exists) throw new Refusal(Status.EEXIST);
  if (mode >= XattrSetMode.replace && !exists) throw new Refusal(NO_ATTRIBUTES);
  if (mode === XattrSetMode.remove) xattrs.delete(nameKey(name));
  else xattrs.set(nameKey(name), Buffer.from(value));
  return {};
});
answer(inode.getfacl, (tree, value) => {
  tree.node(value.inode);
  throw new Refusal(NO_ATTRIBUTES);
});
answer(inode.setfacl, existing);
answer(inode.paths, (tree, value) => ({
  paths: tree.pathsOf(tree.node(value.inode).inode).map((path) => ({ path: Buffer.from(path, 'latin1') })),
}));

// --- chunks

const locations = (version: number, addresses: readonly Address[]) =>
  addresses.map(({ ip, port }) => ({ ip, port, version, labels: 0 }));
const whereabouts = (node: FakeNode, found: FakeChunk, version: number) => ({
  protocol: chunk.LocationProtocol.copies,
  length: node.length,
  chunkId: found.id,
  chunkVersion: found.version,
  servers: locations(
    version,
    found.servers.map((each) => each.location),
  ),
});
answer(chunk.readChunk, (tree, value, version) => {
  const node = tree.file(value.inode);
  const found = node.chunks[value.chunkIndex];
  if (found === undefined) {
    return { protocol: chunk.LocationProtocol.copies, length: node.length, chunkId: 0n, chunkVersion: 0, servers: [] };
  }
  if (found.locked) throw new Refusal(Status.LOCKED);
  return whereabouts(node, found, version);
});
answer(chunk.writeChunk, (tree, value, version) => {
  const node = tree.file(value.inode);
  const found = (node.chunks[value.chunkIndex] ??= tree.newChunk(tree.chunkservers.slice(0, node.goal ?? tree.goal)));
  const again = (value.flags & chunk.ChunkOpFlag.continueOperation) !== 0;
  if (found.locked && !again) throw new Refusal(Status.LOCKED);
  found.locked = true;
  return whereabouts(node, found, version);
});
answer(chunk.writeChunkEnd, (tree, value) => {
  tree.chunk(value.chunkId).locked = false;
  const node = tree.file(value.inode);
  node.length = Math.max(node.length, value.length);
  return {};
});
answer(chunk.checkChunk, (tree, value) => {
  const found = tree.file(value.inode).chunks[value.chunkIndex];
  if (found === undefined) throw new Refusal(Status.NOCHUNK);
  const all = found.servers.map((each) => ({ ...each.location, state: chunk.ReplicaState.valid, partCode: 0 }));
  return { chunkId: found.id, chunkVersion: found.version, replicas: all, parts: all };
});

// --- the rest

answer(lock.flock, existing);
answer(lock.posixLock, (tree, value) => {
  tree.node(value.inode);
  return { pid: 0, lockType: lock.PosixLockType.unlock, start: 0n, end: 0n };
});
answer(placement.getStorageClass, (tree, value, version) => {
  const { type, goal = tree.goal } = tree.node(value.inode);
  const one = !hasNames(version) ? { goal, count: 1 } : { name: Buffer.from(`${goal}CP`), count: 1 };
  const isFolder = type === NodeType.directory;
  return { classes: { files: isFolder ? [] : [one], directories: isFolder ? [one] : [] } };
});
answer(placement.setStorageClass, (tree, value, version) => {
  tree.node(value.inode).goal = copiesOf(value.name, version);
  return { changed: 1, notChanged: 0, notPermitted: 0 };
});
answer(placement.listStorageClasses, (_tree, _value, version) => {
  const names = !hasNames(version) ? ['1', '2', '3'] : ['2CP', '3CP'];
  return { names: Buffer.concat(names.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`))) };
});
answer(placement.listPatterns, () => ({ patterns: Buffer.alloc(0) }));
answer(placement.readStorageClass, (_tree, { name, format }, version) => ({
  format,
  definition: classDefinition(copiesOf(name, version), format, version),
}));
answer(timeSync, () => ({ microseconds: Date.now() * 1000 }));
