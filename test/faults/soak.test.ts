/** A minute of work without a pause: nothing grows. The long run is `npm run soak`. */
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster/cluster.ts';
import { notFlat, soak } from '../support/faults/soak.ts';

test('a minute of soak: heap, descriptors and sockets are flat at its end', async () => {
  await using cluster = await startCluster({ chunkservers: 3 });
  // Often: what a garbage collection leaves of the buffers differs from one to the next, and few samples make a trend of that.
  const options = { seconds: 60, everySeconds: 3, killEverySeconds: 15 };
  const result = await soak(cluster, options, (line) => process.stderr.write(`soak: ${line}\n`));
  expect(result.failures).toEqual([]);
  expect(result.kills).toBeGreaterThan(1);
  expect(result.rounds).toBeGreaterThan(20);
  expect(notFlat(result.samples)).toEqual([]);
});
