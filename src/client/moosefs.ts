/** The client: what a program connects, uses as it uses node:fs/promises, and closes. Here is what node has not. */
import type { EventEmitter } from 'node:events';
import PQueue from 'p-queue';
import { MooseFSError } from '../errors.ts';
import { CHUNKSERVER_NOP } from '../protocol/frame.ts';
import { NodeType } from '../protocol/attributes.ts';
import { formatVersion } from '../protocol/version.ts';
import { Deadline } from '../transport/deadline.ts';
import { ConnectionPool } from '../transport/pool.ts';
import { endpointText } from '../transport/tcp.ts';
import { MemoryBudget } from './memory-budget.ts';
import { BlockPool } from './block-pool.ts';
import { aclApi } from './acl.ts';
import type { AclApi } from './acl.ts';
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
import { OpenFiles } from './open-files.ts';
import { resolveSettings } from './options.ts';
import type { ConnectOptions, Settings } from './options.ts';
import { findPath, pathText } from './paths.ts';
import type { PathLike } from './paths.ts';
import { chunkAt, chunksOf } from './replica-info.ts';
import type { ChunkInfo } from './replica-info.ts';
import { ownAddresses, Replicas } from './replicas.ts';
import { Session } from './session.ts';
import { StorageClasses } from './storage-class.ts';
import type { SetCounts } from './storage-class.ts';
import { verifyChunks } from './verify.ts';
import type { FileVerification, VerifyOptions } from './verify.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';
import { xattrApi } from './xattr.ts';
import type { XattrApi } from './xattr.ts';

/** Write sessions at the same time, over all files: a chunkserver has 250 threads for all its clients. */
const PARALLEL_SESSIONS = 64;
/** Idle connections to chunkservers that are kept. */
const MAX_IDLE = 250;
/** Chunkservers close connections that are silent for 5 s; the event loop may be late. */
const KEEP_ALIVE_MS = 1000;
/** An unused connection is let go after this. */
const IDLE_MS = 20_000;
const RECEIVE_BUFFER = 256 * 1024;
function makeVolume(settings: Settings, session: Session, events: EventEmitter<ClientEvents>): Volume {
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
    chunkQueue: new PQueue({ concurrency: PARALLEL_SESSIONS }),
    blocks: new BlockPool(),
    writeBudget: new MemoryBudget(settings.write.totalBufferBytes),
    readBudget: new MemoryBudget(settings.read.totalAheadBytes),
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

  private constructor(volume: (events: EventEmitter<ClientEvents>) => Volume) {
    super(volume);
    // An own enumerable property: isomorphic-git looks for that.
    Object.defineProperty(this, 'promises', { enumerable: true, value: promisesOf(this) });
    this.#callbacks = callbacksOf(this, this.promises);
    this.#xattr = xattrApi(this.volume);
    this.#acl = aclApi(this.volume);
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
    const { session, files, pool, settings, locks } = this.volume;
    if (session.isClosed) return;
    const deadline = Deadline.in(settings.write.flushTimeoutMs);
    const results = await Promise.allSettled(files.values().map((file) => file.flush(deadline)));
    for (const file of files.values()) file.abort(new MooseFSError('the client was closed', { code: 'ECANCELED' }));
    await locks.unlockAll().catch(() => undefined);
    await session.close();
    pool.close();
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

  /**
   * Placement by name: `3CP`, `2CP`, `EC4+1` on a fresh 4.x; `1` to `9`, the goals, on 3.x.
   *
   * @example
   * ```ts
   * console.log(await mfs.storageClass.list(), await mfs.storageClass.get('/film.mp4'));
   * ```
   */
  get storageClass(): StorageClassApi {
    const { classes, files, settings } = this.volume;
    const at = <T>(
      method: string,
      path: PathLike,
      signal: AbortSignal | undefined,
      act: (inode: number, context: CallContext) => Promise<T>,
    ) =>
      startCall(this.volume, { method, path, signal }, async (context) =>
        act((await findPath(this.volume, path, { ...context, follow: true })).inode, context),
      );
    return {
      get: (path, { signal } = {}) =>
        at('getStorageClass', path, signal, (inode, { deadline, site }) => classes.nameOf(inode, deadline, site)),
      set: (path, name, { recursive = false, signal } = {}) =>
        at('setStorageClass', path, signal, async (inode, context) => {
          const counts = await classes.set(inode, name, { ...context, recursive, uid: settings.uid });
          files.get(inode)?.placementChanged();
          return counts;
        }),
      list: ({ signal } = {}) => classes.list(requestDeadline(this.volume, signal)),
    };
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

/** Calls about storage classes. */
export interface StorageClassApi {
  /**
   * The name of the class of a file or folder.
   *
   * @example
   * ```ts
   * console.log(await mfs.storageClass.get('/film.mp4'));
   * ```
   */
  get(path: PathLike, options?: SignalOption): Promise<string>;
  /**
   * Gives a file, a folder or, with `recursive`, a tree another class. New files take that of their folder.
   *
   * @example
   * ```ts
   * await mfs.storageClass.set('/films', '3CP', { recursive: true });
   * ```
   */
  set(path: PathLike, name: string, options?: { recursive?: boolean } & SignalOption): Promise<SetCounts>;
  /**
   * The names of all classes.
   *
   * @example
   * ```ts
   * console.log((await mfs.storageClass.list()).join(', '));
   * ```
   */
  list(options?: SignalOption): Promise<string[]>;
}
