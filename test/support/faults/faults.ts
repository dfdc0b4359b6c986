/** What can happen to one server, done to real ones, and undone. */
import { execFile } from 'node:child_process';
import { open, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ChunkserverControl, MasterControl } from '../cluster/control.ts';
import { cutOff, losePackets } from '../cluster/firewall.ts';

const run = promisify(execFile);

/** A server that a fault may hit. */
export type Victim = ChunkserverControl | MasterControl;

/** What a fault needs to know beside its victim. */
export interface FaultContext {
  /** The chunk that is being written or read. */
  readonly chunkId: bigint;
}

/** A fault. */
export interface Fault {
  readonly name: string;
  /** The victim is mended after this long, or sooner when what it disturbed is over. */
  readonly lastsMs: number;
  /** Does it; resolves with what undoes it. */
  inflict(victim: Victim, context: FaultContext): Promise<() => Promise<void>>;
}

const isChunkserver = (victim: Victim): victim is ChunkserverControl =>
  'folders' in victim && victim.folders.length > 0;

function disksOf(victim: Victim): readonly string[] {
  if (!isChunkserver(victim)) throw new Error(`${victim.name} has no disk`);
  return victim.folders;
}

const kill: Fault = {
  name: 'SIGKILL',
  lastsMs: 3000,
  async inflict(victim) {
    await victim.kill();
    return () => victim.start();
  },
};

const stop: Fault = {
  name: 'SIGSTOP 20 s',
  lastsMs: 20_000,
  async inflict(victim) {
    await victim.pause();
    return () => victim.resume();
  },
};

/** Every connection on which something is sent to the victim's port during half a second is reset. */
const disconnect: Fault = {
  name: 'disconnect',
  lastsMs: 500,
  async inflict(victim) {
    await victim.blockPort('reject');
    return () => victim.unblockPort();
  },
};

const blackHole: Fault = {
  name: 'black hole 20 s',
  lastsMs: 20_000,
  inflict: (victim) => cutOff(victim.host),
};

/** The delay of the same link is made by a proxy of the client's own: see delay-proxy.ts. */
/** Only the data port: the master and the chunkserver hear each other all the time, so the master goes on naming it. */
const dataPort: Fault = {
  name: 'data port lost 20 s',
  lastsMs: 20_000,
  async inflict(victim) {
    await victim.blockPort('drop');
    return () => victim.unblockPort();
  },
};

const lossy: Fault = {
  name: '5 % loss + 200 ms',
  lastsMs: 20_000,
  inflict: (victim) => losePackets(victim.host, 0.05),
};

/** The disk is a tmpfs (startCluster with diskLimit), which is made as small as what it holds. */
const diskFull: Fault = {
  name: 'disk full',
  lastsMs: 10_000,
  async inflict(victim) {
    const [disk] = disksOf(victim);
    await shrink(disk!);
    return async () => {
      await run('mount', ['-o', 'remount,size=50%', disk!]);
      // A chunkserver takes a disk with errors out of service until it is started again.
      await victim.kill();
      await victim.start();
    };
  },
};

const SLACK = 1024 * 1024;
const SHRINK_TRIES = 20;

/** To what it holds; data may come in between, and then a size is too small. */
async function shrink(disk: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { blocks, bfree, bsize } = await statfs(disk);
    const size = (blocks - bfree) * bsize + SLACK;
    const failure: unknown = await run('mount', ['-o', `remount,size=${size}`, disk]).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (tries === SHRINK_TRIES) throw new Error(`${disk} cannot be made smaller`, { cause: failure });
  }
}

/** Sixteen bytes of every stored block are overwritten. Not undone: that is for the cluster to mend. */
const wrongBytes: Fault = {
  name: 'wrong bytes',
  lastsMs: 1000,
  async inflict(victim, context) {
    for (const disk of disksOf(victim)) await damage(disk, context.chunkId);
    return async () => undefined;
  },
};

const LONGEST_HEADER = 8192;
const BLOCK_SIZE = 65_536;

async function damage(disk: string, chunkId: bigint): Promise<void> {
  const wanted = `chunk_${chunkId.toString(16).toUpperCase().padStart(16, '0')}_`;
  const found = (await readdir(disk, { recursive: true })).filter((name) => name.includes(wanted));
  if (found.length === 0) throw new Error(`${disk} has no file ${wanted}*`);
  const file = await open(join(disk, found[0]!), 'r+');
  try {
    const { size } = await file.stat();
    for (let at = LONGEST_HEADER + 1000; at + 16 < size; at += BLOCK_SIZE)
      await file.write(Buffer.from('not what I wrote'), 0, 16, at);
  } finally {
    await file.close();
  }
}

/** All of them by a short name. */
export const faults = { kill, stop, disconnect, blackHole, dataPort, lossy, diskFull, wrongBytes } as const;

/** Mends when `over` resolves, but not later than the fault lasts. Gives when it was mended, on the clock of `performance.now()`. */
export async function mendAfter(fault: Fault, over: Promise<unknown>, mend: () => Promise<void>): Promise<number> {
  const ended = new AbortController();
  await Promise.race([sleep(fault.lastsMs, undefined, { signal: ended.signal }).catch(() => undefined), over]);
  ended.abort();
  await mend();
  return performance.now();
}
