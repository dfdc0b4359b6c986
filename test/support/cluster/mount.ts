/** The official client as a witness: an mfsmount of a cluster, where /dev/fuse and the program are to be had. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseAddress } from './address.ts';
import type { Cluster } from './cluster.ts';
import { Daemon } from './daemon.ts';
import { Watchdog } from './watchdog.ts';

const run = promisify(execFile);
const mountTimeoutMs = 30_000;

/** A mounted cluster; `await using` unmounts it. */
export interface OfficialMount extends AsyncDisposable {
  /** The mount's folder. */
  readonly folder: string;
  /** The process id of mfsmount while it runs. */
  readonly pid: number | undefined;
  /** What an official tool of the servers' version prints (`mfsfileinfo`, `['-s', file]`). */
  tool(name: string, args: readonly string[]): Promise<string>;
  unmount(): Promise<void>;
}

/** Why this cluster cannot be mounted, or undefined where it can. */
export function whyNotMounted(cluster: Pick<Cluster, 'program'>): string | undefined {
  if (!existsSync('/dev/fuse')) return 'this machine has no /dev/fuse';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    return 'this user may not use /dev/fuse';
  }
  return cluster.program('mfsmount') === undefined ? 'there is no program mfsmount' : undefined;
}

/**
 * Mounts the cluster's root by mfsmount, without its caches (a witness must see what is stored now).
 *
 * @throws Error saying why, where it cannot be mounted.
 */
export async function mountOfficial(
  cluster: Pick<Cluster, 'program' | 'master'>,
  options: readonly string[] = ['-o', 'mfscachemode=NEVER'],
): Promise<OfficialMount> {
  const reason = whyNotMounted(cluster);
  const program = cluster.program('mfsmount');
  if (reason !== undefined || program === undefined) throw new Error(`the cluster cannot be mounted: ${reason ?? ''}`);
  const { host, port } = parseAddress(cluster.master, 9421);
  const folder = await mkdtemp(join(process.env['MFS_TEST_FOLDER'] ?? tmpdir(), 'moosefs-mount-'));
  const tool = async (name: string, args: readonly string[]): Promise<string> => {
    const path = cluster.program(name);
    if (path === undefined) throw new Error(`there is no program ${name}`);
    return (await run(path, [...args])).stdout;
  };
  // the mount of a killed test run is taken away too
  const watchdog = new Watchdog(`${folder}.log`, ['sh', '-c', 'umount -l "$1"; rmdir "$1"', 'sh', folder]);
  const args = ['-f', folder, '-H', host, '-P', String(port), ...options];
  const daemon = new Daemon({ name: 'mfsmount', program, args, logFile: `${folder}.log` }, watchdog);
  const unmount = async (): Promise<void> => {
    await run('umount', [folder]).catch(() => undefined);
    await daemon.kill();
    await watchdog.end();
  };
  try {
    await daemon.start();
    await mounted(folder, daemon);
  } catch (error) {
    await unmount();
    throw error;
  }
  return {
    folder,
    get pid() {
      return daemon.pid;
    },
    tool,
    unmount,
    [Symbol.asyncDispose]: unmount,
  };
}

/** Resolves when the folder is another file system than its parent. */
async function mounted(folder: string, daemon: Daemon): Promise<void> {
  const { dev } = await stat(dirname(folder));
  const deadline = Date.now() + mountTimeoutMs;
  while ((await stat(folder)).dev === dev) {
    if (daemon.pid === undefined || Date.now() > deadline) throw new Error(`mfsmount failed:\n${await daemon.log()}`);
    await sleep(20);
  }
}
