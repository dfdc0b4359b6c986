/**
 * Writes what a buffer holds for one chunk, over as many write sessions and chains as it takes:
 *
 *     WRITE_CHUNK  the master locks the chunk and says id, version and servers: see ChunkLease
 *     session      the sans-IO machine ChunkWrite over one connection to the first server
 *     WRITE_CHUNK_END on every path: unlocks the chunk and tells the file's length
 *
 * A failed session loses nothing: blocks that were not acknowledged go back to the front of the buffer and are written again,
 * with whatever id, version and servers the master gives next. Nothing that was acknowledged is sent again, with one exception:
 * the only server of a chunk stores the checksums of a session's blocks at its end, and if it dies before, they cannot be read
 * (see ChunkWrite). So blocks that it alone acknowledged are kept until their session has ended well.
 */
import createDebug from 'debug';
import { ConnectionError, MooseFSError, StatusError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { ChunkWrite } from '../protocol/conversations/chunk-write.ts';
import { BLOCK_SIZE, CHUNK_SIZE } from '../protocol/geometry.ts';
import { Status } from '../protocol/status.ts';
import { Backoff } from '../transport/backoff.ts';
import { Deadline } from '../transport/deadline.ts';
import { Stop } from '../transport/stop.ts';
import type { Connection } from '../transport/tcp.ts';
import { chunkWriteChannel, traced } from './diagnostics.ts';
import type { ChunkGrant } from './acknowledged-chunks.ts';
import { ChunkLease } from './chunk-lease.ts';
import type { WritableFile } from './chunk-lease.ts';
import { findSilentServers } from './chunkserver-probe.ts';
import { fsError, withSite } from './fs-errors.ts';
import type { Volume } from './volume.ts';
import type { PendingBlock } from './write-buffer.ts';
import { WriteBuffer } from './write-buffer.ts';
import { SESSION_MS, WriteSession } from './write-session.ts';
import type { BlockSource } from './write-session.ts';

const debug = createDebug('moosefs:write');

/** A block that is not full is sent after this long without more for it. */
const PARTIAL_MS = 20;
/** Connecting to the first server takes no longer: a round trip, and one lost SYN. */
const CONNECT_MS = 2000;
/** How long a chain may take to stand. A server that cannot reach the next one tries for 15 s; ask the master anew before. */
const OPENING_MS = 5000;
/** The same with a server in the chain that lately did not answer. */
const SUSPECT_OPENING_MS = 1000;
/** Pauses after a failed session. */
const RETRY = { firstMs: 20, factor: 2, maxMs: 1000 };
/** While the master still lists a server that we know is dead: it notices after 10 s, ask often, and oftener near that. */
const DEAD_LISTED = { earlyMs: 100, lateMs: 30, lateAfterMs: 8000 };
/** It should have noticed by then; from then on the chain is tried whoever is in it. */
const DEAD_LISTED_PATIENCE_MS = 12_000;
/**
 * The only server of a chunk hung up: the master is asked after it has noticed, which takes it 0.1 s. Asked sooner it raises the
 * chunk's version without that server, whose copy, the only one, is worthless when it comes back.
 */
const ONLY_SERVER_MS = 500;
/**
 * What the only server of a chunk must store at once: less, and the ends of sessions take too much of the time; more, and there is
 * no room for the next chunk while this one ends. Of a small buffer it is a quarter.
 */
const STORED_BYTES = 2 * 1024 * 1024;
/** An overloaded chunkserver wants to be asked again after this. */
const OVERLOADED_MS = 300;

/** Writes one chunk of one file. */
export class ChunkWriter {
  readonly index: number;
  readonly buffer: WriteBuffer;
  readonly #volume: Volume;
  readonly #file: WritableFile;
  /** Everything up to this sequence number is wanted out, and then the session ended. */
  #drainUpTo = 0;
  #addedAt = 0;
  /** Bytes up to the chunk's end were added: who writes from front to back is in the next one. */
  #hasItsEnd = false;
  /** From the start of {@link run} to its end, pauses included. */
  #running = false;
  /** The last session has. */
  #hasFailed = false;
  #session: WriteSession | undefined;
  /** When a block was last acknowledged, or the writer was started. */
  #progressAt = 0;
  /** Blocks that the only server of the chunk acknowledged and may not have stored. */
  #unstored: PendingBlock[] = [];
  #unstoredBytes = 0;
  /** The last session ended for their sake. */
  #endedToStore = false;
  /** When bytes last left the buffer for good, or the writer was started. */
  #storedAt = 0;
  /** Offset in the chunk up to which the running session's blocks are acknowledged. */
  #acknowledgedEnd = 0;
  /** A chain with a suspect server at its end was tried since the last progress. */
  #triedAround = false;
  /** Servers that did not answer since the last progress. */
  readonly #silent = new Set<string>();
  /** Suspects are being asked whether they are back. */
  #asking = false;
  readonly #lease: ChunkLease;
  #drains: { readonly upTo: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #aborted: MooseFSError | undefined;
  /** Ends the wait for the master when it is given up. */
  readonly #giveUp = new Stop();

  constructor(volume: Volume, file: WritableFile, index: number) {
    this.#volume = volume;
    this.#file = file;
    this.#lease = new ChunkLease(volume, file, index);
    this.buffer = new WriteBuffer(volume.blocks);
    this.index = index;
  }

  /** Adds bytes; see {@link WriteBuffer.add}. */
  add(offset: number, bytes: Uint8Array, keep: boolean): number {
    const grown = this.buffer.add(offset, bytes, keep);
    this.#addedAt = performance.now();
    if (offset + bytes.length === CHUNK_SIZE) this.#hasItsEnd = true;
    this.#session?.pump();
    return grown;
  }

  /** Sends everything added so far, partial blocks too, and ends the session. Resolves when the master knows the length. */
  drain(): Promise<void> {
    if (this.buffer.bytes === 0 && !this.#running) return Promise.resolve();
    this.#drainUpTo = this.buffer.lastSequence;
    this.#session?.pump();
    return new Promise<void>((resolve, reject) => this.#drains.push({ upTo: this.#drainUpTo, resolve, reject }));
  }

  /** Gives up: what is not acknowledged is dropped, and {@link run} rejects. */
  abort(error: MooseFSError): void {
    this.#aborted = error;
    this.#giveUp.abort(error);
    this.#session?.abort(error);
  }

  /** Runs sessions until the buffer is empty. Rejects when it has to give up; the buffer then still holds what is lost. */
  async run(): Promise<void> {
    this.#running = true;
    try {
      await this.#runSessions();
    } catch (error) {
      for (const { reject } of this.#drains.splice(0)) reject(error);
      throw error;
    } finally {
      this.#running = false;
      this.#drainUpTo = 0;
      // Asked for after the last session had ended: there is nothing left to wait for.
      if (this.buffer.bytes === 0) for (const { resolve } of this.#drains.splice(0)) resolve();
    }
  }

  async #runSessions(): Promise<void> {
    const retry = new Backoff(RETRY);
    const giveUpAfter = this.#volume.settings.ioTimeoutMs;
    this.#progressAt = this.#storedAt = performance.now();
    this.#triedAround = false;
    while (this.buffer.hasUnsent) {
      this.#throwIfAborted();
      const leftMs = giveUpAfter - (performance.now() - this.#progressAt);
      const before = this.buffer.bytes;
      const failure = await this.#attempt(Deadline.in(Math.max(1, leftMs), this.#giveUp));
      this.#throwIfAborted();
      if (this.buffer.bytes < before) retry.reset();
      this.#hasFailed = failure !== undefined;
      if (failure === undefined) {
        this.#resolveDrains();
        continue;
      }
      if (!isWorthRetrying(failure)) throw this.#refused(failure);
      debug(
        'chunk %d of inode %d: %s; %d bytes left',
        this.index,
        this.#file.inode,
        messageOf(failure),
        this.buffer.bytes,
      );
      const pause = this.#pauseAfter(failure, retry);
      if (this.#isOutOfTime(performance.now() + pause)) throw this.#gaveUp(failure);
      await Deadline.in(pause + 1000).sleep(pause, 'writing');
      this.#throwIfAborted();
    }
  }

  /** WRITE_CHUNK, one session, WRITE_CHUNK_END. Gives what went wrong; rejects when the end itself failed. */
  async #attempt(deadline: Deadline): Promise<unknown> {
    this.#acknowledgedEnd = 0;
    const unlocked = this.#volume.chunkLocks.hold();
    let grant: ChunkGrant | undefined;
    try {
      grant = await this.#lease.begin(deadline, { afterFailure: this.#hasFailed });
      if (this.#listsDeadServer(grant)) {
        void this.#askSuspects(grant);
        return new DeadServerListed();
      }
      await this.#write(grant);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      // Whatever happened: the chunk is unlocked, and what was acknowledged counts.
      try {
        if (grant !== undefined) await this.#lease.end(grant, this.#acknowledgedEnd);
      } finally {
        unlocked();
      }
    }
  }

  /** A session that is acknowledged and never stored makes no progress: each may last as long as sessions do. */
  #isOutOfTime(at: number): boolean {
    const giveUpAfter = this.#volume.settings.ioTimeoutMs;
    return at - this.#progressAt > giveUpAfter || at - this.#storedAt > giveUpAfter + SESSION_MS;
  }

  #throwIfAborted(): void {
    if (this.#aborted !== undefined) throw this.#aborted;
  }

  /** A session has ended well and the master knows the length: whoever waited for its blocks may go on. */
  #resolveDrains(): void {
    const next = this.buffer.nextSequence ?? Infinity;
    const done = this.#drains.filter(({ upTo }) => upTo < next);
    this.#drains = this.#drains.filter(({ upTo }) => upTo >= next);
    for (const { resolve } of done) resolve();
  }

  /**
   * Whether a listed server is known to be dead, so that it is better to wait for the master to notice. One chain is tried all the
   * same, with that server at its end: it may be only us who cannot reach it.
   */
  #listsDeadServer({ servers }: ChunkGrant): boolean {
    if (performance.now() - this.#progressAt > DEAD_LISTED_PATIENCE_MS) return false;
    const suspects = servers.filter((server) => this.#volume.replicas.isSuspect(server)).length;
    if (suspects === 0) return false;
    if (this.#triedAround || suspects === servers.length) return true;
    this.#triedAround = true;
    return false;
  }

  #pauseAfter(failure: unknown, retry: Backoff): number {
    if (failure instanceof StatusError && failure.status === Status.NOTDONE) return OVERLOADED_MS;
    if (failure instanceof DeadServerListed) {
      const late = performance.now() - this.#progressAt > DEAD_LISTED.lateAfterMs;
      return late ? DEAD_LISTED.lateMs : DEAD_LISTED.earlyMs;
    }
    if (this.#lease.servers.length === 1 && isHangUp(failure)) return Math.max(ONLY_SERVER_MS, retry.next());
    return retry.next();
  }

  /** A server that only lost its connections answers again, and the master never drops it: then it is not waited for any longer. */
  async #askSuspects({ servers }: ChunkGrant): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { replicas } = this.#volume;
    const suspects = servers.filter((server) => replicas.isSuspect(server));
    const silent = await findSilentServers(this.#volume, suspects);
    for (const server of suspects) {
      if (silent.includes(server)) continue;
      replicas.succeeded(server);
      this.#silent.delete(addressText(server));
    }
    this.#asking = false;
  }

  /**
   * A status of the master for a chunk that was written to: it says nothing of what was being done, and with whom. That there is
   * no space needs no more words.
   */
  #refused(failure: unknown): unknown {
    const saysAll = this.#lease.servers.length === 0 || !(failure instanceof MooseFSError) || failure.code === 'ENOSPC';
    if (saysAll || !(failure.cause instanceof StatusError)) return withSite(failure, this.#file.site);
    const last = `last on ${this.#lease.servers.join(', ')}`;
    const detail = `${this.buffer.bytes} bytes of chunk ${this.index}, ${last}, are not written: ${failure.cause.message}`;
    return fsError(failure.code, this.#file.site, { cause: failure.cause, detail, retryable: failure.retryable });
  }

  #gaveUp(failure: unknown): MooseFSError {
    const seconds = Math.round(this.#volume.settings.ioTimeoutMs / 1000);
    const code = failure instanceof MooseFSError && failure.code === 'ENOSPC' ? 'ENOSPC' : 'EIO';
    const detail = `${this.buffer.bytes} bytes of chunk ${this.index} could not be written for ${seconds} s; ${this.#silentText()}the last try said: ${messageOf(failure)}`;
    return fsError(code, this.#file.site, { cause: failure, detail, retryable: true });
  }

  /** Whom it waits for: servers that do not answer, or else those of the chain. */
  get waitsFor(): readonly string[] {
    return this.#silent.size > 0 ? [...this.#silent] : this.#lease.servers;
  }

  #silentText(): string {
    return this.#silent.size === 0 ? '' : `no answer from ${[...this.#silent].join(', ')}; `;
  }

  /** One session on one chain. Resolves when everything sent is acknowledged and the session was finished properly. */
  async #write(grant: ChunkGrant): Promise<void> {
    const { replicas } = this.#volume;
    const running = grant.servers.map((server) => replicas.begin(server));
    const endBy = performance.now() + SESSION_MS;
    try {
      // A kept connection may have been closed by the server meanwhile, and 3.x servers keep stale ones among themselves.
      if (!(await this.#tryChain(grant, { endBy, fresh: false }))) await this.#tryChain(grant, { endBy, fresh: true });
      for (const server of grant.servers) replicas.succeeded(server);
    } catch (error) {
      if (this.#aborted === undefined && error instanceof ConnectionError) await this.#chainIsAlive(grant);
      throw error;
    } finally {
      for (const end of running) end();
    }
  }

  /**
   * Sessions on one connection. Gives false when a kept connection turned out to be dead before the chain stood: that says nothing
   * about the chain.
   */
  async #tryChain(
    grant: ChunkGrant,
    { endBy, fresh }: { readonly endBy: number; readonly fresh: boolean },
  ): Promise<boolean> {
    const { pool, replicas } = this.#volume;
    const first = replicas.endpoint(grant.servers[0]!);
    const { connection, reused } = await pool.acquire(first, Deadline.in(CONNECT_MS), { fresh });
    let isKept = reused && !fresh;
    try {
      do {
        this.#throwIfAborted();
        if (!(await this.#runSession(grant, connection, { isKept, endBy }))) return false;
        isKept = true;
      } while (connection.error === undefined && this.#goesOn(endBy));
      pool.release(connection);
      return true;
    } catch (error) {
      pool.discard(connection);
      throw error;
    }
  }

  /** One session. Gives false as {@link #tryChain} does. */
  async #runSession(
    grant: ChunkGrant,
    connection: Connection,
    { isKept, endBy }: { readonly isKept: boolean; readonly endBy: number },
  ): Promise<boolean> {
    const { replicas, settings, sessionTicks: ticks } = this.#volume;
    const { chunkId, chunkVersion, servers } = grant;
    const machine = new ChunkWrite<PendingBlock>({
      chunkId,
      chunkVersion,
      chain: servers.slice(1),
      windowBlocks: settings.write.windowBlocks,
    });
    const suspect = servers.some((server) => replicas.isSuspect(server));
    const openingMs = suspect ? SUSPECT_OPENING_MS : OPENING_MS;
    const session = new WriteSession(machine, connection, this.#source(grant), { ticks, openingMs, endBy });
    this.#session = session;
    this.#endedToStore = false;
    try {
      await traced(
        chunkWriteChannel,
        () => ({ inode: this.#file.inode, chunk: this.index, chunkId, servers: servers.map(addressText) }),
        () => session.run(),
      );
      this.#stored(this.#unstored);
      if (!machine.reusable) this.#volume.pool.discard(connection);
      return true;
    } catch (error) {
      machine.lost();
      // In the order of writing: they may overlap.
      const again = [...this.#unstored, ...machine.unacknowledged].sort((a, b) => a.sequence - b.sequence);
      this.buffer.takeBack(again);
      this.#forgetUnstored();
      if (!isKept || machine.opened || !isHangUp(error) || this.#aborted !== undefined) throw error;
      this.#volume.pool.discard(connection);
      return false;
    } finally {
      this.#session = undefined;
    }
  }

  /** A session that ended only to have its blocks stored is followed by the next one as it is: the chunk stays locked. */
  #goesOn(endBy: number): boolean {
    const next = this.buffer.nextSequence;
    if (!this.#endedToStore || next === undefined || performance.now() >= endBy) return false;
    return this.#drainUpTo === 0 || next <= this.#drainUpTo;
  }

  #source(grant: ChunkGrant): BlockSource {
    return {
      next: () => this.#nextBlock(),
      whenIdle: () => this.#whenIdle(),
      addedAt: () => this.#addedAt,
      acknowledged: (blocks) => this.#acknowledged(blocks, grant),
      chainIsAlive: () => this.#chainIsAlive(grant),
    };
  }

  #nextBlock(): PendingBlock | undefined {
    if (this.#mustStore()) return undefined;
    const draining = this.#drainUpTo > 0;
    const force = draining || performance.now() - this.#addedAt >= PARTIAL_MS;
    return this.buffer.next({ force, upTo: draining ? this.#drainUpTo : Infinity });
  }

  #whenIdle(): 'end' | 'wait' | 'go-on' {
    if (this.#mustStore()) {
      this.#endedToStore = true;
      return 'end';
    }
    if (this.#drainUpTo === 0) {
      if (this.buffer.hasUnsent) return 'go-on';
      return this.#hasItsEnd ? 'end' : 'wait';
    }
    // Blocks after the flushed ones wait for the next session, so that a flush ends however much is written meanwhile.
    if ((this.buffer.nextSequence ?? Infinity) <= this.#drainUpTo) return 'go-on';
    this.#drainUpTo = 0;
    return 'end';
  }

  /** So much is kept that there may be no room for more: the session must end to let go of it. */
  #mustStore(): boolean {
    const { settings, writeBudget } = this.#volume;
    const enough = Math.min(STORED_BYTES, settings.write.bufferBytes / 4);
    return this.#unstoredBytes > 0 && (this.#unstoredBytes >= enough || writeBudget.isFull);
  }

  #acknowledged(blocks: readonly PendingBlock[], { servers }: ChunkGrant): void {
    this.#progressAt = performance.now();
    this.#triedAround = false;
    this.#silent.clear();
    if (servers.length > 1) {
      this.#stored(blocks);
      return;
    }
    this.#unstored.push(...blocks);
    this.#unstoredBytes += blocks.reduce((sum, { size }) => sum + size, 0);
  }

  /** Every listed replica has these for good. */
  #stored(blocks: readonly PendingBlock[]): void {
    if (blocks.length === 0) return;
    let bytes = 0;
    for (const block of blocks) {
      this.buffer.acknowledged(block);
      bytes += block.size;
      this.#acknowledgedEnd = Math.max(this.#acknowledgedEnd, block.block * BLOCK_SIZE + block.offset + block.size);
    }
    this.#storedAt = performance.now();
    this.#forgetUnstored();
    this.#file.acknowledged(bytes);
  }

  #forgetUnstored(): void {
    this.#unstored = [];
    this.#unstoredBytes = 0;
  }

  /** In a chain the client never learns which server failed: ask each one whether it is there, and remember. */
  async #chainIsAlive({ servers }: ChunkGrant): Promise<boolean> {
    const silent = await findSilentServers(this.#volume, servers);
    for (const server of silent) {
      debug('chunk %d: %s does not answer', this.index, addressText(server));
      this.#volume.replicas.failed(server);
      this.#silent.add(addressText(server));
    }
    return silent.length === 0;
  }
}

/** The master lists a server that does not answer us. */
class DeadServerListed extends ConnectionError {
  constructor() {
    super('the master still lists a server that does not answer', { code: 'EAGAIN', retryable: true });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Anything that another chain or a later moment may do better. */
function isWorthRetrying(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.code !== 'ECONNABORTED';
  if (error instanceof StatusError) return true;
  return error instanceof MooseFSError && error.code === 'EPROTO';
}

function isHangUp(error: unknown): boolean {
  return error instanceof ConnectionError && error.code !== 'ETIMEDOUT';
}
