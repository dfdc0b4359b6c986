/** The file system of a fake master: inodes, names and chunks in memory. Knows no packets; refuses with {@link Refusal}. */
import { NodeType } from '../../src/protocol/attributes.ts';
import type { Attributes } from '../../src/protocol/attributes.ts';
import { BLOCK_SIZE, CHUNK_SIZE } from '../../src/protocol/geometry.ts';
import { Status } from '../../src/protocol/status.ts';
import type { FakeChunkserver } from './fake-chunkserver.ts';

/** A status that is the answer to a call. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** A chunk of a file. */
export interface FakeChunk {
  readonly id: bigint;
  version: number;
  /** Where its replicas lie; a test may change it. */
  servers: readonly FakeChunkserver[];
  /** From WRITE_CHUNK to WRITE_CHUNK_END. */
  locked: boolean;
}

/** An inode. */
export interface FakeNode {
  readonly inode: number;
  readonly type: NodeType;
  mode: number;
  uid: number;
  gid: number;
  atime: number;
  mtime: number;
  ctime: number;
  nlink: number;
  rdev: number;
  winattr: number;
  length: number;
  /** The end of what was reserved for appends. */
  reserved: number;
  target: Buffer;
  /** How many copies its new chunks get, where its class says so. */
  goal: number | undefined;
  parent: number;
  /** Names are raw bytes, here as latin1. */
  readonly children: Map<string, number>;
  readonly chunks: (FakeChunk | undefined)[];
  readonly xattrs: Map<string, Buffer>;
}

/** The name of a map's entry for a name on the wire. */
export const nameKey = (name: Uint8Array): string => Buffer.from(name).toString('latin1');

/** Inode 1 is the root. */
export class FakeTree {
  readonly nodes = new Map<number, FakeNode>();
  /** How many replicas a new chunk gets; fewer when there are fewer servers, as a real master does without a word. */
  goal = 2;
  /** Where new chunks go, the first `goal` of them. A test may change it at any time. */
  chunkservers: readonly FakeChunkserver[] = [];
  #lastInode = 0;
  #lastChunk = 0n;

  constructor() {
    this.add(NodeType.directory, 0o755, 0, 0);
  }

  /** Makes an inode without a name. */
  add(type: NodeType, mode: number, uid: number, gid: number): FakeNode {
    const now = Math.floor(Date.now() / 1000);
    const node: FakeNode = {
      inode: ++this.#lastInode,
      type,
      mode: mode & 0o7777,
      uid,
      gid,
      atime: now,
      mtime: now,
      ctime: now,
      nlink: type === NodeType.directory ? 2 : 1,
      rdev: 0,
      winattr: 0,
      length: type === NodeType.directory ? 1 : 0,
      reserved: 0,
      target: Buffer.alloc(0),
      goal: undefined,
      parent: 1,
      children: new Map(),
      chunks: [],
      xattrs: new Map(),
    };
    this.nodes.set(node.inode, node);
    return node;
  }

  /** The inode of this number; ENOENT. */
  node(inode: number): FakeNode {
    const node = this.nodes.get(inode);
    if (node === undefined) throw new Refusal(Status.ENOENT);
    return node;
  }

  /** The folder of this number; ENOENT, ENOTDIR. */
  folder(inode: number): FakeNode {
    const node = this.node(inode);
    if (node.type !== NodeType.directory) throw new Refusal(2);
    return node;
  }

  /** The file of this number; ENOENT, EPERM as a master says it. */
  file(inode: number): FakeNode {
    const node = this.node(inode);
    if (node.type !== NodeType.file) throw new Refusal(Status.EPERM);
    return node;
  }

  /** The inode behind a name, `.` and `..` too; ENOENT. */
  child(parent: number, name: Uint8Array): FakeNode {
    const folder = this.folder(parent);
    const key = nameKey(name);
    if (key === '.') return folder;
    if (key === '..') return this.node(folder.parent);
    const inode = folder.children.get(key);
    if (inode === undefined) throw new Refusal(Status.ENOENT);
    return this.node(inode);
  }

  /** Gives an inode a name; EEXIST, EINVAL. */
  enter(parent: number, name: Uint8Array, node: FakeNode): FakeNode {
    const folder = this.folder(parent);
    const key = nameKey(name);
    if (key === '' || key === '.' || key === '..' || /[/\0]/.test(key)) throw new Refusal(Status.EINVAL);
    if (folder.children.has(key)) throw new Refusal(Status.EEXIST);
    folder.children.set(key, node.inode);
    if (node.type === NodeType.directory) folder.nlink++;
    node.parent = parent;
    return node;
  }

  /** Takes a name away, and the inode with its last name. */
  leave(parent: number, name: Uint8Array): FakeNode {
    const node = this.child(parent, name);
    const folder = this.folder(parent);
    folder.children.delete(nameKey(name));
    if (node.type === NodeType.directory) {
      folder.nlink--;
      node.nlink = 0;
    } else {
      node.nlink--;
    }
    if (node.nlink === 0) this.nodes.delete(node.inode);
    return node;
  }

  /** For tests: the inode at a path such as `/a/b`. */
  at(path: string): FakeNode {
    return path
      .split('/')
      .filter(Boolean)
      .reduce((node, name) => this.child(node.inode, Buffer.from(name)), this.node(1));
  }

  /** Every path of an inode, without a leading slash. */
  pathsOf(inode: number, from = this.node(1), before = ''): string[] {
    if (inode === 1) return ['/'];
    return [...from.children].flatMap(([name, child]) => {
      const path = before + name;
      const found = child === inode ? [path] : [];
      const node = this.node(child);
      return node.type === NodeType.directory ? [...found, ...this.pathsOf(inode, node, `${path}/`)] : found;
    });
  }

  /** For tests: makes a file with content on the given servers (default: where chunks go). */
  addFile(path: string, data: Uint8Array, servers = this.chunkservers.slice(0, this.goal)): FakeNode {
    const names = path.split('/').filter(Boolean);
    const name = names.pop()!;
    let parent = this.node(1);
    for (const each of names) {
      const inode = parent.children.get(each);
      parent =
        inode === undefined
          ? this.enter(parent.inode, Buffer.from(each), this.add(NodeType.directory, 0o755, 0, 0))
          : this.node(inode);
    }
    const node = this.enter(parent.inode, Buffer.from(name), this.add(NodeType.file, 0o644, 0, 0));
    node.length = data.length;
    for (let at = 0; at < data.length; at += CHUNK_SIZE) {
      const chunk = this.newChunk(servers);
      for (const server of servers) server.replicas.create(chunk.id, 1, data.subarray(at, at + CHUNK_SIZE));
      node.chunks.push(chunk);
    }
    return node;
  }

  /** A chunk with an empty replica on each server. */
  newChunk(servers = this.chunkservers.slice(0, this.goal)): FakeChunk {
    if (servers.length === 0) throw new Refusal(Status.NOSPACE);
    const chunk: FakeChunk = { id: ++this.#lastChunk, version: 1, servers, locked: false };
    for (const server of servers) server.replicas.create(chunk.id, 1);
    return chunk;
  }

  /** The chunk with this id; NOCHUNK. */
  chunk(id: bigint): FakeChunk {
    for (const { chunks } of this.nodes.values()) {
      for (const chunk of chunks) if (chunk?.id === id) return chunk;
    }
    throw new Refusal(Status.NOCHUNK);
  }

  /** Sets a length: cuts chunks and replicas, as a plain TRUNCATE does. */
  truncate(node: FakeNode, length: number): void {
    node.length = length;
    node.reserved = 0;
    node.chunks.length = Math.min(node.chunks.length, Math.ceil(length / CHUNK_SIZE));
    const last = node.chunks[Math.floor(length / CHUNK_SIZE)];
    if (last === undefined) return;
    last.version++;
    const end = length % CHUNK_SIZE;
    for (const { replicas } of last.servers) {
      const replica = replicas.get(last.id);
      if (replica === undefined) continue;
      replica.version = last.version;
      for (const block of replica.blocks.keys()) {
        const keep = Math.max(0, Math.min(BLOCK_SIZE, end - block * BLOCK_SIZE));
        if (keep === 0) replica.blocks.delete(block);
        else replica.blocks.get(block)!.fill(0, keep);
      }
    }
  }

  /** What a reply tells of an inode. */
  attributes(node: FakeNode): Attributes {
    const { type, mode, uid, gid, atime, mtime, ctime, nlink, length, rdev, winattr } = node;
    const flags = node.xattrs.size === 0 ? 0x08 : 0;
    return { flags, type, mode, uid, gid, atime, mtime, ctime, nlink, length, rdev, winattr };
  }
}
