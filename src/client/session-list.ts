/** Sessions of all clients, as the master lists them. */
import type { SessionList } from '../protocol/messages/monitor.ts';
import { ipText } from '../protocol/address.ts';
import { formatVersion, fromWire } from '../protocol/version.ts';

/** What sessions do, counted. The last twelve are counted from 4.x on only. */
export const sessionCounters = [
  'statfs',
  'getattr',
  'setattr',
  'lookup',
  'mkdir',
  'rmdir',
  'symlink',
  'readlink',
  'mknod',
  'unlink',
  'rename',
  'link',
  'readdir',
  'open',
  'readChunk',
  'writeChunk',
  'read',
  'write',
  'fsync',
  'snapshot',
  'truncate',
  'getxattr',
  'setxattr',
  'getfacl',
  'setfacl',
  'create',
  'lock',
  'meta',
] as const;
/** What a session does, counted. The last twelve are counted from 4.x on only. */
export type SessionCounter = (typeof sessionCounters)[number];

/** A session of a client. */
export interface ClusterSession {
  readonly id: number;
  /** The address that it comes from. */
  readonly host: string;
  readonly version: string;
  /** False: lost, and kept for a while so that it can come back. */
  readonly connected: boolean;
  /** Seconds until a lost session is given up. */
  readonly expiresInSeconds: number | undefined;
  readonly openFiles: number;
  /** What the client says of itself: of a mount its folder. */
  readonly info: string;
  /** The exported folder; `.` for a session that sees the trash. */
  readonly root: string;
  readonly readOnly: boolean;
  readonly admin: boolean;
  /** Operations of the hour that has begun, and of the one before. */
  readonly thisHour: Readonly<Partial<Record<SessionCounter, number>>>;
  readonly lastHour: Readonly<Partial<Record<SessionCounter, number>>>;
}

const Flag = { readOnly: 0x01, admin: 0x08 } as const;

/** Reads the master's list. */
export function sessionsOf({ sessions }: SessionList): ClusterSession[] {
  return sessions.map((each) => ({
    id: each.sessionId,
    host: ipText(each.ip),
    version: formatVersion(fromWire(each.version)),
    connected: each.sockets > 0,
    expiresInSeconds: each.sockets > 0 ? undefined : each.expire,
    openFiles: each.openFiles,
    info: textOf(each.info),
    root: textOf(each.path),
    readOnly: (each.flags & Flag.readOnly) !== 0,
    admin: (each.flags & Flag.admin) !== 0,
    thisHour: counted(each.current),
    lastHour: counted(each.last),
  }));
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString().replace(/\0+$/, '');

const counted = (counts: readonly number[]): Partial<Record<SessionCounter, number>> =>
  Object.fromEntries(counts.slice(0, sessionCounters.length).map((count, i) => [sessionCounters[i]!, count]));
