/** Every message that src/protocol/messages declares, found by reading the folder: nothing new can be forgotten in a test. */
import { readdirSync } from 'node:fs';
import type { RecordCodec } from '../../src/protocol/layout.ts';
import type { Call, Packet } from '../../src/protocol/message.ts';

/** A call of whatever shape. */
export type AnyCall = Call<object, object>;
/** A packet of whatever shape. */
export type AnyPacket = Packet<object>;
/** A record of whatever shape. */
export type AnyRecord = RecordCodec<object>;

/** One export of a file of messages that can be encoded. */
export interface Declared<T> {
  /** The file's name without folder and ending. */
  readonly file: string;
  readonly exportName: string;
  readonly message: T;
}

const folder = new URL('../../src/protocol/messages/', import.meta.url);

/** The names of the files of messages, without ending. */
export const messageFiles: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -3));

const all: Declared<unknown>[] = [];
for (const file of messageFiles) {
  const module = (await import(new URL(`${file}.ts`, folder).href)) as Record<string, unknown>;
  for (const [exportName, message] of Object.entries(module)) all.push({ file, exportName, message });
}

const has = (value: unknown, ...keys: string[]): boolean =>
  typeof value === 'object' && value !== null && keys.every((key) => key in value);

/** Every declared call. */
export const declaredCalls = all.filter(({ message }) => has(message, 'request', 'reply')) as Declared<AnyCall>[];
/** Every declared packet. */
export const declaredPackets = all.filter(({ message }) => has(message, 'type', 'body')) as Declared<AnyPacket>[];
/** Every record that is exported by itself. */
export const declaredRecords = all.filter(({ message }) =>
  has(message, 'decodeAt', 'encodeAt'),
) as Declared<AnyRecord>[];
