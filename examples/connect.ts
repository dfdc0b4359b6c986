/** For the examples: the MooseFS that $MFS_MASTER names, or else a cluster of their own that ends with them. */
import { MooseFS } from '../src/index.ts';

/** A client, and all that has to end with it. */
export async function connect(): Promise<{ readonly mfs: MooseFS } & AsyncDisposable> {
  const master = process.env['MFS_MASTER'];
  // Only who has no MooseFS needs what starts one.
  const cluster =
    master === undefined ? await (await import('../test/support/cluster/cluster.ts')).startCluster() : undefined;
  const mfs = await MooseFS.connect({
    master: cluster?.master ?? master!,
    ...(cluster && { chunkserverAddress: (address) => cluster.mapAddress(address) }),
  });
  return {
    mfs,
    [Symbol.asyncDispose]: async () => {
      await mfs.close();
      await cluster?.stop();
    },
  };
}

/** Makes a folder whose files have so many full copies; classes are named differently on MooseFS 3 and 4. */
export async function folderWithCopies(mfs: MooseFS, folder: string, copies: number): Promise<void> {
  await mfs.mkdir(folder, { recursive: true });
  await mfs.storageClass.set(folder, mfs.serverVersion.startsWith('3.') ? String(copies) : `${copies}CP`);
}
