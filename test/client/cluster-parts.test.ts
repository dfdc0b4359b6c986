/** What is read out of the answers about the cluster: matrices, disks and sessions, from bytes written out by hand. */
import { expect, it } from 'vitest';
import { matricesOf } from '../../src/client/chunk-matrix.ts';
import { diskOf } from '../../src/client/disks.ts';
import { sessionsOf } from '../../src/client/session-list.ts';
import { DiskFlag } from '../../src/protocol/messages/monitor.ts';

/** A matrix with these cells: `[goal, copies, chunks]`. */
function matrix(...cells: (readonly [number, number, number])[]): { cells: Buffer } {
  const bytes = Buffer.alloc(4 * 11 * 11);
  for (const [goal, copies, chunks] of cells) bytes.writeUInt32BE(chunks, 4 * (11 * goal + copies));
  return { cells: bytes };
}

it('a matrix is summed up', () => {
  const cells = [
    [0, 0, 1],
    [0, 2, 2],
    [1, 0, 4],
    [3, 0, 8],
    [1, 1, 16],
    [2, 1, 32],
    [3, 2, 64],
    [3, 3, 128],
    [2, 3, 256],
    [10, 10, 512],
  ] as const;
  const { all, regular, settled } = matricesOf(0, [matrix(...cells), matrix([2, 1, 7]), matrix([5, 5, 1])]);
  expect(all).toMatchObject({ unused: 3, missing: 12, endangered: 32, underGoal: 64, atGoal: 656, overGoal: 256 });
  expect(all.cells[3]).toEqual([8, 0, 64, 128, 0, 0, 0, 0, 0, 0, 0]);
  expect(regular).toMatchObject({ endangered: 7, atGoal: 0 });
  expect(settled).toBe(true);
  expect(matricesOf(2, [matrix(), matrix()]).settled).toBe(false);
});

it('a disk is read, its statistics too', () => {
  const statistics = Buffer.alloc(192);
  // The hour: two byte counts, three times, three numbers of operations, three longest times.
  [1n, 2n, 3n, 4n, 5n].forEach((value, i) => statistics.writeBigUInt64BE(value << 33n, 64 + 8 * i));
  [6, 7, 8, 9, 10, 11].forEach((value, i) => statistics.writeUInt32BE(value, 64 + 40 + 4 * i));
  const disk = {
    path: Buffer.from('/mnt/a'),
    flags: DiskFlag.markedForRemoval,
    errorChunk: 0x1234n,
    errorTime: 1_700_000_000,
    used: 50,
    total: 100,
    chunks: 3,
    statistics,
    more: Buffer.alloc(0),
  };
  expect(diskOf(disk)).toMatchObject({
    path: '/mnt/a',
    markedForRemoval: true,
    damaged: false,
    scanned: undefined,
    usedBytes: 50,
    totalBytes: 100,
    lastError: { chunkId: 0x1234n, at: new Date(1_700_000_000_000) },
    lastMinute: { reads: 0, readBytes: 0n },
    lastHour: {
      readBytes: 1n << 33n,
      writtenBytes: 2n << 33n,
      readMicroseconds: 3n << 33n,
      writeMicroseconds: 4n << 33n,
      fsyncMicroseconds: 5n << 33n,
      reads: 6,
      writes: 7,
      fsyncs: 8,
      slowestRead: 9,
      slowestWrite: 10,
      slowestFsync: 11,
    },
  });
  // While it is scanned, "used" is percent.
  expect(diskOf({ ...disk, flags: DiskFlag.scanning, errorTime: 0, total: 0 })).toMatchObject({
    scanned: 0.5,
    usedBytes: 0,
    lastError: undefined,
  });
  expect(diskOf({ ...disk, flags: DiskFlag.damaged }).damaged).toBe(true);
});

it('sessions are read, with as many counters as the version has', () => {
  const session = {
    sessionId: 7,
    ip: 0x0a00_0001,
    version: 0x0003_00ea,
    openFiles: 2,
    sockets: 1,
    expire: 0,
    info: Buffer.from('/mnt/mfs\0'),
    path: Buffer.from('/\0'),
    flags: 0x09,
    umask: 0,
    rootUid: 0,
    rootGid: 0,
    mapAllUid: 0,
    mapAllGid: 0,
    minTrashRetention: 0,
    maxTrashRetention: 0,
    disabled: 0,
    current: Array.from({ length: 16 }, (_, i) => i),
    last: Array.from({ length: 16 }, () => 0),
  };
  const [found, lost] = sessionsOf({ counterCount: 16, sessions: [session, { ...session, sockets: 0, expire: 60 }] });
  expect(found).toMatchObject({
    id: 7,
    host: '10.0.0.1',
    version: '3.0.117',
    connected: true,
    info: '/mnt/mfs',
    root: '/',
  });
  expect(found).toMatchObject({ readOnly: true, admin: true, openFiles: 2, expiresInSeconds: undefined });
  expect(found!.thisHour).toMatchObject({ statfs: 0, lookup: 3, writeChunk: 15 });
  expect(found!.thisHour).not.toHaveProperty('read');
  expect(lost).toMatchObject({ connected: false, expiresInSeconds: 60 });
});
