/**
 * npm run soak [-- MINUTES]: continuous work on a real cluster with servers killed now and then. Prints the series of heap, RSS,
 * descriptors and sockets; exits with 1 when a round failed or the series is not flat at its end. Default 10 minutes.
 */
import { startCluster } from '../test/support/cluster/cluster.ts';
import { growth, notFlat, soak } from '../test/support/faults/soak.ts';

const minutes = Number(process.argv[2] ?? 10);
await using cluster = await startCluster({ chunkservers: 3 });
console.log(`soak: MooseFS ${cluster.version} (${cluster.provider}), ${minutes} minutes, node ${process.version}`);
const options = { seconds: minutes * 60, everySeconds: 15, killEverySeconds: 20 };
const { samples, rounds, kills, failures } = await soak(cluster, options, (line) => console.log(line));
const problems = [...failures, ...notFlat(samples)];
for (const name of ['heap', 'rss', 'external', 'descriptors', 'sockets'] as const)
  console.log(`${name}: ${growth(samples, name).toFixed(1)} more at the end of the second half than at its beginning`);
console.log(
  `${rounds} rounds, ${kills} kills, ${problems.length === 0 ? 'flat, nothing failed' : problems.join('\n')}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
