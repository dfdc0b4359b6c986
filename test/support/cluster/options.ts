/** What a test asks of a cluster, and what it gets where it does not say. */

/** How a chunkserver is set up. */
export interface ChunkserverOptions {
  /** Its labels for storage classes, as in `LABELS`: `A` or `A,B`. */
  readonly label?: string;
  /** A size limit behind the folder in mfshdd.cfg, for example `300MiB`: the disk is full when it holds so much. */
  readonly diskLimit?: string;
  /** More lines of mfschunkserver.cfg; they win over this library's. */
  readonly config?: Readonly<Record<string, string>>;
  /**
   * A folder with an `mfschunkserver` of another version than the master's, for a mixed cluster. Default: as the master's. Only
   * where servers run as programs.
   */
  readonly programs?: string;
}

/** What {@link startCluster} is asked for; everything has a default. */
export interface ClusterOptions {
  /** How many chunkservers there are at the start. Default 3. */
  readonly chunkservers?: number;
  /**
   * The Debian suite whose MooseFS a Docker cluster runs; other providers have the version they have. Default
   * `$MFS_TEST_SUITE`, then bookworm.
   */
  readonly suite?: string;
  /** Lines of mfsexports.cfg. Default: everything to everyone as root, and the meta file system. */
  readonly exports?: readonly string[];
  /** Labels, one entry for each chunkserver. */
  readonly labels?: readonly string[];
  /** {@link ChunkserverOptions.programs}, one entry for each chunkserver: `[undefined, folder]` gives the second another version. */
  readonly programs?: readonly (string | undefined)[];
  /** More lines of mfsmaster.cfg. */
  readonly masterConfig?: Readonly<Record<string, string>>;
  /** More lines of every mfschunkserver.cfg. */
  readonly chunkserverConfig?: Readonly<Record<string, string>>;
  /** A size limit for each chunkserver's disk, for example `300MiB`. */
  readonly diskLimit?: string;
  /** Also run a metalogger. Default false. */
  readonly metalogger?: boolean;
}

/** The exports of a test cluster: without the second line no session for the meta file system (trash) is allowed. */
export const defaultExports: readonly string[] = ['* / rw,alldirs,admin,maproot=0:0', '* . rw'];

/** The options of the chunkserver with this index (from 0), taken from those of the cluster. */
export function chunkserverOptions(options: ClusterOptions, index: number): ChunkserverOptions {
  const label = options.labels?.[index];
  const programs = options.programs?.[index];
  return {
    ...(label === undefined ? {} : { label }),
    ...(programs === undefined ? {} : { programs }),
    ...(options.diskLimit === undefined ? {} : { diskLimit: options.diskLimit }),
    ...(options.chunkserverConfig === undefined ? {} : { config: options.chunkserverConfig }),
  };
}

/** The number of chunkservers asked for; throws a RangeError on anything but 0 to 100. */
export function chunkserverCount(options: ClusterOptions): number {
  const count = options.chunkservers ?? 3;
  if (!Number.isInteger(count) || count < 0 || count > 100) {
    throw new RangeError(`chunkservers: ${count} is not a whole number from 0 to 100`);
  }
  for (const key of ['labels', 'programs'] as const) {
    const given = options[key]?.length ?? 0;
    if (given > count) throw new RangeError(`${key}: ${given} given for ${count} chunkservers`);
  }
  return count;
}
