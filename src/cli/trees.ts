/** What put, get and cp need of a file system, the same for that of this machine and for a MooseFS. */
import { promises as localFs } from 'node:fs';
import PQueue from 'p-queue';
import type { MooseFS, Stats } from '../index.ts';
import { failure } from './status.ts';
import { byName, joinPath } from './paths.ts';

/** What there is at a path. */
export interface Entry {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly inode: number;
}

/** An entry of a folder. */
export interface NamedEntry extends Entry {
  readonly name: Buffer;
}

/** A file system, as far as copying trees needs it. */
export interface Tree {
  /** What is at a path; undefined where there is nothing. */
  look(path: Buffer, how: { follow: boolean }): Promise<Entry | undefined>;
  /** What is in a folder, sorted by name. */
  list(folder: Buffer): Promise<NamedEntry[]>;
  readLink(path: Buffer): Promise<Buffer>;
  /** Makes a folder; one that is there already will do. */
  makeFolder(path: Buffer, mode: number): Promise<void>;
  /** Makes a symlink; a file or symlink that is there is replaced. */
  makeLink(path: Buffer, target: Buffer): Promise<void>;
}

/** Questions about single names that are on their way at the same time. */
const PARALLEL_LOOKS = 32;
const PERMISSIONS = 0o7777;

type AnyStats = Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'size' | 'mode' | 'ino'>;

function entryOf(stats: AnyStats): Entry {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other';
  return { kind, size: stats.isFile() ? stats.size : 0, mode: stats.mode & PERMISSIONS, inode: stats.ino };
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;

async function unlessMissing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The entries of a folder whose names are known; those that vanish meanwhile are left out. */
async function lookAll(
  tree: Tree,
  folder: Buffer,
  names: readonly Buffer[],
  signal: AbortSignal,
): Promise<NamedEntry[]> {
  const queue = new PQueue({ concurrency: PARALLEL_LOOKS });
  const entries = await queue.addAll(
    names.map((name) => async () => {
      signal.throwIfAborted();
      const entry = await tree.look(joinPath(folder, name), { follow: false });
      return entry === undefined ? [] : [{ ...entry, name }];
    }),
  );
  return entries.flat().sort(byName);
}

/** A MooseFS. */
export class RemoteTree implements Tree {
  readonly #mfs: MooseFS;
  readonly #signal: AbortSignal;

  constructor(mfs: MooseFS, signal: AbortSignal) {
    this.#mfs = mfs;
    this.#signal = signal;
  }

  async look(path: Buffer, { follow }: { follow: boolean }): Promise<Entry | undefined> {
    const options = { signal: this.#signal };
    const stats = await unlessMissing(follow ? this.#mfs.stat(path, options) : this.#mfs.lstat(path, options));
    return stats && entryOf(stats);
  }

  async list(folder: Buffer): Promise<NamedEntry[]> {
    const names = await this.#mfs.readdir(folder, { encoding: 'buffer', signal: this.#signal });
    // A name with a slash would lead elsewhere when it is used on this machine.
    const bad = names.find((name) => name.includes('/') || name.includes(0));
    if (bad !== undefined) throw failure('EPROTO', `the server gave a name that no file can have: ${bad.toString()}`);
    return lookAll(this, folder, names, this.#signal);
  }

  readLink(path: Buffer): Promise<Buffer> {
    return this.#mfs.readlink(path, { encoding: 'buffer', signal: this.#signal });
  }

  async makeFolder(path: Buffer, mode: number): Promise<void> {
    try {
      await this.#mfs.mkdir(path, { mode, signal: this.#signal });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || (await this.look(path, { follow: true }))?.kind !== 'folder') throw error;
    }
  }

  async makeLink(path: Buffer, target: Buffer): Promise<void> {
    const options = { signal: this.#signal };
    try {
      await this.#mfs.symlink(target, path, null, options);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      await this.#mfs.unlink(path, options);
      await this.#mfs.symlink(target, path, null, options);
    }
  }
}

/** The file system of this machine. */
export class LocalTree implements Tree {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async look(path: Buffer, { follow }: { follow: boolean }): Promise<Entry | undefined> {
    const stats = await unlessMissing(follow ? localFs.stat(path) : localFs.lstat(path));
    return stats && entryOf(stats);
  }

  async list(folder: Buffer): Promise<NamedEntry[]> {
    return lookAll(this, folder, await localFs.readdir(folder, { encoding: 'buffer' }), this.#signal);
  }

  readLink(path: Buffer): Promise<Buffer> {
    return localFs.readlink(path, { encoding: 'buffer' });
  }

  async makeFolder(path: Buffer, mode: number): Promise<void> {
    try {
      await localFs.mkdir(path, { mode });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || (await this.look(path, { follow: true }))?.kind !== 'folder') throw error;
    }
  }

  async makeLink(path: Buffer, target: Buffer): Promise<void> {
    try {
      await localFs.symlink(target, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      await localFs.unlink(path);
      await localFs.symlink(target, path);
    }
  }
}
