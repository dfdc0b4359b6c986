/**
 * node .ci/summary.mjs FOLDER FAILED-STEPS <LIST
 *
 * Prints what each part of .ci/run came to, and exits with 1 unless everything that should have run did and passed. LIST has a line
 * for each part: its name, and the MooseFS version, provider and Node version that it must have run on; versions by their
 * beginnings, `-` for a part without servers, `any` for what this machine offers. Of each part FOLDER has PART.json (vitest's
 * results), PART.log (what it printed) and PART.node (the version of Node).
 *
 * A skipped test is a failure, unless its name says by marks in brackets what it needs, and this part does not offer it: `[4.x]`,
 * `[3.x]`, `[4.57+]` (this version of the servers or a later one), `[docker]`, `[programs]`, `[mount]` (/dev/fuse). CI offers what
 * `[mixed]` (the programs of another version) and `[compose]` (docker compose) need wherever its programs or Docker run; only a
 * machine that is taken as it is may lack it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts that must have run, from the lines of LIST. */
function wantedParts(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [part, version, provider, node, ...rest] = line.trim().split(/\s+/);
    if (node === undefined || rest.length > 0) throw new Error(`not "PART VERSION PROVIDER NODE": ${line}`);
    return { part, version, provider, node };
  });
}

/** Which servers the live tests had: the shared cluster says so in one line. */
function serversOf(log) {
  const match = /live tests: MooseFS (\S+) \((\w+)\)/.exec(log);
  return match ? { version: match[1], provider: match[2] } : undefined;
}

/** Whether `version` is `first`, as in `4.57`, or a later one. */
function isSince(first, version) {
  const [[wantedMajor, wantedMinor], [major, minor]] = [first, version].map((text) => text.split('.').map(Number));
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Whether a test may have been skipped: it says what it needs, and not all of that is here. */
function skipIsExpected(name, servers, wanted) {
  const marks = [...name.matchAll(/\[(3\.x|4\.x|\d+\.\d+\+|docker|programs|mount|mixed|compose)\]/g)].map(
    (match) => match[1],
  );
  const here = (mark) => {
    if (mark === 'mount') return existsSync('/dev/fuse');
    if (mark.endsWith('+')) return servers !== undefined && isSince(mark.slice(0, -1), servers.version);
    if (mark.endsWith('.x')) return servers?.version.startsWith(`${mark[0]}.`);
    if (mark === 'mixed' || mark === 'compose') return wanted.provider !== 'any';
    return servers?.provider === mark;
  };
  return marks.length > 0 && !marks.every(here);
}

/** What is wrong with where a part has run. */
function wrongPlace(wanted, servers, node) {
  const problems = [];
  if (wanted.node !== 'any' && !node.startsWith(wanted.node)) problems.push(`ran on node ${node}, not ${wanted.node}x`);
  if (wanted.provider === '-') return problems;
  if (!servers) return [...problems, 'no live test has run'];
  if (wanted.version !== 'any' && !servers.version.startsWith(wanted.version))
    problems.push(`ran on MooseFS ${servers.version}, not ${wanted.version}`);
  if (wanted.provider !== 'any' && servers.provider !== wanted.provider)
    problems.push(`servers came from ${servers.provider}, not from ${wanted.provider}`);
  return problems;
}

/** One row of the matrix, and what is wrong with it. */
function judge(wanted, { log, node, results }) {
  const servers = serversOf(log);
  const row = { part: wanted.part, version: servers?.version ?? '-', provider: servers?.provider ?? '-', node };
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (!results) return { row: { ...row, ...counts }, problems: ['no results: it has not run to its end'] };
  const problems = wrongPlace(wanted, servers, node);
  for (const { name: path, status, message, assertionResults } of results.testResults) {
    if (status === 'failed' && assertionResults.length === 0) problems.push(`${path}: ${message}`);
    for (const test of assertionResults) {
      if (test.status === 'passed') counts.passed++;
      else if (test.status === 'failed') {
        counts.failed++;
        problems.push(`failed: ${test.fullName}`);
      } else {
        counts.skipped++;
        if (!skipIsExpected(test.fullName, servers, wanted))
          problems.push(`skipped without a reason: ${test.fullName}`);
      }
    }
  }
  if (counts.passed === 0) problems.push('no test has passed');
  if (!results.success) problems.push('vitest reports a failure');
  return { row: { ...row, ...counts }, problems };
}

function read(folder, file) {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function judgeFolder(folder, wanted) {
  const log = read(folder, `${wanted.part}.log`);
  const nothing = { version: '-', provider: '-', node: '-', passed: 0, failed: 0, skipped: 0 };
  if (log === undefined) return { row: { part: wanted.part, ...nothing }, problems: ['has not run'] };
  const json = read(folder, `${wanted.part}.json`);
  const node = read(folder, `${wanted.part}.node`)?.trim() ?? '-';
  return judge(wanted, { log, node, results: json === undefined ? undefined : JSON.parse(json) });
}

function printMatrix(rows) {
  const columns = ['part', 'version', 'provider', 'node', 'passed', 'failed', 'skipped'];
  const width = (column) => Math.max(column.length, ...rows.map((row) => String(row[column]).length));
  const line = (cells) =>
    console.log(
      cells
        .map((cell, i) => String(cell).padEnd(width(columns[i])))
        .join('  ')
        .trimEnd(),
    );
  line(columns);
  for (const row of rows) line(columns.map((column) => row[column]));
}

function main(folder, failedSteps) {
  const wanted = wantedParts(readFileSync(0, 'utf8'));
  const judged = wanted.map((each) => judgeFolder(folder, each));
  const rows = judged.map(({ row }) => row);
  const problems = judged.flatMap(({ row, problems }) => problems.map((problem) => `${row.part}: ${problem}`));
  if (wanted.length === 0) problems.push('no part is wanted');
  if (Number(failedSteps) > 0) problems.push(`failed steps: ${failedSteps}`);
  printMatrix(rows);
  for (const problem of problems) console.log(`problem: ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
  const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
  console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
}

main(...process.argv.slice(2));
