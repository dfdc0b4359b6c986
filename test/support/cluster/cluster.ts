/**
 * A MooseFS cluster for a test, the demo or a benchmark: a master and chunkservers from whatever this machine can give.
 */
import { chooseProvider, installPackages, type Provider } from '../../../scripts/servers.mjs';
import type { Address } from './address.ts';
import type { ChunkserverControl, MasterControl } from './control.ts';
import { externalCluster } from './external.ts';
import type { ChunkserverOptions, ClusterOptions } from './options.ts';
import { startPrograms } from './programs.ts';

export type { Provider } from '../../../scripts/servers.mjs';
export type { ChunkserverControl, MasterControl, ServerControl } from './control.ts';
export type { ChunkserverOptions, ClusterOptions } from './options.ts';

/** A running cluster; `await using` stops it. It also ends with the process that started it. */
export interface Cluster extends AsyncDisposable {
  readonly provider: Provider;
  /** The master's version, for example `3.0.117`. */
  readonly version: string;
  /** The master's `host:port` for clients, as MooseFS.connect takes it. */
  readonly master: string;
  readonly masterControl: MasterControl;
  /** All chunkservers, in the order in which they were started; index 0 is `chunkserver 1`. */
  readonly chunkservers: readonly ChunkserverControl[];
  /** One more chunkserver; resolves when it accepts connections. */
  addChunkserver(options?: ChunkserverOptions): Promise<ChunkserverControl>;
  /**
   * Resolves when so many chunkservers are connected with room for chunks (default: all of them), so that a first write
   * succeeds on that many; rejects after a minute.
   */
  ready(chunkservers?: number): Promise<void>;
  /** The address to dial from outside the servers' network: a published port of Docker's; others are as they were. */
  mapAddress(address: Address): Address;
  /**
   * The path of an official program of the servers' version (`mfsmount`, `mfsfileinfo` …), or undefined where there is
   * none.
   */
  program(name: string): string | undefined;
  /** Ends all servers and removes what they stored. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster and waits until it can be written to (with an external one: until it answers).
 *
 * @throws Error when there are no servers to be had on this machine (saying what was looked for), or when they do not
 *   start (with the end of their log); nothing is left running then.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const provider = await chooseProvider();
  switch (provider) {
    case 'external':
      return externalCluster();
    case 'docker':
      // loaded on demand: testcontainers takes long to load, and most runs need none of it
      return (await import('./docker.ts')).startContainers(options);
    case 'packages':
      installPackages((line) => process.stderr.write(`${line}\n`));
      return startPrograms(provider, options);
    case 'programs':
      return startPrograms(provider, options);
  }
}
