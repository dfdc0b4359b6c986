/**
 * npm run example -- examples/folder-sync.ts [LOCAL REMOTE]
 *
 * Makes a folder of MooseFS the same as a local one: what is new or changed is uploaded, sixteen files at once, what is gone is
 * removed, the rest is left alone (same size and time). Without arguments it syncs the sources of this package, twice.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import PQueue from 'p-queue';
import type { MooseFS } from '../src/index.ts';
import { connect } from './connect.ts';

const AT_ONCE = 16;

interface Entry {
  readonly size: number;
  /** Whole seconds: MooseFS keeps no more. */
  readonly seconds: number;
}

async function localFiles(folder: string): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs } = await stat(path);
    found.set(relative(folder, path), { size, seconds: Math.floor(mtimeMs / 1000) });
  }
  return found;
}

async function remoteFiles(mfs: MooseFS, folder: string): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  const walk = async (below: string): Promise<void> => {
    for (const entry of await mfs.readdir(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) {
        const { size, mtimeMs } = await mfs.stat(join(folder, path));
        found.set(path, { size, seconds: Math.floor(mtimeMs / 1000) });
      }
    }
  };
  await walk('');
  return found;
}

interface SyncCounts {
  uploaded: number;
  removed: number;
  unchanged: number;
}

async function sync(mfs: MooseFS, local: string, remote: string): Promise<SyncCounts> {
  await mfs.mkdir(remote, { recursive: true });
  const [here, there] = await Promise.all([localFiles(local), remoteFiles(mfs, remote)]);
  const counts: SyncCounts = { uploaded: 0, removed: 0, unchanged: 0 };
  const queue = new PQueue({ concurrency: AT_ONCE });
  const put = async (path: string, { seconds }: Entry): Promise<void> => {
    const target = join(remote, path);
    await mfs.mkdir(dirname(target), { recursive: true });
    // Nobody sees half a file: it gets its name when every replica has it.
    await pipeline(createReadStream(join(local, path)), mfs.createWriteStream(`${target}.part`));
    await mfs.utimes(`${target}.part`, seconds, seconds);
    await mfs.rename(`${target}.part`, target);
    counts.uploaded++;
  };
  const work: Promise<unknown>[] = [];
  for (const [path, entry] of here) {
    const old = there.get(path);
    if (old?.size === entry.size && old.seconds === entry.seconds) counts.unchanged++;
    else work.push(queue.add(() => put(path, entry)));
  }
  for (const path of there.keys()) {
    if (here.has(path)) continue;
    counts.removed++;
    work.push(queue.add(() => mfs.rm(join(remote, path))));
  }
  await Promise.all(work);
  return counts;
}

await using connected = await connect();
const [local = fileURLToPath(new URL('../src', import.meta.url)), remote = '/folder-sync'] = process.argv.slice(2);
for (let i = 0; i < (process.argv.length > 2 ? 1 : 2); i++) {
  const { uploaded, removed, unchanged } = await sync(connected.mfs, local, remote);
  console.log(`${uploaded} uploaded, ${removed} removed, ${unchanged} unchanged`);
}
