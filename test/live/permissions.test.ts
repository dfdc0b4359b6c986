/** Who may do what: the master judges by the caller's uid, gid and groups, which each client says for itself. */
import { constants } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared } from '../support/live.ts';

const OWNER = 4001;
const GROUP = 4002;
const STRANGER = 4003;

let root: MooseFS;
let owner: MooseFS;
/** Their own group is another one; GROUP is among their further groups. */
let member: MooseFS;
let stranger: MooseFS;
let folder: string;

beforeAll(async () => {
  root = await connectShared({ uid: 0, gid: 0, umask: 0 });
  owner = await connectShared({ uid: OWNER, gid: GROUP, umask: 0 });
  member = await connectShared({ uid: STRANGER, gid: STRANGER, groups: [5000, GROUP], umask: 0 });
  stranger = await connectShared({ uid: STRANGER, gid: STRANGER, groups: [], umask: 0 });
  folder = await root.mkdtemp('/permissions-');
  await root.chmod(folder, 0o777);
});
afterAll(async () => {
  await root.rm(folder, { recursive: true });
  for (const client of [root, owner, member, stranger]) await client.close();
});

const { R_OK, W_OK, X_OK } = constants;
const code = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
  );

/** Every mode of three digits would be 512 files; one of each right at each place tells as much. */
describe.each([0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001, 0o640, 0o751, 0o077])(
  'mode %s',
  (mode) => {
    const text = mode.toString(8).padStart(3, '0');
    const clients = () => [
      { who: 'owner', client: owner, bits: (mode >> 6) & 7 },
      { who: 'member', client: member, bits: (mode >> 3) & 7 },
      { who: 'stranger', client: stranger, bits: mode & 7 },
    ];

    test(`a file of mode ${text} is opened by whom it allows`, async () => {
      const path = `${folder}/file-${text}`;
      await owner.writeFile(path, 'text', { mode: 0o600 });
      await owner.chmod(path, mode);
      for (const { who, client, bits } of clients()) {
        const may = (bit: number) => ((bits & bit) === bit ? 'done' : 'EACCES');
        const found = {
          read: await code(client.readFile(path)),
          write: await code(client.open(path, 'r+').then((file) => file.close())),
          append: await code(client.appendFile(path, '')),
          truncate: await code(client.truncate(path, 4)),
          readable: await code(client.access(path, R_OK)),
          writable: await code(client.access(path, W_OK)),
          executable: await code(client.access(path, X_OK)),
          visible: await code(client.stat(path)),
        };
        expect(found, `${who} on ${text}`).toEqual({
          read: may(4),
          write: may(6),
          append: may(2),
          truncate: may(2),
          readable: may(4),
          writable: may(2),
          executable: may(1),
          visible: 'done',
        });
      }
      expect(await code(root.readFile(path))).toBe('done');
    });

    test(`a folder of mode ${text} is listed, searched and changed by whom it allows`, async () => {
      const path = `${folder}/folder-${text}`;
      await owner.mkdir(path, { mode: 0o700 });
      await owner.writeFile(`${path}/inside`, 'text', { mode: 0o666 });
      await owner.chmod(path, mode);
      for (const { who, client, bits } of clients()) {
        const may = (bit: number) => ((bits & bit) === bit ? 'done' : 'EACCES');
        const found = {
          list: await code(client.readdir(path)),
          search: await code(client.readFile(`${path}/inside`)),
          make: await code(client.writeFile(`${path}/${who}`, '')),
          folder: await code(client.mkdir(`${path}/${who}-folder`)),
          rename: await code(client.rename(`${path}/inside`, `${path}/inside`)),
        };
        expect(found, `${who} on ${text}`).toEqual({
          list: may(4),
          search: may(1),
          make: may(3),
          folder: may(3),
          rename: may(1) === 'done' ? expect.stringMatching(/^(done|EACCES)$/) : 'EACCES',
        });
      }
    });
  },
);

test('modes, owners and times are changed by the owner or root only', async () => {
  const path = `${folder}/owned`;
  await owner.writeFile(path, 'text', { mode: 0o666 });
  expect(await code(stranger.chmod(path, 0o777))).toBe('EPERM');
  expect(await code(stranger.chown(path, STRANGER, -1))).toBe('EPERM');
  expect(await code(owner.chown(path, STRANGER, -1))).toBe('EPERM');
  expect(await code(owner.chown(path, -1, STRANGER))).toBe('EPERM');
  expect(await code(stranger.utimes(path, 1, 1))).toBe('EPERM');
  expect(await code(owner.utimes(path, 1, 1))).toBe('done');
  expect(await code(member.chown(path, -1, GROUP))).toBe('EPERM');
  expect(await code(root.chown(path, STRANGER, GROUP))).toBe('done');
  expect(await root.stat(path)).toMatchObject({ uid: STRANGER, gid: GROUP, mode: 0o100666 });
  // Now it is theirs, and they may give it to a group that they are in.
  expect(await code(member.chown(path, -1, 5000))).toBe('done');
  expect(await code(stranger.chown(path, -1, GROUP))).toBe('EPERM');
});

test('in a sticky folder everybody removes and renames only what is theirs', async () => {
  const sticky = `${folder}/sticky`;
  await root.mkdir(sticky);
  await root.chmod(sticky, 0o1777);
  await owner.writeFile(`${sticky}/file`, 'text', { mode: 0o666 });
  expect(await code(stranger.unlink(`${sticky}/file`))).toMatch(/^(EPERM|EACCES)$/);
  expect(await code(stranger.rename(`${sticky}/file`, `${sticky}/mine`))).toMatch(/^(EPERM|EACCES)$/);
  expect(await code(stranger.appendFile(`${sticky}/file`, '!'))).toBe('done');
  expect(await code(owner.unlink(`${sticky}/file`))).toBe('done');
});

test('what is made belongs to its maker, with the umask taken off, and to the group of a set-group-id folder', async () => {
  await using masked = await connectShared({ uid: OWNER, gid: OWNER, umask: 0o027 });
  await masked.writeFile(`${folder}/masked`, '');
  await masked.mkdir(`${folder}/masked-folder`);
  expect(await root.stat(`${folder}/masked`)).toMatchObject({ mode: 0o100640, uid: OWNER, gid: OWNER });
  expect(await root.stat(`${folder}/masked-folder`)).toMatchObject({ mode: 0o040750, uid: OWNER, gid: OWNER });
  await root.mkdir(`${folder}/setgid`);
  await root.chown(`${folder}/setgid`, 0, GROUP);
  await root.chmod(`${folder}/setgid`, 0o2777);
  await masked.writeFile(`${folder}/setgid/file`, '');
  expect((await root.stat(`${folder}/setgid/file`)).gid).toBe(GROUP);
});

test('what may not be searched hides what is below it', async () => {
  await owner.mkdir(`${folder}/closed`, { mode: 0o700 });
  await owner.mkdir(`${folder}/closed/deep`, { mode: 0o777 });
  for (const path of [`${folder}/closed/deep`, `${folder}/closed/nothing`, `${folder}/closed/deep/nothing`])
    expect(await code(stranger.stat(path)), path).toBe('EACCES');
  expect(await code(stranger.rename(`${folder}/closed/deep`, `${folder}/mine`))).toBe('EACCES');
  expect(await code(stranger.readdir(`${folder}/closed`))).toBe('EACCES');
});
