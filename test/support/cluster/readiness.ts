/** When a cluster can be written to: what must be true of the master's answers, and waiting for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress, type Address } from './address.ts';
import { askMaster, type MasterState } from './probe.ts';

/**
 * A server is given a new chunk only while its free space exceeds 64 MiB × (1 + 10 × chunks open for writing there).
 * Above this much it takes at least one; before the master knows of so much, WRITE_CHUNK answers NOSPACE (21) or EAGAIN
 * (45), or lists fewer servers.
 */
export const roomyBytes = 704n << 20n;
/** What is asked of a disk that a test made small on purpose. */
export const smallDiskBytes = 64n << 20n;

const pollMs = 50;
const timeoutMs = 60_000;

/**
 * How many chunkservers are connected with more than so many bytes free; none while the master itself reports no space.
 */
export function readyChunkservers(state: MasterState, freeBytes: bigint): number {
  if (state.info.availableBytes === 0n) return 0;
  return state.chunkservers.filter((server) => server.connected && server.totalBytes - server.usedBytes > freeBytes)
    .length;
}

/** Resolves once so many chunkservers are ready; rejects after a minute with what was seen last. */
export async function waitReady(master: Address, count: number, freeBytes: bigint): Promise<MasterState> {
  const deadline = Date.now() + timeoutMs;
  let seen = 'nothing';
  while (Date.now() < deadline) {
    try {
      const state = await askMaster(master);
      if (readyChunkservers(state, freeBytes) >= count) return state;
      seen = describe(state);
    } catch (error) {
      seen = String(error);
    }
    await sleep(pollMs);
  }
  throw new Error(
    `the cluster of master ${formatAddress(master)} has not got ${count} chunkservers ready within ${timeoutMs / 1000} s: ${seen}`,
  );
}

function describe({ info, chunkservers }: MasterState): string {
  const servers = chunkservers.map(
    (server) =>
      `${formatAddress(server)} ${server.connected ? 'connected' : 'disconnected'} ${server.totalBytes - server.usedBytes} bytes free`,
  );
  return `master ${info.version} with ${info.availableBytes} bytes available; ${servers.join(', ') || 'no chunkservers'}`;
}
