/** The state of the cluster as metrics: what `mfs status --prometheus` prints. */
import type { ChunkMatrix, ClusterStatus } from '../index.ts';
import type { Metric } from './prometheus.ts';

const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({
  name: `moosefs_${name}`,
  help,
  type: 'gauge',
  samples,
});
const one = (value: number | undefined): Metric['samples'] => (value === undefined ? [] : [{ value }]);
const kinds = (label: string, values: Readonly<Record<string, number>>): Metric['samples'] =>
  Object.entries(values).map(([kind, value]) => ({ labels: { [label]: kind }, value }));

/** All metrics of one status. */
export function statusMetrics({ info, servers, disks, chunks, sessions }: ClusterStatus): Metric[] {
  const ofServers = (value: (server: ClusterStatus['servers'][number]) => number): Metric['samples'] =>
    servers.map((each) => ({ labels: { server: `${each.host}:${each.port}` }, value: value(each) }));
  const allDisks = disks.flatMap(({ server, disks: list }) => list.map((disk) => ({ server, disk })));
  const ofDisks = (value: (disk: (typeof allDisks)[number]['disk']) => number): Metric['samples'] =>
    allDisks.map(({ server, disk }) => ({ labels: { server, path: disk.path }, value: value(disk) }));
  const health = ({ missing, endangered, underGoal, atGoal, overGoal, unused }: ChunkMatrix) => ({
    missing,
    endangered,
    under_goal: underGoal,
    at_goal: atGoal,
    over_goal: overGoal,
    unused,
  });
  return [
    gauge('info', 'The master and its version.', [
      { labels: { master: info.master, version: info.version }, value: 1 },
    ]),
    gauge(
      'space_bytes',
      'Raw space.',
      kinds('kind', {
        total: info.totalBytes,
        available: info.availableBytes,
        free: info.freeBytes,
        trash: info.trash.bytes,
        sustained: info.sustained.bytes,
      }),
    ),
    gauge(
      'nodes',
      'Files and folders.',
      kinds('kind', { files: info.files, directories: info.directories, all: info.nodes }),
    ),
    gauge('trash_files', 'Deleted files that can be restored.', one(info.trash.files)),
    gauge('chunks', 'Chunks.', one(info.chunks)),
    gauge('chunk_copies', 'Full copies of all chunks.', one(info.copies)),
    gauge('chunk_parts', 'Parts of chunks that are kept in parts.', one(info.parts)),
    gauge(
      'chunks_by_health',
      'Chunks by their copies, those on disks marked for removal counted too.',
      kinds('health', health(chunks.all)),
    ),
    gauge('regular_chunks_by_health', 'Chunks by their copies that stay.', kinds('health', health(chunks.regular))),
    gauge(
      'chunks_settled',
      'Whether the numbers of copies stand still: 0 while chunkservers connect.',
      one(chunks.settled ? 1 : 0),
    ),
    gauge('master_memory_bytes', 'Memory of the master.', one(info.memoryBytes)),
    gauge(
      'metadata_saved_timestamp_seconds',
      'When the master last saved its metadata.',
      one(info.metadata && info.metadata.savedAt.getTime() / 1000),
    ),
    gauge('metadata_save_ok', 'Whether it could.', one(info.metadata && (info.metadata.ok ? 1 : 0))),
    gauge(
      'chunkserver_up',
      'Whether a chunkserver is connected.',
      servers.map((each) => ({
        labels: { server: `${each.host}:${each.port}`, version: each.version, labels: each.labels.join(',') },
        value: each.connected ? 1 : 0,
      })),
    ),
    gauge(
      'chunkserver_maintenance',
      'Whether a chunkserver is in maintenance.',
      ofServers((each) => (each.maintenance ? 1 : 0)),
    ),
    gauge(
      'chunkserver_used_bytes',
      'Used space.',
      ofServers((each) => each.usedBytes),
    ),
    gauge(
      'chunkserver_total_bytes',
      'Space.',
      ofServers((each) => each.totalBytes),
    ),
    gauge(
      'chunkserver_chunks',
      'Copies and parts.',
      ofServers((each) => each.chunks),
    ),
    gauge(
      'chunkserver_errors',
      'Errors of its disks since its start.',
      ofServers((each) => each.errors),
    ),
    gauge(
      'chunkserver_load',
      'Jobs that it works on.',
      ofServers((each) => each.load),
    ),
    gauge(
      'disk_damaged',
      'Whether a chunkserver has given a disk up.',
      ofDisks((disk) => (disk.damaged ? 1 : 0)),
    ),
    gauge(
      'disk_removal',
      'Whether a disk is marked for removal.',
      ofDisks((disk) => (disk.markedForRemoval ? 1 : 0)),
    ),
    gauge(
      'disk_used_bytes',
      'Used space of a disk.',
      ofDisks((disk) => disk.usedBytes),
    ),
    gauge(
      'disk_total_bytes',
      'Space of a disk.',
      ofDisks((disk) => disk.totalBytes),
    ),
    gauge(
      'disk_chunks',
      'Copies and parts on a disk.',
      ofDisks((disk) => disk.chunks),
    ),
    gauge(
      'sessions',
      'Sessions of clients.',
      kinds('state', {
        connected: sessions.filter((each) => each.connected).length,
        lost: sessions.filter((each) => !each.connected).length,
      }),
    ),
    gauge('open_files', 'Files that sessions have open.', one(sessions.reduce((sum, each) => sum + each.openFiles, 0))),
  ];
}
