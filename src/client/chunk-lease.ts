/**
 * A chunk while it is locked for this client at the master: WRITE_CHUNK, which says its id, its version and its servers, and
 * WRITE_CHUNK_END, which unlocks it and tells how long the file is. What the master says is held against what was acknowledged before,
 * and the list of servers against what the caller asks for.
 */
import createDebug from 'debug';
import type { MooseFSError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { CHUNK_SIZE } from '../protocol/geometry.ts';
import * as messages from '../protocol/messages/chunk.ts';
import { getattr } from '../protocol/messages/inode.ts';
import { Status } from '../protocol/status.ts';
import { Backoff } from '../transport/backoff.ts';
import { Deadline } from '../transport/deadline.ts';
import type { AcknowledgedChunks, ChunkGrant } from './acknowledged-chunks.ts';
import { fsError, statusError } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import type { Volume } from './volume.ts';

const debug = createDebug('moosefs:write');

/** A call that fails with less than this left has run out of time. */
const LAST_MS = 500;
/** How often a master that has just come back is asked for the servers of a chunk. */
const SETTLE_POLL_MS = 100;
/** How long a server that has gone is waited for before the chunk is locked without it: it restarts, or was lost for good. */
const RETURN_MS = 10_000;

/** A chunk by CHECK. */
interface CheckedChunk {
  readonly chunkId: bigint;
  readonly chunkVersion: number;
  /** Servers that have it as it is. */
  readonly valid: number;
  /** Servers that have an older version of it, or will when they are back. */
  readonly old: number;
}

/** How a chunk is asked for. */
export interface LeaseOptions {
  /**
   * The last session has failed: no server is waited for that has gone in it and may be back soon, for what was written in that
   * session cannot be read there.
   */
  readonly afterFailure?: boolean;
  /** False: nothing will be written, so that any list of servers will do. */
  readonly writes?: boolean;
}

/** What a writer needs of its file. */
export interface WritableFile {
  readonly inode: number;
  readonly site: CallSite;
  /** Bytes were acknowledged by every replica. */
  acknowledged(bytes: number): void;
  /** A lock on the chunk is passed over: nobody else writes this file. */
  readonly takesOver: boolean;
  /** The master knows the file to be at least this long. */
  lengthCommitted(length: number): void;
  /** Locations of this chunk may have changed. */
  locationChanged(index: number): void;
  /** What the servers have acknowledged so far. */
  readonly chunks: AcknowledgedChunks;
  /** How many replicas the storage class asks for; undefined where that cannot be known. Never rejects. */
  wantedReplicas(): Promise<number | undefined>;
}

/** See the head of this file. */
export class ChunkLease {
  readonly #volume: Volume;
  readonly #file: WritableFile;
  readonly #index: number;
  /** The list that was reported as short last. */
  #reported = '';

  constructor(volume: Volume, file: WritableFile, index: number) {
    this.#volume = volume;
    this.#file = file;
    this.#index = index;
  }

  /** The servers that had the chunk when it was asked for last, `host:port`. */
  get servers(): readonly string[] {
    return this.#file.chunks.lastGrant(this.#index)?.servers.map(addressText) ?? [];
  }

  /** WRITE_CHUNK, until there are servers enough. */
  async begin(deadline: Deadline, how: LeaseOptions = {}): Promise<ChunkGrant> {
    const pauses = new Backoff({ firstMs: 50, factor: 2, maxMs: 1000 });
    const passing = { flags: await this.#passedLock(deadline) };
    let tooFew: MooseFSError | undefined;
    try {
      for (;;) {
        const grant = await this.#ask(passing, deadline, how);
        tooFew = await this.#tooFew(grant, deadline, how);
        if (tooFew === undefined) {
          this.#file.chunks.granted(this.#index, grant);
          this.#reportShortList(grant);
          return grant;
        }
        await this.end(grant, 0);
        await deadline.sleep(pauses.next(), 'waiting for chunkservers');
      }
    } catch (error) {
      // Out of time while the master was still busy with the answer, or before it was asked again: that one says more.
      throw tooFew !== undefined && deadline.remainingMs < LAST_MS ? tooFew : error;
    }
  }

  /** Flags of a WRITE_CHUNK that passes over a lock: our own after a lost reply, and that of a writer which died. */
  async #passedLock(deadline: Deadline): Promise<number> {
    const { inode, site, chunks, takesOver } = this.#file;
    const { mayBeOurs } = await this.#volume.chunkLocks.settled({ inode, index: this.#index, site }, deadline);
    const isOurs = mayBeOurs || (chunks.isInDoubt(this.#index) && (await this.#isEndForgotten(deadline)));
    return takesOver || isOurs ? messages.ChunkOpFlag.continueOperation : 0;
  }

  /** One WRITE_CHUNK. Rejects when what was acknowledged is not in the chunk any more. */
  async #ask(
    passing: { flags: number },
    deadline: Deadline,
    { afterFailure = false }: LeaseOptions,
  ): Promise<ChunkGrant> {
    const { inode, site, chunks } = this.#file;
    const { session, chunkLocks, replicas, files } = this.#volume;
    const place = { inode, index: this.#index, site };
    const { serverChanges } = files;
    if (!afterFailure) await this.#untilServersAreBack(deadline);
    let lostReply = false;
    const request = { inode, chunkIndex: this.#index, flags: passing.flags };
    // The chunk has, or had, servers: if none is left they are away, and the cluster is not full.
    const hadServers = chunks.lastGrant(this.#index) !== undefined;
    const asking = session.call(messages.writeChunk, request, {
      deadline,
      site,
      patient: true,
      unavailableMs: hadServers ? this.#volume.settings.ioTimeoutMs : undefined,
      whenReplyLost: 'repeat',
      beforeAsking: () => this.#untilServersAreBack(deadline),
      onRepeat: () => {
        request.flags = passing.flags = messages.ChunkOpFlag.continueOperation;
        lostReply = true;
      },
      onGivenUp: (late) => chunkLocks.gaveUp(place, late),
    });
    // Behind it, so that it costs no time.
    void this.#file.wantedReplicas();
    const reply = await asking.catch((error: unknown) => {
      if (lostReply) chunkLocks.doubt(place);
      throw error;
    });
    chunkLocks.granted(place);
    const { chunkId, chunkVersion, length } = reply;
    // The order of the chain is ours to choose: servers that failed lately last, then the busy ones.
    const servers = replicas.order(reply.servers.filter(({ ip, port }) => ip !== 0 && port !== 0));
    const grant: ChunkGrant = { chunkId, chunkVersion, length, servers, connected: session.connected, serverChanges };
    this.#file.locationChanged(this.#index);
    const forgotten = chunks.contradiction(this.#index, grant);
    if (forgotten !== undefined) {
      const isAnother = grant.chunkId !== chunks.idOf(this.#index);
      chunks.forget(this.#index);
      // A lock that was passed over is not ours if the chunk is not: its owner unlocks it.
      if (passing.flags === 0 || !isAnother) await this.end(grant, 0);
      throw lostBytes(forgotten, site);
    }
    return grant;
  }

  /**
   * To lock a chunk raises its version on the servers that the master knows of it, and leaves what is written to them; the copies of
   * all others are old then. So the lock waits
   *
   * - after the master has come back: until as many have reported to it as had the chunk before;
   * - after one of the chunk's servers has gone, if it leaves a single one in {@link #isInDanger danger}: until it is back.
   *
   * Not by READ_CHUNK, which the master holds back while the chunk is locked.
   */
  async #untilServersAreBack(deadline: Deadline): Promise<void> {
    const { session, files } = this.#volume;
    const last = this.#file.chunks.lastGrant(this.#index);
    if (last === undefined || last.servers.length < 2) return;
    const returnBy = performance.now() + RETURN_MS;
    while (session.isSettling || (files.serverChanges !== last.serverChanges && performance.now() < returnBy)) {
      const copies = await this.#check(deadline);
      if (copies === undefined || copies.valid >= last.servers.length) return;
      if (!session.isSettling && (copies.valid > 1 || !(await this.#isInDanger(copies, deadline)))) return;
      debug('chunk %d: %d of %d servers are there', this.#index, copies.valid, last.servers.length);
      await deadline.sleep(SETTLE_POLL_MS, 'waiting for chunkservers');
    }
  }

  /**
   * A master that knows old copies only, and as many as the storage class asks for, takes the newest of these for good if they are one
   * version behind. So while a chunk has many, what a single server has of it is gone as soon as that server is away for a moment,
   * though it comes back.
   */
  async #isInDanger({ old }: CheckedChunk, deadline: Deadline): Promise<boolean> {
    return old >= Math.max(2, (await this.#wanted(deadline)) ?? 2);
  }

  #wanted(deadline: Deadline): Promise<number | undefined> {
    return deadline.bound(this.#file.wantedReplicas(), 'asking for the storage class');
  }

  /** Every copy of the chunk, the bad ones too; undefined where there is no chunk. */
  async #check(deadline: Deadline): Promise<CheckedChunk | undefined> {
    const { inode, site } = this.#file;
    const { value } = await this.#volume.session.tryCall(
      messages.checkChunk,
      { mode: messages.CHECK_WITH_PARTS, inode, chunkIndex: this.#index },
      { deadline, site },
    );
    if (value === undefined || value.chunkId === 0n) return undefined;
    const { wrongVersion, invalid } = messages.ReplicaState;
    const copies: readonly { ip: number; port: number; state: number }[] = value.parts ?? value.replicas ?? [];
    const away = this.#file.chunks.holders(this.#index);
    for (const copy of copies) away.delete(addressText(copy));
    return {
      chunkId: value.chunkId,
      chunkVersion: value.chunkVersion,
      valid: copies.filter(({ state }) => state < wrongVersion).length,
      old: copies.filter(({ state }) => state >= wrongVersion && state < invalid).length + away.size,
    };
  }

  /**
   * Whether the master came back without having been told where the chunk ends. Then it has also forgotten that the chunk was
   * unlocked, and the lock that is there is ours: another writer's would have come after that.
   */
  async #isEndForgotten(deadline: Deadline): Promise<boolean> {
    const { uid, gids } = this.#volume.settings;
    const { inode, site, chunks } = this.#file;
    const { attributes } = await this.#volume.session.call(
      getattr,
      { inode, opened: 1, uid, gid: gids[0]! },
      { deadline, site },
    );
    return attributes.length < chunks.endOf(this.#index);
  }

  /** Why a list of servers is too short to be written to; undefined where it is not. */
  async #tooFew(
    grant: ChunkGrant,
    deadline: Deadline,
    { writes = true }: LeaseOptions,
  ): Promise<MooseFSError | undefined> {
    const { servers } = grant;
    const { site } = this.#file;
    const { replicas } = this.#volume.settings.write;
    if (!writes) return undefined;
    try {
      if (replicas === 'listed') {
        // Of a chunk that has just been made there are no older copies.
        const isAlone = servers.length === 1 && grant.chunkVersion > 1 && (await this.#wanted(deadline)) !== 1;
        const copies = isAlone ? await this.#check(deadline) : undefined;
        if (copies === undefined || !(await this.#isInDanger(copies, deadline))) return undefined;
        const detail = `only ${addressText(servers[0]!)} has chunk ${this.#index} as it is; the master would take one of ${copies.old} older copies for good as soon as that server is away`;
        return fsError('EIO', site, { detail, retryable: true });
      }
      const required = replicas === 'goal' ? ((await this.#wanted(deadline)) ?? 1) : replicas;
      if (servers.length >= required) return undefined;
      const detail = `the master lists ${servers.length} of ${required} required replicas for chunk ${this.#index}`;
      return fsError(servers.length === 0 ? 'ENXIO' : 'ENOSPC', site, { detail, retryable: false });
    } catch (error) {
      await this.end(grant, 0);
      throw error;
    }
  }

  /** Tells, once for each list, that the master listed fewer servers than the storage class asks for. Delays nothing. */
  #reportShortList({ chunkId, servers }: ChunkGrant): void {
    const list = `${chunkId}:${servers.length}`;
    if (this.#reported === list) return;
    this.#reported = list;
    void this.#file.wantedReplicas().then((wanted) => {
      if (wanted === undefined || servers.length >= wanted) return;
      this.#volume.events.emit('underReplicated', {
        path: this.#file.site.path,
        inode: this.#file.inode,
        chunk: this.#index,
        chunkId,
        servers: servers.map(addressText),
        listed: servers.length,
        wanted,
      });
    });
  }

  /**
   * Has the master say once more what it knows of a chunk that was written, and tells it again that the file reaches up to `fileEnd`
   * where it has forgotten that. Rejects when what was acknowledged is not in the chunk any more.
   */
  async confirm(fileEnd: number, deadline: Deadline): Promise<void> {
    const { chunks, site } = this.#file;
    const { connected } = this.#volume.session;
    const isEndForgotten = await this.#isEndForgotten(deadline);
    for (;;) {
      const found = await this.#check(deadline);
      const forgotten = chunks.whatIsForgotten(this.#index, found);
      if (forgotten === undefined) break;
      // A master without any copy of its version finds that the newer ones are those of a change that it knows nothing of.
      if (found === undefined || found.chunkId !== chunks.idOf(this.#index) || found.valid > 0) {
        chunks.forget(this.#index);
        throw lostBytes(forgotten, site);
      }
      await deadline.sleep(SETTLE_POLL_MS, `waiting for chunkservers: ${forgotten}`);
    }
    if (!isEndForgotten) {
      chunks.confirmed(this.#index, connected);
      return;
    }
    const unlocked = this.#volume.chunkLocks.hold();
    try {
      await this.end(await this.begin(deadline, { writes: false }), fileEnd - this.#index * CHUNK_SIZE);
    } finally {
      unlocked();
    }
  }

  /** WRITE_CHUNK_END. `acknowledgedEnd`: offset in the chunk up to which bytes are on every replica; 0: none. */
  async end(grant: ChunkGrant, acknowledgedEnd: number): Promise<void> {
    const { inode, site } = this.#file;
    const fileEnd = acknowledgedEnd === 0 ? 0 : this.#index * CHUNK_SIZE + acknowledgedEnd;
    const length = acknowledgedEnd === 0 ? 0 : Math.max(grant.length, fileEnd);
    // Told before: should the connection be lost meanwhile, it is in doubt.
    if (fileEnd > 0) this.#file.chunks.acknowledged(this.#index, grant, fileEnd);
    // A deadline of its own: the lock is released also when the operation's time is over.
    const { status } = await this.#volume.session.tryCall(
      messages.writeChunkEnd,
      { chunkId: grant.chunkId, inode, chunkIndex: this.#index, length, flags: 0, offset: 0, size: acknowledgedEnd },
      { deadline: Deadline.in(this.#volume.settings.requestTimeoutMs), site },
    );
    this.#file.locationChanged(this.#index);
    if (status !== Status.OK && acknowledgedEnd > 0) throw statusError(status, site, messages.writeChunkEnd.name);
    if (fileEnd > 0) {
      this.#file.chunks.committed(this.#index);
      this.#file.lengthCommitted(fileEnd);
    }
  }
}

function lostBytes(detail: string, site: CallSite): MooseFSError {
  return fsError('EIO', site, { detail: `acknowledged bytes are lost: ${detail}`, retryable: true });
}
