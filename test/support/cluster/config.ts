/** The text of the servers' configuration files. Knows their keys; starts nothing. */
import type { Address } from './address.ts';
import { defaultExports, type ChunkserverOptions, type ClusterOptions } from './options.ts';

/** The master's three ports at its one address. */
export interface MasterAddress {
  readonly host: string;
  /** For clients (MATOCL, ordinarily 9421). */
  readonly clientPort: number;
  /** For chunkservers (MATOCS, ordinarily 9420). */
  readonly chunkserverPort: number;
  /** For metaloggers (MATOML, ordinarily 9419). */
  readonly metaloggerPort: number;
}

/** One `KEY = value` line for each setting, in the given order. */
export function renderConfig(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/**
 * What all daemons need. A daemon started as root would else become the user mfs, take nice -19 and starve the tests;
 * one started by another user refuses to change to a user that is not the one who started it.
 */
function commonSettings(folder: string, asRoot: boolean): Record<string, string | number> {
  return {
    ...(asRoot ? { WORKING_USER: 'root', WORKING_GROUP: 'root' } : {}),
    DATA_PATH: folder,
    NICE_LEVEL: 0,
    DISABLE_OOM_KILLER: 0,
  };
}

/** mfsmaster.cfg of a master whose files lie in this folder. */
export function masterConfig(folder: string, address: MasterAddress, asRoot: boolean, options: ClusterOptions): string {
  return renderConfig({
    ...commonSettings(folder, asRoot),
    EXPORTS_FILENAME: `${folder}/mfsexports.cfg`,
    TOPOLOGY_FILENAME: `${folder}/mfstopology.cfg`,
    MATOML_LISTEN_HOST: address.host,
    MATOML_LISTEN_PORT: address.metaloggerPort,
    MATOCS_LISTEN_HOST: address.host,
    MATOCS_LISTEN_PORT: address.chunkserverPort,
    MATOCL_LISTEN_HOST: address.host,
    MATOCL_LISTEN_PORT: address.clientPort,
    // copies that a test broke are to be mended within the test: the defaults wait for minutes
    REPLICATIONS_DELAY_INIT: 0,
    CHUNKS_LOOP_MIN_TIME: 60,
    // what a killed client leaves open is given up after a minute (default: a day)
    SESSION_SUSTAIN_TIME: 60,
    ...options.masterConfig,
  });
}

/** mfsexports.cfg. */
export function exportsConfig(options: ClusterOptions): string {
  return (options.exports ?? defaultExports).map((line) => `${line}\n`).join('');
}

/** mfschunkserver.cfg of a chunkserver whose files lie in this folder. */
export function chunkserverConfig(
  folder: string,
  address: Address,
  master: MasterAddress,
  asRoot: boolean,
  options: ChunkserverOptions,
): string {
  return renderConfig({
    ...commonSettings(folder, asRoot),
    // the master hands to clients the address that the chunkserver connected from
    BIND_HOST: address.host,
    MASTER_HOST: master.host,
    MASTER_PORT: master.chunkserverPort,
    MASTER_RECONNECTION_DELAY: 1,
    CSSERV_LISTEN_HOST: address.host,
    CSSERV_LISTEN_PORT: address.port,
    HDD_CONF_FILENAME: `${folder}/mfshdd.cfg`,
    // the default of 256 MiB keeps small disks from taking writes
    HDD_LEAVE_SPACE_DEFAULT: '64MiB',
    ...(options.label === undefined ? {} : { LABELS: options.label }),
    ...options.config,
  });
}

/** mfshdd.cfg: the disk's folder, and its size limit if there is one. */
export function diskConfig(disk: string, options: ChunkserverOptions): string {
  return options.diskLimit === undefined ? `${disk}\n` : `${disk} ${options.diskLimit}\n`;
}

/** mfsmetalogger.cfg of a metalogger whose files lie in this folder. */
export function metaloggerConfig(folder: string, master: MasterAddress, asRoot: boolean): string {
  return renderConfig({
    ...commonSettings(folder, asRoot),
    MASTER_HOST: master.host,
    MASTER_PORT: master.metaloggerPort,
    MASTER_RECONNECTION_DELAY: 1,
  });
}
