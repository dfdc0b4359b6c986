/** For the tests of the project "live": the cluster they share. */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import type { ConnectOptions } from '../../src/index.ts';
import type { SharedCluster } from './cluster/global-setup.ts';

export { startCluster } from './cluster/cluster.ts';
export type { Cluster, ChunkserverControl, ClusterOptions, MasterControl } from './cluster/cluster.ts';
export type { SharedCluster } from './cluster/global-setup.ts';

/** The shared cluster of this run: `await MooseFS.connect({ master: sharedCluster().master })`. */
export function sharedCluster(): SharedCluster {
  return inject('cluster');
}

/** A client of the shared cluster. */
export function connectShared(options: ConnectOptions = {}): Promise<MooseFS> {
  return MooseFS.connect({ master: sharedCluster().master, ...options });
}

/** Makes a folder of this name, new in every run, whose files have so many full copies. */
export async function makeFolder(mfs: MooseFS, name: string, copies: number): Promise<string> {
  const folder = `/${name}-${randomUUID()}`;
  await mfs.mkdir(folder);
  await mfs.storageClass.set(folder, mfs.serverVersion.startsWith('3.') ? String(copies) : `${copies}CP`);
  return folder;
}
