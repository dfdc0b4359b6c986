/**
 * A regular file that this client has open, shared by all its handles: its length, its chunk locations, what is not written yet,
 * and whether anything was lost. Positions and lengths are bytes.
 */
import { ConnectionError, MooseFSError } from '../errors.ts';
import type { Attributes } from '../protocol/attributes.ts';
import { BLOCK_SIZE, CHUNK_SIZE, MAX_FILE_LENGTH, chunkIndexOf, chunkRanges } from '../protocol/geometry.ts';
import type { ChunkRange } from '../protocol/geometry.ts';
import * as inodeMessages from '../protocol/messages/inode.ts';
import type { Deadline } from '../transport/deadline.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { AcknowledgedChunks } from './acknowledged-chunks.ts';
import { ChunkLocations } from './chunk-locations.ts';
import { readChunkRange } from './chunk-reader.ts';
import type { ChunkReadRequest } from './chunk-reader.ts';
import { ChunkLease } from './chunk-lease.ts';
import type { WritableFile } from './chunk-lease.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { fsError, withSite } from './fs-errors.ts';
import type { CallSite } from './fs-errors.ts';
import { readChosenReplica } from './one-replica.ts';
import { Slots } from './slots.ts';
import type { Service } from './served-by.ts';
import { ioDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** One request for data is no longer than this: enough to hide its round trip, little enough to go on elsewhere soon. */
const READ_REQUEST_BYTES = 2 * 1024 * 1024;
/** A write larger than this is taken in steps, so that the buffer's limit holds. */
const WRITE_STEP_BYTES = 1024 * 1024;
/** Requests for data that one read has out at once. */
const PARALLEL_READS = 4;

/** Which replicas have a chunk's bytes since this client wrote them. */
export interface ChunkReplication {
  /** Index of the chunk in the file. */
  readonly chunk: number;
  readonly chunkId: bigint;
  /** `host:port` of every server that acknowledged. */
  readonly servers: readonly string[];
  /** How many the storage class asks for; undefined while that is not known. */
  readonly wanted: number | undefined;
}

/** See above. */
export class OpenFile implements WritableFile {
  readonly inode: number;
  readonly site: CallSite;
  readonly locations: ChunkLocations;
  readonly chunks: AcknowledgedChunks;
  readonly #volume: Volume;
  readonly #writers = new Map<number, ChunkWriter>();
  readonly #slots: Slots;
  #length: number;
  /** Seconds since 1970, as the master said last. */
  #mtime: number;
  #changes = 0;
  /** End of the furthest byte that is written here and that the master may not know of. */
  #dirtyEnd = 0;
  /** How often it has grown here otherwise than by appending, and up to which of these the master knows. */
  #growths = 0;
  #knownGrowths = 0;
  #buffered = 0;
  /** Chunks whose turn it is. */
  #running = 0;
  #room: (() => void)[] = [];
  #wanted: Promise<number | undefined> | undefined;
  #wantedKnown: number | undefined;
  readonly #failures: MooseFSError[] = [];
  /** The folder in which this client has just made it. */
  createdIn: number | undefined;
  /** Handles that have it open. */
  references = 0;
  /** Whether a lock that another session left on a chunk is passed over. */
  takesOver = false;

  constructor(volume: Volume, inode: number, attributes: Attributes, path: string | undefined) {
    this.#volume = volume;
    this.inode = inode;
    this.#length = attributes.length;
    this.#mtime = attributes.mtime;
    this.site = { syscall: 'write', path };
    this.locations = new ChunkLocations(volume.session, inode);
    this.chunks = new AcknowledgedChunks(volume.session);
    this.#slots = new Slots(volume.settings.write.parallelChunks);
  }

  /** The length as this client knows it, unwritten bytes included. */
  get length(): number {
    return this.#length;
  }

  /** Grows whenever its bytes may be others than before: what was read earlier is old then. */
  get changes(): number {
    return this.#changes + this.locations.generation;
  }

  /** Whether bytes are not acknowledged yet. */
  get isDirty(): boolean {
    return this.#writers.size > 0;
  }

  /** Chunks that are not written out: each may hold a lock. */
  get activeChunks(): number {
    return this.#writers.size;
  }

  /** How many times data was lost; a handle rejects when this has grown since it was opened. */
  get failures(): readonly MooseFSError[] {
    return this.#failures;
  }

  /** Which replicas acknowledged what was written here, chunk by chunk. */
  get replication(): ChunkReplication[] {
    return this.chunks.replication.map((chunk) => ({ ...chunk, wanted: this.#wantedKnown }));
  }

  /** The master said this of the file. */
  learn(attributes: Attributes): void {
    if (attributes.mtime !== this.#mtime || attributes.length !== this.#length) this.touched();
    this.#mtime = attributes.mtime;
    this.#length = this.isDirty ? Math.max(attributes.length, this.#dirtyEnd) : attributes.length;
  }

  /** Its bytes may be others now. */
  touched(): void {
    this.#changes++;
  }

  /** Another client changed a chunk, or cut the file. */
  changedElsewhere(index: number, truncatedTo: number | undefined): void {
    this.locations.forget(index, { andLater: truncatedTo !== undefined });
    if (truncatedTo === undefined) return;
    this.chunks.cut(truncatedTo);
    this.#length = Math.max(truncatedTo, this.isDirty ? this.#dirtyEnd : 0);
  }

  /** Another client changed the length without touching a chunk. */
  lengthChangedElsewhere(length: number): void {
    this.touched();
    this.#length = Math.max(length, this.isDirty ? this.#dirtyEnd : 0);
  }

  /**
   * Takes bytes to be written at `position`. Resolves when they are buffered; what becomes of them is told by {@link flush}. With
   * `keep` they are used by reference until then, otherwise copied.
   */
  async write(
    position: number,
    bytes: Uint8Array,
    { keep, deadline, reserved = false }: { keep: boolean; deadline: Deadline; reserved?: boolean },
  ): Promise<void> {
    if (position + bytes.length > MAX_FILE_LENGTH) throw fsError('EFBIG', this.site);
    this.touched();
    const failures = this.#failures.length;
    for (let at = 0; at < bytes.length;) {
      await this.#waitForRoom(deadline);
      // There is room because bytes were lost: more of them would be lost as well, each after all its tries.
      if (this.#failures.length > failures) throw this.#failures[failures]!;
      const start = position + at;
      const index = chunkIndexOf(start);
      const step = this.#volume.writeBudget.isFull ? BLOCK_SIZE : WRITE_STEP_BYTES;
      const size = Math.min(bytes.length - at, step, (index + 1) * CHUNK_SIZE - start);
      const grown = this.#writer(index).add(start - index * CHUNK_SIZE, bytes.subarray(at, at + size), keep);
      this.#buffered += grown;
      this.#volume.writeBudget.take(grown);
      at += size;
      this.#dirtyEnd = Math.max(this.#dirtyEnd, start + size);
      if (!reserved && start + size > this.#length) this.#growths++;
      this.#length = Math.max(this.#length, start + size);
    }
    if (bytes.length > 0) this.#volume.session.times.written(this.inode);
  }

  async #waitForRoom(deadline: Deadline): Promise<void> {
    const { writeBudget, settings } = this.#volume;
    for (;;) {
      // Half of the memory is for files that are being written: those that wait for their turn cannot use it, and would keep it.
      const mustWait = this.#running === 0 && this.#buffered >= BLOCK_SIZE && writeBudget.isHalfFull;
      const isFull = mustWait || this.#buffered >= settings.write.bufferBytes;
      // However full the client is, a file that holds nothing may always take something: nobody starves.
      if (!isFull && !(writeBudget.isFull && this.#buffered >= BLOCK_SIZE)) return;
      await deadline.wait<void>('waiting for chunkservers to take data', (resolve) => {
        if (!isFull) return writeBudget.whenRoom(resolve);
        this.#room.push(resolve);
        return () => {
          this.#room = this.#room.filter((each) => each !== resolve);
        };
      });
    }
  }

  #writer(index: number): ChunkWriter {
    const known = this.#writers.get(index);
    if (known !== undefined) return known;
    const writer = new ChunkWriter(this.#volume, this, index);
    this.#start(writer);
    return writer;
  }

  #start(writer: ChunkWriter): void {
    this.#writers.set(writer.index, writer);
    this.#slots
      .run(() => this.#volume.writeSlots.run(() => this.#run(writer)))
      .catch((error: unknown) => this.#lost(writer, error))
      .finally(() => {
        this.#writers.delete(writer.index);
        // More may have been added between the last session's end and here.
        if (writer.buffer.hasUnsent) this.#start(writer);
        // The master knows of everything now: from here on its word alone counts, also when the file was cut by its path.
        else if (this.#writers.size === 0) this.#dirtyEnd = 0;
      })
      .catch(() => undefined);
  }

  async #run(writer: ChunkWriter): Promise<void> {
    this.#running++;
    this.#wakeWriters();
    try {
      await writer.run();
    } finally {
      this.#running--;
    }
  }

  /** Whoever waits for room looks again. */
  #wakeWriters(): void {
    for (const resolve of this.#room.splice(0)) resolve();
  }

  #lost(writer: ChunkWriter, error: unknown): void {
    this.#failed(error);
    this.acknowledged(writer.buffer.clear());
  }

  #failed(error: unknown): void {
    const failure = withSite(error, this.site);
    this.#failures.push(
      failure instanceof MooseFSError ? failure : new MooseFSError(String(error), { code: 'EIO', cause: error }),
    );
  }

  /** Resolves when every byte written so far is on every listed replica and the master knows the length. */
  async flush(deadline: Deadline): Promise<void> {
    const growths = this.#growths;
    const writers = [...this.#writers.values()];
    if (writers.length > 0) {
      try {
        await deadline.bound(Promise.all(writers.map((writer) => writer.drain())), 'waiting for all replicas');
        this.#knownGrowths = Math.max(this.#knownGrowths, growths);
      } catch (error) {
        throw this.#notAcknowledged(error, writers);
      }
    }
    await this.#confirm(deadline);
  }

  /** Asks a master that is back whether it still knows what it had acknowledged before it was lost, until there is no doubt. */
  async #confirm(deadline: Deadline): Promise<void> {
    for (let chunks = this.chunks.inDoubt(); chunks.length > 0; chunks = this.chunks.inDoubt()) {
      await inParallel(chunks, PARALLEL_READS, async ({ index, end }) => {
        // Who writes there asks as well.
        const writer = this.#writers.get(index);
        if (writer !== undefined) return deadline.bound(writer.drain(), 'waiting for all replicas');
        await new ChunkLease(this.#volume, this, index).confirm(end, deadline).catch((error: unknown) => {
          // Where there is still doubt, the next who asks may learn that all is well.
          if (!this.chunks.isInDoubt(index)) this.#failed(error);
          throw withSite(error, this.site);
        });
      });
    }
  }

  /** What became of a flush; when it ran out of time, whom it was waiting for. */
  #notAcknowledged(error: unknown, writers: readonly ChunkWriter[]): unknown {
    if (!(error instanceof ConnectionError) || error.code !== 'ETIMEDOUT') return withSite(error, this.site);
    const servers = new Set(writers.filter(({ buffer }) => buffer.bytes > 0).flatMap(({ waitsFor }) => waitsFor));
    const whom = servers.size === 0 ? '' : `; not acknowledged by ${[...servers].join(', ')}`;
    return fsError('ETIMEDOUT', this.site, { cause: error, detail: `${error.message}${whom}`, retryable: true });
  }

  /** It is not there any more: every handle is told, and nothing more is written. */
  lose(error: MooseFSError): void {
    this.chunks.cut(0);
    this.#failed(error);
    this.abort(error);
  }

  /** Drops what is not written, and ends the sessions. */
  abort(error: MooseFSError): void {
    for (const writer of this.#writers.values()) writer.abort(error);
  }

  /**
   * Reads at `position` into `into`; gives how many bytes there were before the end of the file. From the best replica of each
   * chunk, or only from that on the server `replica`.
   */
  async read(position: number, into: Uint8Array, { deadline, site, replica, served }: ReadHow): Promise<number> {
    // Bytes on their way are not on the replicas yet, and the master would hold our question until they are.
    if (this.isDirty) await this.flush(deadline);
    if (position + into.length > this.#length) await this.refresh(deadline, site);
    const length = Math.max(0, Math.min(into.length, this.#length - position));
    if (length === 0) return 0;
    const ranges = chunkRanges(position, length, READ_REQUEST_BYTES);
    const read = async (range: ChunkRange): Promise<void> => {
      const at = range.index * CHUNK_SIZE + range.offset - position;
      const request: ChunkReadRequest = {
        inode: this.inode,
        path: this.site.path,
        index: range.index,
        offset: range.offset,
        into: into.subarray(at, at + range.length),
        deadline,
        site,
        locate: (fresh) => {
          if (fresh) this.locations.forget(range.index);
          return this.locations.find(range.index, { deadline, site });
        },
        refresh: () => this.locations.refresh(range.index, site),
        served,
      };
      if (replica === undefined) await readChunkRange(this.#volume, request);
      else await readChosenReplica(this.#volume, request, replica);
    };
    if (ranges.length === 1) await read(ranges[0]!);
    else await inParallel(ranges, PARALLEL_READS, read);
    this.#volume.session.times.read(this.inode);
    return length;
  }

  /** Asks the master for the attributes, and takes the length from them. */
  async refresh(deadline: Deadline, site: CallSite): Promise<Attributes> {
    if (this.#volume.session.times.has(this.inode)) this.#volume.session.flushTimes();
    const { uid, gids } = this.#volume.settings;
    const { attributes } = await this.#volume.session.call(
      inodeMessages.getattr,
      { inode: this.inode, opened: 1, uid, gid: gids[0]! },
      { deadline, site },
    );
    this.learn(attributes);
    return { ...attributes, length: this.#length };
  }

  /** Sets the length. What is on its way is written first: the master would hold the request until our own lock is gone. */
  async truncate(length: number, deadline: Deadline, site: CallSite): Promise<void> {
    await this.flush(deadline);
    const { uid, gids } = this.#volume.settings;
    const { attributes } = await this.#volume.session.call(
      inodeMessages.truncate,
      { inode: this.inode, flags: inodeMessages.TruncateFlag.opened, uid, gids, length },
      { deadline, site, patient: true, whenReplyLost: 'repeat' },
    );
    this.locations.forget(chunkIndexOf(length), { andLater: true });
    this.#volume.files.cut(this.inode, length);
    this.#dirtyEnd = 0;
    this.#length = attributes.length;
  }

  /** Takes the next `size` bytes at the end of the file for an append, also against other clients. Gives their position. */
  async reserve(size: number, deadline: Deadline, site: CallSite): Promise<number> {
    // The master would give away positions that were written here and that it does not know of.
    if (this.#growths > this.#knownGrowths) await this.flush(deadline);
    const { uid, gids } = this.#volume.settings;
    const { opened, update, reserve } = inodeMessages.TruncateFlag;
    const { previousLength } = await this.#volume.session.call(
      inodeMessages.truncate,
      { inode: this.inode, flags: opened | update | reserve, uid, gids, length: size },
      { deadline, site, patient: true },
    );
    return previousLength;
  }

  acknowledged(bytes: number): void {
    this.#buffered -= bytes;
    this.#volume.writeBudget.give(bytes);
    if (this.#buffered < this.#volume.settings.write.bufferBytes) this.#wakeWriters();
  }

  lengthCommitted(length: number): void {
    this.#length = Math.max(this.#length, length);
  }

  locationChanged(index: number): void {
    this.locations.forget(index);
  }

  /** The file has another storage class now. */
  placementChanged(): void {
    this.createdIn = undefined;
    this.#wanted = undefined;
  }

  wantedReplicas(): Promise<number | undefined> {
    // Who asks for all copies of the class is not answered by that of a file beside.
    const sibling = this.#volume.settings.write.replicas === 'goal' ? undefined : this.createdIn;
    this.#wanted ??= this.#volume.classes.copiesFor(this.inode, sibling).then((wanted) => (this.#wantedKnown = wanted));
    return this.#wanted;
  }

  /** A deadline for data of this file. */
  ioDeadline(signal?: AbortSignal): Deadline {
    return ioDeadline(this.#volume, signal);
  }
}

/** How a read of a file is made. */
export interface ReadHow {
  readonly deadline: Deadline;
  readonly site: CallSite;
  /** Only from that one. */
  readonly replica?: Endpoint | undefined;
  /** Told who gave what. */
  readonly served?: ((service: Service) => void) | undefined;
}

/** Runs `work` for each item, at most `limit` at a time; rejects with the first failure, after the running ones have ended. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
