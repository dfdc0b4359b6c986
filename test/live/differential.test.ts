/**
 * Random sequences of calls on MooseFS and on a local folder: the same results, the same errors, the same tree in the end. A failure
 * prints its seed and path, and the shortest sequence that fails; MFS_DIFF_SEED and MFS_DIFF_PATH run it again.
 */
import fc from 'fast-check';
import { randomInt } from 'node:crypto';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import * as nodeFs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { Side, steps } from '../support/differential.ts';
import type { Step, Verbs } from '../support/differential.ts';
import { sharedCluster } from '../support/live.ts';

/** Deep enough that no `..` of a symlink leads out. */
const DEPTH = '/1/2/3/4/5/6/7/8';
const runs = Number(process.env['MFS_DIFF_RUNS'] ?? 12);
/**
 * One seed for every ordinary run, so that it tells of the change it tests and not of luck. MFS_DIFF_SEED takes another, or `random`.
 */
const wanted = process.env['MFS_DIFF_SEED'] ?? '2026';
const seed = wanted === 'random' ? randomInt(2 ** 31) : Number(wanted);

async function compare(mfs: MooseFS, sequence: readonly Step[]): Promise<void> {
  const local = await mkdtemp(`${process.env['MFS_TEST_FOLDER'] ?? tmpdir()}/differential-`);
  const remote = await mfs.mkdtemp('/differential-');
  const right = new Side(nodeFs as unknown as Verbs, { top: local, base: local + DEPTH, isLocal: true });
  const ours = new Side(mfs as unknown as Verbs, { top: remote, base: remote + DEPTH, isLocal: false });
  try {
    await mkdir(local + DEPTH, { recursive: true });
    await mfs.mkdir(remote + DEPTH, { recursive: true });
    for (const [i, step] of sequence.entries()) {
      const correct = await right.run(step);
      expect(await ours.run(step), `step ${i}: ${JSON.stringify(step).slice(0, 200)}`).toEqual(correct);
    }
    await right.end();
    await ours.end();
    expect(await ours.tree()).toEqual(await right.tree());
  } finally {
    await right.end();
    await ours.end();
    await rm(local, { recursive: true, force: true });
    await mfs.rm(remote, { recursive: true, force: true });
  }
  expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
}

test('random calls come to the same as on a local folder', { timeout: 900_000 }, async () => {
  await using mfs = await MooseFS.connect({ master: sharedCluster().master });
  let done = 0;
  let calls = 0;
  let failed = false;
  const property = fc.asyncProperty(steps, async (sequence) => {
    try {
      await compare(mfs, sequence);
    } catch (error) {
      // At once: to find the shortest sequence takes minutes, and whoever stops the test before shall know the seed.
      if (!failed)
        process.stderr.write(`differential: MFS_DIFF_SEED=${seed} MFS_DIFF_RUNS=${runs}: ${String(error)}\n`);
      failed = true;
      throw error;
    }
    done++;
    calls += sequence.length;
  });
  await fc.assert(property, {
    numRuns: runs,
    interruptAfterTimeLimit: Number(process.env['MFS_DIFF_LIMIT_MS'] ?? 600_000),
    seed,
    ...(process.env['MFS_DIFF_PATH'] !== undefined && { path: process.env['MFS_DIFF_PATH'] }),
  });
  process.stderr.write(
    `differential, MooseFS ${sharedCluster().version}: ${done} sequences, ${calls} calls alike, seed ${seed}\n`,
  );
  expect(done).toBeGreaterThan(0);
});
