/** POSIX ACLs as text, in the form of getfacl and setfacl, with numbers for users and groups. */
import type { Acl } from '../index.ts';
import { UsageError } from './status.ts';

/** `rwx`, `r-x`. */
const rightsText = (rights: number): string =>
  ['r', 'w', 'x'].map((letter, i) => ((rights & (4 >> i)) === 0 ? '-' : letter)).join('');

function parseRights(text: string, entry: string): number {
  if (/^[0-7]$/.test(text)) return Number(text);
  if (!/^[rwx-]{1,3}$/.test(text)) throw new UsageError(`an entry ends in rights such as rw-, not "${entry}"`);
  return (text.includes('r') ? 4 : 0) | (text.includes('w') ? 2 : 0) | (text.includes('x') ? 1 : 0);
}

/** One entry a line: `user::rwx`, `user:1000:r--`. */
export function aclLines({ owner, group, other, mask, users = [], groups = [] }: Acl): string[] {
  return [
    `user::${rightsText(owner)}`,
    ...users.map(({ uid, permissions }) => `user:${uid}:${rightsText(permissions)}`),
    `group::${rightsText(group)}`,
    ...groups.map(({ gid, permissions }) => `group:${gid}:${rightsText(permissions)}`),
    ...(mask === undefined ? [] : [`mask::${rightsText(mask)}`]),
    `other::${rightsText(other)}`,
  ];
}

/** Entries with commas: `u::rwx,u:1000:rw,g::r,o::-`. */
export function parseAcl(text: string): Acl {
  const found = new Map<string, number>();
  const users: { uid: number; permissions: number }[] = [];
  const groups: { gid: number; permissions: number }[] = [];
  for (const entry of text.split(',')) {
    const [, kind, id, rights] = /^(u|user|g|group|m|mask|o|other):(\d*):(.+)$/.exec(entry.trim()) ?? [];
    if (kind === undefined) throw new UsageError(`an entry is such as u:1000:rwx, not "${entry}"`);
    const permissions = parseRights(rights!, entry);
    const letter = kind[0]!;
    if (id === '') found.set(letter, permissions);
    else if (letter === 'u') users.push({ uid: Number(id), permissions });
    else if (letter === 'g') groups.push({ gid: Number(id), permissions });
    else throw new UsageError(`only users and groups have numbers, not "${entry}"`);
  }
  const [owner, group, other] = ['u', 'g', 'o'].map((letter) => found.get(letter));
  if (owner === undefined || group === undefined || other === undefined)
    throw new UsageError('an ACL has entries for the owner (u::), the group (g::) and others (o::)');
  return { owner, group, other, mask: found.get('m'), users, groups };
}
