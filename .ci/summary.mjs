/**
 * node .ci/summary.mjs FOLDER FAILED-STEPS PART=VERSION...
 *
 * Prints what each part of .ci/run came to, and exits with 1 unless everything that should have run did and passed. Of
 * each part FOLDER has PART.json (vitest's results), PART.log (what it printed) and PART.provider (where its servers
 * should have come from).
 *
 * A skipped test is a failure, unless its name says by a mark in brackets where it runs, and this part is elsewhere:
 * `[4.x]`, `[3.x]`, `[docker]`, `[programs]`; `[mount]` runs where there is /dev/fuse.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps, ...wanted] = process.argv.slice(2);
const problems = [];
const rows = [];
const totals = { passed: 0, failed: 0, skipped: 0 };

/** Which servers the live tests had: the shared cluster says so in one line. */
function serversOf(part) {
  const log = readFileSync(join(folder, `${part}.log`), 'utf8');
  const match = /live tests: MooseFS (\S+) \((\w+)\)/.exec(log);
  return match ? { version: match[1], provider: match[2] } : undefined;
}

function skipIsExpected(name, servers) {
  const marks = [...name.matchAll(/\[(3\.x|4\.x|docker|programs|mount)\]/g)].map((match) => match[1]);
  const here = (mark) => {
    if (mark === 'mount') return existsSync('/dev/fuse');
    return mark.endsWith('.x') ? servers?.version.startsWith(mark[0] + '.') : servers?.provider === mark;
  };
  return marks.length > 0 && !marks.every(here);
}

function checkPart(part, versionStart) {
  const servers = serversOf(part);
  const provider = readFileSync(join(folder, `${part}.provider`), 'utf8').trim();
  const row = {
    part,
    version: servers?.version ?? '-',
    provider: servers?.provider ?? '-',
    passed: 0,
    failed: 0,
    skipped: 0,
  };
  rows.push(row);
  const file = join(folder, `${part}.json`);
  if (!existsSync(file)) return problems.push(`${part}: no results: it has not run to its end`);
  if (!servers) problems.push(`${part}: no live test has run`);
  else if (!servers.version.startsWith(versionStart))
    problems.push(`${part}: ran on ${servers.version}, not ${versionStart}x`);
  if (servers && provider !== 'any' && servers.provider !== provider) {
    problems.push(`${part}: servers came from ${servers.provider}, not from ${provider}`);
  }
  const results = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name: path, status, message, assertionResults } of results.testResults) {
    if (status === 'failed' && assertionResults.length === 0) problems.push(`${part}: ${path}: ${message}`);
    for (const test of assertionResults) countTest(part, row, servers, test);
  }
  if (row.passed === 0) problems.push(`${part}: no test has passed`);
  if (!results.success) problems.push(`${part}: vitest reports a failure`);
}

function countTest(part, row, servers, { status, fullName }) {
  if (status === 'passed') row.passed++;
  else if (status === 'failed') {
    row.failed++;
    problems.push(`${part}: failed: ${fullName}`);
  } else {
    row.skipped++;
    if (!skipIsExpected(fullName, servers)) problems.push(`${part}: skipped without a reason: ${fullName}`);
  }
}

for (const entry of wanted) {
  const [part, versionStart] = entry.split('=');
  if (existsSync(join(folder, `${part}.log`))) checkPart(part, versionStart);
  else problems.push(`${part}: has not run`);
}
if (Number(failedSteps) > 0) problems.push(`failed steps: ${failedSteps}`);

const columns = ['part', 'version', 'provider', 'passed', 'failed', 'skipped'];
const width = (column) => Math.max(column.length, ...rows.map((row) => String(row[column]).length));
const line = (cells) =>
  console.log(
    cells
      .map((cell, i) => String(cell).padEnd(width(columns[i])))
      .join('  ')
      .trimEnd(),
  );
line(columns);
for (const row of rows) {
  line(columns.map((column) => row[column]));
  for (const key of Object.keys(totals)) totals[key] += row[key];
}
for (const problem of problems) console.log(`problem: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
