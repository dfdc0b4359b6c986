/** The cluster that the tests of the project "live" share: started before their first file, stopped after the last. */
import type { TestProject } from 'vitest/node';
import { startCluster, type Provider } from './cluster.ts';

/** What a test is told of the shared cluster; tests that need to control servers start a cluster of their own. */
export interface SharedCluster {
  readonly provider: Provider;
  /** The servers' version, for example `3.0.117`. */
  readonly version: string;
  /** The master's `host:port`. */
  readonly master: string;
  readonly chunkservers: readonly { readonly host: string; readonly port: number }[];
}

declare module 'vitest' {
  interface ProvidedContext {
    cluster: SharedCluster;
  }
}

/** Starts the shared cluster; what it returns stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = Date.now();
  const cluster = await startCluster();
  const { provider, version, master } = cluster;
  const chunkservers = cluster.chunkservers.map(({ host, port }) => ({ host, port }));
  project.provide('cluster', { provider, version, master, chunkservers });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stderr.write(
    `live tests: MooseFS ${version} (${provider}), master ${master}, ${chunkservers.length} chunkservers, ready in ${seconds} s\n`,
  );
  return () => cluster.stop();
}
