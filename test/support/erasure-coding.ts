/** Files in parts on real servers: a cluster that makes them, and the wait until nothing but parts is left of a file. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChunkInfo, MooseFS } from '../../src/index.ts';
import { resolveSettings } from '../../src/client/options.ts';
import { Session } from '../../src/client/session.ts';
import { archive, ArchiveCommand } from '../../src/protocol/messages/placement.ts';
import type { DataParts } from '../../src/protocol/parity.ts';
import { Deadline } from '../../src/transport/deadline.ts';
import { startCluster } from './cluster/cluster.ts';
import type { Cluster } from './cluster/cluster.ts';

/** Copies go at one chunk in about ten seconds. */
const PARTS_TIMEOUT_MS = 180_000;

/**
 * A cluster of one chunkserver more than a chunk has parts: a master makes parts only where one is to spare. Once they are made,
 * {@link withoutSpare} takes it away.
 */
export function startForParts(dataParts: DataParts): Promise<Cluster> {
  return startCluster({
    chunkservers: dataParts + 2,
    masterConfig: {
      // A stopped chunkserver is to be missed by clients, and not by the master, which would mend all that it has within a second.
      MATOCS_TIMEOUT: '120',
      MATOCS_FORCE_TIMEOUT: '120',
      // The defaults are for clusters that have other work to do.
      CHUNKS_SOFT_DEL_LIMIT: '200',
      CHUNKS_HARD_DEL_LIMIT: '400',
      CHUNKS_WRITE_REP_LIMIT: '20,20,20,20',
      CHUNKS_READ_REP_LIMIT: '40,40,40,40',
    },
  });
}

/** Makes parts of the chunks of a file, whose class wants archived chunks so, and waits until no copy is left. */
export async function makeParts(cluster: Cluster, mfs: MooseFS, path: string): Promise<ChunkInfo[]> {
  const { ino } = await mfs.stat(path);
  const session = await Session.open(resolveSettings({ master: cluster.master }), {
    push: () => undefined,
    reconnected: () => undefined,
    failover: () => undefined,
    closed: () => undefined,
  });
  try {
    // Otherwise the master does it a day after the last change.
    await session.call(
      archive,
      { inode: ino, command: ArchiveCommand.set, uid: 0 },
      { deadline: Deadline.in(10_000), site: { syscall: 'archive', path } },
    );
  } finally {
    await session.close();
  }
  return waitForParts(mfs, path);
}

/** Ends the last chunkserver and waits until the others have all parts: as many servers as a chunk has parts. */
export async function withoutSpare(cluster: Cluster, mfs: MooseFS, path: string): Promise<ChunkInfo[]> {
  const spare = cluster.chunkservers.at(-1)!;
  await spare.kill();
  return waitForParts(mfs, path, spare.host);
}

async function waitForParts(mfs: MooseFS, path: string, goneHost?: string): Promise<ChunkInfo[]> {
  const end = Date.now() + PARTS_TIMEOUT_MS;
  for (;;) {
    const chunks = await mfs.chunks(path);
    if (chunks.every((chunk) => isInParts(chunk, goneHost))) return chunks;
    if (Date.now() > end) {
      const seen = chunks.map(({ replicas }) =>
        replicas.map(({ part, host, state }) => `${part ? part.kind + String(part.index) : 'copy'}@${host} ${state}`),
      );
      throw new Error(`${path} is not in parts after ${PARTS_TIMEOUT_MS / 1000} s: ${JSON.stringify(seen)}`);
    }
    await sleep(250);
  }
}

function isInParts({ replicas }: ChunkInfo, goneHost: string | undefined): boolean {
  const names = new Set(replicas.map(({ part }) => `${part?.kind} ${part?.index}`));
  const whole = replicas.find(({ part }) => part !== undefined)?.part?.dataParts;
  return (
    whole !== undefined &&
    names.size === whole + 1 &&
    replicas.every(({ part, state, host }) => part !== undefined && state === 'valid' && host !== goneHost)
  );
}
