/**
 * Addresses for the servers of one cluster that run as programs of this machine. A chunkserver refuses a master at
 * 127.x.x.x, so they are taken from the network of the run's own (scripts/launch.mjs made it: every 10.78.x.y is this
 * machine's), or else are ports of the machine's own address.
 */
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Address } from './address.ts';
import type { MasterAddress } from './config.ts';

/** The addresses of one cluster. */
export interface ClusterNetwork {
  /** In a network of the run's own, where faults by iptables harm nobody. */
  readonly isPrivate: boolean;
  readonly master: MasterAddress;
  /** An address for the chunkserver with this number (from 1). */
  chunkserver(number: number): Promise<Address>;
  /** Gives the addresses back. */
  release(): void;
}

const launcherAddress = '10.78.0.1';
/** Held open as long as the cluster lives, so that no other one in the same network takes its addresses. */
const claimPort = 9400;
/**
 * Below the ports that the kernel hands out to connections (32768 and up), so that none of those takes a stopped
 * server's port.
 */
const [firstPort, lastPort] = [20_000, 32_000];

/** Is this process in a network of the run's own? */
export function inPrivateNetwork(): boolean {
  return (networkInterfaces()['lo'] ?? []).some(({ address }) => address === launcherAddress);
}

/** Addresses that no other cluster on this machine uses. */
export async function claimNetwork(): Promise<ClusterNetwork> {
  return inPrivateNetwork() ? claimPrivateNetwork() : ownAddressNetwork(ownAddress());
}

async function claimPrivateNetwork(): Promise<ClusterNetwork> {
  const first = Math.floor(Math.random() * 250);
  for (let attempt = 0; attempt < 250; attempt++) {
    const n = 2 + ((first + attempt) % 250);
    const claim = await listen({ host: `10.78.${n}.254`, port: claimPort });
    if (!claim) continue;
    claim.unref();
    return {
      isPrivate: true,
      master: { host: `10.78.0.${n}`, clientPort: 9421, chunkserverPort: 9420, metaloggerPort: 9419 },
      chunkserver: async (number) => ({ host: `10.78.${n}.${number}`, port: 9422 }),
      release: () => claim.close(),
    };
  }
  throw new Error('250 clusters run in this network already');
}

async function ownAddressNetwork(host: string): Promise<ClusterNetwork> {
  const taken = new Set<number>();
  const master = {
    host,
    clientPort: await freePort(host, taken),
    chunkserverPort: await freePort(host, taken),
    metaloggerPort: await freePort(host, taken),
  };
  return {
    isPrivate: false,
    master,
    chunkserver: async () => ({ host, port: await freePort(host, taken) }),
    release: () => taken.clear(),
  };
}

function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    const found = addresses?.find((entry) => entry.family === 'IPv4' && !entry.internal);
    if (found) return found.address;
  }
  throw new Error(
    'this machine has no address but 127.0.0.1, where a chunkserver refuses its master; run it by way of scripts/launch.mjs as root',
  );
}

/** Random, not the next one: other test runs on this machine look for ports at the same time. */
export async function freePort(host: string, taken: Set<number>): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort));
    if (taken.has(port)) continue;
    const server = await listen({ host, port });
    if (!server) continue;
    await new Promise((resolve) => server.close(resolve));
    taken.add(port);
    return port;
  }
  throw new Error(`no free port at ${host}`);
}

/** A server at this address, or undefined where somebody else listens. */
function listen({ host, port }: Address): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}
