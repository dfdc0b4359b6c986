/** Reads that wait for their bytes: feeds each machine from its connection, and watches the clocks of all with one timer. */
import { AbortError, ConnectionError } from '../errors.ts';
import type { ChunkRead } from '../protocol/conversations/chunk-read.ts';
import { Bag } from '../transport/bag.ts';
import type { Deadline } from '../transport/deadline.ts';
import { onAbort } from '../transport/stop.ts';
import type { Connection } from '../transport/tcp.ts';
import { Watch } from '../transport/watch.ts';
import { withPeer } from './fs-errors.ts';

/** How long a read may take, in all and without a byte. */
interface ReadTimes {
  readonly deadline: Deadline;
  readonly stallMs: number;
}

/** See above. */
export class RunningReads {
  readonly #running = new Bag<RunningRead>();
  readonly #watch = new Watch((now) => {
    let next = Infinity;
    for (const read of this.#running.all()) next = Math.min(next, read.look(now));
    return next;
  });

  /** Sends the machine's request and resolves when all of its range is there. The connection is the caller's. */
  run(machine: ChunkRead, connection: Connection, times: ReadTimes): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      times.deadline.check(`reading from ${connection.peer}`);
      const read = new RunningRead(machine, connection, times, (error) => {
        this.#running.delete(read);
        if (error === undefined) resolve();
        else reject(error);
      });
      this.#running.add(read);
      this.#watch.by(read.due);
      read.begin();
    });
  }

  /** The client is closed, and its connections with it, which ends what still runs. */
  close(): void {
    this.#watch.stop();
  }
}

class RunningRead {
  readonly #machine: ChunkRead;
  readonly #connection: Connection;
  readonly #times: ReadTimes;
  readonly #ended: (error?: Error) => void;
  readonly #onAbort: (() => void) | undefined;
  #progressAt = performance.now();
  #over = false;

  constructor(machine: ChunkRead, connection: Connection, times: ReadTimes, ended: (error?: Error) => void) {
    this.#machine = machine;
    this.#connection = connection;
    this.#times = times;
    this.#ended = ended;
    const { signal } = times.deadline;
    if (signal === undefined) return;
    this.#onAbort = () => this.#end(new AbortError(signal.reason));
    onAbort(signal, this.#onAbort);
  }

  /** When its clocks are to be looked at, at the latest. */
  get due(): number {
    return Math.min(this.#times.deadline.at, this.#progressAt + this.#times.stallMs);
  }

  begin(): void {
    this.#connection.handler = {
      bytes: (chunk) => this.#receive(chunk),
      closed: (error) => this.#end(error),
    };
    this.#connection.write([this.#machine.request()]);
  }

  /** Ends it where its time is over; gives when to look again. */
  look(now: number): number {
    if (this.due > now) return this.due;
    const { peer } = this.#connection;
    const { deadline } = this.#times;
    if (deadline.at <= now) this.#end(deadline.timeout(`reading from ${peer}`));
    else {
      const message = `${peer} sent no data for ${Math.round(now - this.#progressAt)} ms`;
      this.#end(new ConnectionError(message, { code: 'ETIMEDOUT', peer, retryable: true }));
    }
    return Infinity;
  }

  #receive(chunk: Uint8Array): void {
    if (this.#over) return;
    try {
      const before = this.#machine.verified;
      if (this.#machine.receive(chunk) === 'done') this.#end();
      // NOPs come from servers that are alive and have nothing to give.
      else if (this.#machine.verified > before) this.#progressAt = performance.now();
    } catch (error) {
      this.#end(withPeer(error, this.#connection.peer) as Error);
    }
  }

  #end(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#onAbort !== undefined) this.#times.deadline.signal?.removeEventListener('abort', this.#onAbort);
    this.#ended(error);
  }
}
