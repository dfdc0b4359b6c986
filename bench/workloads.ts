/** What is measured: the same work for every client. Nothing in here knows whose turn it is. */
import type { DataParts } from '../src/protocol/parity.ts';
import type { Unit } from './statistics.ts';

/** The kinds of work that bench/client.mjs and bench/libmfsio/client.c know. */
export type Operation =
  | 'write'
  | 'read'
  | 'stream'
  | 'create'
  | 'readall'
  | 'stat'
  | 'unlink'
  | 'list'
  | 'upload'
  | 'download'
  | 'randread'
  | 'randwrite'
  | 'verify-checksums'
  | 'verify-md5';

/** One piece of work, done by a process of its own, so that no client has what it reads in a cache. */
export interface Step {
  readonly op: Operation;
  /** The name under which it is reported; without one it only prepares the next or cleans up. */
  readonly name?: string;
  readonly unit?: Unit;
  /** The least ratio to the better peer that the project promises. */
  readonly wanted?: number;
  /** Files, or calls. */
  readonly files: number;
  /** Bytes of each file. */
  readonly bytes: number;
  readonly concurrency: number;
  /** While one chunkserver is stopped, so that a part of every chunk is missing. */
  readonly without?: 'a part';
}

/** Steps that follow each other in a folder of their own, for each client and run. */
export interface Workload {
  readonly name: string;
  readonly copies: 1 | 2 | 3;
  readonly steps: readonly Step[];
  /** On files in so many data parts and one more, in a cluster of its own, instead of copies. 4.x only. */
  readonly dataParts?: DataParts;
  /** The work is on files that this package made beforehand, the same for all clients: too slow to be made by each. */
  readonly shared?: boolean;
}

/** How much work there is: of full size, or little, to see that everything runs. */
export interface Scale {
  readonly streamBytes: number;
  readonly randomFileBytes: number;
  readonly smallFiles: number;
  readonly manyFiles: number;
  readonly randomReads: number;
  readonly uploads: number;
}

const MIB = 1024 * 1024;

export const fullScale: Scale = {
  streamBytes: 1024 * MIB,
  randomFileBytes: 256 * MIB,
  smallFiles: 2000,
  manyFiles: 10_000,
  randomReads: 20_000,
  uploads: 200,
};

export const quickScale: Scale = {
  streamBytes: 192 * MIB,
  randomFileBytes: 64 * MIB,
  smallFiles: 400,
  manyFiles: 2000,
  randomReads: 2000,
  uploads: 40,
};

/** All workloads, in the order in which they run. */
export function workloads(scale: Scale): Workload[] {
  return [
    ...([1, 2, 3] as const).map((copies) => stream(scale, copies)),
    ...[1, 32, 200].map((concurrency) => small(scale, concurrency)),
    many(scale),
    random(scale, 1),
    random(scale, 16),
    uploads(scale),
    verification(scale),
    parts(scale, 4),
    parts(scale, 8),
  ];
}

/** A quarter of the usual bytes: the master takes its time to make parts of every chunk. */
function parts({ streamBytes }: Scale, dataParts: DataParts): Workload {
  const one = { files: 1, bytes: streamBytes / 4, concurrency: 1 };
  const reading = { op: 'read', unit: 'MB/s', ...one } as const;
  const name = `sequential read, EC ${dataParts}+1`;
  return {
    name: `ec-${dataParts}`,
    copies: 1,
    dataParts,
    steps: [
      { op: 'write', ...one },
      { name: `${name}, all parts`, ...reading },
      { name: `${name}, one chunkserver stopped`, without: 'a part', ...reading },
    ],
  };
}

function stream({ streamBytes: bytes }: Scale, copies: 1 | 2 | 3): Workload {
  const one = { files: 1, bytes, concurrency: 1 };
  const writing = copies === 2 ? {} : { wanted: 1.1 };
  return {
    name: `stream-${copies}`,
    copies,
    steps: [
      { op: 'write', name: `sequential write, ${copiesText(copies)}`, unit: 'MB/s', ...writing, ...one },
      { op: 'read', name: `sequential read, ${copiesText(copies)}`, unit: 'MB/s', wanted: 1.3, ...one },
      ...(copies === 1 ? [{ op: 'stream', name: 'sequential read from a stream', unit: 'MB/s', ...one } as const] : []),
      { op: 'unlink', ...one },
    ],
  };
}

function small({ smallFiles: files }: Scale, concurrency: number): Workload {
  const all = { files, bytes: 4096, concurrency, unit: 'ops/s' } as const;
  const at = `4 KiB files, ${concurrency} at once`;
  const creating = concurrency === 200 ? { wanted: 2 } : concurrency === 1 ? { wanted: 1 } : {};
  return {
    name: `small-${concurrency}`,
    copies: 2,
    steps: [
      { op: 'create', name: `${at}: create+write+close`, ...creating, ...all },
      { op: 'readall', name: `${at}: read`, ...(concurrency === 200 && { wanted: 1.5 }), ...all },
      { op: 'stat', name: `${at}: stat`, ...all },
      { op: 'unlink', name: `${at}: remove`, ...all },
    ],
  };
}

function many({ manyFiles: files }: Scale): Workload {
  const all = { files, bytes: 0, concurrency: 200, unit: 'ops/s' } as const;
  return {
    name: 'many',
    copies: 2,
    shared: true,
    steps: [
      { op: 'create', ...all },
      { op: 'list', name: `listing ${files} entries with attributes`, wanted: 1.5, ...all },
      { op: 'stat', name: `stat of ${files} files, 200 at once`, wanted: 1, ...all },
    ],
  };
}

function random({ randomFileBytes: bytes, randomReads }: Scale, concurrency: number): Workload {
  const file = { files: 1, bytes, concurrency: 1 };
  const calls = {
    files: concurrency === 1 ? randomReads / 2 : randomReads,
    bytes,
    concurrency,
    unit: 'ops/s',
  } as const;
  const at = `${concurrency} at once`;
  return {
    name: `random-${concurrency}`,
    copies: 2,
    steps: [
      { op: 'write', ...file },
      { op: 'randread', name: `random 4 KiB reads, ${at}`, ...(concurrency === 16 && { wanted: 1.3 }), ...calls },
      { op: 'randwrite', name: `random 4 KiB overwrites, ${at}`, ...calls },
      { op: 'unlink', ...file },
    ],
  };
}

function uploads({ uploads: files }: Scale): Workload {
  const all = { files, bytes: 0, concurrency: 200, unit: 'ops/s' } as const;
  return {
    name: 'uploads',
    copies: 3,
    steps: [
      { op: 'upload', name: `${files} concurrent uploads of 1 to 5 MiB, 3 copies`, wanted: 1.3, ...all },
      { op: 'download', name: `${files} concurrent downloads of 1 to 5 MiB`, ...all },
      { op: 'unlink', ...all },
    ],
  };
}

function verification({ streamBytes: bytes }: Scale): Workload {
  const one = { files: 1, bytes, concurrency: 1 };
  return {
    name: 'verify',
    copies: 2,
    shared: true,
    steps: [
      { op: 'write', ...one },
      { op: 'verify-checksums', name: 'verify by checksums, every replica', unit: 'MB/s', ...one },
      { op: 'verify-md5', name: 'verify by MD5', unit: 'MB/s', ...one },
    ],
  };
}

function copiesText(copies: number): string {
  return copies === 1 ? '1 copy' : `${copies} copies`;
}
