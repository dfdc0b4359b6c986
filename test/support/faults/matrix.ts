/** The fault matrix: one cell is one fault, to one server of the chain, during one activity, on a real cluster. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MooseFS } from '../../../src/index.ts';
import { formatAddress, parseAddress } from '../cluster/address.ts';
import { askMaster } from '../cluster/probe.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterOptions } from '../cluster/options.ts';
import { activities } from './activities.ts';
import type { ActivityName, ActivityResult } from './activities.ts';
import { DelayProxy } from './delay-proxy.ts';
import { faults, mendAfter } from './faults.ts';
import type { Fault, Victim } from './faults.ts';
import { Witness } from './witness.ts';
import { activeResources, leakedSince } from './leaks.ts';

/** Which server is hit. */
export type Target = 'first' | 'middle' | 'last' | 'only' | 'master';

/** What a cell came to; a row of the table that is printed at the end. */
export interface CellResult {
  readonly fault: string;
  readonly target: Target;
  readonly during: ActivityName;
  /** The longest wait of the activity, or how long it took to fail. */
  readonly worstMs: number;
  /**
   * How long after the fault the master was seen without the server; where only its return helps (the master, the only replica), to
   * be there again, with the chunk's servers.
   */
  readonly masterMs: number | undefined;
  /** How long the longest wait went on after that; negative where it did not have to wait for it. */
  readonly afterMasterMs: number | undefined;
  /** How long the longest wait went on after the server was there again; negative where it did not have to wait for that. */
  readonly afterMendingMs: number;
  readonly outcome: string;
  /** Bytes acknowledged, or there before, that are not there any more. */
  readonly lostBytes: number;
  /** Valid replicas whose bytes are those that were written, of all that the master lists as valid. */
  readonly replicas: string;
  /** What a second session waited to write to the chunk and read it. */
  readonly otherSessionMs: number;
  readonly leaks: readonly string[];
}

/** How large the files are: the buffer of one open file and half of it more. */
const SIZE = 24 * 1024 * 1024;
const DELAY_MS = 200;
const YOUNG_MASTER_MS = 6000;

/** A cluster for one row of the matrix. */
export class Matrix implements AsyncDisposable {
  readonly cluster: Cluster;
  /** As a number. */
  readonly masterVersion: number;
  readonly results: CellResult[] = [];
  readonly #fault: Fault;
  #proxies = new Map<string, DelayProxy>();

  private constructor(cluster: Cluster, masterVersion: number, fault: Fault) {
    this.cluster = cluster;
    this.masterVersion = masterVersion;
    this.#fault = fault;
  }

  /** Four chunkservers and files with three copies, or, for the only replica, one chunkserver. */
  static async start(fault: Fault, kind: 'chain' | 'only'): Promise<Matrix> {
    const options: ClusterOptions = {
      chunkservers: kind === 'chain' ? 4 : 1,
      ...(fault === faults.diskFull && { diskLimit: '6GiB' }),
    };
    const cluster = await startCluster(options);
    const { info } = await askMaster(cluster.masterControl);
    const matrix = new Matrix(cluster, info.versionNumber, fault);
    process.stderr.write(`live tests: MooseFS ${cluster.version} (${cluster.provider}), faults: ${fault.name}\n`);
    if (fault === faults.lossy) await matrix.#delay([cluster.masterControl, ...cluster.chunkservers]);
    await using mfs = await MooseFS.connect({ master: cluster.master });
    await mfs.mkdir('/d');
    const is3 = cluster.version.startsWith('3.');
    if (kind === 'chain') await mfs.storageClass.set('/d', is3 ? '3' : '3CP');
    // 4.x has no class of one copy at first: there a second one is wanted and cannot be had.
    else if (is3) await mfs.storageClass.set('/d', '1');
    // In its first five seconds a master waits for the other copies of a chunk that has one and should have two.
    if (kind === 'only') await sleep(YOUNG_MASTER_MS);
    return matrix;
  }

  /** Runs one cell. Rejects only when the test itself is at fault: what the client did is in the result. */
  async cell(target: Target, during: ActivityName): Promise<CellResult> {
    await this.cluster.ready();
    const path = `/d/${target}-${during}`;
    const data = randomBytes(SIZE);
    await using witness = await MooseFS.connect({ master: this.cluster.master });
    if (during === 'read' || during === 'metadata') await witness.writeFile(path, data);
    const before = activeResources();
    const run = new CellRun(this, this.#fault, target);
    const mfs = await MooseFS.connect(this.#clientOptions());
    const inflict = (chain: readonly string[], chunkId: bigint) => run.inflict(chain, chunkId);
    const context = { mfs, path, data, inflict };
    const startedAt = performance.now();
    const ended: ActivityResult | Error = await activities[during](context).catch((error: unknown) => error as Error);
    const tookMs = performance.now() - (run.inflictedAt ?? startedAt);
    run.over();
    if (run.inflictedAt === undefined) throw ended instanceof Error ? ended : new Error('the fault has not happened');
    const mendedAt = await run.mended;
    const masterAt = await run.seenAt();
    const held = mfs.resources;
    await mfs.close().catch(() => undefined);
    const leaks = [
      ...(await leakedSince(before)),
      ...Object.entries(held).flatMap(([name, count]) =>
        (name === 'activeChunks' || name === 'openFiles') && count > 0 ? [`${count} ${name}`] : [],
      ),
    ];
    const failed = ended instanceof Error;
    const found = await this.#inspect(path, failed ? undefined : data);
    const row: CellResult = {
      fault: this.#fault.name,
      target,
      during,
      worstMs: failed ? Math.round(tookMs) : ended.worstMs,
      masterMs: masterAt === undefined ? undefined : Math.round(masterAt - run.inflictedAt),
      afterMasterMs: failed || masterAt === undefined ? undefined : Math.round(ended.worstEndedAt - masterAt),
      afterMendingMs: failed ? 0 : Math.round(ended.worstEndedAt - mendedAt),
      outcome: failed ? `failed: ${ended.message}` : ended.equal ? 'went on' : 'WRONG BYTES READ',
      ...found,
      leaks,
    };
    this.results.push(row);
    await witness.unlink(path).catch(() => undefined);
    return row;
  }

  #clientOptions(): {
    master: string;
    chunkserverAddress: (address: { host: string; port: number }) => { host: string; port: number };
  } {
    // prettier-ignore
    const by = (address: { host: string; port: number }) => this.#proxies.get(formatAddress(address))?.address ?? address;
    return { master: formatAddress(by(parseAddress(this.cluster.master, 9421))), chunkserverAddress: by };
  }

  async #delay(servers: readonly Victim[]): Promise<void> {
    for (const { host, port } of servers)
      this.#proxies.set(formatAddress({ host, port }), await DelayProxy.start({ host, port }, DELAY_MS / 2));
  }

  /** All replicas, each by itself, and whether another session can write and read at once. */
  async #inspect(
    path: string,
    data: Buffer | undefined,
  ): Promise<Pick<CellResult, 'lostBytes' | 'replicas' | 'otherSessionMs'>> {
    await this.cluster.ready();
    await using mfs = await MooseFS.connect({ master: this.cluster.master });
    const expected = data && createHash('md5').update(data).digest('hex');
    const deadline = performance.now() + 20_000;
    for (;;) {
      const { digests, chunks, ok } = await mfs.verify(path, { method: 'md5' });
      const replicas = chunks.flatMap((chunk) => chunk.replicas.filter(({ state }) => state === 'valid'));
      const right = digests.filter((digest) => digest === expected).length;
      // What could not be had stays as it is: nothing to wait for, and nothing that a second session could do.
      if (data === undefined) return { lostBytes: 0, replicas: `${right}/${replicas.length}`, otherSessionMs: 0 };
      const done = ok && replicas.length > 0 && right === digests.length;
      if (!done && performance.now() < deadline) {
        // A server that came back with an old replica tells the master of it, which drops it; the same for wrong bytes.
        await new Promise((resolve) => setTimeout(resolve, 500));
        continue;
      }
      const startedAt = performance.now();
      const all = done ? await mfs.readFile(path) : undefined;
      await using handle = await mfs.open(path, 'r+');
      await handle.write(Buffer.from('other session'), 0, 13, 0);
      await handle.sync();
      return {
        lostBytes: all?.equals(data) === true ? 0 : data.length,
        replicas: `${replicas.filter(({ ok: equal }) => equal).length}/${replicas.length}`,
        otherSessionMs: Math.round(performance.now() - startedAt),
      };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    await this.cluster.stop();
  }
}

/** The fault of one cell, from its beginning to its end. */
class CellRun {
  inflictedAt: number | undefined;
  over: () => void = () => undefined;
  mended: Promise<number> = Promise.reject(new Error('the fault has not happened'));
  readonly #matrix: Matrix;
  readonly #fault: Fault;
  readonly #target: Target;
  #witness: Witness | undefined;

  constructor(matrix: Matrix, fault: Fault, target: Target) {
    this.#matrix = matrix;
    this.#fault = fault;
    this.#target = target;
    this.mended.catch(() => undefined);
  }

  async inflict(chain: readonly string[], chunkId: bigint): Promise<void> {
    const victim = this.#victim(chain);
    const { masterControl } = this.#matrix.cluster;
    this.#witness = new Witness({
      master: masterControl,
      masterVersion: this.#matrix.masterVersion,
      victim: victim === masterControl ? undefined : formatAddress(victim),
      chain,
    });
    const mend = await this.#fault.inflict(victim, { chunkId });
    this.inflictedAt = performance.now();
    const over = new Promise<void>((resolve) => (this.over = resolve));
    // A master or chunkserver that was started again is of use when they have found each other.
    this.mended = mendAfter(this.#fault, over, () => mend().then(() => this.#matrix.cluster.ready()));
    this.mended.catch(() => undefined);
  }

  /** The moment in the master's life that the client has to wait for, on the clock of `performance.now()`. */
  async seenAt(): Promise<number | undefined> {
    const witness = this.#witness;
    if (witness === undefined) return undefined;
    // What is mended now is seen in the witness's next looks.
    for (let tries = 0; helpsByReturn(this.#target) && witness.goneAt !== undefined && tries < 100; tries++) {
      if (witness.backAt !== undefined) break;
      await sleep(50);
    }
    await witness.end();
    return helpsByReturn(this.#target) ? witness.backAt : witness.goneAt;
  }

  #victim(chain: readonly string[]): Victim {
    const { masterControl, chunkservers } = this.#matrix.cluster;
    if (this.#target === 'master') return masterControl;
    const place = { first: 0, middle: 1, last: chain.length - 1, only: 0 }[this.#target];
    const found = chunkservers.find((server) => formatAddress(server) === chain[place]);
    if (found === undefined || (this.#target !== 'only' && chain.length !== 3))
      throw new Error(`the chain ${chain.join(' ')} has no ${this.#target} server of three`);
    return found;
  }
}

const helpsByReturn = (target: Target): boolean => target === 'master' || target === 'only';

/** What the master made of it, and what came after that. */
function seen({ target, masterMs, afterMasterMs }: CellResult): string {
  if (masterMs === undefined) return helpsByReturn(target) ? 'not away' : 'not dropped';
  const what = helpsByReturn(target) ? `back after ${masterMs} ms` : `dropped after ${masterMs} ms`;
  if (afterMasterMs === undefined) return what;
  return afterMasterMs < 0 ? `${what}, not waited for` : `${what}, went on ${afterMasterMs} ms after it`;
}

/** The table for people. */
export function printResults(version: string, rows: readonly CellResult[]): void {
  const lines = rows.map((row) =>
    [
      row.fault.padEnd(18),
      row.target.padEnd(7),
      row.during.padEnd(9),
      `${row.worstMs} ms`.padStart(9),
      `lost ${row.lostBytes}`.padStart(7),
      `equal ${row.replicas}`.padEnd(10),
      `other ${row.otherSessionMs} ms`.padEnd(14),
      row.leaks.length === 0 ? 'no leak' : `LEAKS ${row.leaks.join(', ')}`,
      seen(row),
      row.outcome,
    ].join('  '),
  );
  process.stderr.write(`\nfault matrix, MooseFS ${version}\n${lines.join('\n')}\n`);
}
