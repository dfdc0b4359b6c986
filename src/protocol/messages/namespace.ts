/** Names: looking them up, making, removing, moving and listing them. */
import { attributes } from '../attributes.ts';
import {
  bytes32,
  bytes8,
  gated,
  gids,
  length64,
  optional,
  record,
  repeated,
  rest,
  u16,
  u32,
  u64,
  u8,
} from '../layout.ts';
import { call } from '../message.ts';
import { since } from '../version.ts';
import { chunkLocation } from './chunk.ts';

const inodeReply = record(u32('inode'), attributes('attributes'));

/** Space and inodes of the exported tree, bytes. */
export const statfs = call({
  name: 'STATFS',
  type: 402,
  request: record(),
  reply: record(
    length64('total'),
    length64('available'),
    length64('free'),
    length64('trash'),
    length64('sustained'),
    u32('inodes'),
  ),
  whenReplyLost: 'repeat',
});

/** May the caller do this? `mask`: 4 read, 2 write, 1 execute. */
export const access = call({
  name: 'ACCESS',
  type: 404,
  request: record(u32('inode'), u32('uid'), gids('gids'), u16('mask')),
  reply: record(),
  whenReplyLost: 'repeat',
});

/** Bits of the `lookupFlags` of a LOOKUP reply above the access bits. */
export const LookupFlag = {
  chunkFollows: 0x0100,
  readOnly: 0x0200,
  keepCache: 0x0400,
  immutable: 0x0800,
  doNotCache: 0x1000,
  appendOnly: 0x2000,
} as const;

/** One name in a folder. Bit m of `lookupFlags` says whether access with the rwx mask m would be granted. */
export const lookup = call({
  name: 'LOOKUP',
  type: 406,
  request: record(u32('parent'), bytes8('name'), u32('uid'), gids('gids')),
  reply: record(u32('inode'), attributes('attributes'), u16('lookupFlags'), optional('chunk', chunkLocation)),
  whenReplyLost: 'repeat',
});

/** A whole path in one request; symlinks are not followed. Success with inode 0 means that only the last name is missing. */
export const pathLookup = call({
  name: 'PATH_LOOKUP',
  type: 390,
  request: record(u32('base'), bytes32('path'), u32('uid'), gids('gids')),
  reply: record(u32('parent'), bytes8('name'), u32('inode'), attributes('attributes')),
  whenReplyLost: 'repeat',
  gate: since('4.14.0'),
});

/** The target of a symlink; ends with a NUL that counts. */
export const readlink = call({
  name: 'READLINK',
  type: 412,
  request: record(u32('inode')),
  reply: record(bytes32('target')),
  whenReplyLost: 'repeat',
});

/** Makes a symlink. */
export const symlink = call({
  name: 'SYMLINK',
  type: 414,
  request: record(u32('parent'), bytes8('name'), bytes32('target'), u32('uid'), gids('gids')),
  reply: inodeReply,
  whenReplyLost: 'doubt',
});

/** Makes a node of any type without opening it. */
export const mknod = call({
  name: 'MKNOD',
  type: 416,
  request: record(
    u32('parent'),
    bytes8('name'),
    u8('nodeType'),
    u16('mode'),
    u16('umask'),
    u32('uid'),
    gids('gids'),
    u32('rdev'),
  ),
  reply: inodeReply,
  whenReplyLost: 'doubt',
});

/** Makes a folder. `copySgid` 1: setgid is inherited, as on Linux. */
export const mkdir = call({
  name: 'MKDIR',
  type: 418,
  request: record(u32('parent'), bytes8('name'), u16('mode'), u16('umask'), u32('uid'), gids('gids'), u8('copySgid')),
  reply: inodeReply,
  whenReplyLost: 'doubt',
});

/** Removes a name of anything but a folder. */
export const unlink = call({
  name: 'UNLINK',
  type: 420,
  request: record(u32('parent'), bytes8('name'), u32('uid'), gids('gids')),
  reply: record(u32('inode')),
  whenReplyLost: 'doubt',
});

/** Removes an empty folder. */
export const rmdir = call({
  name: 'RMDIR',
  type: 422,
  request: record(u32('parent'), bytes8('name'), u32('uid'), gids('gids')),
  reply: record(u32('inode')),
  whenReplyLost: 'doubt',
});

/**
 * Moves a name. NEVER send source and destination alike: it destroys a master (3.0.117 and 4.59.2). The master checks neither
 * EISDIR nor ENOTDIR nor two links of one inode; the caller must. `mode`: 0 replace, 1 exchange, 2 do not replace.
 */
export const rename = call({
  name: 'RENAME',
  type: 424,
  request: record(
    u32('parent'),
    bytes8('name'),
    u32('newParent'),
    bytes8('newName'),
    u32('uid'),
    gids('gids'),
    gated(since('4.18.0'), u8('mode')),
  ),
  reply: inodeReply,
  whenReplyLost: 'doubt',
});

/** Makes another name of an inode. */
export const link = call({
  name: 'LINK',
  type: 426,
  request: record(u32('inode'), u32('newParent'), bytes8('newName'), u32('uid'), gids('gids')),
  reply: inodeReply,
  whenReplyLost: 'doubt',
});

/** Flags of READDIR. */
export const ReaddirFlag = { attributes: 1 } as const;
/** The continuation id that says that a listing is complete. */
export const READDIR_END = 0x7fff_ffff_ffff_ffffn;

/**
 * Lists a folder. The entries come raw: with attributes or without, as the flag asked (readdir-entries.ts reads them).
 * Servers below 4.58 echo `startId`: ask them for everything at once.
 */
export const readdir = call({
  name: 'READDIR',
  type: 428,
  request: record(u32('inode'), u32('uid'), gids('gids'), u8('flags'), u32('maxEntries'), u64('startId')),
  reply: record(u64('nextId'), rest('entries')),
  whenReplyLost: 'repeat',
});

/** From this version on a READDIR reply can be continued. */
export const readdirPaging = since('4.58.0');

/** An entry of a listing without attributes. */
export const plainEntries = record(repeated('entries', record(bytes8('name'), u32('inode'), u8('nodeType'))));
/** An entry of a listing with attributes. */
export const fullEntries = record(repeated('entries', record(bytes8('name'), u32('inode'), attributes('attributes'))));
