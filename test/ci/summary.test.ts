/** The judge of .ci/run: what it must not let pass. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../.ci/summary.mjs', import.meta.url));
const WANTED = 'old  3.0.117  programs  20.\n';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'moosefs-summary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly tests?: readonly (readonly [name: string, status: string])[];
  readonly servers?: string | undefined;
  readonly node?: string;
  readonly success?: boolean;
  readonly files?: readonly object[];
}

/** Leaves behind what a part leaves. */
function ran(
  part: string,
  { tests = [['works', 'passed']], servers = '3.0.117 (programs)', node = '20.20.2', ...rest }: Ran,
): void {
  const assertionResults = tests.map(([fullName, status]) => ({ fullName, status }));
  const testResults = [{ name: 'a.test.ts', status: 'passed', message: '', assertionResults }, ...(rest.files ?? [])];
  writeFileSync(join(folder, `${part}.log`), servers === '' ? 'nothing' : `live tests: MooseFS ${servers}, master …\n`);
  writeFileSync(join(folder, `${part}.node`), `${node}\n`);
  writeFileSync(join(folder, `${part}.json`), JSON.stringify({ success: rest.success ?? true, testResults }));
}

function summary(wanted = WANTED, failedSteps = 0) {
  const { status, stdout } = spawnSync(process.execPath, [script, folder, String(failedSteps)], {
    input: wanted,
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  return { status, lines, problems: lines.filter((line) => line.startsWith('problem: ')).map((line) => line.slice(9)) };
}

test('prints the matrix, and the totals in the last line', () => {
  ran('old', {
    tests: [
      ['a', 'passed'],
      ['b', 'passed'],
      ['[4.x] c', 'skipped'],
    ],
  });
  ran('unit', { servers: '', node: '24.1.0' });
  expect(summary(`${WANTED}unit - - 24.`)).toEqual({
    status: 0,
    problems: [],
    lines: [
      'part  version  provider  node     passed  failed  skipped',
      'old   3.0.117  programs  20.20.2  2       0       1',
      'unit  -        -         24.1.0   1       0       0',
      '3 passed, 0 failed, 1 skipped',
    ],
  });
});

describe('takes for a failure', () => {
  test.each<readonly [what: string, problem: string, setUp: () => void]>([
    ['a part that has not run', 'old: has not run', () => undefined],
    [
      'a failed test',
      'old: failed: b',
      () =>
        ran('old', {
          tests: [
            ['a', 'passed'],
            ['b', 'failed'],
          ],
        }),
    ],
    ['nothing but skipped tests', 'old: no test has passed', () => ran('old', { tests: [['[4.x] a', 'skipped']] })],
    [
      'another version',
      'old: ran on MooseFS 3.0.115, not 3.0.117',
      () => ran('old', { servers: '3.0.115 (programs)' }),
    ],
    [
      'another provider',
      'old: servers came from docker, not from programs',
      () => ran('old', { servers: '3.0.117 (docker)' }),
    ],
    ['no servers', 'old: no live test has run', () => ran('old', { servers: '' })],
    ['another Node', 'old: ran on node 24.1.0, not 20.x', () => ran('old', { node: '24.1.0' })],
    ['what vitest calls one', 'old: vitest reports a failure', () => ran('old', { success: false })],
    [
      'a file without tests',
      'old: b.test.ts: broken',
      () => ran('old', { files: [{ name: 'b.test.ts', status: 'failed', message: 'broken', assertionResults: [] }] }),
    ],
    [
      'a skipped test without a mark',
      'old: skipped without a reason: b',
      () =>
        ran('old', {
          tests: [
            ['a', 'passed'],
            ['b', 'skipped'],
          ],
        }),
    ],
    [
      'one whose mark is here',
      'old: skipped without a reason: [3.x] b',
      () =>
        ran('old', {
          tests: [
            ['a', 'passed'],
            ['[3.x] b', 'skipped'],
          ],
        }),
    ],
    [
      'no mixed cluster',
      'old: skipped without a reason: [programs] [mixed] b',
      () =>
        ran('old', {
          tests: [
            ['a', 'passed'],
            ['[programs] [mixed] b', 'skipped'],
          ],
        }),
    ],
  ])('%s', (_, problem, setUp) => {
    setUp();
    const { status, problems } = summary();
    expect(status).toBe(1);
    expect(problems).toEqual([problem]);
  });

  test('a step that failed, and a list without parts', () => {
    expect(summary('', 1)).toMatchObject({ status: 1, problems: ['no part is wanted', 'failed steps: 1'] });
  });

  test('results that are missing', () => {
    ran('old', {});
    rmSync(join(folder, 'old.json'));
    expect(summary()).toMatchObject({ status: 1, problems: ['old: no results: it has not run to its end'] });
  });
});

test.each([
  ['3.0.117', 0],
  ['4.9.1', 0],
  ['4.57.5', 1],
  ['4.59.2', 1],
  ['5.0.0', 1],
])('a test for servers since 4.57, skipped on %s', (version, status) => {
  ran('old', {
    servers: `${version} (programs)`,
    tests: [
      ['a', 'passed'],
      ['[4.57+] b', 'skipped'],
    ],
  });
  expect(summary(`old ${version} programs 20.`)).toMatchObject({ status });
});

test('a machine that is taken as it is may have no other version', () => {
  ran('here', {
    tests: [
      ['a', 'passed'],
      ['[programs] [mixed] b', 'skipped'],
      ['[docker] c', 'skipped'],
    ],
  });
  expect(summary('here any any any')).toMatchObject({ status: 0, problems: [] });
});
