/**
 * One write session on one connection: feeds the sans-IO machine from a source of blocks, and watches the clocks. Ends well when
 * the source has nothing more and everything is acknowledged, by the only server of a chunk also stored; ends badly when the chain
 * breaks, or a server of it is dead.
 */
import type { MooseFSError } from '../errors.ts';
import { ConnectionError } from '../errors.ts';
import type { ChunkWrite } from '../protocol/conversations/chunk-write.ts';
import { Bag } from '../transport/bag.ts';
import type { Connection } from '../transport/tcp.ts';
import { withPeer } from './fs-errors.ts';
import type { PendingBlock } from './write-buffer.ts';

/** A session with nothing to send is kept this long for more: it holds the chunk's lock, which stops readers elsewhere. */
const LINGER_MS = 100;
/** Sessions under one lock end after this long: the master's lock lasts 120 s. */
export const SESSION_MS = 60_000;
/**
 * No acknowledgement for so long while blocks are out: ask the servers of the chain whether they live. NOPs do not count, 4.x sends
 * them from stuck chains.
 */
const SUSPICIOUS_MS = 2000;
/** All servers live and still nothing is acknowledged: a disk may be that slow, but not slower. */
const STALL_MS = 20_000;
/** How often running sessions look at their clocks. */
const TICK_MS = 20;
/**
 * So many blocks are on their way where the servers are near. More of them only wait in the first server's memory, which costs it
 * more for each: with one copy it took 0.74 s of processor time for a GiB at 64 blocks, and 0.64 s at 16.
 */
const NEAR_WINDOW = 16;
/** Where they are far: half a gigabyte a second, if acknowledgements take as long as the opening of the chain did. */
const BLOCKS_PER_MS = 8;

/** Where blocks come from and acknowledgements go. */
export interface BlockSource {
  /** The next block that may be sent now. */
  next(): PendingBlock | undefined;
  /** Everything sent is acknowledged: `end` the session, `wait` for more for a while, or `go-on` because more is to be sent. */
  whenIdle(): 'end' | 'wait' | 'go-on';
  /** When the last block was added, on the clock of `performance.now()`. */
  addedAt(): number;
  /** Blocks that are on every server of the chain. */
  acknowledged(blocks: readonly PendingBlock[]): void;
  /** Whether all servers of the chain answer. Never rejects. */
  chainIsAlive(): Promise<boolean>;
}

/** Ticks for all sessions of a client: an interval for each would cost more than much else of a small file. */
export class SessionTicks {
  readonly #running = new Bag<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** Calls `tick` every {@link TICK_MS} until it is removed. */
  add(tick: () => void): void {
    this.#running.add(tick);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  remove(tick: () => void): void {
    this.#running.delete(tick);
  }

  #tick(): void {
    for (const tick of this.#running.all()) tick();
    if (this.#running.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** How long a session may take, and what tells it the time. */
export interface WriteSessionTimes {
  /** By which the session looks at its clocks. */
  readonly ticks: SessionTicks;
  /** Until the chain stands. */
  readonly openingMs: number;
  /** From then on nothing more is sent, on the clock of `performance.now()`. */
  readonly endBy: number;
}

/** See above. */
export class WriteSession {
  readonly #machine: ChunkWrite<PendingBlock>;
  readonly #connection: Connection;
  readonly #source: BlockSource;
  readonly #openingMs: number;
  readonly #endBy: number;
  readonly #startedAt = performance.now();
  /** Blocks that may be on their way; more once it is known how far the servers are. */
  #window: number;
  #acknowledgedAt = this.#startedAt;
  /** Since when something has been waiting for its acknowledgement. */
  #waitingSince = this.#acknowledgedAt;
  #probing = false;
  /** What the next write sends first. */
  readonly #outgoing: Uint8Array[] = [];
  readonly #ticks: SessionTicks;
  #settle: ((error?: Error) => void) | undefined;

  constructor(
    machine: ChunkWrite<PendingBlock>,
    connection: Connection,
    source: BlockSource,
    { ticks, openingMs, endBy }: WriteSessionTimes,
  ) {
    this.#machine = machine;
    this.#connection = connection;
    this.#source = source;
    this.#ticks = ticks;
    this.#openingMs = openingMs;
    this.#endBy = endBy;
    this.#window = Math.min(NEAR_WINDOW, machine.windowBlocks);
  }

  /**
   * Runs the session. Resolves after WRITE_FINISH, with a chain of one server after it was carried out; the connection may then be
   * used again if the machine says so.
   */
  async run(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve() : reject(error));
        this.#ticks.add(this.#tick);
        this.#connection.handler = {
          bytes: (chunk) => this.#receive(chunk),
          closed: (error) => this.#settle?.(error),
        };
        // The first blocks go with the packet that opens the session: the servers take data before the chain stands.
        this.#outgoing.push(this.#machine.open());
        this.pump();
      });
    } finally {
      this.#settle = undefined;
      this.#ticks.remove(this.#tick);
    }
  }

  /** Ends the session badly. */
  abort(error: MooseFSError): void {
    this.#settle?.(error);
  }

  /** Sends what may be sent, or ends the session if it is over. */
  pump(): void {
    if (this.#settle === undefined) return;
    try {
      if (this.#machine.pending === 0) this.#waitingSince = performance.now();
      this.#gather();
      const over = this.#machine.canFinish && this.#isOver();
      if (over) this.#outgoing.push(this.#machine.finish());
      if (this.#outgoing.length > 0) this.#connection.write(this.#outgoing.splice(0));
      if (over && this.#machine.state === 'finished') this.#settle();
    } catch (error) {
      this.#settle(error as Error);
    }
  }

  #gather(): void {
    if (performance.now() > this.#endBy) return;
    const { pending } = this.#machine;
    // Half a window in one call of the kernel: a block for each status that comes would cost more than the bytes in it.
    if (pending > this.#window / 2) return;
    for (let room = this.#window - pending; room > 0 && this.#machine.canSend; room--) {
      const block = this.#source.next();
      if (block === undefined) break;
      this.#outgoing.push(...this.#machine.sendBlock(block));
    }
  }

  /** The chain stands: what that took tells how long its acknowledgements take. */
  #widen(openedInMs: number): void {
    const window = Math.max(NEAR_WINDOW, Math.ceil(openedInMs * BLOCKS_PER_MS));
    this.#window = Math.min(window, this.#machine.windowBlocks);
  }

  #isOver(): boolean {
    const now = performance.now();
    if (now > this.#endBy) return true;
    const verdict = this.#source.whenIdle();
    return (
      verdict === 'end' ||
      (verdict === 'wait' && now - Math.max(this.#acknowledgedAt, this.#source.addedAt()) >= LINGER_MS)
    );
  }

  #receive(chunk: Uint8Array): void {
    if (this.#settle === undefined) return;
    let failure: Error | undefined;
    const wasOpened = this.#machine.opened;
    try {
      this.#machine.receive(chunk);
    } catch (error) {
      failure = error as Error;
    }
    if (this.#machine.opened && !wasOpened) this.#widen(performance.now() - this.#startedAt);
    // Also those that came before a bad status: they are on all replicas and are not sent again.
    const blocks = this.#machine.acknowledged;
    if (blocks.length > 0) {
      this.#acknowledgedAt = this.#waitingSince = performance.now();
      this.#source.acknowledged(blocks);
    }
    if (failure !== undefined) this.#settle(withPeer(failure, this.#connection.peer) as Error);
    else if (this.#machine.state === 'finished') this.#settle();
    else this.pump();
  }

  readonly #tick = (): void => {
    const silent = performance.now() - this.#waitingSince;
    if (this.#machine.pending > 0 && silent > (this.#machine.opened ? STALL_MS : this.#openingMs)) {
      this.#settle?.(this.#stalled(silent));
      return;
    }
    if (this.#machine.pending > 0 && silent > SUSPICIOUS_MS && !this.#probing) void this.#probe();
    this.pump();
  };

  async #probe(): Promise<void> {
    this.#probing = true;
    const alive = await this.#source.chainIsAlive();
    const silent = performance.now() - this.#waitingSince;
    if (!alive && silent > SUSPICIOUS_MS) this.#settle?.(this.#stalled(silent));
    // Not at once again: each probe is a connection to every server.
    setTimeout(() => (this.#probing = false), SUSPICIOUS_MS).unref();
  }

  #stalled(silent: number): ConnectionError {
    const { peer } = this.#connection;
    const what =
      this.#machine.state === 'confirming'
        ? 'the end of the session was not confirmed'
        : this.#machine.opened
          ? `${this.#machine.pending} blocks were not acknowledged`
          : 'the chain of chunkservers was not opened';
    return new ConnectionError(`${what} for ${Math.round(silent)} ms (first server ${peer})`, {
      code: 'ETIMEDOUT',
      peer,
      retryable: true,
    });
  }
}
