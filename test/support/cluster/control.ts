/** What a test can do to the servers of a cluster, whoever runs them. */
import type { Address } from './address.ts';

/** How the packets of a blocked port are treated: lost without a word, or answered with a reset. */
export type Blocking = 'drop' | 'reject';

/** One server. What its provider cannot do throws an Error that says so. */
export interface ServerControl extends Address {
  /** For messages: `master`, `chunkserver 1`. */
  readonly name: string;
  /** Its process id on this machine while it runs, where it has one. */
  readonly pid: number | undefined;
  /** SIGKILL; resolves when it is gone. The master notices a chunkserver's death within 0.1 s. */
  kill(): Promise<void>;
  /**
   * SIGTERM; resolves when it is gone. A chunkserver that says goodbye puts itself into 30 minutes of maintenance, in
   * which nothing is copied again; a master saves its metadata first (3 s).
   */
  terminate(): Promise<void>;
  /**
   * Starts it again at the same address; resolves when it accepts connections, which is before it is ready: see
   * Cluster.ready.
   */
  start(): Promise<void>;
  /** {@link terminate}, then {@link start}. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered; the master drops a chunkserver after 10 s of it. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Cuts its port for clients off from everybody, both ways (iptables). Only in a network of the run's own. */
  blockPort(how?: Blocking): Promise<void>;
  /** Undoes {@link blockPort}. */
  unblockPort(): Promise<void>;
  /** What it has logged so far. */
  log(): Promise<string>;
}

/** The master; its port is the one for clients. */
export interface MasterControl extends ServerControl {
  /** The folder of metadata and change logs on this machine, where there is one. */
  readonly folder: string | undefined;
  /**
   * SIGSTOP to the process that writes its log of changes: what the master acknowledges from here on is forgotten when it is killed,
   * as it would be with the last milliseconds before any kill.
   */
  stopSaving(): Promise<void>;
}

/** A chunkserver; its port is the data port. */
export interface ChunkserverControl extends ServerControl {
  /** The folders of its disks on this machine, where there are any: chunks lie in there as files. */
  readonly folders: readonly string[];
}
