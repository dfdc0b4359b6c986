/** The packets of a fake chunkserver, typed by name, and what a test's hooks may answer about them. */
import type { Packet } from '../../src/protocol/message.ts';
import * as packets from '../../src/protocol/messages/chunkserver.ts';
import type { FakeConnection } from './fake-server.ts';

/** What a client, or the server before this one in a chain, sends. */
export const incomingPackets = [
  packets.read,
  packets.write,
  packets.writeData,
  packets.writeFinish,
  packets.getChunkBlocks,
  packets.getChunkChecksum,
  packets.getChunkChecksumTable,
] as const;
/** What a chunkserver sends. */
export const outgoingPackets = [
  packets.readData,
  packets.readStatus,
  packets.writeStatus,
  packets.chunkBlocks,
  packets.chunkChecksum,
  packets.chunkChecksumTable,
  packets.chunkQueryStatus,
] as const;

/** The value that a declared packet carries. */
export type ValueOfPacket<P> = P extends Packet<infer V> ? V : never;
type Named<P extends Packet<object>> =
  P extends Packet<infer V, infer N> ? { readonly name: N; readonly value: V } : never;

/** A packet that came, decoded; `name` tells which. */
export type IncomingPacket = Named<(typeof incomingPackets)[number]>;
/** A packet that would go out; `name` tells which. */
export type OutgoingPacket = Named<(typeof outgoingPackets)[number]>;

/**
 * What to do with a packet that came:
 * - `accept` or nothing: as a real server
 * - `ignore`: swallow it, answer nothing
 * - `reset`, `end`: close the connection with RST or FIN
 * - a number: answer READ, WRITE or WRITE_DATA with that status and do nothing
 */
export type IncomingAction = 'accept' | 'ignore' | 'reset' | 'end' | number | undefined;

/**
 * What to do with a packet that would go out:
 * - `send` or nothing
 * - `hold`: keep it until the test releases it
 * - `drop`: never send it
 * - `reset`, `end`: close the connection instead
 * - bytes: send these instead (a corrupted packet, garbage, half of it)
 * - `delayMs`: send it that much later
 */
export type OutgoingAction =
  'send' | 'hold' | 'drop' | 'reset' | 'end' | Uint8Array | { readonly delayMs: number } | undefined;

/** What a hook can see beside the packet. */
export interface PacketContext {
  readonly connection: FakeConnection;
  /** The packet as it would go out, or the body that came. A copy: a hook may change it and give it back. */
  readonly bytes: Buffer;
  /** How many packets of this name came (or would have gone) before on this server. */
  readonly index: number;
}

/** A packet that a hook held back. */
export interface HeldPacket {
  readonly packet: OutgoingPacket;
  /** Sends it now. */
  release(): void;
}
