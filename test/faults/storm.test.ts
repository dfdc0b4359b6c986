/** 200 uploads at once with three copies, while chunkservers die every five seconds and the master twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MooseFS, MooseFSError } from '../../src/index.ts';
import { startCluster } from '../support/cluster/cluster.ts';
import type { Cluster } from '../support/cluster/cluster.ts';
import { activeResources, leakedSince } from '../support/faults/leaks.ts';
import { uploadStorm } from '../support/faults/storm.ts';
import type { Upload } from '../support/faults/storm.ts';

const UPLOADS = 200;
/** CI has half of it; its name says how long it was. */
const SECONDS = Number(process.env['STORM_SECONDS'] ?? 120);
const KILL_EVERY_MS = 5000;
/** How long a killed chunkserver stays away. */
const AWAY_MS = 2000;
const PARALLEL_VERIFICATIONS = 8;
const COPIES = 3;

/** A random chunkserver is killed and started again, over and over; the master at one and at two thirds of the time. */
async function rage(cluster: Cluster, until: number): Promise<{ chunkservers: number; master: number }> {
  const done = { chunkservers: 0, master: 0 };
  const startedAt = performance.now();
  const span = until - startedAt;
  for (let next = startedAt + KILL_EVERY_MS; next < until; next += KILL_EVERY_MS) {
    await sleep(Math.max(0, next - performance.now()));
    const victim = cluster.chunkservers[Math.floor(Math.random() * cluster.chunkservers.length)]!;
    await victim.kill();
    if (performance.now() - startedAt > (span * (done.master + 1)) / 3 && done.master < 2) {
      await cluster.masterControl.kill();
      await cluster.masterControl.start();
      done.master++;
    }
    await sleep(AWAY_MS);
    await victim.start();
    done.chunkservers++;
  }
  return done;
}

/** Problems of what an upload that resolved has left. */
async function problemsOf(mfs: MooseFS, { path, digest, bytes, replication }: Upload): Promise<string[]> {
  const { digests, chunks, length, ok } = await mfs.verify(path, { method: 'md5' });
  const problems: string[] = [];
  if (length !== bytes) problems.push(`${path} has ${length} bytes, not ${bytes}`);
  if (!ok || digests.length === 0 || digests.some((each) => each !== digest))
    problems.push(
      `${path} (${bytes} bytes, ${digest}) is not equal on all replicas: ${JSON.stringify({ digests, chunks, replication }, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))}`,
    );
  for (const { chunk, servers } of replication) {
    const valid = chunks[chunk]?.replicas.filter((replica) => replica.ok).length ?? 0;
    // A server that is back before its copy was replaced makes one more than asked for; the master drops one.
    if (valid < Math.min(servers.length, COPIES))
      problems.push(`${path} was acknowledged by ${servers.length} and has ${valid} replicas`);
  }
  return problems;
}

async function verifyAll(mfs: MooseFS, uploads: readonly Upload[]): Promise<string[]> {
  const rest = uploads.values();
  const problems: string[] = [];
  const lane = async (): Promise<void> => {
    for (const upload of rest) {
      let found = await problemsOf(mfs, upload);
      // Replicas that were being copied, or told of as old, settle within the master's loop.
      for (let tries = 0; found.length > 0 && tries < 30; tries++) {
        await sleep(1000);
        found = await problemsOf(mfs, upload);
      }
      problems.push(...found);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_VERIFICATIONS }, lane));
  return problems;
}

test(
  `${UPLOADS} uploads at once for ${SECONDS} s survive the death of servers every ${KILL_EVERY_MS / 1000} s`,
  { timeout: 600_000 },
  async () => {
    await using cluster = await startCluster({ chunkservers: 6 });
    process.stderr.write(`live tests: MooseFS ${cluster.version} (${cluster.provider}), storm\n`);
    const before = activeResources();
    const mfs = await MooseFS.connect({ master: cluster.master });
    // A master that is killed forgets its last milliseconds, and so files that were closed in them: the client must tell of each.
    const forgotten = new Map<string, string>();
    mfs.on('forgotten', ({ path, error }) => forgotten.set(path ?? '', error.message));
    await mfs.mkdir('/storm');
    await mfs.storageClass.set('/storm', cluster.version.startsWith('3.') ? '3' : '3CP');
    const until = performance.now() + SECONDS * 1000;
    const [uploads, killed] = await Promise.all([uploadStorm(mfs, '/storm', UPLOADS, until), rage(cluster, until)]);
    await cluster.ready();
    const resolved = uploads.filter(({ outcome }) => outcome === 'resolved');
    const rejected = uploads.filter(({ outcome }) => outcome === 'rejected');
    const problems = await verifyAll(
      mfs,
      resolved.filter(({ path }) => !forgotten.has(path)),
    );
    const slowest = Math.max(...uploads.map(({ tookMs }) => tookMs));
    const held = mfs.resources;
    await mfs.close();
    const leaks = await leakedSince(before);
    const counts = new Map<string, number>();
    for (const { error } of rejected) {
      const text = String(error).replaceAll(/\d+/g, 'N').slice(0, 160);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    process.stderr.write(
      `storm, MooseFS ${cluster.version}: ${uploads.length} uploads, ${resolved.length} resolved and verified but ${forgotten.size} of which the client told later that the master has forgotten them, ${rejected.length} rejected, ` +
        `${uploads.length - resolved.length - rejected.length} hang, slowest ${slowest} ms, killed ${JSON.stringify(killed)}, ` +
        `resources ${JSON.stringify(held)}\n${[...[...counts].map(([text, count]) => `  ${count} x ${text}`), ...forgotten.values()].join('\n')}\n`,
    );
    expect(killed.master).toBe(2);
    expect(uploads.filter(({ outcome }) => outcome === 'hangs')).toEqual([]);
    expect(problems).toEqual([]);
    expect(resolved.length).toBeGreaterThan(UPLOADS);
    for (const { error } of rejected) {
      expect(error).toBeInstanceOf(MooseFSError);
      expect((error as MooseFSError).code).toMatch(/^E[A-Z]+$/);
      expect((error as MooseFSError).message.length).toBeGreaterThan(20);
    }
    expect(held.openFiles).toBe(0);
    expect(held.activeChunks).toBe(0);
    expect(leaks).toEqual([]);
  },
);
