/**
 * The file system tests of @zenfs/core on MooseFS. node:fs on the same Node says what is right: whatever passes there must pass here.
 * The exceptions are those of docs/fs-compatibility.md.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { sharedCluster } from '../support/live.ts';
import { runSuite, suiteFiles } from '../support/zenfs/suite.ts';
import type { SuiteResult } from '../support/zenfs/suite.ts';

/** What cannot pass here, and why the wire cannot carry it. */
const exceptions: Record<string, string> = {
  'times.test.ts: Times > utimes works > number': 'SETATTR has whole seconds',
  'times.test.ts: Times > utimes works > new Date()': 'SETATTR has whole seconds',
  'times.test.ts: Times > utimes works': 'it ends with the two above',
};
const folder = `/zenfs-suite-${process.pid}`;
let right: SuiteResult[];
let ours: SuiteResult[];

beforeAll(async () => {
  await using mfs = await MooseFS.connect({ master: sharedCluster().master });
  await mfs.mkdir(folder);
  right = await runSuite('node');
  ours = await runSuite('moosefs', { MFS_SUITE_MASTER: sharedCluster().master, MFS_SUITE_FOLDER: folder });
}, 600_000);

afterAll(async () => {
  await using mfs = await MooseFS.connect({ master: sharedCluster().master });
  await mfs.rm(folder, { recursive: true });
});

/** In one of a thousand milliseconds it is given a whole second, and passes. */
const LUCKY = 'times.test.ts: Times > utimes works > new Date()';

const nameOf = ({ file, name }: SuiteResult) => `${file}: ${name}`;
const failuresOf = (results: readonly SuiteResult[]) => results.filter(({ status }) => status === 'fail');

test('passes whatever node:fs passes, with these exceptions and no other', () => {
  // Rounding milliseconds, node:fs itself fails some of the exceptions now and then: they are ours all the same.
  const nodeFails = new Set(failuresOf(right).map(nameOf));
  const worse = failuresOf(ours).filter((each) => nameOf(each) in exceptions || !nodeFails.has(nameOf(each)));
  for (const each of worse)
    if (!(nameOf(each) in exceptions)) process.stderr.write(`${nameOf(each)}: ${each.error ?? ''}\n`);
  expect([...new Set([...worse.map(nameOf), LUCKY])].sort()).toEqual(Object.keys(exceptions).sort());
});

test('whatever node:fs ran did run here', () => {
  // The calls that block, which the SDK does not have, are skipped there by the suite itself.
  const ran = new Set(ours.map(nameOf));
  expect(right.map(nameOf).filter((name) => !ran.has(name))).toEqual([]);
  for (const file of suiteFiles) expect(ours.some((each) => each.file === file)).toBe(true);
});

test('the suite did run, the extended attributes that node has not among it', () => {
  const passed = ours.filter(({ status }) => status === 'pass');
  const failed = failuresOf(ours);
  const nodeFails = failuresOf(right).map(nameOf);
  const both = failed.map(nameOf).filter((name) => nodeFails.includes(name));
  process.stderr.write(
    `@zenfs/core on MooseFS ${sharedCluster().version}: ${passed.length} passed, ${failed.length} failed ` +
      `(node:fs fails ${both.length} of them: ${both.join('; ')}), ` +
      `${ours.length - passed.length - failed.length} of calls that block skipped\n`,
  );
  expect(passed.length).toBeGreaterThanOrEqual(120);
  expect(passed.filter(({ file }) => file === 'xattr.test.ts').length).toBeGreaterThanOrEqual(7);
});
