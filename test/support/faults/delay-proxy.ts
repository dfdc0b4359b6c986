/** A TCP proxy that holds everything back for a while, both ways: for kernels without netem. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Address } from '../cluster/address.ts';

/** See above. */
export class DelayProxy implements AsyncDisposable {
  readonly address: Address;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    const { address, port } = server.address() as AddressInfo;
    this.address = { host: address, port };
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Listens on a free port of 127.0.0.1 for connections that go to `target`, each byte `delayMs` later. */
  static async start(target: Address, delayMs: number): Promise<DelayProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(target.port, target.host);
      pipeLate(client, upstream, delayMs);
      pipeLate(upstream, client, delayMs);
      for (const socket of [client, upstream]) sockets.add(socket.on('close', () => sockets.delete(socket)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    return new DelayProxy(server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** As much as a link of 40 MB/s has under way: no more is taken in. */
const UNDER_WAY = 8 * 1024 * 1024;

function pipeLate(from: Socket, to: Socket, delayMs: number): void {
  let held = 0;
  from.setNoDelay(true);
  from.on('data', (bytes) => {
    held += bytes.length;
    if (held > UNDER_WAY) from.pause();
    setTimeout(() => {
      held -= bytes.length;
      if (held <= UNDER_WAY) from.resume();
      if (!to.destroyed) to.write(bytes);
    }, delayMs);
  });
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.resetAndDestroy());
  from.on('close', () => setTimeout(() => to.destroy(), delayMs));
}
