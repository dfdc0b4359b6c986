/**
 * Work on a file in parts (erasure coding), with all of them and without one. It has a cluster of its own: a chunk needs a
 * chunkserver for each part, and one of them is stopped.
 */
import type { Cluster } from '../test/support/cluster/cluster.ts';
import { makeParts, startForParts, withoutSpare } from '../test/support/erasure-coding.ts';
import { MooseFS } from '../src/index.ts';
import { ourContender, type Contender } from './contenders.ts';
import { untilQuiet } from './quiet.ts';
import { warmFolder } from './stage.ts';
import { turns } from './statistics.ts';
import type { Step, Workload } from './workloads.ts';

/** What this needs of the program that runs all workloads. */
export interface PartsRun {
  readonly runs: number;
  readonly contenders: (cluster: Cluster) => Promise<Contender[]>;
  readonly measured: (step: Step, contender: Contender, folder: string) => Promise<void>;
  readonly told: (line: string) => void;
}

const FOLDER = '/parts';

/** Every client's turns on one file, which this package has written and the master has made parts of. */
export async function partsWork(workload: Workload, { runs, contenders, measured, told }: PartsRun): Promise<void> {
  const { dataParts, steps } = workload;
  if (dataParts === undefined) throw new Error(`${workload.name} is not about parts`);
  await using cluster = await startForParts(dataParts);
  await using mfs = await MooseFS.connect({ master: cluster.master });
  const folders = [FOLDER, warmFolder(FOLDER)];
  for (const folder of folders) {
    await mfs.mkdir(folder);
    await mfs.storageClass.set(folder, `EC${dataParts}+1`);
  }
  for (const step of steps.filter(({ name }) => name === undefined))
    await ourContender(cluster, { nodeOptions: [] }).work(step, FOLDER);
  told(`${workload.name}: waiting for the master to make the parts`);
  const paths: string[] = [];
  for (const folder of folders) for (const name of await mfs.readdir(folder)) paths.push(`${folder}/${name}`);
  for (const path of paths) await makeParts(cluster, mfs, path);
  for (const path of paths) await withoutSpare(cluster, mfs, path);
  const clients = await contenders(cluster);
  for (let run = 0; run < runs; run++)
    for (const contender of turns(clients, run))
      for (const step of steps.filter(({ name }) => name !== undefined)) {
        if (step.without !== 'a part') await measured(step, contender, FOLDER);
        // libmfsio was seen to wait until the master drops the server, which then mends the file for all that come after
        else if (contender.name === 'moosefs-client') {
          await untilQuiet(step, told);
          await withoutAPart(cluster, () => measured(step, contender, FOLDER));
        }
      }
}

/** Stopped, not ended: the master does not notice, and repairs nothing meanwhile. A process finds it out in its warm-up. */
async function withoutAPart(cluster: Cluster, work: () => Promise<void>): Promise<void> {
  const [server] = cluster.chunkservers;
  await server!.pause();
  try {
    await work();
  } finally {
    await server!.resume();
  }
}
