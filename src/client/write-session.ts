/**
 * One write session on one connection: feeds the sans-IO machine from a source of blocks, and watches the clocks. Ends well when
 * the source has nothing more and everything is acknowledged, by the only server of a chunk also stored; ends badly when the chain
 * breaks, or a server of it is dead.
 */
import type { MooseFSError } from '../errors.ts';
import { ConnectionError } from '../errors.ts';
import type { ChunkWrite } from '../protocol/conversations/chunk-write.ts';
import type { Connection } from '../transport/tcp.ts';
import { withPeer } from './fs-errors.ts';
import type { PendingBlock } from './write-buffer.ts';

/** A session with nothing to send is kept this long for more: it holds the chunk's lock, which stops readers elsewhere. */
const LINGER_MS = 100;
/** A session ends after this long: the master's lock lasts 120 s. */
export const SESSION_MS = 60_000;
/**
 * No acknowledgement for so long while blocks are out: ask the servers of the chain whether they live. NOPs do not count, 4.x sends
 * them from stuck chains.
 */
const SUSPICIOUS_MS = 2000;
/** All servers live and still nothing is acknowledged: a disk may be that slow, but not slower. */
const STALL_MS = 20_000;
/** How often a running session looks at its clocks. */
const TICK_MS = 20;

/** Where blocks come from and acknowledgements go. */
export interface BlockSource {
  /** The next block that may be sent now. */
  next(): PendingBlock | undefined;
  /** Everything sent is acknowledged: `end` the session, `wait` for more for a while, or `go-on` because more is to be sent. */
  whenIdle(): 'end' | 'wait' | 'go-on';
  /** When the last block was added, on the clock of `performance.now()`. */
  readonly addedAt: number;
  /** Blocks that are on every server of the chain. */
  acknowledged(blocks: readonly PendingBlock[]): void;
  /** Whether all servers of the chain answer. Never rejects. */
  chainIsAlive(): Promise<boolean>;
}

/** See above. */
export class WriteSession {
  readonly #machine: ChunkWrite<PendingBlock>;
  readonly #connection: Connection;
  readonly #source: BlockSource;
  /** How long the chain may take to stand. */
  readonly #openingMs: number;
  readonly #startedAt = performance.now();
  #acknowledgedAt = this.#startedAt;
  /** Since when something has been waiting for its acknowledgement. */
  #waitingSince = this.#startedAt;
  #probing = false;
  /** What the next write sends first. */
  readonly #outgoing: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #settle: ((error?: Error) => void) | undefined;

  constructor(machine: ChunkWrite<PendingBlock>, connection: Connection, source: BlockSource, openingMs: number) {
    this.#machine = machine;
    this.#connection = connection;
    this.#source = source;
    this.#openingMs = openingMs;
  }

  /**
   * Runs the session. Resolves after WRITE_FINISH, with a chain of one server after it was carried out; the connection may then be
   * used again if the machine says so.
   */
  async run(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve() : reject(error));
        this.#timer = setInterval(() => this.#tick(), TICK_MS);
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
      clearInterval(this.#timer);
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
    if (performance.now() - this.#startedAt > SESSION_MS) return;
    // Half a window in one call of the kernel: a block for each status that comes would cost more than the bytes in it.
    if (this.#machine.pending > 0 && this.#machine.room < this.#machine.windowBlocks / 2) return;
    while (this.#machine.canSend) {
      const block = this.#source.next();
      if (block === undefined) break;
      this.#outgoing.push(...this.#machine.sendBlock(block));
    }
  }

  #isOver(): boolean {
    const now = performance.now();
    if (now - this.#startedAt > SESSION_MS) return true;
    const verdict = this.#source.whenIdle();
    return (
      verdict === 'end' ||
      (verdict === 'wait' && now - Math.max(this.#acknowledgedAt, this.#source.addedAt) >= LINGER_MS)
    );
  }

  #receive(chunk: Uint8Array): void {
    if (this.#settle === undefined) return;
    let failure: Error | undefined;
    try {
      this.#machine.receive(chunk);
    } catch (error) {
      failure = error as Error;
    }
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

  #tick(): void {
    const silent = performance.now() - this.#waitingSince;
    if (this.#machine.pending > 0 && silent > (this.#machine.opened ? STALL_MS : this.#openingMs)) {
      this.#settle?.(this.#stalled(silent));
      return;
    }
    if (this.#machine.pending > 0 && silent > SUSPICIOUS_MS && !this.#probing) void this.#probe();
    this.pump();
  }

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
