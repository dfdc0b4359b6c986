/** The public API of moosefs-client. */
export { MooseFS } from './client/moosefs.ts';
export type { ChangeClassOptions, StorageClassApi, TreeCounts, ValueCount } from './client/storage-class-api.ts';
export type {
  ArchiveRule,
  ClassState,
  ClassStateInput,
  LabelsMode,
  StorageClassDefinition,
  StorageClassInput,
} from './client/class-definition.ts';
export type { TreeOptions } from './client/admin-call.ts';
export type { GoalApi } from './client/goal.ts';
export type {
  ListTrashOptions,
  RestoreOptions,
  SustainedFile,
  TrashApi,
  TrashEntry,
  TrashTarget,
} from './client/trash.ts';
export type { RetentionOptions, SetRetentionOptions } from './client/retention.ts';
export type {
  ListedQuota,
  Quota,
  QuotaAmounts,
  QuotaApi,
  QuotaChanges,
  QuotaInput,
  QuotaLimits,
} from './client/quota.ts';
export type { ExtraAttributeName, ExtraAttributesApi } from './client/eattr.ts';
export type { ArchiveApi, ArchiveChanges, ArchiveCounts } from './client/archive.ts';
export type { RemoveSnapshotOptions, SnapshotOptions } from './client/snapshot.ts';
export type { ChunkSlice } from './client/concat.ts';
export type { ChunkClass, DirectoryInfo, FileCheck, RepairCounts, RepairOptions } from './client/file-state.ts';
export type { ReplicationProgress, ReplicationWaitOptions } from './client/replication-wait.ts';
export type {
  ClusterApi,
  ClusterInfo,
  ClusterLock,
  ClusterLocks,
  ClusterOpenFile,
  ClusterServer,
  ClusterStatus,
  MemoryUse,
  MissingChunk,
} from './client/cluster.ts';
export type { ChunkMatrices, ChunkMatrix } from './client/chunk-matrix.ts';
export type { ClusterDisk, DiskActivity, ServerDisks } from './client/disks.ts';
export { sessionCounters } from './client/session-list.ts';
export type { ClusterSession, SessionCounter } from './client/session-list.ts';
export { matchesGlob } from './client/glob.ts';
export { FileSystem } from './client/file-system.ts';
export type {
  MkdirOptions,
  PromisesApi,
  PlacementOptions,
  ReadFileOptions,
  ReaddirOptions,
  StatOptions,
  StreamOpenOptions,
  WriteFileOptions,
} from './client/file-system.ts';
export type { CallbacksApi } from './client/callbacks.ts';
export { Dir } from './client/directory.ts';
export type { EntryCallback, NameEncoding, OpenDirOptions } from './client/directory.ts';
export type { CopyFileOptions, CpOptions } from './client/copy.ts';
export type { MknodOptions, NodeKind } from './client/names.ts';
export type { RmOptions } from './client/remove-tree.ts';
export type { Acl, AclApi, AclOptions } from './client/acl.ts';
export type { XattrApi, XattrGetOptions, XattrOptions, XattrSetOptions } from './client/xattr.ts';
export { FileLock } from './client/locks.ts';
export type { LockOptions } from './client/locks.ts';
export type { CallTrace, ChunkTrace, MasterTrace } from './client/diagnostics.ts';
export { health } from './client/health.ts';
export type { Health, HealthOptions, HealthState, MasterHealth } from './client/health.ts';
export { FileHandle } from './client/file-handle.ts';
export type { HandleReadFileOptions, SignalOption, TransferProgress } from './client/file-handle.ts';
export type { HandleReadOptions, HandleWriteOptions } from './client/handle-arguments.ts';
export { ReadStream } from './client/read-stream.ts';
export type { ReadStreamOptions } from './client/read-stream.ts';
export { WriteStream } from './client/write-stream.ts';
export type { WriteStreamOptions } from './client/write-stream.ts';
export type { ConnectOptions, ReadOptions, RetryOptions, WriteOptions } from './client/options.ts';
export type { ClientEvents, Forgotten, ReplicaFault, UnderReplicated } from './client/events.ts';
export type { ReplicaChoice } from './client/one-replica.ts';
export type { ChunkReplication } from './client/open-file.ts';
export type { ChunkInfo, ReplicaInfo, ReplicaStateName } from './client/replica-info.ts';
export type {
  ChunkVerification,
  FileVerification,
  ReplicaDigest,
  VerifyMethod,
  VerifyOptions,
} from './client/verify.ts';
export type { ServedBy } from './client/served-by.ts';
export type { SetCounts } from './client/storage-class.ts';
export type { PathLike } from './client/paths.ts';
export type { TimeLike } from './client/nodes.ts';
export type { FileData } from './client/whole-files.ts';
export { BigIntStats, Dirent, Stats } from './client/stats.ts';
export type { StatFs } from './client/stats.ts';
export { AbortError, ConnectionError, MooseFSError, ProtocolError, StateError, StatusError } from './errors.ts';
export type { ErrorDetails } from './errors.ts';
export type { Endpoint } from './transport/tcp.ts';
