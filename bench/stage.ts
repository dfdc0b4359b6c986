/** The cluster of a benchmark: folders for each number of copies, without trash. */
import { startCluster, type Cluster } from '../test/support/cluster/cluster.ts';
import { mountOfficial, whyNotMounted, type OfficialMount } from '../test/support/cluster/mount.ts';
import { MooseFS } from '../src/index.ts';

/** A cluster that is ready to be measured on. */
export interface Stage extends AsyncDisposable {
  readonly cluster: Cluster;
  /** The folder for files of so many copies; undefined where the servers have no class for it. */
  folder(copies: 1 | 2 | 3): string | undefined;
  /** Makes a folder in it that nobody else uses, and one for the warm-up beside it, and gives its path. */
  fresh(copies: 1 | 2 | 3, name: string): Promise<string>;
  /** Removes such folders with all that is left in them. */
  remove(path: string): Promise<void>;
}

/** Name of the class of one copy, which a fresh MooseFS 4 does not have. */
const ONE_COPY = 'bench1';

/** Where the clients find the files of their warm-up: bench/client.mjs and bench/libmfsio/client.c know it too. */
export const warmFolder = (path: string): string => `${path}-warm`;

/** Starts a cluster of three chunkservers, so that three copies can be written. */
export async function setTheStage(told: (reason: string) => void): Promise<Stage> {
  const cluster = await startCluster({ chunkservers: 3 });
  try {
    const mfs = await MooseFS.connect({ master: cluster.master });
    const folders = await makeFolders(cluster, mfs, told);
    return {
      cluster,
      folder: (copies) => folders.get(copies),
      async fresh(copies, name) {
        const path = `${folders.get(copies)!}/${name}`;
        for (const each of [path, warmFolder(path)]) await mfs.mkdir(each);
        return path;
      },
      async remove(path) {
        for (const each of [path, warmFolder(path)]) await mfs.rm(each, { recursive: true, force: true });
      },
      async [Symbol.asyncDispose]() {
        await mfs.close();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function makeFolders(
  cluster: Cluster,
  mfs: MooseFS,
  told: (reason: string) => void,
): Promise<Map<number, string>> {
  await mfs.mkdir('/bench');
  if (whyNotMounted(cluster) === undefined) {
    await using mount = await mountOfficial(cluster);
    await prepareByTools(cluster, mount);
  } else {
    told('without a mount: removed files stay in the trash, and MooseFS 4 gets no class of one copy');
  }
  const classes = await mfs.storageClass.list();
  const folders = new Map<number, string>();
  for (const copies of [1, 2, 3]) {
    const names = [String(copies), `${copies}CP`, ...(copies === 1 ? [ONE_COPY] : [])];
    const name = names.find((each) => classes.includes(each));
    if (name === undefined && !cluster.version.startsWith('3.')) continue;
    await mfs.mkdir(`/bench/${copies}`);
    await mfs.storageClass.set(`/bench/${copies}`, name ?? String(copies));
    await checkPlacement(mfs, `/bench/${copies}`, copies);
    folders.set(copies, `/bench/${copies}`);
  }
  return folders;
}

/** Fewer copies than the name of the work says would be a lie in every figure. */
async function checkPlacement(mfs: MooseFS, folder: string, copies: number): Promise<void> {
  const probe = `${folder}/probe`;
  await mfs.writeFile(probe, 'probe');
  const found = (await mfs.chunks(probe))[0]?.replicas.length;
  if (found !== copies) throw new Error(`a file in ${folder} has ${found} copies, not ${copies}`);
  await mfs.unlink(probe);
}

/** Files of a day's benchmarks in the trash would fill the disks. */
async function prepareByTools(cluster: Cluster, mount: OfficialMount): Promise<void> {
  await mount.tool('mfssettrashtime', ['0', `${mount.folder}/bench`]);
  if (cluster.version.startsWith('3.')) return;
  await mount.tool('mfscreatesclass', ['-M', mount.folder, '-K', '*', ONE_COPY]);
}
