/** For the tests of upload services: the service of examples/ in this process or in one of its own, and proof of what it stored. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { sharedCluster } from './live.ts';

export const md5 = (data: Uint8Array): string => createHash('md5').update(data).digest('hex');

/** Reads a file from each of its replicas by itself; every one must have this md5. Gives how many there were. */
export async function expectReplicas(mfs: MooseFS, path: string, digest: string, copies: number): Promise<void> {
  const found = await mfs.verify(path, { method: 'md5' });
  expect(found.ok, path).toBe(true);
  expect(found.digests, path).toEqual(Array.from({ length: copies }, () => digest));
  for (const chunk of found.chunks) expect(chunk.replicas).toHaveLength(copies);
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The service in a process of its own, so that it can be killed. */
export class ServiceProcess {
  readonly #port: number;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  constructor(port: number, directory: string) {
    this.#port = port;
    this.#directory = directory;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  async start(): Promise<void> {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', 'examples/upload-service/main.ts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        MFS_MASTER: sharedCluster().master,
        PORT: String(this.#port),
        DIRECTORY: this.#directory,
      },
    });
    this.#child = child;
    const [first] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (!String(first).includes('uploads at')) throw new Error(`the service did not start: ${String(first)}`);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#child = undefined;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await ended)[0];
  }
}
