/** A cluster of server programs of this machine, each with a folder of its own under one temporary folder. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, type Provider } from '../../../scripts/servers.mjs';
import { formatAddress, type Address } from './address.ts';
import type { Cluster } from './cluster.ts';
import { chunkserverConfig, diskConfig, exportsConfig, masterConfig, metaloggerConfig } from './config.ts';
import { Daemon } from './daemon.ts';
import { makeDisk, type Disk } from './disk.ts';
import { claimNetwork, type ClusterNetwork } from './network.ts';
import { chunkserverCount, chunkserverOptions, type ChunkserverOptions, type ClusterOptions } from './options.ts';
import { askMaster, formatVersion } from './probe.ts';
import { roomyBytes, smallDiskBytes, waitReady } from './readiness.ts';
import { ProgramServer } from './server.ts';
import { Watchdog } from './watchdog.ts';

/** Starts a master and chunkservers from the programs that were found, and waits until they are ready. */
export async function startPrograms(provider: Provider, options: ClusterOptions): Promise<Cluster> {
  const count = chunkserverCount(options);
  const folder = await mkdtemp(join(process.env['MFS_TEST_FOLDER'] ?? tmpdir(), 'moosefs-cluster-'));
  const cluster = new ProgramsCluster(provider, options, folder, await claimNetwork());
  try {
    await cluster.start(count);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class ProgramsCluster implements Cluster {
  readonly provider: Provider;
  readonly master: string;
  readonly masterControl: ProgramServer;
  readonly #options: ClusterOptions;
  readonly #folder: string;
  readonly #network: ClusterNetwork;
  readonly #watchdog: Watchdog;
  readonly #chunkservers: ProgramServer[] = [];
  readonly #daemons: Daemon[] = [];
  readonly #disks: Disk[] = [];
  readonly #asRoot = process.getuid?.() === 0;
  #smallDisks: boolean;
  #started = 0;
  #versionNumber = 0;

  constructor(provider: Provider, options: ClusterOptions, folder: string, network: ClusterNetwork) {
    this.provider = provider;
    this.#options = options;
    this.#folder = folder;
    this.#network = network;
    this.#watchdog = new Watchdog(folder);
    this.#smallDisks = options.diskLimit !== undefined;
    const { host, clientPort } = network.master;
    this.master = formatAddress({ host, port: clientPort });
    this.masterControl = this.#server('master', programPath('mfsmaster'), { host, port: clientPort }, [], ['-a']);
  }

  get version(): string {
    return formatVersion(this.#versionNumber);
  }

  get chunkservers(): readonly ProgramServer[] {
    return this.#chunkservers;
  }

  async start(count: number): Promise<void> {
    await this.#prepareMaster();
    await this.masterControl.start();
    this.#versionNumber = (await askMaster(this.masterControl)).info.versionNumber;
    await Promise.all(
      Array.from({ length: count }, (_, index) => this.addChunkserver(chunkserverOptions(this.#options, index))),
    );
    if (this.#options.metalogger) await this.#startMetalogger();
    await this.ready(count);
  }

  async addChunkserver(options: ChunkserverOptions = {}): Promise<ProgramServer> {
    const number = ++this.#started;
    const name = `chunkserver ${number}`;
    const place = number - 1;
    const address = await this.#network.chunkserver(number);
    const disk = await makeDisk(join(this.#folderOf(name), 'disk'), options, this.#versionNumber);
    this.#disks.push(disk);
    const text = chunkserverConfig(this.#folderOf(name), address, this.#network.master, this.#asRoot, options);
    await this.#write(name, { 'config.cfg': text, 'mfshdd.cfg': diskConfig(disk.folder, options) });
    if (options.diskLimit !== undefined) this.#smallDisks = true;
    const server = this.#server(name, chunkserverProgram(options), address, [disk.folder], []);
    this.#chunkservers[place] = server;
    await server.start();
    return server;
  }

  async ready(count = this.#chunkservers.length): Promise<void> {
    await waitReady(this.masterControl, count, this.#neededBytes);
  }

  mapAddress(address: Address): Address {
    return address;
  }

  program(name: string): string | undefined {
    return findProgram(name);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#chunkservers.map((server) => server.unblockPort().catch(() => undefined)));
    // SIGKILL for all of them: nobody needs what they would still save
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()));
    await Promise.all(this.#disks.map((disk) => disk.unmount()));
    await this.#watchdog.end();
    this.#network.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #neededBytes(): bigint {
    return this.#smallDisks ? smallDiskBytes : roomyBytes;
  }

  #folderOf(name: string): string {
    return join(this.#folder, name.replace(' ', '-'));
  }

  async #write(name: string, files: Record<string, string>): Promise<void> {
    const folder = this.#folderOf(name);
    await mkdir(folder, { recursive: true });
    await Promise.all(Object.entries(files).map(([file, text]) => writeFile(join(folder, file), text)));
  }

  #daemon(name: string, program: string, args: readonly string[], listens?: Address): Daemon {
    const folder = this.#folderOf(name);
    const command = {
      name,
      program,
      args: ['-f', ...args, '-c', join(folder, 'config.cfg'), 'start'],
      logFile: join(folder, 'log'),
    };
    const daemon = new Daemon(listens ? { ...command, listens } : command, this.#watchdog);
    this.#daemons.push(daemon);
    return daemon;
  }

  #server(name: string, program: string, address: Address, disks: string[], args: string[]): ProgramServer {
    const daemon = this.#daemon(name, program, args, address);
    return new ProgramServer({ name, address, daemon, folder: this.#folderOf(name), disks });
  }

  async #prepareMaster(): Promise<void> {
    await this.#write('master', {
      'config.cfg': masterConfig(this.#folderOf('master'), this.#network.master, this.#asRoot, this.#options),
      'mfsexports.cfg': exportsConfig(this.#options),
      'mfstopology.cfg': '',
      // an empty file system; the option -a of every start recovers what a killed master left behind
      'metadata.mfs': 'MFSM NEW',
    });
  }

  async #startMetalogger(): Promise<void> {
    const text = metaloggerConfig(this.#folderOf('metalogger'), this.#network.master, this.#asRoot);
    await this.#write('metalogger', { 'config.cfg': text });
    await this.#daemon('metalogger', programPath('mfsmetalogger'), []).start();
  }
}

/** By its bare name where it was not found: starting it then says so. */
function programPath(name: string): string {
  return findProgram(name) ?? name;
}

function chunkserverProgram({ programs }: ChunkserverOptions): string {
  if (programs === undefined) return programPath('mfschunkserver');
  const found = findProgram('mfschunkserver', { MFS_TEST_PROGRAMS: programs });
  if (found === undefined) throw new Error(`no mfschunkserver in ${programs}`);
  return found;
}
