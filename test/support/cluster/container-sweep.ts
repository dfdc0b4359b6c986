/**
 * Finds and removes the containers of clusters whose test run is gone: the watchdog needs a docker command, which need
 * not be there.
 */
import { hostname } from 'node:os';
import { getContainerRuntimeClient } from 'testcontainers';

/** Every container of a test cluster carries it; its value is `host:process:random`. */
export const clusterLabel = 'moosefs-client.cluster';

/** Removes the containers with this label value; without one, those of processes of this machine that run no more. */
export async function sweepContainers(value?: string): Promise<void> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const filters = { label: [value === undefined ? clusterLabel : `${clusterLabel}=${value}`] };
  const found = await dockerode.listContainers({ all: true, filters });
  const networks = new Set<string>();
  for (const { Id, Labels, NetworkSettings } of found) {
    if (value === undefined && !isAbandoned(Labels[clusterLabel] ?? '')) continue;
    for (const name of Object.keys(NetworkSettings.Networks)) networks.add(name);
    // somebody else may be removing it at this moment
    await dockerode
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch(() => undefined);
  }
  for (const name of networks) {
    await dockerode
      .getNetwork(name)
      .remove()
      .catch(() => undefined);
  }
}

function isAbandoned(value: string): boolean {
  const [host, pid] = value.split(':');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
