/** The control of a server that runs as a program of this machine. */
import type { Address } from './address.ts';
import type { Blocking, ChunkserverControl, MasterControl } from './control.ts';
import type { Daemon } from './daemon.ts';
import { block, unblock } from './firewall.ts';

/** What a {@link ProgramServer} is made of. */
export interface ProgramServerParts {
  readonly name: string;
  readonly address: Address;
  readonly daemon: Daemon;
  /** Its DATA_PATH. */
  readonly folder: string;
  /** A chunkserver's disks. */
  readonly disks: readonly string[];
}

/** A master or chunkserver of this machine: a daemon at an address. */
export class ProgramServer implements ChunkserverControl, MasterControl {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  readonly folders: readonly string[];
  readonly #daemon: Daemon;
  #blocked: Blocking | undefined;

  constructor({ name, address, daemon, folder, disks }: ProgramServerParts) {
    this.name = name;
    this.host = address.host;
    this.port = address.port;
    this.folder = folder;
    this.folders = disks;
    this.#daemon = daemon;
  }

  get pid(): number | undefined {
    return this.#daemon.pid;
  }

  async start(): Promise<void> {
    await this.#daemon.start();
  }

  async kill(): Promise<void> {
    await this.#daemon.kill();
  }

  async terminate(): Promise<void> {
    await this.#daemon.terminate();
  }

  async restart(): Promise<void> {
    await this.terminate();
    await this.start();
  }

  async pause(): Promise<void> {
    this.#daemon.pause();
  }

  async resume(): Promise<void> {
    this.#daemon.resume();
  }

  async stopSaving(): Promise<void> {
    await this.#daemon.pauseChildren();
  }

  async blockPort(how: Blocking = 'drop'): Promise<void> {
    if (this.#blocked) throw new Error(`${this.name}: port ${this.port} is blocked already`);
    await block(this, how);
    this.#blocked = how;
  }

  async unblockPort(): Promise<void> {
    if (!this.#blocked) return;
    await unblock(this, this.#blocked);
    this.#blocked = undefined;
  }

  async log(): Promise<string> {
    return this.#daemon.log();
  }
}
