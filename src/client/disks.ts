/** The disks of a chunkserver, as it describes them itself. */
import type { MooseFSError } from '../errors.ts';
import { DiskFlag } from '../protocol/messages/monitor.ts';
import type { ListedDisk } from '../protocol/messages/monitor.ts';

/** What a disk did in a span of time. */
export interface DiskActivity {
  readonly readBytes: bigint;
  readonly writtenBytes: bigint;
  readonly reads: number;
  readonly writes: number;
  readonly fsyncs: number;
  /** Of all together, in microseconds. */
  readonly readMicroseconds: bigint;
  readonly writeMicroseconds: bigint;
  readonly fsyncMicroseconds: bigint;
  /** The slowest one, in microseconds. */
  readonly slowestRead: number;
  readonly slowestWrite: number;
  readonly slowestFsync: number;
}

/** A disk of a chunkserver. */
export interface ClusterDisk {
  readonly path: string;
  readonly markedForRemoval: boolean;
  /** The chunkserver does not use it any more. */
  readonly damaged: boolean;
  /** While it is looked through after a start: how far, 0 to 1; its sizes are not known then. */
  readonly scanned: number | undefined;
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly chunks: number;
  readonly lastError: { readonly chunkId: bigint; readonly at: Date } | undefined;
  readonly lastMinute: DiskActivity;
  readonly lastHour: DiskActivity;
  readonly lastDay: DiskActivity;
}

/** The disks of one chunkserver, or why they are not known. */
export interface ServerDisks {
  /** `host:port`, as the master tells it. */
  readonly server: string;
  readonly disks: readonly ClusterDisk[];
  readonly error: MooseFSError | undefined;
}

const ACTIVITY_SIZE = 64;

/** Reads one disk of the list. */
export function diskOf({
  path,
  flags,
  errorChunk,
  errorTime,
  used,
  total,
  chunks,
  statistics,
}: ListedDisk): ClusterDisk {
  const isScanning = (flags & DiskFlag.scanning) !== 0;
  const activity = (i: number) => activityOf(statistics.subarray(ACTIVITY_SIZE * i, ACTIVITY_SIZE * (i + 1)));
  return {
    path: Buffer.from(path).toString(),
    markedForRemoval: (flags & DiskFlag.markedForRemoval) !== 0,
    damaged: (flags & (DiskFlag.damaged | DiskFlag.invalid)) !== 0,
    scanned: isScanning ? Math.min(1, used / 100) : undefined,
    usedBytes: isScanning ? 0 : used,
    totalBytes: total,
    chunks,
    lastError: errorTime === 0 ? undefined : { chunkId: errorChunk, at: new Date(1000 * errorTime) },
    lastMinute: activity(0),
    lastHour: activity(1),
    lastDay: activity(2),
  };
}

/** Two byte counts, three sums of time, three numbers of operations, three longest times. */
function activityOf(bytes: Uint8Array): DiskActivity {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [readBytes, writtenBytes, readMicroseconds, writeMicroseconds, fsyncMicroseconds] = [0, 8, 16, 24, 32].map(
    (at) => b.readBigUInt64BE(at),
  ) as [bigint, bigint, bigint, bigint, bigint];
  const [reads, writes, fsyncs, slowestRead, slowestWrite, slowestFsync] = [40, 44, 48, 52, 56, 60].map((at) =>
    b.readUInt32BE(at),
  ) as [number, number, number, number, number, number];
  return {
    readBytes,
    writtenBytes,
    reads,
    writes,
    fsyncs,
    readMicroseconds,
    writeMicroseconds,
    fsyncMicroseconds,
    slowestRead,
    slowestWrite,
    slowestFsync,
  };
}
