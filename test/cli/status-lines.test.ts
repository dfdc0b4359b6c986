/** mfs status, from a status that has everything that can be wrong. */
import { expect, it } from 'vitest';
import { problemsOf, statusLines } from '../../src/cli/commands/status.ts';
import { metricLines } from '../../src/cli/prometheus.ts';
import { statusMetrics } from '../../src/cli/status-metrics.ts';
import type { ChunkMatrix, ClusterStatus } from '../../src/index.ts';

const GIB = 1024 ** 3;
const matrix: ChunkMatrix = { cells: [], missing: 2, endangered: 1, underGoal: 5, atGoal: 90, overGoal: 3, unused: 4 };
const removal = { usedBytes: 0, totalBytes: 0, chunks: 0, done: false };
const nothing = {
  readBytes: 0n,
  writtenBytes: 0n,
  reads: 0,
  writes: 0,
  fsyncs: 0,
  readMicroseconds: 0n,
  writeMicroseconds: 0n,
  fsyncMicroseconds: 0n,
  slowestRead: 0,
  slowestWrite: 0,
  slowestFsync: 0,
};
const disk = {
  path: '/mnt/"a"\u001b[31m',
  markedForRemoval: false,
  damaged: true,
  scanned: undefined,
  usedBytes: GIB,
  totalBytes: 2 * GIB,
  chunks: 100,
  lastError: undefined,
  lastMinute: nothing,
  lastHour: nothing,
  lastDay: nothing,
};
const server = {
  host: '10.0.0.1',
  port: 9422,
  id: 1,
  version: '4.59.2',
  connected: true,
  maintenance: false,
  overloaded: false,
  labels: ['A', 'B'],
  usedBytes: GIB,
  totalBytes: 2 * GIB,
  chunks: 100,
  removal,
  errors: 1,
  load: 0,
};
const status: ClusterStatus = {
  at: new Date('2026-01-02T03:04:05Z'),
  info: {
    master: 'master:9421',
    version: '4.59.2',
    totalBytes: 4 * GIB,
    availableBytes: GIB,
    freeBytes: 2 * GIB,
    trash: { bytes: 1000, files: 1 },
    sustained: { bytes: 0, files: 0 },
    nodes: 3,
    directories: 1,
    files: 2,
    chunks: 100,
    copies: 200,
    parts: 0,
    memoryBytes: 123_000_000,
    metadata: { savedAt: new Date('2026-01-02T03:00:00Z'), durationMs: 3, ok: false, version: 5n },
    clock: new Date('2026-01-02T03:04:05Z'),
  },
  servers: [
    server,
    { ...server, host: '10.0.0.2', connected: false },
    { ...server, host: '10.0.0.3', overloaded: true },
  ],
  disks: [{ server: '10.0.0.1:9422', disks: [disk], error: undefined }],
  chunks: { all: matrix, regular: matrix, settled: false },
  sessions: [],
};

it('the screen says what is wrong, and a name does nothing to the terminal', () => {
  expect(problemsOf(status)).toEqual([
    '2 chunks without a copy: files that cannot be read',
    '1 chunk with one copy left',
    'the master could not save its metadata',
    'chunkserver 10.0.0.2:9422 is not connected',
    'chunkserver 10.0.0.3:9422 is overloaded',
    'disk /mnt/"a"\\u{1b}[31m of 10.0.0.1:9422 is damaged',
  ]);
  const text = statusLines(status).join('\n');
  expect(text).toContain(
    'chunks    2 missing, 1 endangered, 5 under goal, 90 as they should be, 3 over goal (counting)',
  );
  expect(text).toContain('space     2.0G of 4.0G used (50%), 1.0G available');
  expect(text).toMatch(/^10\.0\.0\.1:9422 +4\.59\.2 +A,B +ok +100 +1\.0G +2\.0G +50% +0 +1, 1 damaged$/m);
  expect(text).toMatch(/^10\.0\.0\.2:9422 .* GONE .* \?$/m);
});

it('metrics are of the form that Prometheus reads', () => {
  const lines = metricLines(statusMetrics(status));
  expect(lines).toContain('moosefs_chunks_by_health{health="missing"} 2');
  expect(lines).toContain('moosefs_chunkserver_up{server="10.0.0.2:9422",version="4.59.2",labels="A,B"} 0');
  expect(lines).toContain('moosefs_metadata_save_ok 0');
  expect(lines).toContain('moosefs_disk_damaged{server="10.0.0.1:9422",path="/mnt/\\"a\\"\u001b[31m"} 1');
  // Each name is declared once, before its samples.
  const types = lines.filter((line) => line.startsWith('# TYPE'));
  expect(new Set(types).size).toBe(types.length);
});
