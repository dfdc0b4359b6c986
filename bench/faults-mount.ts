/**
 * node scripts/launch.mjs tsx bench/faults-mount.ts [chunkserver|master]
 *
 * The official mount (mfsmount) under the faults that this package's fault matrix knows: 256 MiB, two copies; how long does a
 * write(), an fsync() or a read() stall? Prints one line for each.
 */
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MooseFS } from '../src/index.ts';
import { startCluster } from '../test/support/cluster/cluster.ts';
import type { Cluster } from '../test/support/cluster/cluster.ts';
import { mountOfficial } from '../test/support/cluster/mount.ts';
import { faults, mendAfter } from '../test/support/faults/faults.ts';
import type { Fault } from '../test/support/faults/faults.ts';
import { Stopwatch } from '../test/support/faults/stopwatch.ts';

const PIECE = randomBytes(1024 * 1024);
const PIECES = 256;
const FAULT_AT = 60;
/** A mount may hang for longer than anybody waits. */
const PATIENCE_MS = 180_000;
/** As in the fault matrix. */
const MASTER_AWAY_MS = 3000;

interface Run {
  readonly fault: Fault;
  readonly target: 'chunkserver' | 'master';
  readonly during: 'write' | 'read';
}

const runs: readonly Run[] = [
  { fault: { ...faults.stop, lastsMs: PATIENCE_MS }, target: 'chunkserver', during: 'write' },
  { fault: { ...faults.stop, lastsMs: PATIENCE_MS }, target: 'chunkserver', during: 'read' },
  { fault: { ...faults.kill, lastsMs: PATIENCE_MS }, target: 'chunkserver', during: 'write' },
  { fault: { ...faults.kill, lastsMs: PATIENCE_MS }, target: 'chunkserver', during: 'read' },
  { fault: { ...faults.kill, lastsMs: MASTER_AWAY_MS }, target: 'master', during: 'write' },
];

async function write(path: string, inflict: () => Promise<void>): Promise<string> {
  const watch = new Stopwatch();
  const file = await open(path, 'w');
  try {
    for (let i = 0; i < PIECES; i++) {
      await file.write(PIECE);
      watch.lap();
      if (i === FAULT_AT) await inflict().then(() => watch.restart());
    }
    const startedAt = performance.now();
    await file.sync();
    return `longest write() ${watch.worst} ms, fsync() ${Math.round(performance.now() - startedAt)} ms`;
  } finally {
    await file.close();
  }
}

async function read(path: string, inflict: () => Promise<void>): Promise<string> {
  const watch = new Stopwatch();
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(PIECE.length);
    for (let i = 0; i < PIECES; i++) {
      await file.read(buffer, 0, buffer.length, i * buffer.length);
      watch.lap();
      if (i === FAULT_AT) await inflict().then(() => watch.restart());
    }
    return `longest read() ${watch.worst} ms`;
  } finally {
    await file.close();
  }
}

async function once(cluster: Cluster, { fault, target, during }: Run): Promise<string> {
  await using witness = await MooseFS.connect({ master: cluster.master });
  await using mount = await mountOfficial(cluster);
  const path = join(mount.folder, 'file');
  if (during === 'read') await witness.writeFile('/file', Buffer.alloc(PIECES * PIECE.length, PIECE));
  let over: () => void = () => undefined;
  let mended: Promise<unknown> = Promise.resolve();
  const inflict = async (): Promise<void> => {
    // The chunk in use: the last one of a file that is being written, the first of one that is read.
    const chunk = (await witness.chunks('/file')).at(during === 'write' ? -1 : 0);
    const [replica] = chunk?.replicas ?? [];
    const chunkserver = cluster.chunkservers.find(({ host }) => host === replica?.host) ?? cluster.chunkservers[0]!;
    const mend = await fault.inflict(target === 'master' ? cluster.masterControl : chunkserver, {
      chunkId: chunk?.id ?? 0n,
    });
    mended = mendAfter(fault, new Promise<void>((resolve) => (over = resolve)), mend);
  };
  const patience = new AbortController();
  const late = sleep(PATIENCE_MS, `hung for more than ${PATIENCE_MS / 1000} s`, { signal: patience.signal });
  late.catch(() => undefined);
  const work = (during === 'write' ? write : read)(path, inflict).catch((error: unknown) => `failed: ${String(error)}`);
  const outcome = await Promise.race([work, late]);
  patience.abort();
  over();
  await mended;
  await work;
  await witness.unlink('/file').catch(() => undefined);
  return outcome;
}

await using cluster = await startCluster({ chunkservers: 4 });
for (const run of runs.filter(({ target }) => process.argv[2] === undefined || process.argv[2] === target)) {
  await cluster.ready();
  const outcome = await once(cluster, run);
  console.log(`mfsmount ${cluster.version}: ${run.fault.name} of a ${run.target} during ${run.during}: ${outcome}`);
}
