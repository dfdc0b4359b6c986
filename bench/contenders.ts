/** The clients that are compared. Each does a piece of work in a process made for it, which has warmed up on other files. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAddress } from '../test/support/cluster/address.ts';
import type { Cluster } from '../test/support/cluster/cluster.ts';
import { mountOfficial, whyNotMounted } from '../test/support/cluster/mount.ts';
import { buildLibmfsioClient } from './libmfsio/build.ts';
import type { Profiler, SelfTime } from './profile.ts';
import type { Sample } from './statistics.ts';
import type { Operation, Step } from './workloads.ts';

const run = promisify(execFile);
const clientScript = fileURLToPath(new URL('client.mjs', import.meta.url));
const builtModule = new URL('../dist/index.js', import.meta.url).href;
/** Far more than any piece of work takes: a client that hangs is reported, not waited for. */
const timeoutMs = 900_000;

/** What the clients are called in tables. */
export type ContenderName = 'moosefs-client' | 'libmfsio' | 'mfsmount';

/** A client. */
export interface Contender {
  readonly name: ContenderName;
  /** Why it cannot do this work, or undefined where it can. */
  whyNot(op: Operation): string | undefined;
  work(step: Step, folder: string): Promise<Sample>;
}

/** How this package's process is run. */
export interface OurOptions {
  /** Options of node. */
  readonly nodeOptions: readonly string[];
  /** Told where the time went, after each piece of work. */
  readonly profiler?: { readonly profiler: Profiler; readonly told: (step: Step, times: SelfTime[]) => void };
}

/** This package, from dist/, in a process of its own. */
export function ourContender(cluster: Cluster, { nodeOptions, profiler }: OurOptions): Contender {
  const options = [...nodeOptions, ...(profiler?.profiler.nodeOptions ?? [])];
  return {
    name: 'moosefs-client',
    whyNot: () => undefined,
    async work(step, folder) {
      const job = { ...jobOf(step, folder), module: builtModule, master: cluster.master };
      const sample = await runScript(job, { nodeOptions: options });
      const times = await profiler?.profiler.take();
      if (times !== undefined) profiler?.told(step, times);
      return sample;
    },
  };
}

/** The C library; undefined, with the reason told, where there is none for the servers' version. */
export async function libmfsioContender(
  cluster: Cluster,
  told: (reason: string) => void,
): Promise<Contender | undefined> {
  const built = await buildLibmfsioClient(cluster.version);
  if (typeof built === 'string') {
    told(built);
    return undefined;
  }
  const { host, port } = parseAddress(cluster.master, 9421);
  const missing: readonly Operation[] = ['stream', 'list', 'verify-checksums', 'verify-md5'];
  return {
    name: 'libmfsio',
    whyNot: (op) => (missing.includes(op) ? 'libmfsio has no such call' : undefined),
    async work({ op, files, bytes, concurrency }, folder) {
      const [program, ...args] = built.command;
      const numbers = [files, bytes, concurrency].map(String);
      const { stdout } = await run(program!, [...args, host, String(port), op, folder, ...numbers], {
        timeout: timeoutMs,
        env: { ...process.env, ...built.env },
      });
      return sampleOf(stdout);
    },
  };
}

/** The official mount, made anew for each piece of work; the files are used by a process of node's. */
export function mountContender(cluster: Cluster, told: (reason: string) => void): Contender | undefined {
  const reason = whyNotMounted(cluster);
  if (reason !== undefined) {
    told(`mfsmount: ${reason}`);
    return undefined;
  }
  return {
    name: 'mfsmount',
    whyNot: (op) => (op === 'verify-checksums' ? 'a mount cannot ask for it' : undefined),
    async work(step, folder) {
      await using mount = await mountOfficial(cluster, []);
      // as many threads as there are calls at once: node's four would be the limit, not the mount
      const threads = String(Math.max(4, Math.min(step.concurrency, 1024)));
      const { mountStat, ...sample } = await runScript(
        { ...jobOf(step, folder), mount: mount.folder, mountPid: mount.pid },
        { env: { UV_THREADPOOL_SIZE: step.op === 'list' ? '200' : threads } },
      );
      const [before, after] = mountStat!.map(cpuSecondsIn) as [number, number];
      const status = await readFile(`/proc/${mount.pid}/status`, 'utf8');
      return { ...sample, cpuSeconds: after - before, peakBytes: peakBytesIn(status) };
    },
  };
}

function jobOf({ op, files, bytes, concurrency }: Step, folder: string): object {
  return { op, files, bytes, concurrency, folder };
}

async function runScript(
  job: object,
  { nodeOptions = [], env = {} }: { nodeOptions?: readonly string[]; env?: Readonly<Record<string, string>> },
): Promise<ScriptSample> {
  const { stdout } = await run(process.execPath, [...nodeOptions, clientScript, JSON.stringify(job)], {
    timeout: timeoutMs,
    // what this process was started with (tsx) is not the client's
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return sampleOf(stdout);
}

/** What bench/client.mjs prints: of a mount also its /proc/PID/stat before and after the work. */
type ScriptSample = Sample & { readonly mountStat?: readonly string[] };

function sampleOf(stdout: string): ScriptSample {
  return JSON.parse(stdout) as ScriptSample;
}

/** Ticks a second of /proc: 100 on every Linux that node runs on. */
const TICKS = 100;

/** User and system time in a /proc/PID/stat; the program's name, which may hold anything, ends with the last `)`. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The high water mark in a /proc/PID/status. */
export function peakBytesIn(status: string): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  if (found === null) throw new Error('no VmHWM in /proc/PID/status');
  return Number(found[1]) * 1024;
}
