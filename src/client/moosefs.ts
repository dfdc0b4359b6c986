/** The client: what a program connects, uses as it uses node:fs/promises, and closes. Here is what node has not. */
import type { EventEmitter } from 'node:events';
import { MooseFSError } from '../errors.ts';
import { CHUNKSERVER_NOP } from '../protocol/frame.ts';
import { NodeType } from '../protocol/attributes.ts';
import { BLOCK_SIZE } from '../protocol/geometry.ts';
import { formatVersion } from '../protocol/version.ts';
import { Deadline } from '../transport/deadline.ts';
import { ConnectionPool } from '../transport/pool.ts';
import { endpointText } from '../transport/tcp.ts';
import { MemoryBudget } from './memory-budget.ts';
import { BufferPool } from './buffer-pool.ts';
import { aclApi } from './acl.ts';
import type { AclApi } from './acl.ts';
import { ChunkLocks } from './chunk-locks.ts';
import { SessionTicks } from './write-session.ts';
import { callbacksOf } from './callbacks.ts';
import type { CallbacksApi } from './callbacks.ts';
import { startCall } from './calls.ts';
import type { ClientEvents } from './events.ts';
import type { SignalOption } from './file-handle.ts';
import { FileSystem, promisesOf } from './file-system.ts';
import { healthOf } from './health.ts';
import type { Health, HealthOptions } from './health.ts';
import type { PromisesApi } from './file-system.ts';
import { fsError } from './fs-errors.ts';
import { Locks } from './locks.ts';
import { NameCache } from './name-cache.ts';
import type { CallContext } from './nodes.ts';
import { inParallel } from './open-file.ts';
import { OpenFiles } from './open-files.ts';
import { resolveSettings } from './options.ts';
import type { ConnectOptions, Settings } from './options.ts';
import { findPath, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { AHEAD_PIECE_BYTES } from './read-ahead.ts';
import { chunkAt, chunksOf } from './replica-info.ts';
import type { ChunkInfo } from './replica-info.ts';
import { ownAddresses, Replicas } from './replicas.ts';
import { RunningReads } from './running-reads.ts';
import { Session } from './session.ts';
import { Slots } from './slots.ts';
import { StorageClasses } from './storage-class.ts';
import { storageClassApi } from './storage-class-api.ts';
import type { StorageClassApi } from './storage-class-api.ts';
import { goalApi } from './goal.ts';
import type { GoalApi } from './goal.ts';
import { trashApi } from './trash.ts';
import type { TrashApi } from './trash.ts';
import { quotaApi } from './quota.ts';
import type { QuotaApi } from './quota.ts';
import { eattrApi } from './eattr.ts';
import type { ExtraAttributesApi } from './eattr.ts';
import { archiveApi } from './archive.ts';
import type { ArchiveApi } from './archive.ts';
import { clusterApi } from './cluster.ts';
import type { ClusterApi } from './cluster.ts';
import { pathsOf } from './inode-paths.ts';
import { makeSnapshot, removeSnapshot } from './snapshot.ts';
import type { RemoveSnapshotOptions, SnapshotOptions } from './snapshot.ts';
import { concatFiles } from './concat.ts';
import type { ChunkSlice } from './concat.ts';
import { checkFile, directoryInfo, repairFile } from './file-state.ts';
import type { DirectoryInfo, FileCheck, RepairCounts, RepairOptions } from './file-state.ts';
import { waitForReplication } from './replication-wait.ts';
import type { ReplicationProgress, ReplicationWaitOptions } from './replication-wait.ts';
import { verifyChunks } from './verify.ts';
import type { FileVerification, VerifyOptions } from './verify.ts';
import { ioDeadline } from './volume.ts';
import type { Volume } from './volume.ts';
import { xattrApi } from './xattr.ts';
import type { XattrApi } from './xattr.ts';

/**
 * Write sessions at the same time, over all files: a chunkserver has 250 threads for all its clients, and many at once only share the
 * same disks and processors. Small files gain nothing beyond this, files of some MiB were slower with 64.
 */
const PARALLEL_SESSIONS = 32;
/** Idle connections to chunkservers that are kept. */
const MAX_IDLE = 250;
/** Chunkservers close connections that are silent for 5 s; the event loop may be late. */
const KEEP_ALIVE_MS = 1000;
/** An unused connection is let go after this. */
const IDLE_MS = 20_000;
const RECEIVE_BUFFER = 256 * 1024;
/** Memory for reading ahead that is kept for the next use. For writing as much is kept as one open file may hold. */
const KEPT_PIECES_BYTES = 16 * 1024 * 1024;
/** How long close() waits for the master to unlock chunks. One that is away takes back what it has not answered. */
const UNLOCK_MS = 2000;
/** Closed files that a master that is back is asked after at once. */
const PARALLEL_QUESTIONS = 16;
function makeVolume(settings: Settings, session: Session, events: EventEmitter<ClientEvents>): Volume {
  const writeBudget = new MemoryBudget(settings.write.totalBufferBytes);
  const readBudget = new MemoryBudget(settings.read.totalAheadBytes);
  const volume: Volume = {
    settings,
    session,
    events,
    pool: new ConnectionPool({
      keepAlive: CHUNKSERVER_NOP,
      keepAliveMs: KEEP_ALIVE_MS,
      idleMs: IDLE_MS,
      maxIdle: MAX_IDLE,
      // A chunkserver says nothing to an idle connection but NOPs, which are zeros.
      idleBytes: (chunk) => chunk.every((byte) => byte === 0),
      receiveBufferBytes: RECEIVE_BUFFER,
    }),
    replicas: new Replicas(settings.chunkserverAddress, {
      preferLabels: settings.read.preferLabels,
      ownAddresses: ownAddresses(),
    }),
    writeSlots: new Slots(PARALLEL_SESSIONS),
    sessionTicks: new SessionTicks(),
    chunkLocks: new ChunkLocks(session, settings.requestTimeoutMs),
    blocks: new BufferPool({ size: BLOCK_SIZE, kept: settings.write.bufferBytes / BLOCK_SIZE, budget: writeBudget }),
    pieces: new BufferPool({
      size: AHEAD_PIECE_BYTES,
      kept: KEPT_PIECES_BYTES / AHEAD_PIECE_BYTES,
      budget: readBudget,
    }),
    writeBudget,
    readBudget,
    reads: new RunningReads(),
    files: new OpenFiles(),
    names: new NameCache(),
    classes: new StorageClasses(session),
    locks: new Locks(() => volume),
  };
  return volume;
}

const sessionLost = () =>
  new MooseFSError('the session with the master is gone, and its locks with it', { code: 'ENOLCK' });

/**
 * A client of one MooseFS. Every method that has a name in node:fs/promises has its arguments, results and errors. Every call is
 * bounded in time; nothing waits for ever.
 *
 * @example
 * ```ts
 * import { MooseFS } from 'moosefs-client';
 *
 * await using mfs = await MooseFS.connect({ master: 'mfsmaster:9421' });
 * await mfs.writeFile('/hello.txt', 'Hello, herd!');
 * console.log(await mfs.readFile('/hello.txt', 'utf8'));
 * ```
 */
export class MooseFS extends FileSystem {
  /** The verbs of node:fs/promises as functions that need no `this`: for libraries that look for `fs.promises`. */
  declare readonly promises: PromisesApi;
  readonly #callbacks: CallbacksApi;
  readonly #xattr: XattrApi;
  readonly #acl: AclApi;
  readonly #storageClass: StorageClassApi;
  readonly #goal: GoalApi;
  readonly #trash: TrashApi;
  readonly #quota: QuotaApi;
  readonly #eattr: ExtraAttributesApi;
  readonly #archive: ArchiveApi;
  readonly #cluster: ClusterApi;

  private constructor(volume: (events: EventEmitter<ClientEvents>) => Volume) {
    super(volume);
    // An own enumerable property: isomorphic-git looks for that.
    Object.defineProperty(this, 'promises', { enumerable: true, value: promisesOf(this) });
    this.#callbacks = callbacksOf(this, this.promises);
    this.#xattr = xattrApi(this.volume);
    this.#acl = aclApi(this.volume);
    this.#storageClass = storageClassApi(this.volume);
    this.#goal = goalApi(this.volume, this.#storageClass);
    this.#trash = trashApi(this.volume);
    this.#quota = quotaApi(this.volume);
    this.#eattr = eattrApi(this.volume);
    this.#archive = archiveApi(this.volume);
    this.#cluster = clusterApi(this.volume);
  }

  /**
   * Connects to a master and registers a session. Rejects within `connectTimeoutMs`, naming the address and the reason.
   *
   * @example
   * ```ts
   * import { MooseFS } from 'moosefs-client';
   *
   * await using client = await MooseFS.connect({ master: ['a:9421', 'b:9421'], root: '/exported', uid: 1000, gid: 1000 });
   * console.log(client.serverVersion, client.session.readOnly);
   * ```
   */
  static async connect(options: ConnectOptions = {}): Promise<MooseFS> {
    const settings = resolveSettings(options);
    // The master may speak before the client that listens is made.
    const made: { client?: MooseFS; volume?: Volume } = {};
    const session = await Session.open(
      settings,
      {
        push: (push) => made.volume?.files.push(push),
        reconnected: (info) => {
          made.volume?.names.clear();
          if (!info.resumed) made.volume?.locks.sessionLost(sessionLost());
          for (const file of made.volume?.files.values() ?? []) file.locations.forgetAll();
          if (made.volume !== undefined) void askAfterClosedFiles(made.volume, performance.now() - info.downMs);
          made.client?.emit('reconnect', info);
        },
        failover: (info) => made.client?.emit('failover', info),
        closed: (error) => {
          made.volume?.locks.sessionLost(error ?? sessionLost());
          made.client?.emit('close', error);
        },
      },
      options.signal,
    );
    made.client = new MooseFS((events) => (made.volume = makeVolume(settings, session, events)));
    return made.client;
  }

  /** The server's version, such as `4.59.2`. */
  get serverVersion(): string {
    return formatVersion(this.volume.session.grant.serverVersion);
  }

  /** The session: its id, the master it is registered at, and whether it may only read. */
  get session(): { readonly id: number; readonly master: string; readonly readOnly: boolean } {
    const { grant, master } = this.volume.session;
    return { id: grant.sessionId, master: endpointText(master), readOnly: ((grant.flags ?? 0) & 1) !== 0 };
  }

  /** What this client holds at the moment: for leak checks and metrics. */
  get resources(): {
    readonly openFiles: number;
    readonly connections: number;
    readonly activeChunks: number;
    readonly waitingCalls: number;
    readonly locks: number;
  } {
    const files = this.volume.files.values();
    return {
      openFiles: files.length,
      connections: this.volume.pool.open,
      activeChunks: files.reduce((sum, file) => sum + file.activeChunks, 0),
      waitingCalls: this.volume.session.waiting,
      locks: this.volume.locks.size,
    };
  }

  /**
   * Whether the masters live, are busy or cannot be reached, with evidence. Asked on connections of their own; what this client's
   * session heard lately tells a busy master from a stopped one. Never rejects because of a master.
   *
   * @example
   * ```ts
   * const { state, answerMs, reason } = await mfs.health({ timeoutMs: 3000 });
   * console.log(state, answerMs, reason);
   * ```
   */
  async health(options: HealthOptions = {}): Promise<Health> {
    const { settings, session } = this.volume;
    return healthOf(settings.masters, options, (endpoint) => session.silentMs(endpoint));
  }

  /**
   * Writes out what is left of open files, ends the session and closes every connection. Rejects when data could not be written.
   *
   * @example
   * ```ts
   * import { MooseFS } from 'moosefs-client';
   *
   * const client = await MooseFS.connect();
   * await client.close();
   * ```
   */
  async close(): Promise<void> {
    const { session, files, pool, reads, settings, locks, chunkLocks } = this.volume;
    if (session.isClosed) return;
    const deadline = Deadline.in(settings.write.flushTimeoutMs);
    const results = await Promise.allSettled(files.values().map((file) => file.flush(deadline)));
    for (const file of files.values()) file.abort(new MooseFSError('the client was closed', { code: 'ECANCELED' }));
    await locks.unlockAll().catch(() => undefined);
    // With the session goes the only one who could unlock them.
    await chunkLocks.whenFree(Deadline.in(UNLOCK_MS)).catch(() => undefined);
    await session.close();
    pool.close();
    reads.close();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The callback form of node:fs, with numbers for open files, and streams. No call blocks.
   *
   * @example
   * ```ts
   * mfs.callbacks.readFile('/notes.txt', 'utf8', (error, text) => console.log(error ?? text));
   * ```
   */
  get callbacks(): CallbacksApi {
    return this.#callbacks;
  }

  /** Extended attributes: see {@link XattrApi}. */
  get xattr(): XattrApi {
    return this.#xattr;
  }

  /** POSIX access control lists: see {@link AclApi}. */
  get acl(): AclApi {
    return this.#acl;
  }

  /** Storage classes, by name: see {@link StorageClassApi}. */
  get storageClass(): StorageClassApi {
    return this.#storageClass;
  }

  /** Placement as a number of copies: see {@link GoalApi}. */
  get goal(): GoalApi {
    return this.#goal;
  }

  /** Deleted files: see {@link TrashApi}. */
  get trash(): TrashApi {
    return this.#trash;
  }

  /** Quotas of folders: see {@link QuotaApi}. */
  get quota(): QuotaApi {
    return this.#quota;
  }

  /** Extra attributes, MooseFS's own flags: see {@link ExtraAttributesApi}. */
  get eattr(): ExtraAttributesApi {
    return this.#eattr;
  }

  /** The archive flag of chunks: see {@link ArchiveApi}. */
  get archive(): ArchiveApi {
    return this.#archive;
  }

  /** The state of the cluster: see {@link ClusterApi}. */
  get cluster(): ClusterApi {
    return this.#cluster;
  }

  /**
   * Every path of an inode, one for each hard link. Of a file that was deleted: `./TRASH (path)`, or `./SUSTAINED (path)` while it
   * is open.
   *
   * @example
   * ```ts
   * for (const { inode } of await mfs.cluster.openFiles()) console.log(await mfs.pathsOf(inode));
   * ```
   */
  pathsOf(inode: number, options: SignalOption = {}): Promise<string[]> {
    return pathsOf(this.volume, inode, options);
  }

  /**
   * Copies a file or a tree in a moment: both share their chunks until one is changed. `destination` is the new name itself. It is
   * done in one go inside of the master, which answers nobody else for seconds when the tree has millions of nodes. Rejects with
   * EEXIST where the name is taken (see `overwrite`), EINVAL where the source contains the destination, EDQUOT.
   *
   * @example
   * ```ts
   * await mfs.snapshot('/projects/elk', '/snapshots/elk-monday');
   * ```
   */
  snapshot(source: PathLike, destination: PathLike, options: SnapshotOptions = {}): Promise<void> {
    return makeSnapshot(this.volume, source, destination, options);
  }

  /**
   * Removes a snapshot with all that is in it, in one go and past the trash. Gives true when nothing is left. Rejects with EPERM
   * where something in it is no snapshot, unless `force` is given: then that is left.
   *
   * @example
   * ```ts
   * await mfs.removeSnapshot('/snapshots/elk-monday');
   * ```
   */
  removeSnapshot(path: PathLike, options: RemoveSnapshotOptions = {}): Promise<boolean> {
    return removeSnapshot(this.volume, path, options);
  }

  /**
   * Appends files, or slices of them, to `destination` inside of the cluster: no data is moved. In units of chunks: each begins at
   * a multiple of 64 MiB, and what is before it is filled up with zeros. Makes `destination` where it does not exist. Gives its
   * length in bytes. Not done as a whole: when one source fails, those before it are there.
   *
   * @example
   * ```ts
   * const bytes = await mfs.concat('/all', ['/part1', { path: '/part2', from: 0, to: 3 }]);
   * console.log(bytes);
   * ```
   */
  async concat(
    destination: PathLike,
    sources: readonly (PathLike | ChunkSlice)[],
    options: SignalOption = {},
  ): Promise<number> {
    const made = await this.open(destination, 'a', undefined, options);
    await made.close();
    return concatFiles(this.volume, destination, sources, options);
  }

  /**
   * How the chunks of a file are kept: how many have one copy, two, and so on. Counted by the master, at once.
   *
   * @example
   * ```ts
   * const { chunks, lost } = await mfs.checkFile('/film.mp4');
   * console.log(chunks[0]?.copies, lost);
   * ```
   */
  checkFile(path: PathLike, options: SignalOption = {}): Promise<FileCheck> {
    return checkFile(this.volume, path, options);
  }

  /**
   * What is in a folder and below: files, chunks, bytes, and bytes with all copies on all disks. Kept by the master, given at once
   * however large the tree is. Of a file: of itself.
   *
   * @example
   * ```ts
   * const { files, length, realSize } = await mfs.directoryInfo('/films');
   * console.log(files, length, realSize);
   * ```
   */
  directoryInfo(path: PathLike, options: SignalOption = {}): Promise<DirectoryInfo> {
    return directoryInfo(this.volume, path, options);
  }

  /**
   * **Gives up data.** Makes a file readable whose chunks are lost: by an older version of a chunk where a server has one, else by
   * zeros. Do it when the servers that are gone will not come back: what they have is not asked for any more afterwards. Rejects
   * with ENOTSUP on servers that can only erase, unless `erase` is given.
   *
   * @example
   * ```ts
   * const { lost } = await mfs.checkFile('/film.mp4');
   * if (lost > 0) console.log(await mfs.repair('/film.mp4'));
   * ```
   */
  repair(path: PathLike, options: RepairOptions = {}): Promise<RepairCounts> {
    return repairFile(this.volume, path, options);
  }

  /**
   * Resolves when every chunk of a file has as many valid copies as its class asks for, or `copies`. Rejects with ETIMEDOUT after
   * `timeoutMs`, saying how far it is; the file is there all the same.
   *
   * @example
   * ```ts
   * await mfs.writeFile('/contract.pdf', 'signed');
   * await mfs.waitForReplication('/contract.pdf', { copies: 3, timeoutMs: 60_000 });
   * ```
   */
  waitForReplication(path: PathLike, options: ReplicationWaitOptions = {}): Promise<ReplicationProgress> {
    return waitForReplication(this.volume, path, options);
  }

  /**
   * Where each chunk of a file lies: id, version, length, and every replica with its state.
   *
   * @example
   * ```ts
   * for (const { index, replicas } of await mfs.chunks('/film.mp4')) console.log(index, replicas);
   * ```
   */
  chunks(path: PathLike, { signal }: SignalOption = {}): Promise<ChunkInfo[]> {
    return startCall(this.volume, { method: 'chunks', path, signal }, async (context) => {
      const { inode, length } = await this.#regularFile(path, context);
      return chunksOf(this.volume, inode, length, context);
    });
  }

  /**
   * Compares all replicas of a file, each asked by itself: `checksums` (default) by the servers' CRC tables, which moves no data;
   * `md5` and `sha256` by reading every byte of every replica.
   *
   * @example
   * ```ts
   * const { ok } = await mfs.verify('/film.mp4', { method: 'sha256' });
   * if (!ok) throw new Error('the replicas differ');
   * ```
   */
  verify(path: PathLike, options: VerifyOptions = {}): Promise<FileVerification> {
    return startCall(this.volume, { method: 'verify', path, signal: options.signal }, async (context) => {
      const { inode, length } = await this.#regularFile(path, context);
      const chunks = await chunksOf(this.volume, inode, length, context);
      const refresh = (index: number) => chunkAt(this.volume, inode, index, length, context);
      return verifyChunks(this.volume, { path: pathText(path), length, chunks, refresh }, options);
    });
  }

  async #regularFile(path: PathLike, context: CallContext): Promise<{ inode: number; length: number }> {
    const { inode, attributes } = await findPath(this.volume, path, { ...context, follow: true });
    if (attributes.type === NodeType.directory) throw fsError('EISDIR', context.site);
    if (attributes.type !== NodeType.file) throw fsError('EINVAL', context.site);
    const open = this.volume.files.get(inode);
    await open?.flush(context.deadline);
    return { inode, length: Math.max(attributes.length, open?.length ?? 0) };
  }
}

/** Whether the master still knows what it acknowledged of files that were closed shortly before it was lost. */
async function askAfterClosedFiles(volume: Volume, lostAt: number): Promise<void> {
  const { files, events, session } = volume;
  await inParallel(files.closedBefore(lostAt), PARALLEL_QUESTIONS, async (file) => {
    const error: unknown = await file.flush(ioDeadline(volume)).catch((failure: unknown) => failure);
    if (error instanceof MooseFSError && !session.isClosed)
      events.emit('forgotten', { path: file.site.path, inode: file.inode, error });
  });
}
