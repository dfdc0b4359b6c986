/** What a user may set, and the defaults with their reasons. Times are milliseconds, sizes bytes. */
import { createHash } from 'node:crypto';
import { MooseFSError } from '../errors.ts';
import { BLOCK_SIZE } from '../protocol/geometry.ts';
import type { Endpoint } from '../transport/tcp.ts';

/** How writes behave. */
export interface WriteOptions {
  /**
   * How many replicas a write must reach. `'listed'` (default): all that the master lists for it, also when these are fewer than
   * the storage class asks for (event `'underReplicated'`), but two where older copies could replace what a single one has. `'goal'`:
   * as many as the storage class asks for. A number: at least that many. Where a list is too short a write waits for a longer one
   * inside its deadline and then rejects.
   */
  readonly replicas?: 'listed' | 'goal' | number;
  /**
   * At most so many blocks of 64 KiB of one chunk are in flight, 2 to 1024. Default 64: 4 MiB. It is 16 where the servers are near,
   * for a server that has more of them waiting takes longer for each; the time that the opening of a chain takes tells how far it is.
   */
  readonly windowBlocks?: number;
  /**
   * Bytes that one open file may hold before write() waits. Default 28 MiB: a server works on one chunk in one thread, and only as
   * much as is held of a chunk that ends can be written while the next one is.
   */
  readonly bufferBytes?: number;
  /** Bytes that all open files together may hold; beyond it each may hold one block. Default 64 MiB. */
  readonly totalBufferBytes?: number;
  /** Chunks that one file writes at the same time. Default 4. */
  readonly parallelChunks?: number;
  /**
   * sync() and close() reject when everything is not acknowledged by then. Default 300000: a full buffer at the pace of one slow
   * disk, with a failed server and the master's re-replication in between.
   */
  readonly flushTimeoutMs?: number;
}

/** How reads behave. */
export interface ReadOptions {
  /**
   * A replica that sends nothing for so long is left for another one, when there is one. Default 1000: a disk that seeks answers
   * in tens of milliseconds, and a reader should not notice a stopped server for more than two seconds.
   */
  readonly stallMs?: number;
  /**
   * Hedged reads: when a replica has not given all that it was asked for after so long, the next one is asked as well, and the
   * sooner counts. For latency at the price of more traffic, with {@link stallMs} as the upper end. Default 0: never.
   */
  readonly hedgeMs?: number;
  /** Bytes that a stream, or a handle that is read from front to back, asks for ahead. Default 4 MiB. */
  readonly readAheadBytes?: number;
  /**
   * Bytes that all streams and handles together may have asked for ahead; beyond it each stream asks for one piece, and handles for
   * nothing ahead. Default 64 MiB.
   */
  readonly totalAheadBytes?: number;
  /**
   * Labels of the chunkservers to read from where there is a choice, the most wanted first: `['A', 'B']`; `'AC'` is a server that
   * has both labels. Replicas without them are read when no other can be. Then come replicas on this machine, then the master's own
   * order, which is by distance (mfstopology.cfg). Default none.
   */
  readonly preferLabels?: string | readonly string[];
}

/** How long calls are tried again. */
export interface RetryOptions {
  /**
   * How long a status that means "no space" or "no server" is waited out before it is believed. Default 10000: chunkservers need up
   * to 5 s to come back to a restarted master. When all of them are there and their disks are full it is believed at once.
   */
  readonly unavailableMs?: number;
}

/** What {@link MooseFS.connect} takes. */
export interface ConnectOptions {
  /** `host:port`, several of them, or a URL `mfs://host:port/folder`. Default: `$MFS_MASTER`, then `mfsmaster:9421`. */
  readonly master?: string | readonly string[];
  /** The exported folder to work in. Default `/`, or the folder of the URL. */
  readonly root?: string;
  /** The export's password. */
  readonly password?: string;
  /** The MD5 of the export's password: 16 bytes or 32 hexadecimal digits. */
  readonly passwordMd5?: string | Uint8Array;
  /** The user that operations are done as. Default: this process's, or 0 where there is none. */
  readonly uid?: number;
  /** The primary group. Default: this process's. */
  readonly gid?: number;
  /** Further groups. Default: this process's. */
  readonly groups?: readonly number[];
  /** Permission bits that new files and folders do not get. Default: this process's. */
  readonly umask?: number;
  /** Ends the attempt to connect. */
  readonly signal?: AbortSignal;
  /** Time for connecting and registering. Default 10000: a name look-up, and a master in the middle of a long operation. */
  readonly connectTimeoutMs?: number;
  /** Time for one call about names and attributes, all tries included. Default 60000: the master may hold a call for 30 s. */
  readonly requestTimeoutMs?: number;
  /**
   * Time for which a read or write of data may make no progress, all tries and servers included. Default 60000: the master's 30 s
   * for a locked chunk, and once more.
   */
  readonly ioTimeoutMs?: number;
  readonly write?: WriteOptions;
  readonly read?: ReadOptions;
  readonly retry?: RetryOptions;
  /** Where to dial for a chunkserver, when its own address is not reachable: NAT, Docker Desktop. The default dials as told. */
  readonly chunkserverAddress?: (address: Endpoint) => Endpoint;
  /** What administrators see in the master's list of sessions. Default `moosefs-client`. */
  readonly info?: string;
}

/** Options with every default filled in. */
export interface Settings {
  readonly masters: readonly Endpoint[];
  readonly root: string;
  readonly passwordMd5: Uint8Array | undefined;
  readonly uid: number;
  /** The primary group first. Never empty. */
  readonly gids: readonly number[];
  readonly umask: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly ioTimeoutMs: number;
  readonly write: Required<WriteOptions>;
  readonly read: Required<Omit<ReadOptions, 'preferLabels'>> & {
    /** Masks of labels: bit 0 is A. */
    readonly preferLabels: readonly number[];
  };
  readonly retry: Required<RetryOptions>;
  readonly chunkserverAddress: (address: Endpoint) => Endpoint;
  readonly info: string;
}

/** The port on which masters listen for clients. */
export const DEFAULT_MASTER_PORT = 9421;

/** Checks options and fills in the defaults. Throws with the code `ERR_INVALID_ARG_VALUE`. */
export function resolveSettings(options: ConnectOptions): Settings {
  const { endpoints, folder } = parseMasters(options.master ?? process.env['MFS_MASTER'] ?? 'mfsmaster');
  const root = options.root ?? folder ?? '/';
  if (!root.startsWith('/') || root.includes('\0')) throw invalid('root', root, 'an absolute path');
  const gid = options.gid ?? process.getegid?.() ?? 0;
  const groups = options.groups ?? (options.gid === undefined ? (process.getgroups?.() ?? []) : []);
  return {
    masters: endpoints,
    root,
    passwordMd5: passwordMd5Of(options),
    uid: inRange('uid', options.uid ?? process.geteuid?.() ?? 0, 0, 0xffff_ffff),
    gids: [gid, ...groups.filter((each) => each !== gid)]
      .slice(0, 4096)
      .map((each) => inRange('gid', each, 0, 0xffff_ffff)),
    umask: inRange('umask', options.umask ?? processUmask(), 0, 0o777),
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    requestTimeoutMs: positive('requestTimeoutMs', options.requestTimeoutMs ?? 60_000),
    ioTimeoutMs: positive('ioTimeoutMs', options.ioTimeoutMs ?? 60_000),
    write: {
      replicas: replicaPolicy(options.write?.replicas ?? 'listed'),
      windowBlocks: inRange('write.windowBlocks', options.write?.windowBlocks ?? 64, 2, 1024),
      bufferBytes: inRange(
        'write.bufferBytes',
        options.write?.bufferBytes ?? 28 * 1024 * 1024,
        BLOCK_SIZE,
        Number.MAX_SAFE_INTEGER,
      ),
      totalBufferBytes: inRange(
        'write.totalBufferBytes',
        options.write?.totalBufferBytes ?? 64 * 1024 * 1024,
        BLOCK_SIZE,
        Number.MAX_SAFE_INTEGER,
      ),
      parallelChunks: inRange('write.parallelChunks', options.write?.parallelChunks ?? 4, 1, 64),
      flushTimeoutMs: positive('write.flushTimeoutMs', options.write?.flushTimeoutMs ?? 300_000),
    },
    read: {
      stallMs: positive('read.stallMs', options.read?.stallMs ?? 1000),
      hedgeMs: notNegative('read.hedgeMs', options.read?.hedgeMs ?? 0),
      totalAheadBytes: inRange(
        'read.totalAheadBytes',
        options.read?.totalAheadBytes ?? 64 * 1024 * 1024,
        BLOCK_SIZE,
        Number.MAX_SAFE_INTEGER,
      ),
      readAheadBytes: inRange(
        'read.readAheadBytes',
        options.read?.readAheadBytes ?? 4 * 1024 * 1024,
        BLOCK_SIZE,
        Number.MAX_SAFE_INTEGER,
      ),
      preferLabels: labelMasks(options.read?.preferLabels ?? []),
    },
    retry: { unavailableMs: positive('retry.unavailableMs', options.retry?.unavailableMs ?? 10_000) },
    chunkserverAddress: options.chunkserverAddress ?? ((address) => address),
    info: options.info ?? 'moosefs-client',
  };
}

/** Reads `host`, `host:port`, `[v6]:port`, lists with commas, and `mfs://host:port/folder`. */
export function parseMasters(master: string | readonly string[]): {
  endpoints: readonly Endpoint[];
  folder: string | undefined;
} {
  const texts = typeof master === 'string' ? [master] : master;
  let folder: string | undefined;
  const endpoints = texts
    .flatMap((text) => {
      const url = /^mfs:\/\/([^/]*)(\/.*)?$/.exec(text);
      if (url === null) return text.split(',');
      folder = url[2] === undefined ? folder : decodeURIComponent(url[2]);
      return url[1]!.split(',');
    })
    .map((text) => parseEndpoint(text.trim()));
  if (endpoints.length === 0) throw invalid('master', '', 'at least one address');
  return { endpoints, folder };
}

function parseEndpoint(text: string): Endpoint {
  const parts = /^(?:\[([^\]]+)\]|([^:\s/]+))(?::(\d{1,5}))?$/.exec(text);
  const port = parts?.[3] === undefined ? DEFAULT_MASTER_PORT : Number(parts[3]);
  if (parts === null || port < 1 || port > 65_535)
    throw invalid('master', text, 'host, host:port or mfs://host:port/folder');
  return { host: (parts[1] ?? parts[2])!, port };
}

function passwordMd5Of({ password, passwordMd5 }: ConnectOptions): Uint8Array | undefined {
  if (passwordMd5 !== undefined) {
    const digest = typeof passwordMd5 === 'string' ? Buffer.from(passwordMd5, 'hex') : passwordMd5;
    // The value itself is a secret: it does not go into the message.
    if (digest.length !== 16) throw invalid('passwordMd5', undefined, '16 bytes or 32 hexadecimal digits');
    return digest;
  }
  return password === undefined ? undefined : md5(Buffer.from(password));
}

/** MD5, which is what the protocol's password challenge is made of. */
export function md5(data: Uint8Array): Uint8Array {
  return createHash('md5').update(data).digest();
}

function processUmask(): number {
  try {
    // There is no other way to read it; it is not changed here.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return process.umask();
  } catch {
    // Worker threads may read it in some versions of node and not in others.
    return 0o022;
  }
}

function labelMasks(labels: string | readonly string[]): number[] {
  return (typeof labels === 'string' ? [labels] : labels).map((text) => {
    if (!/^[A-Z]+$/.test(text)) throw invalid('read.preferLabels', text, 'labels, A to Z');
    return Buffer.from(text).reduce((mask, code) => mask | (1 << (code - 65)), 0);
  });
}

function replicaPolicy(value: 'listed' | 'goal' | number): 'listed' | 'goal' | number {
  if (value === 'listed' || value === 'goal') return value;
  if (typeof value === 'number') return inRange('write.replicas', value, 1, 100);
  throw invalid('write.replicas', value, "'listed', 'goal' or a whole number from 1 to 100");
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw invalid(name, value, 'a positive number');
  return value;
}

function notNegative(name: string, value: number): number {
  if (!(value >= 0)) throw invalid(name, value, 'a number of 0 or more');
  return value;
}

function inRange(name: string, value: number, low: number, high: number): number {
  if (!Number.isSafeInteger(value) || value < low || value > high)
    throw invalid(name, value, `a whole number from ${low} to ${high}`);
  return value;
}

function invalid(name: string, value: unknown, wanted: string): MooseFSError {
  const found = value === undefined ? '' : `, not ${JSON.stringify(value)}`;
  return new MooseFSError(`the option ${name} takes ${wanted}${found}`, { code: 'ERR_INVALID_ARG_VALUE' });
}
