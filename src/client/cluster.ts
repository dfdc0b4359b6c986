/** The state of the cluster (`mfs.cluster`): what the master and the chunkservers tell anyone who asks. Nothing here changes anything. */
import * as messages from '../protocol/messages/monitor.ts';
import { ipText } from '../protocol/address.ts';
import { formatVersion, fromWire, version } from '../protocol/version.ts';
import { askEndpoint, askMaster } from './ask-master.ts';
import { matricesOf } from './chunk-matrix.ts';
import type { ChunkMatrices } from './chunk-matrix.ts';
import { callChannel, traced } from './diagnostics.ts';
import { diskOf } from './disks.ts';
import type { ServerDisks } from './disks.ts';
import type { SignalOption } from './file-handle.ts';
import { withSite } from './fs-errors.ts';
import type { CallContext } from './nodes.ts';
import { inParallel } from './open-file.ts';
import { labelsOf } from './replica-info.ts';
import { sessionsOf } from './session-list.ts';
import type { ClusterSession } from './session-list.ts';
import { MooseFSError } from '../errors.ts';
import { requestDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/** The cluster as a whole. Space is raw: a file with three copies takes three times its size of it. */
export interface ClusterInfo {
  /** `host:port`. */
  readonly master: string;
  readonly version: string;
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly freeBytes: number;
  readonly trash: { readonly bytes: number; readonly files: number };
  /** Files that were deleted while they are open. */
  readonly sustained: { readonly bytes: number; readonly files: number };
  readonly nodes: number;
  readonly directories: number;
  readonly files: number;
  readonly chunks: number;
  /** Full copies of all chunks. */
  readonly copies: number | undefined;
  /** Parts of chunks that are kept in parts; 0 on 3.x. */
  readonly parts: number | undefined;
  /** Bytes of the master's memory. */
  readonly memoryBytes: number;
  /** When the master last saved its metadata, and whether it could; undefined before the first time. */
  readonly metadata:
    { readonly savedAt: Date; readonly durationMs: number; readonly ok: boolean; readonly version: bigint } | undefined;
  /** The master's clock. */
  readonly clock: Date | undefined;
}

/** A chunkserver as the master knows it. */
export interface ClusterServer {
  /** As the master tells clients. */
  readonly host: string;
  readonly port: number;
  readonly id: number;
  readonly version: string;
  readonly connected: boolean;
  /** Its chunks are not made again elsewhere while it is away. */
  readonly maintenance: boolean;
  /** It is in the list for a moment, because it was asked for too much. */
  readonly overloaded: boolean;
  readonly labels: readonly string[];
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly chunks: number;
  /** Disks that are marked for removal; `done` when every chunk of theirs is elsewhere. */
  readonly removal: {
    readonly usedBytes: number;
    readonly totalBytes: number;
    readonly chunks: number;
    readonly done: boolean;
  };
  /** Errors of its disks since it was last started. */
  readonly errors: number;
  /** Jobs that it works on. */
  readonly load: number;
}

/** A file that a session has open. */
export interface ClusterOpenFile {
  readonly sessionId: number;
  readonly inode: number;
}

/** A lock that is held. */
export interface ClusterLock {
  readonly inode: number;
  readonly sessionId: number;
  readonly kind: 'posix' | 'flock';
  readonly exclusive: boolean;
  readonly owner: bigint;
  /** Of a POSIX lock: the process, the first byte, and the byte behind the last (2^63 and more: the end of the file). */
  readonly pid: number | undefined;
  readonly start: bigint | undefined;
  readonly end: bigint | undefined;
}

/** All locks, as far as the master can tell. */
export interface ClusterLocks {
  readonly locks: readonly ClusterLock[];
  /** False where locks of both kinds are held on a master before 4.57.6: it leaves out some POSIX locks then. */
  readonly complete: boolean;
}

/** What a part of the master's memory is used for. */
export interface MemoryUse {
  readonly name: string;
  readonly allocatedBytes: number;
  readonly usedBytes: number;
}

/** A chunk that cannot be read. */
export interface MissingChunk {
  readonly chunkId: bigint;
  readonly inode: number;
  /** Index in the file. */
  readonly index: number;
  readonly reason: 'no-copy' | 'invalid-copies' | 'wrong-version' | 'too-few-parts';
}

/** What most want to see, asked at the same time. */
export interface ClusterStatus {
  readonly at: Date;
  readonly info: ClusterInfo;
  readonly servers: readonly ClusterServer[];
  readonly disks: readonly ServerDisks[];
  readonly chunks: ChunkMatrices;
  readonly sessions: readonly ClusterSession[];
}

/**
 * Calls about the state of the cluster. Masters answer them in the same thread as everything else, and walk through tables for
 * chunks, sessions and missing chunks: ask every few seconds, not all the time.
 *
 * @example
 * ```ts
 * const { info, servers, chunks } = await mfs.cluster.status();
 * console.log(info.availableBytes, servers.filter(({ connected }) => !connected), chunks.all.missing);
 * ```
 */
export interface ClusterApi {
  /**
   * The cluster as a whole.
   *
   * @example
   * ```ts
   * const { availableBytes, totalBytes } = await mfs.cluster.info();
   * console.log(availableBytes / totalBytes);
   * ```
   */
  info(options?: SignalOption): Promise<ClusterInfo>;
  /**
   * Chunkservers, those too that are not connected now.
   *
   * @example
   * ```ts
   * for (const { host, connected } of await mfs.cluster.servers()) if (!connected) console.log(`${host} is gone`);
   * ```
   */
  servers(options?: SignalOption): Promise<ClusterServer[]>;
  /**
   * The disks of every connected chunkserver, asked of itself; one that does not answer has an `error` instead.
   *
   * @example
   * ```ts
   * for (const { server, disks } of await mfs.cluster.disks()) {
   *   for (const { path, damaged } of disks) console.log(server, path, damaged);
   * }
   * ```
   */
  disks(options?: SignalOption): Promise<ServerDisks[]>;
  /**
   * Sessions of all clients, those too that were lost and are kept for a while.
   *
   * @example
   * ```ts
   * console.log((await mfs.cluster.sessions()).map(({ host, info }) => `${host} ${info}`));
   * ```
   */
  sessions(options?: SignalOption): Promise<ClusterSession[]>;
  /**
   * Which session has which inode open; `mfs.pathsOf` tells paths.
   *
   * @example
   * ```ts
   * for (const { inode } of await mfs.cluster.openFiles()) console.log(await mfs.pathsOf(inode));
   * ```
   */
  openFiles(options?: SignalOption): Promise<ClusterOpenFile[]>;
  /**
   * Locks that are held.
   *
   * @example
   * ```ts
   * const { locks, complete } = await mfs.cluster.locks();
   * console.log(locks.length, complete);
   * ```
   */
  locks(options?: SignalOption): Promise<ClusterLocks>;
  /**
   * How many chunks have which goal and how many copies.
   *
   * @example
   * ```ts
   * const { all, settled } = await mfs.cluster.chunkMatrix();
   * if (settled) console.log(all.missing, all.endangered);
   * ```
   */
  chunkMatrix(options?: SignalOption): Promise<ChunkMatrices>;
  /**
   * What the master's memory is used for.
   *
   * @example
   * ```ts
   * for (const { name, usedBytes } of await mfs.cluster.memory()) console.log(name, usedBytes);
   * ```
   */
  memory(options?: SignalOption): Promise<MemoryUse[]>;
  /**
   * Chunks that cannot be read. The master finds them in a loop through all files: the list may be hours old.
   *
   * @example
   * ```ts
   * for (const { inode, index } of await mfs.cluster.missingChunks()) console.log(inode, index);
   * ```
   */
  missingChunks(options?: SignalOption): Promise<MissingChunk[]>;
  /**
   * All that `mfs status` shows.
   *
   * @example
   * ```ts
   * const { info, servers, chunks } = await mfs.cluster.status();
   * console.log(info.version, servers.length, chunks.all.missing);
   * ```
   */
  status(options?: SignalOption): Promise<ClusterStatus>;
}

const V4 = version('4.0.0');
/** From here on the tail of INFO is as it is declared; 4.22 to 4.25 lack fields in its middle. */
const INFO_SINCE_4 = version('4.26.0');
const SESSION_GROUPS_SINCE = version('4.57.0');
const LOCKS_FIXED_SINCE = version('4.57.6');
/** A chunkserver that does not say what disks it has is not waited for any longer. */
const DISKS_TIMEOUT_MS = 5000;
const PARALLEL_SERVERS = 16;
const SAVED_OK = 0;
/** Values of `grace` from here on are no seconds. */
const OVERLOADED = 0xc000_0000;
const REMOVAL_READY = 2;
const EXCLUSIVE = 2;
const MEMORY_NAMES = [
  'chunk hash',
  'chunks',
  'server lists',
  'edge hash',
  'edges',
  'node hash',
  'nodes',
  'free nodes',
  'chunk tables',
  'symlinks',
  'quotas',
];
const REASONS = ['no-copy', 'invalid-copies', 'wrong-version', 'too-few-parts'] as const;

/** Calls about the cluster of one client. */
export function clusterApi(volume: Volume): ClusterApi {
  const call =
    <T>(method: string, work: (volume: Volume, context: CallContext) => Promise<T>) =>
    ({ signal }: SignalOption = {}): Promise<T> =>
      traced(
        callChannel,
        () => ({ method: `cluster.${method}`, path: '/' }),
        () => work(volume, { site: { syscall: `cluster.${method}` }, deadline: requestDeadline(volume, signal) }),
      );
  return {
    info: call('info', readInfo),
    servers: call('servers', readServers),
    disks: call('disks', readDisks),
    sessions: call('sessions', readSessions),
    openFiles: call('openFiles', readOpenFiles),
    locks: call('locks', readLocks),
    chunkMatrix: call('chunkMatrix', readMatrices),
    memory: call('memory', readMemory),
    missingChunks: call('missingChunks', readMissing),
    status: call('status', async (_, context) => {
      const [info, disks, chunks, sessions] = await Promise.all([
        readInfo(volume, context),
        readServers(volume, context).then(async (servers) => ({
          servers,
          disks: await disksOf(volume, servers, context),
        })),
        readMatrices(volume, context),
        readSessions(volume, context),
      ]);
      return { at: new Date(), info, ...disks, chunks, sessions };
    }),
  };
}

async function readInfo(volume: Volume, context: CallContext): Promise<ClusterInfo> {
  const at = volume.session.grant.serverVersion;
  const reply = await askMaster(volume, messages.getInfo, {}, messages.info, context);
  const hasMore = at < V4 || at >= INFO_SINCE_4;
  const more = hasMore ? messages.infoMore.decode(reply.more, at, 'the end of INFO') : undefined;
  const parts = more?.ec8Parts === undefined ? 0 : more.ec8Parts + more.ec4Parts!;
  return {
    master: `${volume.session.master.host}:${volume.session.master.port}`,
    version: formatVersion(fromWire(reply.version)),
    totalBytes: reply.totalSpace,
    availableBytes: reply.availableSpace,
    freeBytes: reply.freeSpace,
    trash: { bytes: reply.trashSpace, files: reply.trashFiles },
    sustained: { bytes: reply.sustainedSpace, files: reply.sustainedFiles },
    nodes: reply.nodes,
    directories: reply.directories,
    files: reply.files,
    chunks: reply.chunks,
    copies: more?.copies ?? more?.copies3,
    parts: more === undefined ? undefined : parts,
    memoryBytes: reply.memoryUsed,
    metadata:
      more === undefined || more.savedAt === 0
        ? undefined
        : {
            savedAt: new Date(1000 * more.savedAt),
            durationMs: more.saveMs,
            ok: more.saveStatus === SAVED_OK,
            version: more.metadataVersion,
          },
    clock: more === undefined ? undefined : new Date(more.clockMicroseconds / 1000),
  };
}

async function readServers(volume: Volume, context: CallContext): Promise<ClusterServer[]> {
  const { getChunkservers, chunkservers, ChunkserverFlag } = messages;
  const reply = await askMaster(volume, getChunkservers, {}, chunkservers, context);
  return (reply.servers4 ?? reply.servers3 ?? []).map((each) => ({
    host: ipText(each.ip),
    port: each.port,
    id: each.id,
    version: formatVersion(fromWire((each.major << 16) | (each.middle << 8) | each.minorDoubled)),
    connected: (each.flags & ChunkserverFlag.disconnected) === 0,
    maintenance: (each.flags & (ChunkserverFlag.maintenance | ChunkserverFlag.temporaryMaintenance)) !== 0,
    overloaded: each.grace === OVERLOADED,
    labels: labelsOf(each.labels),
    usedBytes: each.used,
    totalBytes: each.total,
    chunks: each.chunks,
    removal: {
      usedBytes: each.removalUsed,
      totalBytes: each.removalTotal,
      chunks: each.removalChunks,
      done: each.removalTotal > 0 && each.removalStatus === REMOVAL_READY,
    },
    errors: each.errors,
    load: each.load,
  }));
}

async function readDisks(volume: Volume, context: CallContext): Promise<ServerDisks[]> {
  return disksOf(volume, await readServers(volume, context), context);
}

async function disksOf(
  { settings, session }: Volume,
  servers: readonly ClusterServer[],
  { deadline, site }: CallContext,
): Promise<ServerDisks[]> {
  const found = new Map<ClusterServer, ServerDisks>();
  const connected = servers.filter((server) => server.connected);
  await inParallel(connected, PARALLEL_SERVERS, async (server) => {
    const { host, port } = server;
    const name = `${host}:${port}`;
    try {
      const endpoint = settings.chunkserverAddress({ host, port });
      const at = session.grant.serverVersion;
      const { getDisks, disks } = messages;
      const reply = await askEndpoint(endpoint, at, getDisks, {}, disks, deadline.within(DISKS_TIMEOUT_MS));
      found.set(server, { server: name, disks: reply.disks.map(diskOf), error: undefined });
    } catch (error) {
      if (!(error instanceof MooseFSError) || error.name === 'AbortError') throw error;
      found.set(server, { server: name, disks: [], error: withSite(error, site) as MooseFSError });
    }
  });
  return connected.map((server) => found.get(server)!);
}

async function readSessions(volume: Volume, context: CallContext): Promise<ClusterSession[]> {
  // The highest form that the server knows: with the session's storage class groups from 4.57 on.
  const mode = volume.session.grant.serverVersion >= SESSION_GROUPS_SINCE ? 5 : 4;
  const { list } = await askMaster(volume, messages.getSessions, { mode }, messages.sessions, context);
  return sessionsOf(list!);
}

async function readOpenFiles(volume: Volume, context: CallContext): Promise<ClusterOpenFile[]> {
  // Always of all sessions: the answer about a single one has another layout.
  const { files } = await askMaster(volume, messages.getOpenFiles, { sessionId: 0 }, messages.openFiles, context);
  return files.map(({ sessionId, inode }) => ({ sessionId, inode }));
}

async function readLocks(volume: Volume, context: CallContext): Promise<ClusterLocks> {
  // Always of all inodes: the answer about a single one has another layout.
  const reply = await askMaster(volume, messages.getLocks, { inode: 0 }, messages.locks, context);
  const locks = reply.locks.map(({ inode, sessionId, owner, pid, start, end, lockType }): ClusterLock => {
    const isFlock = pid === 0 && start === 0n && end === 0n;
    const range = isFlock ? { pid: undefined, start: undefined, end: undefined } : { pid, start, end };
    return { inode, sessionId, kind: isFlock ? 'flock' : 'posix', exclusive: lockType === EXCLUSIVE, owner, ...range };
  });
  const flocks = locks.findIndex(({ kind }) => kind === 'posix');
  if (volume.session.grant.serverVersion >= LOCKS_FIXED_SINCE || flocks <= 0) return { locks, complete: true };
  // Flocks were written over the first POSIX locks, and as many at the end are memory that nobody wrote.
  return { locks: locks.slice(0, Math.max(flocks, locks.length - flocks)), complete: false };
}

async function readMatrices(volume: Volume, context: CallContext): Promise<ChunkMatrices> {
  const { progress, matrices } = await askMaster(volume, messages.getChunkMatrix, {}, messages.chunkMatrix, context);
  return matricesOf(progress, matrices);
}

async function readMemory(volume: Volume, context: CallContext): Promise<MemoryUse[]> {
  const { uses } = await askMaster(volume, messages.getMemory, {}, messages.memory, context);
  return uses.map(({ allocated, used }, i) => ({
    name: MEMORY_NAMES[i] ?? `part ${i}`,
    allocatedBytes: allocated,
    usedBytes: used,
  }));
}

async function readMissing(volume: Volume, context: CallContext): Promise<MissingChunk[]> {
  const { chunks } = await askMaster(volume, messages.getMissingChunks, { mode: 1 }, messages.missingChunks, context);
  return chunks.map(({ chunkId, inode, chunkIndex, reason }) => ({
    chunkId,
    inode,
    index: chunkIndex,
    reason: REASONS[reason] ?? 'no-copy',
  }));
}
