/** The cluster of docker/compose.yaml, as a user starts it by hand, on ports of its own so that it meets no other. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './cluster/network.ts';
import { Watchdog } from './cluster/watchdog.ts';

const file = fileURLToPath(new URL('../../docker/compose.yaml', import.meta.url));
/** Everything in it is published here. */
const HOST = '127.0.0.1';

/** Not `down` alone: an engine of 20.10 dies of a health check that is just beginning when its container is removed. */
const END = '"$@" kill; sleep 3; "$@" down --volumes';

/** Whether this machine has the command `docker compose`. */
export function hasCompose(): boolean {
  return spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;
}

/** A started cluster; `await using` removes it. It also goes when this process is killed. */
export class ComposedCluster implements AsyncDisposable {
  /** The variables that say which version and which ports: of compose.yaml, and of examples/docker-nat.ts. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #words: readonly string[];
  readonly #watchdog: Watchdog;

  private constructor(words: readonly string[], environment: Readonly<Record<string, string>>, watchdog: Watchdog) {
    this.#words = words;
    this.environment = environment;
    this.#watchdog = watchdog;
  }

  /** Starts it with the MooseFS of a Debian suite; all its services are healthy then. */
  static async start(suite: string): Promise<ComposedCluster> {
    const taken = new Set<number>();
    const environment: Record<string, string> = { DEBIAN: `${suite}-slim` };
    for (const name of ['MFS_PORT', 'MFS_CS1_PORT', 'MFS_CS2_PORT', 'MFS_CS3_PORT', 'MFS_GUI_PORT'])
      environment[name] = String(await freePort(HOST, taken));
    const words = ['compose', '--project-name', `moosefs-client-${randomBytes(4).toString('hex')}`, '--file', file];
    const folder = await mkdtemp(join(process.env['MFS_TEST_FOLDER'] ?? tmpdir(), 'moosefs-compose-'));
    const watchdog = new Watchdog(folder, ['sh', '-c', END, 'sh', 'docker', ...words]);
    const cluster = new ComposedCluster(words, environment, watchdog);
    try {
      await cluster.up();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Brings up what is not up yet: `['--scale', 'more=2']` adds two chunkservers. */
  async up(...options: string[]): Promise<void> {
    await this.run('up', '--build', '--wait', '--detach', ...options);
  }

  /** Runs a subcommand of `docker compose`; gives its standard output. */
  async run(...words: string[]): Promise<string> {
    const env = { ...process.env, ...this.environment };
    const { stdout } = await promisify(execFile)('docker', [...this.#words, ...words], { env });
    return stdout;
  }

  /** Where the port is that this variable of {@link environment} names. */
  address(variable: string): { readonly host: string; readonly port: number } {
    return { host: HOST, port: Number(this.environment[variable]) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watchdog.end();
  }
}
