/** A client that does not reach the addresses which the master names: behind NAT, or with the servers in Docker Desktop. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { formatAddress, type Address } from '../support/cluster/address.ts';
import { startCluster } from '../support/live.ts';

test('writes and reads by way of mapped addresses only', async () => {
  await using cluster = await startCluster({ chunkservers: 2 });
  const dialled = new Set<string>();
  const { host, port } = cluster.masterControl;
  await using mfs = await MooseFS.connect({
    master: formatAddress(cluster.mapAddress({ host, port })),
    chunkserverAddress: (address: Address) => {
      dialled.add(formatAddress(address));
      return cluster.mapAddress(address);
    },
  });
  const data = randomBytes(200_001);
  await mfs.writeFile('/mapped', data);
  expect(data.equals(await mfs.readFile('/mapped'))).toBe(true);
  // the mapping was asked, and for the addresses as the master names them
  const named = cluster.chunkservers.map(formatAddress);
  expect(dialled.size).toBeGreaterThan(0);
  expect(named).toEqual(expect.arrayContaining([...dialled]));
});
