/** What it was measured on. */
import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Cluster } from '../test/support/cluster/cluster.ts';

/** Goes into every report: figures without it say nothing. */
export interface Machine {
  readonly servers: string;
  readonly provider: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** The kind of file system that the chunks lie on. */
  readonly disk: string;
  /** The machine's load before anything was measured: above 1 something else was running. */
  readonly loadBefore: number;
}

/** The machine that this runs on, and the servers' version. */
export async function describeMachine(cluster: Cluster): Promise<Machine> {
  return {
    servers: cluster.version,
    provider: cluster.provider,
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? arch(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.versions.node,
    disk: diskOf(cluster),
    loadBefore: loadavg()[0]!,
  };
}

function diskOf(cluster: Cluster): string {
  const folder = cluster.chunkservers[0]?.folders[0];
  if (folder === undefined) return 'unknown';
  return execFileSync('stat', ['--file-system', '--format=%T', folder], { encoding: 'utf8' }).trim();
}
