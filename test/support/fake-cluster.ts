/** A fake master with fake chunkservers on one timeline, and clients of them: what most client tests begin with. */
import { MooseFS } from '../../src/index.ts';
import type { ConnectOptions } from '../../src/index.ts';
import { FakeChunkserver } from './fake-chunkserver.ts';
import { FakeMaster } from './fake-master.ts';
import type { FakeMasterOptions } from './fake-master.ts';
import type { FakeServer, FakeServerOptions } from './fake-server.ts';
import { Timeline } from './fake-timeline.ts';

/** What a fake cluster can be told at its start. */
export interface FakeClusterOptions {
  /** How many chunkservers; each new chunk goes to all of them unless `goal` says less. Default 2. */
  readonly servers?: number;
  readonly goal?: number;
  readonly master?: Omit<FakeMasterOptions, 'timeline' | 'chunkservers' | 'goal'>;
  readonly chunkserver?: Omit<FakeServerOptions, 'timeline' | 'name'>;
}

/** See the head of this file. Chunkservers are called cs1, cs2 … in the timeline. */
export class FakeCluster implements AsyncDisposable {
  readonly timeline: Timeline;
  readonly master: FakeMaster;
  readonly chunkservers: readonly FakeChunkserver[];

  private constructor(timeline: Timeline, master: FakeMaster, chunkservers: readonly FakeChunkserver[]) {
    this.timeline = timeline;
    this.master = master;
    this.chunkservers = chunkservers;
  }

  static async start({ servers = 2, goal, master, chunkserver }: FakeClusterOptions = {}): Promise<FakeCluster> {
    const timeline = new Timeline();
    const chunkservers = await Promise.all(
      Array.from({ length: servers }, (_, i) =>
        FakeChunkserver.start({ ...chunkserver, timeline, name: `cs${i + 1}` }),
      ),
    );
    const started = await FakeMaster.start({ ...master, timeline, chunkservers, goal: goal ?? servers });
    return new FakeCluster(timeline, started, chunkservers);
  }

  /** A client, as root without umask so that modes are what a test asks for. */
  connect(options: ConnectOptions = {}): Promise<MooseFS> {
    return MooseFS.connect({ master: this.master.address, uid: 0, gid: 0, groups: [], umask: 0, ...options });
  }

  /** The chunkserver of this number, from 1. */
  cs(number: number): FakeChunkserver {
    const server = this.chunkservers[number - 1];
    if (server === undefined) throw new RangeError(`there is no cs${number}`);
    return server;
  }

  /** What clients did against the protocol. */
  get violations(): string[] {
    return this.#all.flatMap((server) => server.violations);
  }

  get #all(): readonly FakeServer[] {
    return [this.master, ...this.chunkservers];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((server) => server.close()));
  }
}
