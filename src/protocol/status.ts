/**
 * The one table of MooseFS statuses: number, name, the errno that a user of node:fs expects, a sentence, and what asking again
 * can do. 3.x knows 0 to 53, 4.x 0 to 63.
 */

/**
 * What a client may do with a status:
 * - `never`: it will be the same again
 * - `soon`: something else holds the chunk, or the servers are still gathering; asking again is what the protocol expects
 * - `later`: not now, perhaps after a while; a bounded number of tries
 * - `elsewhere`: ask another replica, with locations asked anew
 */
export type Retry = 'never' | 'soon' | 'later' | 'elsewhere';

/** One row of the table. */
export interface StatusInfo {
  readonly status: number;
  readonly name: string;
  /** The node-style error code. */
  readonly code: string;
  readonly text: string;
  readonly retry: Retry;
}

const rows: readonly (readonly [number, string, string, Retry, string])[] = [
  [0, 'OK', 'OK', 'never', 'done'],
  [1, 'EPERM', 'EPERM', 'never', 'operation not permitted'],
  [2, 'ENOTDIR', 'ENOTDIR', 'never', 'not a directory'],
  [3, 'ENOENT', 'ENOENT', 'never', 'no such file or directory'],
  [4, 'EACCES', 'EACCES', 'never', 'permission denied'],
  [5, 'EEXIST', 'EEXIST', 'never', 'file already exists'],
  [6, 'EINVAL', 'EINVAL', 'never', 'invalid argument'],
  [7, 'ENOTEMPTY', 'ENOTEMPTY', 'never', 'directory not empty'],
  [8, 'CHUNKLOST', 'ENXIO', 'later', 'all chunkservers are present and none has a valid copy of the chunk'],
  [9, 'OUTOFMEMORY', 'ENOMEM', 'later', 'the server is out of memory'],
  [10, 'INDEXTOOBIG', 'EFBIG', 'never', 'the file would be too large'],
  [11, 'LOCKED', 'EAGAIN', 'soon', 'the chunk is locked by a write'],
  [12, 'NOCHUNKSERVERS', 'ENOSPC', 'later', 'no usable chunkserver'],
  [13, 'NOCHUNK', 'EIO', 'elsewhere', 'no such chunk'],
  [14, 'CHUNKBUSY', 'EAGAIN', 'soon', 'the chunk is busy with another operation'],
  [15, 'REGISTER', 'EIO', 'never', 'the registration data was refused'],
  [16, 'NOTDONE', 'EIO', 'later', 'the chunkserver is overloaded'],
  [17, 'NOTOPENED', 'EBADF', 'never', 'the file is not open in this session'],
  [18, 'NOTSTARTED', 'EIO', 'later', 'the write was not started'],
  [19, 'WRONGVERSION', 'EIO', 'elsewhere', 'the replica has another version of the chunk'],
  [20, 'CHUNKEXIST', 'EIO', 'never', 'the chunk exists already'],
  [21, 'NOSPACE', 'ENOSPC', 'later', 'no chunkserver with enough space is connected'],
  [22, 'IO', 'EIO', 'elsewhere', 'input/output error on the server'],
  [23, 'BNUMTOOBIG', 'EINVAL', 'never', 'block number too big'],
  [24, 'WRONGSIZE', 'EINVAL', 'never', 'wrong size'],
  [25, 'WRONGOFFSET', 'EINVAL', 'never', 'wrong offset'],
  [26, 'CANTCONNECT', 'EIO', 'elsewhere', 'a chunkserver could not connect to the next one of the chain'],
  [27, 'WRONGCHUNKID', 'EIO', 'never', 'wrong chunk id'],
  [28, 'DISCONNECTED', 'EIO', 'elsewhere', 'a chunkserver lost the next one of the chain'],
  [29, 'CRC', 'EIO', 'elsewhere', 'checksum error'],
  [30, 'DELAYED', 'EIO', 'later', 'delayed'],
  [31, 'CANTCREATEPATH', 'EIO', 'never', 'the path cannot be created'],
  [32, 'MISMATCH', 'EIO', 'never', 'data mismatch'],
  [33, 'EROFS', 'EROFS', 'never', 'read-only file system'],
  [34, 'QUOTA', 'EDQUOT', 'never', 'quota exceeded'],
  [35, 'BADSESSIONID', 'EIO', 'never', 'the master does not know this session'],
  [36, 'NOPASSWORD', 'EACCES', 'never', 'the export needs a password'],
  [37, 'BADPASSWORD', 'EACCES', 'never', 'wrong password'],
  [38, 'ENOATTR', 'ENODATA', 'never', 'no such attribute'],
  [39, 'ENOTSUP', 'ENOTSUP', 'never', 'not supported by the server'],
  [40, 'ERANGE', 'ERANGE', 'never', 'too large'],
  [41, 'NOTFOUND', 'ENOENT', 'never', 'not found'],
  [42, 'ACTIVE', 'EBUSY', 'never', 'in use'],
  [43, 'CSNOTPRESENT', 'ENXIO', 'later', 'the chunkservers that hold the chunk are not connected'],
  [44, 'WAITING', 'EAGAIN', 'later', 'waiting for a lock'],
  [45, 'EAGAIN', 'EAGAIN', 'soon', 'try again later'],
  [46, 'EINTR', 'EINTR', 'never', 'interrupted'],
  [47, 'ECANCELED', 'ECANCELED', 'never', 'cancelled'],
  [48, 'ENOENT_NOCACHE', 'ENOENT', 'never', 'no such file or directory'],
  [49, 'EPERM_NOTADMIN', 'EPERM', 'never', 'the export does not allow administration'],
  [50, 'CLASSEXISTS', 'EEXIST', 'never', 'a storage class of this name exists already'],
  [51, 'CLASSLIMITREACH', 'ENOSPC', 'never', 'too many storage classes'],
  [52, 'NOSUCHCLASS', 'EINVAL', 'never', 'no such storage class'],
  [53, 'CLASSINUSE', 'EBUSY', 'never', 'the storage class is in use'],
  [54, 'INCOMPATVERSION', 'ENOTSUP', 'never', 'a part of the cluster is too old for this'],
  [55, 'PATTERNEXISTS', 'EEXIST', 'never', 'the pattern exists already'],
  [56, 'PATLIMITREACHED', 'ENOSPC', 'never', 'too many patterns'],
  [57, 'NOSUCHPATTERN', 'ENOENT', 'never', 'no such pattern'],
  [58, 'ENAMETOOLONG', 'ENAMETOOLONG', 'never', 'name too long'],
  [59, 'EMLINK', 'EMLINK', 'never', 'too many links'],
  [60, 'ETIMEDOUT', 'ETIMEDOUT', 'later', 'timed out'],
  [61, 'EBADF', 'EBADF', 'never', 'bad file descriptor'],
  [62, 'EFBIG', 'EFBIG', 'never', 'file too large'],
  [63, 'EISDIR', 'EISDIR', 'never', 'illegal operation on a directory'],
];

const table: readonly StatusInfo[] = rows.map(([status, name, code, retry, text]) => ({
  status,
  name,
  code,
  retry,
  text,
}));

/** The statuses that code speaks of by name. */
export const Status = {
  OK: 0,
  EPERM: 1,
  ENOENT: 3,
  EACCES: 4,
  EEXIST: 5,
  EINVAL: 6,
  LOCKED: 11,
  NOCHUNKSERVERS: 12,
  NOCHUNK: 13,
  NOTDONE: 16,
  WRONGVERSION: 19,
  NOSPACE: 21,
  IO: 22,
  WRONGSIZE: 24,
  CANTCONNECT: 26,
  CRC: 29,
  BADSESSIONID: 35,
  NOPASSWORD: 36,
  BADPASSWORD: 37,
  ENOATTR: 38,
  ERANGE: 40,
  EAGAIN: 45,
  EINTR: 46,
  ENOENT_NOCACHE: 48,
} as const;

/** What the table says of a status; a number that it does not know gets a row of its own. */
export function statusInfo(status: number): StatusInfo {
  return (
    table[status] ?? {
      status,
      name: `STATUS_${status}`,
      code: 'EIO',
      retry: 'never',
      text: `the server answered with status ${status}`,
    }
  );
}

/** Every status that the table knows. */
export function allStatuses(): readonly StatusInfo[] {
  return table;
}
