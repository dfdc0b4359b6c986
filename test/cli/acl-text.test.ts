/** POSIX ACLs as text: there and back, and what is refused. */
import { expect, it } from 'vitest';
import { aclLines, parseAcl } from '../../src/cli/acl-text.ts';
import { UsageError } from '../../src/cli/status.ts';

it('is read in the forms of setfacl and printed in that of getfacl', () => {
  const acl = parseAcl('u::rwx, u:1000:rw,group::r-x,g:5:4,m::7,other::-');
  expect(acl).toEqual({
    owner: 7,
    group: 5,
    other: 0,
    mask: 7,
    users: [{ uid: 1000, permissions: 6 }],
    groups: [{ gid: 5, permissions: 4 }],
  });
  const lines = aclLines(acl);
  expect(lines).toEqual(['user::rwx', 'user:1000:rw-', 'group::r-x', 'group:5:r--', 'mask::rwx', 'other::---']);
  expect(parseAcl(lines.join(','))).toEqual(acl);
});

it.each([
  '',
  'u::rwx',
  'u::rwx,g::r',
  'u::rwx,g::r,o::8',
  'u::rwx,g::r,o:1:r',
  'u:x:rwx,g::r,o::r',
  'u::abc,g::r,o::r',
])('%j is refused', (text) => expect(() => parseAcl(text)).toThrow(UsageError));
