import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { Status, allStatuses, statusInfo } from '../../src/protocol/status.ts';

/** Numbers and names, copied by hand from the protocol's document. */
const NAMES =
  `OK EPERM ENOTDIR ENOENT EACCES EEXIST EINVAL ENOTEMPTY CHUNKLOST OUTOFMEMORY INDEXTOOBIG LOCKED NOCHUNKSERVERS
  NOCHUNK CHUNKBUSY REGISTER NOTDONE NOTOPENED NOTSTARTED WRONGVERSION CHUNKEXIST NOSPACE IO BNUMTOOBIG WRONGSIZE WRONGOFFSET
  CANTCONNECT WRONGCHUNKID DISCONNECTED CRC DELAYED CANTCREATEPATH MISMATCH EROFS QUOTA BADSESSIONID NOPASSWORD BADPASSWORD
  ENOATTR ENOTSUP ERANGE NOTFOUND ACTIVE CSNOTPRESENT WAITING EAGAIN EINTR ECANCELED ENOENT_NOCACHE EPERM_NOTADMIN CLASSEXISTS
  CLASSLIMITREACH NOSUCHCLASS CLASSINUSE INCOMPATVERSION PATTERNEXISTS PATLIMITREACHED NOSUCHPATTERN ENAMETOOLONG EMLINK
  ETIMEDOUT EBADF EFBIG EISDIR`.split(/\s+/);

describe('the table of statuses', () => {
  it('is complete from 0 to 63, each in its place', () => {
    expect(NAMES).toHaveLength(64);
    expect(allStatuses().map(({ status, name }) => [status, name])).toEqual(NAMES.map((name, i) => [i, name]));
  });
  it.each(allStatuses().slice(1))('$status $name: $code is an error of this system', ({ code, text }) => {
    expect(constants.errno).toHaveProperty(code);
    expect(text).toMatch(/^[a-z].*[^.]$/);
  });
  it('says OK of 0 and nothing else', () => {
    expect(allStatuses().filter(({ code }) => code === 'OK')).toEqual([statusInfo(0)]);
  });
  it('names numbers right where code speaks of them', () => {
    for (const [name, status] of Object.entries(Status)) expect(statusInfo(status).name).toBe(name);
  });
  it('knows what asking again can do', () => {
    const names = (retry: string) => allStatuses().flatMap((each) => (each.retry === retry ? [each.name] : []));
    expect(names('soon')).toEqual(['LOCKED', 'CHUNKBUSY', 'EAGAIN']);
    expect(names('elsewhere')).toEqual(['NOCHUNK', 'WRONGVERSION', 'IO', 'CANTCONNECT', 'DISCONNECTED', 'CRC']);
    expect(names('later')).toEqual(
      expect.arrayContaining(['CHUNKLOST', 'NOCHUNKSERVERS', 'NOSPACE', 'NOTDONE', 'CSNOTPRESENT']),
    );
  });
  it.each([64, 200, 255])('makes a row for a number that it does not know: %i', (status) => {
    expect(statusInfo(status)).toMatchObject({ status, name: `STATUS_${status}`, code: 'EIO', retry: 'never' });
  });
});
