/** The control of a server that runs in a container. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import type { Address } from './address.ts';
import type { ChunkserverControl, MasterControl } from './control.ts';
import { accepts } from './probe.ts';

type RuntimeClient = Awaited<ReturnType<typeof getContainerRuntimeClient>>;
type Container = ReturnType<RuntimeClient['container']['getById']>;
type Inspection = Awaited<ReturnType<Container['inspect']>>;

const startTimeoutMs = 30_000;
const notBlocked = 'cannot be done to a container: run the servers as programs, by scripts/launch.mjs';

/** A master or chunkserver in a container. Its address may change when it is started again. */
export class ContainerServer implements ChunkserverControl, MasterControl {
  readonly name: string;
  readonly port: number;
  readonly #container: Container;
  readonly #dockerHost: string;
  /** As it was when it last ran: a stopped container has no address, and a test asks where the killed server was. */
  #ran: Inspection;
  #running = true;

  private constructor(name: string, port: number, container: Container, dockerHost: string, state: Inspection) {
    this.name = name;
    this.port = port;
    this.#container = container;
    this.#dockerHost = dockerHost;
    this.#ran = state;
  }

  /** The server that testcontainers has started in this container, listening at this port of its own. */
  static async of(name: string, port: number, started: StartedTestContainer): Promise<ContainerServer> {
    const client = await getContainerRuntimeClient();
    const container = client.container.getById(started.getId());
    return new ContainerServer(name, port, container, started.getHost(), await container.inspect());
  }

  get host(): string {
    return Object.values(this.#ran.NetworkSettings.Networks)[0]?.IPAddress ?? '';
  }

  /** Where its port is reached from outside the containers' network. */
  get published(): Address {
    const port = this.#ran.NetworkSettings.Ports[`${this.port}/tcp`]?.[0]?.HostPort;
    if (port === undefined) throw new Error(`${this.name}: port ${this.port} is not published (does it run?)`);
    return { host: this.#dockerHost, port: Number(port) };
  }

  get pid(): number | undefined {
    return this.#running ? this.#ran.State.Pid : undefined;
  }

  get folder(): string | undefined {
    return this.#volume('/var/lib/mfs')[0];
  }

  get folders(): readonly string[] {
    return this.#volume('/hdd');
  }

  async start(): Promise<void> {
    await this.#container.start();
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      this.#ran = await this.#container.inspect();
      this.#running = this.#ran.State.Running;
      if (!this.#running) throw new Error(`${this.name} ended right after its start:\n${await this.log()}`);
      if ((await accepts(this, 500)) || (await accepts(this.published, 500))) return;
      await sleep(50);
    }
    throw new Error(`${this.name} accepts no connection at ${this.host}:${this.port}:\n${await this.log()}`);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async restart(): Promise<void> {
    await this.terminate();
    await this.start();
  }

  async pause(): Promise<void> {
    await this.#container.kill({ signal: 'SIGSTOP' });
  }

  async resume(): Promise<void> {
    await this.#container.kill({ signal: 'SIGCONT' });
  }

  async stopSaving(): Promise<void> {
    throw new Error(`${this.name}: its processes cannot be stopped one by one in a container`);
  }

  async blockPort(): Promise<void> {
    throw new Error(`${this.name}: blocking a port ${notBlocked}`);
  }

  async unblockPort(): Promise<void> {
    throw new Error(`${this.name}: unblocking a port ${notBlocked}`);
  }

  async log(): Promise<string> {
    return withoutHeads(await this.#container.logs({ stdout: true, stderr: true, follow: false }));
  }

  /** Ends it for good, with what it stored. */
  async remove(): Promise<void> {
    await this.#container.remove({ force: true, v: true });
    this.#running = false;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.#running) return;
    const gone = this.#container.wait();
    await this.#container.kill({ signal });
    await gone;
    this.#running = false;
  }

  /** The volume's folder, where the engine runs on this machine and this user may look into it. */
  #volume(inside: string): string[] {
    const source = this.#ran.Mounts.find((mount) => mount.Destination === inside)?.Source;
    return source !== undefined && existsSync(source) ? [source] : [];
  }
}

/** The engine puts `stream:u8 0:24bit length:u32` before each piece of the log. */
function withoutHeads(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length;) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(pieces).toString();
}
