/**
 * The hot path, by hand: the heads of READ_DATA (202) and WRITE_DATA (212) in both directions. One of them goes with every
 * 64 KiB, so they are not built from records; a property test holds them equal to the records declared in messages/chunkserver.
 */
import { HEADER_SIZE, writeHeader } from './frame.ts';

/** Packet types of a chunkserver's data port. */
export const DataPacket = {
  read: 200,
  readStatus: 201,
  readData: 202,
  write: 210,
  writeStatus: 211,
  writeData: 212,
  writeFinish: 213,
} as const;

/** Bytes of a READ_DATA body before its data. */
export const READ_DATA_HEAD = 20;
/** Bytes of a WRITE_DATA body before its data. */
export const WRITE_DATA_HEAD = 24;

/** What stands before the data of a READ_DATA. */
export interface ReadDataHead {
  readonly chunkId: bigint;
  readonly block: number;
  /** Offset inside the block. */
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
}

/** What stands before the data of a WRITE_DATA. */
export interface WriteDataHead extends ReadDataHead {
  readonly writeId: number;
}

/** Reads the first 20 bytes of a READ_DATA body. */
export function readReadDataHead(b: Buffer): ReadDataHead {
  return {
    chunkId: b.readBigUInt64BE(0),
    block: b.readUInt16BE(8),
    offset: b.readUInt16BE(10),
    size: b.readUInt32BE(12),
    crc: b.readUInt32BE(16),
  };
}

/** Packet header and head of a READ_DATA; the data follows by reference. */
export function encodeReadDataHead(head: ReadDataHead): Buffer {
  const b = Buffer.allocUnsafe(HEADER_SIZE + READ_DATA_HEAD);
  writeHeader(b, 0, DataPacket.readData, READ_DATA_HEAD + head.size);
  b.writeBigUInt64BE(head.chunkId, 8);
  b.writeUInt16BE(head.block, 16);
  b.writeUInt16BE(head.offset, 18);
  b.writeUInt32BE(head.size, 20);
  b.writeUInt32BE(head.crc, 24);
  return b;
}

/** Reads the first 24 bytes of a WRITE_DATA body. */
export function readWriteDataHead(b: Buffer): WriteDataHead {
  return {
    chunkId: b.readBigUInt64BE(0),
    writeId: b.readUInt32BE(8),
    block: b.readUInt16BE(12),
    offset: b.readUInt16BE(14),
    size: b.readUInt32BE(16),
    crc: b.readUInt32BE(20),
  };
}

/** Packet header and head of a WRITE_DATA; the data follows by reference. */
export function encodeWriteDataHead(head: WriteDataHead): Buffer {
  const b = Buffer.allocUnsafe(HEADER_SIZE + WRITE_DATA_HEAD);
  writeHeader(b, 0, DataPacket.writeData, WRITE_DATA_HEAD + head.size);
  b.writeBigUInt64BE(head.chunkId, 8);
  b.writeUInt32BE(head.writeId, 16);
  b.writeUInt16BE(head.block, 20);
  b.writeUInt16BE(head.offset, 22);
  b.writeUInt32BE(head.size, 24);
  b.writeUInt32BE(head.crc, 28);
  return b;
}
