/** POSIX ACLs on real servers: kept as they were set, inherited, and obeyed by the master. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared } from '../support/live.ts';

const ALICE = 2001;
const BOB = 2002;
const TEAM = 3001;

let mfs: MooseFS;
let alice: MooseFS;
let bob: MooseFS;
let folder: string;

beforeAll(async () => {
  mfs = await connectShared({ umask: 0 });
  alice = await connectShared({ uid: ALICE, gid: ALICE, umask: 0 });
  bob = await connectShared({ uid: BOB, gid: BOB, groups: [TEAM] });
  folder = await mfs.mkdtemp('/acl-');
  await mfs.chmod(folder, 0o755);
});
afterAll(async () => {
  await mfs.rm(folder, { recursive: true });
  for (const client of [mfs, alice, bob]) await client.close();
});

async function makeFile(name: string, mode: number): Promise<string> {
  const path = `${folder}/${name}`;
  await mfs.writeFile(path, 'text');
  await mfs.chmod(path, mode);
  return path;
}
const denied = { code: 'EACCES' };

test('without one there is none, and the mode alone counts', async () => {
  const path = await makeFile('none', 0o640);
  expect(await mfs.acl.get(path)).toBeUndefined();
  await expect(alice.readFile(path)).rejects.toMatchObject(denied);
});

test('named users and groups get what it says, through the mask', async () => {
  const path = await makeFile('named', 0o600);
  const acl = {
    owner: 6,
    group: 0,
    other: 0,
    mask: 6,
    users: [{ uid: ALICE, permissions: 6 }],
    groups: [{ gid: TEAM, permissions: 4 }],
  };
  await mfs.acl.set(path, acl);
  expect(await mfs.acl.get(path)).toEqual(acl);
  expect(await alice.readFile(path, 'utf8')).toBe('text');
  await alice.writeFile(path, 'of alice');
  expect(await bob.readFile(path, 'utf8')).toBe('of alice');
  await expect(bob.writeFile(path, 'of bob')).rejects.toMatchObject(denied);
  await mfs.acl.set(path, { ...acl, mask: 4 });
  await expect(alice.writeFile(path, 'again')).rejects.toMatchObject(denied);
  expect(await alice.readFile(path, 'utf8')).toBe('of alice');
  await mfs.acl.set(path, { ...acl, mask: 0 });
  await expect(alice.readFile(path)).rejects.toMatchObject(denied);
});

test('the mask, where none is given, is what the entries need; the mode shows it as the group, and chmod changes it', async () => {
  const path = await makeFile('mask', 0o600);
  await mfs.acl.set(path, { owner: 6, group: 4, other: 0, users: [{ uid: ALICE, permissions: 2 }] });
  expect(await mfs.acl.get(path)).toMatchObject({ mask: 6 });
  expect((await mfs.stat(path)).mode & 0o777).toBe(0o660);
  await mfs.chmod(path, 0o640);
  expect(await mfs.acl.get(path)).toMatchObject({ mask: 4, users: [{ uid: ALICE, permissions: 2 }] });
  await expect(alice.appendFile(path, 'x')).rejects.toMatchObject(denied);
});

test('null removes it, and one without names is a mode', async () => {
  const path = await makeFile('removed', 0o600);
  await mfs.acl.set(path, { owner: 6, group: 0, other: 0, users: [{ uid: ALICE, permissions: 4 }] });
  await mfs.acl.set(path, null);
  expect(await mfs.acl.get(path)).toBeUndefined();
  await expect(alice.readFile(path)).rejects.toMatchObject(denied);
  await mfs.acl.set(path, { owner: 7, group: 5, other: 4 });
  expect(await mfs.acl.get(path)).toBeUndefined();
  expect((await mfs.stat(path)).mode & 0o777).toBe(0o754);
});

test('a default of a folder goes to what is made in it', async () => {
  const parent = `${folder}/parent`;
  await mfs.mkdir(parent, { mode: 0o755 });
  expect(await mfs.acl.get(parent, { type: 'default' })).toBeUndefined();
  const acl = {
    owner: 7,
    group: 5,
    other: 0,
    mask: 7,
    users: [{ uid: ALICE, permissions: 7 }],
    groups: [{ gid: TEAM, permissions: 5 }],
  };
  await mfs.acl.set(parent, acl, { type: 'default' });
  expect(await mfs.acl.get(parent, { type: 'default' })).toEqual(acl);
  expect(await mfs.acl.get(parent)).toBeUndefined();
  await mfs.mkdir(`${parent}/sub`);
  expect(await mfs.acl.get(`${parent}/sub`, { type: 'default' })).toEqual(acl);
  await mfs.writeFile(`${parent}/sub/file`, 'inherited');
  expect(await mfs.acl.get(`${parent}/sub/file`)).toMatchObject({ users: acl.users, groups: acl.groups });
  expect(await alice.readFile(`${parent}/sub/file`, 'utf8')).toBe('inherited');
  await alice.writeFile(`${parent}/sub/file`, 'of alice');
  expect(await bob.readFile(`${parent}/sub/file`, 'utf8')).toBe('of alice');
  await expect(bob.writeFile(`${parent}/sub/file`, 'of bob')).rejects.toMatchObject(denied);
  await mfs.acl.set(parent, null, { type: 'default' });
  expect(await mfs.acl.get(parent, { type: 'default' })).toBeUndefined();
});

test('what cannot be is refused, and the session goes on', async () => {
  const path = await makeFile('refused', 0o644);
  const acl = { owner: 6, group: 4, other: 4 };
  await expect(mfs.acl.get(`${folder}/nowhere`)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'getxattr' });
  await expect(mfs.acl.set(path, acl, { type: 'default' })).rejects.toMatchObject({ code: 'EACCES' });
  await expect(mfs.acl.set(path, { ...acl, owner: 8 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  await expect(mfs.acl.set(path, acl, { type: 'other' as never })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
  });
  await expect(alice.acl.set(path, { ...acl, users: [{ uid: ALICE, permissions: 7 }] })).rejects.toMatchObject({
    code: 'EPERM',
  });
  expect(await mfs.acl.get(path)).toBeUndefined();
});
