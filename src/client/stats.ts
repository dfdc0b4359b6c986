/** Stats, BigIntStats, StatFs and Dirent in the shapes of node:fs. */
import { constants } from 'node:fs';
import { NodeType } from '../protocol/attributes.ts';
import type { Attributes } from '../protocol/attributes.ts';

const formatBits: Record<NodeType, number> = {
  [NodeType.file]: constants.S_IFREG,
  [NodeType.directory]: constants.S_IFDIR,
  [NodeType.symlink]: constants.S_IFLNK,
  [NodeType.fifo]: constants.S_IFIFO,
  [NodeType.blockDevice]: constants.S_IFBLK,
  [NodeType.characterDevice]: constants.S_IFCHR,
  [NodeType.socket]: constants.S_IFSOCK,
};

/** The block size that reads and writes go best in: that of the chunkservers. */
const PREFERRED_BLOCK = 65_536;
/** The unit of `blocks`, as everywhere. */
const SECTOR = 512;

abstract class TypedNode {
  readonly #type: NodeType;

  constructor(type: NodeType) {
    this.#type = type;
  }

  isFile(): boolean {
    return this.#type === NodeType.file;
  }
  isDirectory(): boolean {
    return this.#type === NodeType.directory;
  }
  isSymbolicLink(): boolean {
    return this.#type === NodeType.symlink;
  }
  isFIFO(): boolean {
    return this.#type === NodeType.fifo;
  }
  isBlockDevice(): boolean {
    return this.#type === NodeType.blockDevice;
  }
  isCharacterDevice(): boolean {
    return this.#type === NodeType.characterDevice;
  }
  isSocket(): boolean {
    return this.#type === NodeType.socket;
  }
}

/** What the fields of both kinds of stats are made of. */
export interface StatSource {
  readonly inode: number;
  readonly attributes: Attributes;
  /** Names the file system: same for all files of one cluster. */
  readonly device: number;
}

/** A folder has no size in bytes on MooseFS (the master gives a pseudo number): 0. */
const sizeOf = ({ type, length }: Attributes) => (type === NodeType.directory ? 0 : length);

/** As node's `fs.Stats`. MooseFS keeps whole seconds, and no time of birth: `birthtime` is `ctime`. */
export class Stats extends TypedNode {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  readonly atime: Date;
  readonly mtime: Date;
  readonly ctime: Date;
  readonly birthtime: Date;

  /** @internal */
  constructor({ inode, attributes, device }: StatSource) {
    super(attributes.type);
    this.dev = device;
    this.ino = inode;
    this.mode = formatBits[attributes.type] | attributes.mode;
    this.nlink = attributes.nlink;
    this.uid = attributes.uid;
    this.gid = attributes.gid;
    this.rdev = attributes.rdev;
    this.size = sizeOf(attributes);
    this.blksize = PREFERRED_BLOCK;
    this.blocks = Math.ceil(this.size / SECTOR);
    this.atimeMs = attributes.atime * 1000;
    this.mtimeMs = attributes.mtime * 1000;
    this.ctimeMs = attributes.ctime * 1000;
    this.birthtimeMs = this.ctimeMs;
    this.atime = new Date(this.atimeMs);
    this.mtime = new Date(this.mtimeMs);
    this.ctime = new Date(this.ctimeMs);
    this.birthtime = new Date(this.birthtimeMs);
  }
}

/** As node's `fs.BigIntStats`. */
export class BigIntStats extends TypedNode {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeMs: bigint;
  readonly mtimeMs: bigint;
  readonly ctimeMs: bigint;
  readonly birthtimeMs: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;
  readonly atime: Date;
  readonly mtime: Date;
  readonly ctime: Date;
  readonly birthtime: Date;

  /** @internal */
  constructor(source: StatSource) {
    super(source.attributes.type);
    const plain = new Stats(source);
    this.dev = BigInt(plain.dev);
    this.ino = BigInt(plain.ino);
    this.mode = BigInt(plain.mode);
    this.nlink = BigInt(plain.nlink);
    this.uid = BigInt(plain.uid);
    this.gid = BigInt(plain.gid);
    this.rdev = BigInt(plain.rdev);
    this.size = BigInt(plain.size);
    this.blksize = BigInt(plain.blksize);
    this.blocks = BigInt(plain.blocks);
    this.atimeMs = BigInt(plain.atimeMs);
    this.mtimeMs = BigInt(plain.mtimeMs);
    this.ctimeMs = BigInt(plain.ctimeMs);
    this.birthtimeMs = BigInt(plain.birthtimeMs);
    this.atimeNs = this.atimeMs * 1_000_000n;
    this.mtimeNs = this.mtimeMs * 1_000_000n;
    this.ctimeNs = this.ctimeMs * 1_000_000n;
    this.birthtimeNs = this.birthtimeMs * 1_000_000n;
    this.atime = plain.atime;
    this.mtime = plain.mtime;
    this.ctime = plain.ctime;
    this.birthtime = plain.birthtime;
  }
}

/** As node's `fs.Dirent`; `name` is a Buffer when the listing was asked for with `encoding: 'buffer'`. */
export class Dirent<Name extends string | Buffer = string> extends TypedNode {
  readonly name: Name;
  /** The folder that was listed. */
  readonly parentPath: string;
  /** The same, under the name that older versions of node have. */
  readonly path: string;

  /** @internal */
  constructor(name: Name, parentPath: string, type: NodeType) {
    super(type);
    this.name = name;
    this.parentPath = parentPath;
    this.path = parentPath;
  }
}

/** As node's `fs.StatFs`: space in blocks of `bsize` bytes. */
export interface StatFs<N extends number | bigint = number> {
  readonly type: N;
  readonly bsize: N;
  readonly blocks: N;
  readonly bfree: N;
  readonly bavail: N;
  readonly files: N;
  readonly ffree: N;
}

/** The same in bigint. */
export function bigStatFs({ type, bsize, blocks, bfree, bavail, files, ffree }: StatFs): StatFs<bigint> {
  return {
    type: BigInt(type),
    bsize: BigInt(bsize),
    blocks: BigInt(blocks),
    bfree: BigInt(bfree),
    bavail: BigInt(bavail),
    files: BigInt(files),
    ffree: BigInt(ffree),
  };
}
