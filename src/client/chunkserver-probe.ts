/** Asks chunkservers whether they are there, each by itself: after a failed chain nothing else tells which one failed. */
import { encodePacket } from '../protocol/message.ts';
import { getVersion } from '../protocol/messages/session.ts';
import { Connection } from '../transport/tcp.ts';
import { Deadline } from '../transport/deadline.ts';
import type { Server } from './replicas.ts';
import type { Volume } from './volume.ts';

/** A chunkserver that lives answers this at once, whatever its disks do: no disk is touched. */
const ANSWER_MS = 1000;

/** Those of the servers that do not answer. */
export async function findSilentServers(volume: Volume, servers: readonly Server[]): Promise<Server[]> {
  const alive = await Promise.all(servers.map((server) => answers(volume, server)));
  return servers.filter((_, i) => !alive[i]);
}

async function answers(volume: Volume, server: Server): Promise<boolean> {
  const deadline = Deadline.in(ANSWER_MS);
  try {
    const connection = await Connection.connect(volume.replicas.endpoint(server), { deadline });
    try {
      await deadline.wait<void>('probing', (resolve, reject) => {
        connection.handler = { bytes: () => resolve(), closed: reject };
        connection.write([encodePacket(getVersion, {}, 0)]);
        return undefined;
      });
      return true;
    } finally {
      connection.handler = undefined;
      connection.destroy();
    }
  } catch {
    return false;
  }
}
