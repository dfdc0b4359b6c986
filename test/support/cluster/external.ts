/** A cluster that runs already, at `$MFS_TEST_MASTER`: it can be used, not controlled. */
import { formatAddress, parseAddress, type Address } from './address.ts';
import type { Cluster } from './cluster.ts';
import type { ChunkserverControl, MasterControl } from './control.ts';
import { waitReady, roomyBytes } from './readiness.ts';
import { findProgram } from '../../../scripts/servers.mjs';

/** The cluster at `$MFS_TEST_MASTER`, once it has at least one chunkserver ready. */
export async function externalCluster(env: NodeJS.ProcessEnv = process.env): Promise<Cluster> {
  const master = parseAddress(env['MFS_TEST_MASTER'] ?? '', 9421);
  const { info, chunkservers } = await waitReady(master, 1, roomyBytes);
  return {
    provider: 'external',
    version: info.version,
    master: formatAddress(master),
    masterControl: { ...uncontrolled('master', master), folder: undefined },
    chunkservers: chunkservers.map((server, index): ChunkserverControl => ({
      ...uncontrolled(`chunkserver ${index + 1}`, server),
      folders: [],
    })),
    addChunkserver: () => refused('adding a chunkserver'),
    ready: async (count = chunkservers.length) => {
      await waitReady(master, count, roomyBytes);
    },
    mapAddress: (address) => address,
    program: (name) => findProgram(name),
    stop: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function uncontrolled(name: string, { host, port }: Address): Omit<MasterControl, 'folder'> {
  const refuse = (what: string) => () => refused(`${what} ${name}`);
  return {
    name,
    host,
    port,
    pid: undefined,
    kill: refuse('killing'),
    terminate: refuse('terminating'),
    start: refuse('starting'),
    restart: refuse('restarting'),
    pause: refuse('pausing'),
    resume: refuse('resuming'),
    blockPort: refuse('blocking the port of'),
    unblockPort: refuse('unblocking the port of'),
    stopSaving: refuse('stopping a process of'),
    log: async () => '',
  };
}

async function refused(what: string): Promise<never> {
  throw new Error(`${what} is not possible: the cluster at MFS_TEST_MASTER is not this test's own`);
}
