/**
 * The same start for every piece of work. What was done before goes on for a while: servers delete files long after their client
 * has gone, disks write late, and a virtual machine gives memory that became free back to its host, which has to make it again when
 * it is touched, a page at a time: that alone was seen to halve the speed of writes, for whoever came first.
 */
import { execFile } from 'node:child_process';
import { cpus, freemem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Step } from './workloads.ts';

const run = promisify(execFile);

/** A machine is quiet when less than this share of one core was busy during {@link LOOK_MS}. */
const QUIET = 0.1;
const LOOK_MS = 400;
/** Then it is measured all the same, and said. */
const PATIENCE_MS = 60_000;

/** More than the largest piece of work puts into the page cache, its warm-up included: three copies of 1 GiB and a quarter. */
const MEMORY_GIB = 6;

/** Has everything on the disks, no process at work, and memory for what is written; tells when the second was not to be had. */
export async function untilQuiet({ op }: Step, told: (line: string) => void): Promise<void> {
  await run('sync');
  const start = performance.now();
  for (;;) {
    const busy = await busyCores();
    if (busy < QUIET) break;
    if (performance.now() - start > PATIENCE_MS) {
      told(`  the machine does not come to rest: ${busy.toFixed(1)} cores are busy`);
      break;
    }
  }
  if (op === 'write' || op === 'upload') await touchMemory();
}

/** Cores that were busy, on the average, during a moment. */
async function busyCores(): Promise<number> {
  const before = busyMs();
  const start = performance.now();
  await sleep(LOOK_MS);
  return (busyMs() - before) / (performance.now() - start);
}

function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** By a process that ends: what it had is free then, and the first to be used again. */
async function touchMemory(): Promise<void> {
  const gib = Math.min(MEMORY_GIB, Math.floor(freemem() / 2 / 2 ** 30));
  await run(process.execPath, [
    '-e',
    `const all = []; for (let i = 0; i < ${gib}; i++) all.push(Buffer.alloc(2 ** 30, 1))`,
  ]);
}
