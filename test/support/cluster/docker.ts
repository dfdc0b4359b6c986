/** A cluster of containers (Docker), by way of testcontainers, from the image of docker/Dockerfile. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GenericContainer, Network, Wait, type StartedNetwork } from 'testcontainers';
import { formatAddress, type Address } from './address.ts';
import type { Cluster } from './cluster.ts';
import { ContainerServer } from './container-server.ts';
import { clusterLabel, sweepContainers } from './container-sweep.ts';
import { chunkserverCount, chunkserverOptions, defaultExports } from './options.ts';
import type { ChunkserverOptions, ClusterOptions } from './options.ts';
import { accepts } from './probe.ts';
import { roomyBytes, smallDiskBytes, waitReady } from './readiness.ts';
import { Watchdog } from './watchdog.ts';

const imageFolder = fileURLToPath(new URL('../../../docker', import.meta.url));
const masterName = 'mfsmaster';
const clientPort = 9421;
const dataPort = 9422;

/** Starts a master and chunkservers in containers, and waits until they are ready. */
export async function startContainers(options: ClusterOptions): Promise<Cluster> {
  const count = chunkserverCount(options);
  // the watchdog and the sweep do what the reaper would do, which is one more image to pull
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  await sweepContainers();
  const suite = options.suite ?? process.env['MFS_TEST_SUITE'] ?? 'bookworm';
  const image = await buildImage(suite);
  const network = await new Network().start();
  const cluster = new ContainersCluster(options, image, network, await watch(network));
  try {
    await cluster.start(count);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function buildImage(suite: string): Promise<string> {
  const name = `moosefs-client-test:${suite}-slim`;
  try {
    const builder = GenericContainer.fromDockerfile(imageFolder).withBuildArgs({ DEBIAN: `${suite}-slim` });
    // without BuildKit testcontainers keeps a cache apart, and builds anew each time
    await builder.withBuildkit().build(name, { deleteOnExit: false });
    return name;
  } catch (error) {
    throw new Error(`the image ${name} cannot be built from docker/Dockerfile (is debian:${suite}-slim to be had?)`, {
      cause: error,
    });
  }
}

/** What the containers of this cluster carry, and who removes them when this process is killed. */
async function watch(network: StartedNetwork): Promise<{ label: string; watchdog: Watchdog }> {
  const label = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const remove =
    'docker ps -aq --filter "label=$1" | while read -r id; do docker rm -fv "$id"; done; docker network rm "$2"';
  const folder = await mkdtemp(join(process.env['MFS_TEST_FOLDER'] ?? tmpdir(), 'moosefs-cluster-'));
  const command = ['sh', '-c', remove, 'sh', `${clusterLabel}=${label}`, network.getName()];
  return { label, watchdog: new Watchdog(folder, command) };
}

class ContainersCluster implements Cluster {
  readonly provider = 'docker';
  readonly #options: ClusterOptions;
  readonly #image: string;
  readonly #network: StartedNetwork;
  readonly #label: string;
  readonly #watchdog: Watchdog;
  readonly #chunkservers: ContainerServer[] = [];
  #master: ContainerServer | undefined;
  #smallDisks: boolean;
  #started = 0;
  #version = '';
  /** Does this process reach the containers' own addresses? It does on Linux, not on Docker Desktop. */
  #direct = true;

  constructor(
    options: ClusterOptions,
    image: string,
    network: StartedNetwork,
    { label, watchdog }: { label: string; watchdog: Watchdog },
  ) {
    this.#options = options;
    this.#image = image;
    this.#network = network;
    this.#label = label;
    this.#watchdog = watchdog;
    this.#smallDisks = options.diskLimit !== undefined;
  }

  get version(): string {
    return this.#version;
  }

  get master(): string {
    return formatAddress(this.#reached);
  }

  get masterControl(): ContainerServer {
    if (!this.#master) throw new Error('the master has not been started');
    return this.#master;
  }

  get chunkservers(): readonly ContainerServer[] {
    return this.#chunkservers;
  }

  async start(count: number): Promise<void> {
    const environment = { ...asEnvironment(this.#options.masterConfig), MFS_EXPORTS: this.#exports };
    const master = this.#container('master', clientPort, environment).withNetworkAliases(masterName);
    this.#master = await ContainerServer.of('master', clientPort, await master.start());
    this.#direct = await accepts(this.#master, 2000);
    await Promise.all(
      Array.from({ length: count }, (_, index) => this.addChunkserver(chunkserverOptions(this.#options, index))),
    );
    if (this.#options.metalogger) await this.#container('metalogger', undefined, {}).start();
    this.#version = (await waitReady(this.#reached, count, this.#neededBytes)).info.version;
  }

  async addChunkserver(options: ChunkserverOptions = {}): Promise<ContainerServer> {
    if (options.programs !== undefined) throw new Error('programs of another version do not run in containers');
    const number = ++this.#started;
    const environment = asEnvironment(options.label === undefined ? {} : { LABELS: options.label }, options.config);
    const container = this.#container('chunkserver', dataPort, environment);
    if (options.diskLimit !== undefined) {
      this.#smallDisks = true;
      // a file system of its own: MooseFS 3 else counts all that is on the host's disk (and forgets its chunks at a
      // restart)
      container.withEnvironment({ MFS_HDD: `/hdd ${options.diskLimit}` }).withTmpFs({ '/hdd': 'rw' });
    }
    const server = await ContainerServer.of(`chunkserver ${number}`, dataPort, await container.start());
    this.#chunkservers[number - 1] = server;
    return server;
  }

  async ready(count = this.#chunkservers.length): Promise<void> {
    await waitReady(this.#reached, count, this.#neededBytes);
  }

  mapAddress(address: Address): Address {
    const servers = [this.masterControl, ...this.#chunkservers];
    const server = servers.find(({ host, port }) => host === address.host && port === address.port);
    return server ? server.published : address;
  }

  program(): undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    const servers = this.#master ? [this.#master, ...this.#chunkservers] : [];
    await Promise.all(servers.map((server) => server.remove()));
    // the rest (a metalogger, what a failed start left, the network) is removed by the watchdog
    await this.#watchdog.end();
    await sweepContainers(this.#label);
    await this.#network.stop().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #reached(): Address {
    return this.#direct ? this.masterControl : this.masterControl.published;
  }

  get #neededBytes(): bigint {
    return this.#smallDisks ? smallDiskBytes : roomyBytes;
  }

  get #exports(): string {
    return (this.#options.exports ?? defaultExports).join('\n');
  }

  #container(role: string, port: number | undefined, environment: Record<string, string>): GenericContainer {
    const container = new GenericContainer(this.#image)
      .withNetwork(this.#network)
      .withCommand([role])
      .withEnvironment(environment)
      .withLabels({ [clusterLabel]: this.#label })
      .withWaitStrategy(Wait.forLogMessage(/daemon initialized properly/))
      .withStartupTimeout(60_000);
    return port === undefined ? container : container.withExposedPorts(port);
  }
}

/** As the image's entry point takes them: `CFG_KEY=value` for a line `KEY = value`. */
function asEnvironment(...settings: (Readonly<Record<string, string>> | undefined)[]): Record<string, string> {
  const entries = settings.flatMap((group) => Object.entries(group ?? {}));
  return Object.fromEntries(entries.map(([key, value]) => [`CFG_${key}`, value]));
}
