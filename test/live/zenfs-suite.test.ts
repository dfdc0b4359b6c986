/**
 * The file system tests of @zenfs/core on MooseFS. node:fs on the same Node says what is right: whatever passes there must pass here.
 * The exceptions are those of docs/fs-compatibility.md.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MooseFS } from '../../src/index.ts';
import { sharedCluster } from '../support/live.ts';
import { runSuite, suiteFiles } from '../support/zenfs/suite.ts';
import type { SuiteResult } from '../support/zenfs/suite.ts';

/** What cannot pass here, and why the wire cannot carry it. */
const exceptions: Record<string, string> = {
  'Times > utimes works > number': 'SETATTR has whole seconds',
  'Times > utimes works > new Date()': 'SETATTR has whole seconds',
  'Times > utimes works': 'two of its parts are above',
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

describe.each(suiteFiles)('%s', (file) => {
  test('passes whatever node:fs passes', () => {
    const found = new Map(ours.filter((each) => each.file === file).map((each) => [each.name, each]));
    const worse = right
      .filter((each) => each.file === file && each.status === 'pass' && !(each.name in exceptions))
      .map(({ name }) => found.get(name) ?? { name, status: 'missing', error: undefined })
      // The calls that block, which the SDK does not have, are skipped there by the suite itself.
      .filter(({ status }) => status !== 'pass' && status !== 'skipped')
      .map(({ name, status, error }) => `${name}: ${status} ${error ?? ''}`);
    expect(worse).toEqual([]);
  });
});

test('the suite did run, the extended attributes that node has not among it', () => {
  const passed = ours.filter(({ status }) => status === 'pass');
  const failed = ours.filter(({ status }) => status === 'fail');
  process.stderr.write(
    `@zenfs/core on MooseFS ${sharedCluster().version}: ${passed.length} passed, ${failed.length} failed ` +
      `(node:fs fails ${failed.filter(({ name }) => right.some((each) => each.name === name && each.status === 'fail')).length} of them), ` +
      `${ours.length - passed.length - failed.length} of calls that block skipped\n`,
  );
  expect(passed.length).toBeGreaterThanOrEqual(120);
  expect(passed.filter(({ file }) => file === 'xattr.test.ts').length).toBeGreaterThanOrEqual(7);
  expect(failed.map(({ name }) => name)).toContain('Times > utimes works > number');
});
