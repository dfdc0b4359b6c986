/** The folder that a chunkserver keeps its chunks in. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inPrivateNetwork } from './network.ts';
import type { ChunkserverOptions } from './options.ts';

const run = promisify(execFile);

/** A chunkserver's disk; {@link unmount} is needed only where it is a file system of its own. */
export interface Disk {
  readonly folder: string;
  unmount(): Promise<void>;
}

/** From 4.0.0 on, a size limit counts only what chunks take. */
const countsOnlyChunks = 0x040000;

/**
 * Makes the folder. One with a size limit becomes a file system of its own where that is possible (the run's own
 * network comes with mounts of its own): to a limited folder without chunks, MooseFS 3 counts everything that its file
 * system holds, and so sees no room on an ordinary disk.
 */
export async function makeDisk(folder: string, options: ChunkserverOptions, serverVersion: number): Promise<Disk> {
  await mkdir(folder, { recursive: true });
  if (options.diskLimit === undefined) return { folder, unmount: async () => undefined };
  if (!inPrivateNetwork()) {
    if (serverVersion >= countsOnlyChunks) return { folder, unmount: async () => undefined };
    throw new Error(
      `diskLimit ${options.diskLimit}: MooseFS 3 needs a file system of its own for that, which scripts/launch.mjs can give only ` +
        'together with a network of its own (as root, or where user namespaces are allowed)',
    );
  }
  await run('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
  return {
    folder,
    unmount: async () => {
      await run('umount', [folder]);
    },
  };
}
