/**
 * Records what a real MooseFS says: sends every declared message that can be sent safely to a master and its chunkservers, over
 * bare sockets, and writes requests and replies to a file that test/protocol/fixtures.test.ts reads.
 *
 *     npx tsx scripts/capture-fixtures.ts --master 10.0.0.1:9421 --out test/fixtures/4.59.2.json
 *     node scripts/launch.mjs npx tsx scripts/capture-fixtures.ts --start --out test/fixtures/4.59.2.json
 *
 * It works in a folder of its own, which it removes. `--start` starts a cluster for the time of the capture (see
 * test/support/cluster); without it nothing is started. What is never sent, because it destroys masters: PARENTS, RENAME of a
 * name onto itself, a list of no groups.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { invalidateChunkCache } from '../src/protocol/messages/push.ts';
import { formatVersion } from '../src/protocol/version.ts';
import { startCluster } from '../test/support/cluster/cluster.ts';
import { captureChunks } from '../test/support/capture/chunks.ts';
import { captureOperations } from '../test/support/capture/operations.ts';
import { captureTree } from '../test/support/capture/tree.ts';
import { Recorder } from '../test/support/capture/recorder.ts';
import { captureMonitoring, captureRefusals, MasterSession } from '../test/support/capture/session.ts';
import { fixtureText } from '../test/support/fixtures.ts';

const { values } = parseArgs({
  options: { master: { type: 'string' }, out: { type: 'string' }, start: { type: 'boolean', default: false } },
});
if (values.out === undefined || (values.master === undefined) !== values.start) {
  throw new Error('usage: capture-fixtures.ts (--master HOST:PORT | --start) --out FILE');
}

await using cluster = values.start ? await startCluster() : undefined;
const [host, port] = (values.master ?? cluster!.master).split(':') as [string, string];
const recorder = new Recorder();
const address = { host, port: Number(port) };

await captureMonitoring(recorder, address);
await captureRefusals(recorder, address);
const session = await MasterSession.open(recorder, address);
const watcher = await MasterSession.open(recorder, address);
await captureTree(session);
await captureChunks(session, watcher);
await captureOperations(session, address);
if (cluster !== undefined) {
  // One more chunkserver: every session is told to forget where chunks lie.
  await cluster.addChunkserver();
  await watcher.pushes(invalidateChunkCache);
}
await session.reconnect();
await session.close();
await watcher.close();

const version = formatVersion(session.version);
writeFileSync(values.out, fixtureText({ version, frames: recorder.frames }));
console.log(`${version}: ${recorder.frames.length} frames in ${values.out}`);
