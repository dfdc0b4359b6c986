/** What is done with an inode: attributes, opening, length, extended attributes, ACLs. */
import { attributes } from '../attributes.ts';
import { bytes32, bytes8, gids, length64, record, repeated, rest, u16, u32, u8, variable } from '../layout.ts';
import type { VariableCodec } from '../layout.ts';
import { call } from '../message.ts';

/** Attributes of an inode, also of one that was deleted while open (nlink 0). */
export const getattr = call({
  name: 'GETATTR',
  type: 408,
  request: record(u32('inode'), u8('opened'), u32('uid'), u32('gid')),
  reply: record(attributes('attributes')),
  whenReplyLost: 'repeat',
});

/** Bits of SETATTR's `setMask`. */
export const SetMask = {
  winattr: 0x01,
  mode: 0x02,
  uid: 0x04,
  gid: 0x08,
  mtimeNow: 0x10,
  mtime: 0x20,
  atime: 0x40,
  atimeNow: 0x80,
} as const;
/** How chown clears setuid and setgid: as ext4 does, which is what Linux mounts ask for. */
export const SUGID_CLEAR_EXT = 4;

/** Changes attributes. There is no bit for the length: that is TRUNCATE. */
export const setattr = call({
  name: 'SETATTR',
  type: 410,
  request: record(
    u32('inode'),
    u8('opened'),
    u32('uid'),
    gids('gids'),
    u8('setMask'),
    u16('mode'),
    u32('newUid'),
    u32('newGid'),
    u32('atime'),
    u32('mtime'),
    u8('winattr'),
    u8('sugidClear'),
  ),
  reply: record(attributes('attributes')),
  whenReplyLost: 'repeat',
});

/** Flags of OPEN. */
export const OpenFlag = { read: 0x01, write: 0x02, afterCreate: 0x04, truncate: 0x08, cacheDropped: 0x10 } as const;
/** Flags in the answers to OPEN and CREATE. */
export const OpenedFlag = { keepCache: 0x01, direct: 0x02, appendOnly: 0x04 } as const;

/** Registers that this session holds the inode open, and checks the permission. There is no close: see SUSTAINED_INODES. */
export const open = call({
  name: 'OPEN',
  type: 430,
  request: record(u32('inode'), u32('uid'), gids('gids'), u8('flags')),
  reply: record(u8('openedFlags'), attributes('attributes')),
  whenReplyLost: 'repeat',
});

/** Makes a file and opens it; fails when the name exists. */
export const create = call({
  name: 'CREATE',
  type: 482,
  request: record(u32('parent'), bytes8('name'), u16('mode'), u16('umask'), u32('uid'), gids('gids')),
  reply: record(u8('openedFlags'), u32('inode'), attributes('attributes')),
  whenReplyLost: 'doubt',
});

/** Flags of TRUNCATE. */
export const TruncateFlag = { opened: 0x01, update: 0x02, timeFix: 0x04, reserve: 0x08 } as const;

/** Sets a file's length, or with `reserve` takes the next bytes at its end for an append. */
export const truncate = call({
  name: 'TRUNCATE',
  type: 464,
  request: record(u32('inode'), u8('flags'), u32('uid'), gids('gids'), length64('length')),
  reply: record(length64('previousLength'), attributes('attributes')),
  // A reservation that is made twice leaves a hole, and a second truncate may cut what was written in between.
  whenReplyLost: 'doubt',
});

/** Modes of GETXATTR. Mode 1 asks for the length only and has another reply, a length without bytes: it is not declared. */
export const XattrGetMode = { value: 0 } as const;

/** One extended attribute, or with an empty name the list of their names, each followed by a NUL. */
export const getxattr = call({
  name: 'GETXATTR',
  type: 478,
  request: record(u32('inode'), bytes8('name'), u8('mode'), u8('opened'), u32('uid'), gids('gids')),
  reply: record(bytes32('value')),
  whenReplyLost: 'repeat',
});

/** Modes of SETXATTR. */
export const XattrSetMode = { set: 0, create: 1, replace: 2, remove: 3 } as const;

/** Sets or removes an extended attribute. A value over 65536 bytes makes 4.59 close the connection. */
export const setxattr = call({
  name: 'SETXATTR',
  type: 480,
  request: record(u32('inode'), bytes8('name'), bytes32('value'), u8('mode'), u8('opened'), u32('uid'), gids('gids')),
  reply: record(),
  whenReplyLost: 'doubt',
});

/** The longest value of an extended attribute. */
export const XATTR_VALUE_LIMIT = 65_536;

/** Kinds of POSIX ACL. */
export const AclType = { access: 1, default: 2 } as const;

/** An entry of a POSIX ACL: a user or group and its rwx bits. */
export interface AclEntry {
  readonly id: number;
  readonly permissions: number;
}

/** Named users and groups of an ACL, as both lists lie on the wire: two counts first, then the entries. */
export interface AclEntries {
  readonly users: readonly AclEntry[];
  readonly groups: readonly AclEntry[];
}

const ACL_ENTRY = 6;
const aclEntries: VariableCodec<AclEntries> = {
  sizeOf: ({ users, groups }) => 4 + ACL_ENTRY * (users.length + groups.length),
  span: (b, at) => 4 + ACL_ENTRY * (b.readUInt16BE(at) + b.readUInt16BE(at + 2)),
  read: (b, at) => {
    const entry = (i: number): AclEntry => ({
      id: b.readUInt32BE(at + 4 + ACL_ENTRY * i),
      permissions: b.readUInt16BE(at + 8 + ACL_ENTRY * i),
    });
    const users = b.readUInt16BE(at);
    const groups = b.readUInt16BE(at + 2);
    return {
      users: Array.from({ length: users }, (_, i) => entry(i)),
      groups: Array.from({ length: groups }, (_, i) => entry(users + i)),
    };
  },
  write: ({ users, groups }, b, at) => {
    b.writeUInt16BE(users.length, at);
    b.writeUInt16BE(groups.length, at + 2);
    [...users, ...groups].forEach(({ id, permissions }, i) => {
      b.writeUInt32BE(id, at + 4 + ACL_ENTRY * i);
      b.writeUInt16BE(permissions, at + 8 + ACL_ENTRY * i);
    });
  },
};

/** Stands for "keep the mode bits" and "no mask". */
export const ACL_NONE = 0xffff;

/** A POSIX ACL; status ENOATTR where there is none. */
export const getfacl = call({
  name: 'GETFACL',
  type: 488,
  request: record(u32('inode'), u8('aclType')),
  reply: record(u16('user'), u16('group'), u16('other'), u16('mask'), variable('entries', aclEntries)),
  whenReplyLost: 'repeat',
});

/** Sets a POSIX ACL, or removes it: all four permissions {@link ACL_NONE} and no entries. */
export const setfacl = call({
  name: 'SETFACL',
  type: 490,
  request: record(
    u32('inode'),
    u32('uid'),
    u8('aclType'),
    u16('user'),
    u16('group'),
    u16('other'),
    u16('mask'),
    variable('entries', aclEntries),
  ),
  reply: record(),
  whenReplyLost: 'repeat',
});

/** Every path of an inode, without a leading slash; safe for deleted ones too (PARENTS, 484, crashes masters: it is not here). */
export const paths = call({
  name: 'PATHS',
  type: 486,
  request: record(u32('inode')),
  reply: record(repeated('paths', record(bytes32('path')))),
  whenReplyLost: 'repeat',
});

/** Names of extended attributes as GETXATTR lists them: each followed by a NUL. */
export const xattrNames = record(rest('names'));
