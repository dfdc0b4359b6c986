/** docs/libmfsio.md is true: what it names exists here, and errors are those of the status table. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FileHandle, MooseFS } from '../src/index.ts';
import { statusInfo } from '../src/protocol/status.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const text = readFileSync(new URL('../docs/libmfsio.md', import.meta.url), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

/** What the headers of both versions declare. */
const FUNCTIONS =
  `acl_alloc acl_free chmod chown close fchmod fchown fcntl_locks fgetfacl fgetxattr flistxattr flock fremovexattr fsetfacl
  fsetxattr fstat fstatvfs fsync ftruncate futimens futimes getfacl getxattr init link listxattr lockf lseek mkdir mknod open
  pread pwrite read readlink removexattr rename rmdir set_defaults setfacl setxattr stat statvfs symlink term truncate unlink
  utimes write`
    .split(/\s+/)
    .map((name) => `mfs_${name}`);

test('every function of libmfsio is in the table, once', () => {
  const named = rows.flatMap(([first]) => quoted(first!)).filter((name) => name.startsWith('mfs_'));
  expect(named.sort()).toEqual(FUNCTIONS.sort());
});

test('what stands beside them exists', async () => {
  await using cluster = await FakeCluster.start();
  await using mfs = await cluster.connect();
  await using file = await mfs.open('/file', 'w');
  const things: Record<string, unknown> = { mfs, file, MooseFS };
  const named = rows.filter(([first]) => first!.startsWith('`mfs_')).flatMap(([, , here]) => quoted(here!));
  expect(named.length).toBeGreaterThan(40);
  for (const name of named) {
    const found = name
      .split('.')
      .reduce<unknown>((thing, key) => (thing as Record<string, unknown> | undefined)?.[key], things);
    expect(typeof found, name).toBe('function');
  }
  expect(file).toBeInstanceOf(FileHandle);
});

test('every status has the errno that libmfsio gives it', () => {
  const errors = rows.filter(([status]) => /^\d+ [A-Z]+$/.test(status!));
  expect(errors).toHaveLength(26);
  for (const [status, theirs, ours] of errors) {
    const [number, name] = status!.split(' ');
    expect(statusInfo(Number(number))).toMatchObject({ name, code: ours });
    expect(ours).toBe(theirs);
  }
});
