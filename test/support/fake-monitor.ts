/** What a fake master tells anyone about its cluster, without a session. */
import type { ValueOfPacket } from './fake-packets.ts';
import type * as monitor from '../../src/protocol/messages/monitor.ts';
import type { FakeMaster } from './fake-master.ts';

const GIB = 1 << 30;
/** Bytes of an INFO reply after the fields that all versions share: 149 in all on 3.x, 205 on 4.x. */
const SHARED = 92;

/** The answer to INFO. */
export function clusterInfo({ version, tree }: FakeMaster): ValueOfPacket<typeof monitor.info> {
  const nodes = [...tree.nodes.values()];
  return {
    version,
    memoryUsed: 100_000_000,
    systemCpu: 0n,
    userCpu: 0n,
    totalSpace: 10 * GIB,
    availableSpace: 8 * GIB,
    freeSpace: 8 * GIB,
    trashSpace: 0,
    trashFiles: 0,
    sustainedSpace: 0,
    sustainedFiles: 0,
    nodes: nodes.length,
    directories: nodes.filter((each) => each.type === 2).length,
    files: nodes.filter((each) => each.type === 1).length,
    chunks: nodes.reduce((sum, each) => sum + each.chunks.length, 0),
    more: Buffer.alloc((version < 0x0004_0000 ? 149 : 205) - SHARED),
  };
}

/** The answer to CSERV_LIST. */
export function serverList({ tree, version }: FakeMaster): ValueOfPacket<typeof monitor.chunkservers> {
  const servers = tree.chunkservers.map((each, i) => ({
    flags: 0,
    major: each.version >>> 16,
    middle: (each.version >>> 8) & 0xff,
    minorDoubled: each.version & 0xff,
    originalIp: each.location.ip,
    ...each.location,
    id: i + 1,
    used: 0,
    total: 10 * GIB,
    chunks: each.replicas.size,
    removalUsed: 0,
    removalTotal: 0,
    removalChunks: 0,
    errors: 0,
    load: 0,
    grace: 0,
    labels: 0,
    removalStatus: 0,
  }));
  return version < 0x0004_1a00 ? { servers3: servers } : { servers4: servers };
}
