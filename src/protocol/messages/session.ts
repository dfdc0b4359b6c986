/** Registration, keep-alive and the housekeeping of a session. None of these packets has a msgid, except time synchronisation. */
import { bytes, bytes32, constant, gated, length64, record, repeated, rest, u16, u32, u64, u8 } from '../layout.ts';
import { call, packet } from '../message.ts';
import { since, until } from '../version.ts';

/** Both directions; the client's has four zero bytes, as the official client sends it. */
export const nop = packet('NOP', 0, record(rest('padding')));

/** Asks for a version. Works before registration on every server, with or without a msgid. */
export const getVersion = packet('GET_VERSION', 10, record());
/** The answer to {@link getVersion}. */
export const versionReply = packet('VERSION', 11, record(u32('version'), rest('text')));

const BLOB = constant(
  'blob',
  Buffer.from('DjI1GAQDULI5d2YjA26ypc3ovkhjvhciTQVx3CS4nYgtBoUcsljiVpsErJENHaw0', 'latin1'),
);
const rcode = (value: number) => constant('rcode', Uint8Array.of(value));

/** The type of every request of the registration conversation; the sub-command tells them apart. */
export const REGISTER = 400;
/** The type of every answer. */
export const REGISTER_REPLY = 401;
/** Where the sub-command stands in a request. */
export const RCODE_OFFSET = 64;

/** Sub-commands of {@link REGISTER}. */
export const Rcode = { getRandom: 1, newSession: 2, reconnect: 3, newMetaSession: 5, closeSession: 6 } as const;

/** Asks for 32 random bytes to hash the password with. */
export const registerGetRandom = packet('REGISTER (challenge)', REGISTER, record(BLOB, rcode(Rcode.getRandom)));
/** The 32 random bytes. */
export const registerRandom = packet('REGISTER reply (challenge)', REGISTER_REPLY, record(bytes('random', 32)));

/**
 * Asks for a session. `info` and `path` end with a NUL that counts. Session id and metaid are zero for a new session: without
 * them a master looks for an old session of the same address. `digest` is empty or 16 bytes.
 */
export const registerNewSession = packet(
  'REGISTER (new session)',
  REGISTER,
  record(
    BLOB,
    rcode(Rcode.newSession),
    u32('version'),
    bytes32('info'),
    bytes32('path'),
    u32('sessionId'),
    u64('metaId'),
    rest('digest'),
  ),
);

/** What a session may do and how the master maps its users. */
export const registerSession = packet(
  'REGISTER reply (session)',
  REGISTER_REPLY,
  record(
    u32('version'),
    u32('sessionId'),
    u64('metaId'),
    u8('flags'),
    u16('umask'),
    u32('rootUid'),
    u32('rootGid'),
    u32('mapAllUid'),
    u32('mapAllGid'),
    gated(since('4.57.0'), u16('classGroups')),
    gated(until('4.57.0'), u8('minGoal')),
    gated(until('4.57.0'), u8('maxGoal')),
    u32('minTrashRetention'),
    u32('maxTrashRetention'),
    u32('disabled'),
    gated(since('4.40.0'), u64('processId')),
  ),
);

/** Asks for a session that sees the trash instead of the tree. */
export const registerNewMetaSession = packet(
  'REGISTER (new meta session)',
  REGISTER,
  record(
    BLOB,
    rcode(Rcode.newMetaSession),
    u32('version'),
    bytes32('info'),
    u32('sessionId'),
    u64('metaId'),
    rest('digest'),
  ),
);

/** The answer to {@link registerNewMetaSession}. */
export const registerMetaSession = packet(
  'REGISTER reply (meta session)',
  REGISTER_REPLY,
  record(
    u32('version'),
    u32('sessionId'),
    u64('metaId'),
    u8('flags'),
    gated(since('4.57.0'), u16('classGroups')),
    gated(until('4.57.0'), u8('minGoal')),
    gated(until('4.57.0'), u8('maxGoal')),
    u32('minTrashRetention'),
    u32('maxTrashRetention'),
    gated(since('4.40.0'), u64('processId')),
  ),
);

/** Asks to go on with a session after the connection was lost. */
export const registerReconnect = packet(
  'REGISTER (reconnect)',
  REGISTER,
  record(BLOB, rcode(Rcode.reconnect), u32('sessionId'), u32('version'), u64('metaId')),
);

/** The answer to {@link registerReconnect}; the status comes last. */
export const registerReconnected = packet(
  'REGISTER reply (reconnect)',
  REGISTER_REPLY,
  record(u32('version'), gated(since('4.40.0'), u64('processId')), u8('status')),
);

/** Ends a session: open files are released and locks freed. The master answers one status byte and closes. */
export const registerCloseSession = packet(
  'REGISTER (close session)',
  REGISTER,
  record(BLOB, rcode(Rcode.closeSession), u32('sessionId'), u64('metaId')),
);

/** A refusal, or the answer to {@link registerCloseSession}. */
export const registerStatus = packet('REGISTER reply (status)', REGISTER_REPLY, record(u8('status')));

/** A follower's answer: the leader's IPv4 address, 0 while there is none. */
export const registerRedirect = packet('REGISTER reply (redirect)', REGISTER_REPLY, record(u32('leader')));

/** Every inode that this session holds open. One that is not listed is released at once, with its locks. No reply. */
export const sustainedInodes = packet('SUSTAINED_INODES', 700, record(repeated('inodes', record(u32('inode')))));

/** Times of files that were read or written. The only thing that moves mtime after data writes. No reply; 0 leaves a time. */
export const amtimeInodes = packet(
  'AMTIME_INODES',
  701,
  record(repeated('times', record(u32('inode'), u32('atime'), u32('mtime')))),
);

/** Asks for the master's clock, in microseconds since 1970. */
export const timeSync = call({
  name: 'TIME_SYNC',
  type: 704,
  request: record(),
  reply: record(length64('microseconds')),
  whenReplyLost: 'repeat',
});
