/** Packets of a chunkserver's data port. They have no msgid: answers are matched by type, chunk id and version. */
import { bytes, record, repeated, rest, u16, u32, u64, u8 } from '../layout.ts';
import { packet } from '../message.ts';

/** Asks for a range of a chunk. Never send a second one before the READ_STATUS of the first. */
export const read = packet(
  'READ',
  200,
  record(u8('protocol'), u64('chunkId'), u32('chunkVersion'), u32('offset'), u32('size')),
);
/** Ends every read, well or not. */
export const readStatus = packet('READ_STATUS', 201, record(u64('chunkId'), u8('status')));
/** A piece of at most one block. */
export const readData = packet(
  'READ_DATA',
  202,
  record(u64('chunkId'), u16('block'), u16('offset'), u32('size'), u32('crc'), rest('data')),
);

/** Opens a write session; `chain`: the servers after the one it is sent to. */
export const write = packet(
  'WRITE',
  210,
  record(u8('protocol'), u64('chunkId'), u32('chunkVersion'), repeated('chain', record(u32('ip'), u16('port')))),
);
/** Acknowledges the whole chain's opening (write id 0) or one WRITE_DATA. */
export const writeStatus = packet('WRITE_STATUS', 211, record(u64('chunkId'), u32('writeId'), u8('status')));
/** Bytes for one block. */
export const writeData = packet(
  'WRITE_DATA',
  212,
  record(u64('chunkId'), u32('writeId'), u16('block'), u16('offset'), u32('size'), u32('crc'), rest('data')),
);
/** Ends a write session. Has no reply, and drops whatever is not acknowledged: see conversations/chunk-write. */
export const writeFinish = packet('WRITE_FINISH', 213, record(u64('chunkId'), u32('chunkVersion')));

/** The protocol byte of READ and WRITE that every supported version takes. */
export const DATA_PROTOCOL = 1;

const query = record(u64('chunkId'), u32('chunkVersion'));

/** How many blocks a replica has. */
export const getChunkBlocks = packet('GET_CHUNK_BLOCKS', 250, query);
/** The answer, also of a failure. */
export const chunkBlocks = packet(
  'CHUNK_BLOCKS',
  251,
  record(u64('chunkId'), u32('chunkVersion'), u16('blocks'), u8('status')),
);

/** One number over the CRC table of a replica: what is recorded, not what is on disk. */
export const getChunkChecksum = packet('GET_CHUNK_CHECKSUM', 300, query);
/** The answer. */
export const chunkChecksum = packet(
  'CHUNK_CHECKSUM',
  301,
  record(u64('chunkId'), u32('chunkVersion'), u32('checksum')),
);

/** The CRC table of a replica: 1024 numbers, one for each block. */
export const getChunkChecksumTable = packet('GET_CHUNK_CHECKSUM_TAB', 302, query);
/** The answer: the table as it lies on the wire. */
export const chunkChecksumTable = packet(
  'CHUNK_CHECKSUM_TAB',
  303,
  record(u64('chunkId'), u32('chunkVersion'), bytes('table', 4096)),
);

/** What 301 and 303 are instead when the query failed: 13 bytes. */
export const chunkQueryStatus = packet(
  'CHUNK_QUERY_STATUS',
  303,
  record(u64('chunkId'), u32('chunkVersion'), u8('status')),
);
/** The size of {@link chunkQueryStatus}. */
export const CHUNK_QUERY_STATUS_SIZE = 13;
