/**
 * Asks a master about itself without a session, over a plain socket. The tests' own witness of a cluster: it must not
 * depend on the client under test. All numbers are big-endian; a packet is type:u32 length:u32 data.
 */
import { connect, type Socket } from 'node:net';
import { formatAddress, type Address } from './address.ts';

/** CLTOMA_INFO 510, answered by MATOCL_INFO 511. */
const info = 510;
/** CLTOMA_CSERV_LIST 500, answered by MATOCL_CSERV_LIST 501. */
const chunkserverList = 500;
const headBytes = 8;
/** A list of a thousand chunkservers is 73 kB; what claims to be longer is no master. */
const maxAnswerBytes = 1 << 20;

/** What MATOCL_INFO says, as far as the tests need it. */
export interface MasterInfo {
  /** For example `3.0.117`. */
  readonly version: string;
  readonly versionNumber: number;
  readonly totalBytes: bigint;
  readonly availableBytes: bigint;
}

/** One record of MATOCL_CSERV_LIST. */
export interface ListedChunkserver extends Address {
  readonly connected: boolean;
  readonly maintenance: boolean;
  readonly version: string;
  readonly usedBytes: bigint;
  readonly totalBytes: bigint;
}

/** A master's answer to both questions. */
export interface MasterState {
  readonly info: MasterInfo;
  readonly chunkservers: readonly ListedChunkserver[];
}

/**
 * The text of a version number as it is on the wire: 0x0300ea is 3.0.117 (the last byte holds twice the number; odd:
 * PRO).
 */
export function formatVersion(version: number): string {
  return `${version >>> 16}.${(version >>> 8) & 0xff}.${(version & 0xff) >>> 1}`;
}

/** `version:u32 memory:u64 cpu:u64×2 total:u64 available:u64 …`; what follows differs from version to version. */
export function decodeInfo(data: Buffer): MasterInfo {
  if (data.length < 44) throw new RangeError(`MATOCL_INFO of ${data.length} bytes: at least 44 expected`);
  const versionNumber = data.readUInt32BE(0);
  return {
    version: formatVersion(versionNumber),
    versionNumber,
    totalBytes: data.readBigUInt64BE(28),
    availableBytes: data.readBigUInt64BE(36),
  };
}

/**
 * Records without a count: `flags:u8 version:24bit [origip:u32] ip:u32 port:u16 csid:u16 used:u64 total:u64 …`, 69
 * bytes each; 73 since 4.26.0, which put origip in.
 */
export function decodeChunkserverList(data: Buffer, masterVersion: number): ListedChunkserver[] {
  const extra = masterVersion >= 0x041a00 ? 4 : 0;
  const recordBytes = 69 + extra;
  if (data.length % recordBytes !== 0) {
    throw new RangeError(`MATOCL_CSERV_LIST of ${data.length} bytes: not a multiple of ${recordBytes}`);
  }
  const records: ListedChunkserver[] = [];
  for (let at = 0; at < data.length; at += recordBytes) {
    const flags = data.readUInt8(at);
    const address = at + 4 + extra;
    records.push({
      connected: (flags & 1) === 0,
      maintenance: (flags & 6) !== 0,
      version: formatVersion(data.readUIntBE(at + 1, 3)),
      host: [...data.subarray(address, address + 4)].join('.'),
      port: data.readUInt16BE(address + 4),
      usedBytes: data.readBigUInt64BE(address + 8),
      totalBytes: data.readBigUInt64BE(address + 16),
    });
  }
  return records;
}

/** Is there a connection to be had at this address within the time? */
export async function accepts(address: Address, timeoutMs: number): Promise<boolean> {
  const socket = connect(address.port, address.host);
  try {
    await settled(socket, timeoutMs, (resolve) => socket.once('connect', resolve));
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The state of the master whose client port is at this address. */
export async function askMaster(address: Address, timeoutMs = 3000): Promise<MasterState> {
  const answer = decodeInfo(await ask(address, info, timeoutMs));
  return { info: answer, chunkservers: await listChunkservers(address, answer.versionNumber, timeoutMs) };
}

/** The second question alone, for a master whose version is known. */
export async function listChunkservers(
  address: Address,
  masterVersion: number,
  timeoutMs = 3000,
): Promise<ListedChunkserver[]> {
  return decodeChunkserverList(await ask(address, chunkserverList, timeoutMs), masterVersion);
}

/** Sends an empty packet of this type and gives the data of its answer, whose type is one higher. */
async function ask(address: Address, type: number, timeoutMs: number): Promise<Buffer> {
  const socket = connect(address.port, address.host);
  const request = Buffer.alloc(headBytes);
  request.writeUInt32BE(type);
  let received: Buffer = Buffer.alloc(0);
  try {
    return await settled<Buffer>(socket, timeoutMs, (resolve, reject) => {
      socket.once('connect', () => socket.write(request));
      socket.on('data', (piece: Buffer) => {
        try {
          received = Buffer.concat([received, piece]);
          const answer = findAnswer(received, type + 1);
          if (answer) resolve(answer);
        } catch (error) {
          reject(error);
        }
      });
    });
  } catch (error) {
    throw new Error(`asking ${formatAddress(address)} (packet ${type}) failed: ${String(error)}`, { cause: error });
  } finally {
    socket.destroy();
  }
}

/**
 * The data of the packet of this type, once it is all there; the master's keep-alive packets (type 0) are passed over.
 */
export function findAnswer(received: Buffer, type: number): Buffer | undefined {
  let at = 0;
  while (received.length - at >= headBytes) {
    const found = received.readUInt32BE(at);
    const length = received.readUInt32BE(at + 4);
    const end = at + headBytes + length;
    if (found !== 0 && found !== type)
      throw new Error(`packet ${found} came instead of ${type}: is that a MooseFS master?`);
    if (length > maxAnswerBytes) throw new Error(`a packet of ${length} bytes: is that a MooseFS master?`);
    if (received.length < end) return undefined;
    if (found === type) return received.subarray(at + headBytes, end);
    at = end;
  }
  return undefined;
}

/** What `begin` brings about on this socket; rejects at its end, at an error and when the time is over. */
function settled<T>(
  socket: Socket,
  timeoutMs: number,
  begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  return new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    begin(resolve, reject);
  }).finally(() => clearTimeout(timer));
}
