/** Reports as text: for the terminal, and for docs/benchmarks/README.md. */
import { promises, ratioOf } from './promises.ts';
import type { Conditions, Report, Row } from './report.ts';
import type { Summary } from './statistics.ts';

const OURS = 'moosefs-client';
const PEERS = ['libmfsio', 'mfsmount'] as const;
const MIB = 2 ** 20;

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function ratioText(row: Row): string {
  const ratio = ratioOf(row);
  return ratio === undefined ? '' : ratio.toFixed(2);
}

function wantedText(row: Row): string {
  const ratio = ratioOf(row);
  if (row.wanted === undefined || ratio === undefined) return '';
  return `${row.wanted.toFixed(1)} ${ratio >= row.wanted ? 'reached' : 'missed'}`;
}

/** For CPU: each GiB where data moves, else the whole work. */
function cpuText({ cpuPerGiB, cpuSeconds }: Summary): string {
  return cpuPerGiB === undefined ? `${cpuSeconds.toFixed(2)} s` : `${cpuPerGiB.toFixed(2)} s/GiB`;
}

/** What marks the rows of an earlier run. */
const markOf = (earlier: number): string => `(${String.fromCharCode('a'.charCodeAt(0) + earlier)})`;

function conditionsText({ date, runs, machine, limits, loadAfter }: Conditions): string {
  return (
    `${date.slice(0, 10)}, ${runs} runs; ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ` +
    `${machine.kernel}, node ${machine.node}, chunks on ${machine.disk}; load ${machine.loadBefore.toFixed(1)} before, ` +
    `${loadAfter.toFixed(1)} after. Limits: loopback TCP between two processes of node ${limits.loopbackTcp} MB/s, ` +
    `CRC-32 ${limits.crc32} MB/s, disk (write and fsync) ${limits.diskWrite} MB/s.`
  );
}

/** The table of one report, its machine and its limits, in Markdown. */
export function markdownTable(report: Report): string {
  const { machine, scale, earlier = [] } = report;
  const lines = report.rows.flatMap((row) =>
    [OURS, ...PEERS].flatMap((name) => {
      const client = row.clients[name];
      if (client === undefined) return [];
      const { median, min, max, peakBytes } = client;
      const title = row.earlier === undefined ? row.name : `${row.name} ${markOf(row.earlier)}`;
      const first = name === OURS ? [title, ratioText(row), wantedText(row)] : ['', '', ''];
      const speed = `${number(median)} ${row.unit}`;
      const cells = [first[0]!, name, speed, `${number(min)}–${number(max)}`, first[1]!, first[2]!];
      const memory = `${Math.round(peakBytes / MIB)} MiB`;
      return [`| ${[...cells, cpuText(client), memory].join(' | ')} |`];
    }),
  );
  return [
    `### MooseFS ${machine.servers}`,
    '',
    `Streams of ${scale.streamBytes / MIB} MiB. ${conditionsText(report)}`,
    '',
    ...earlier.flatMap((each, i) => [`${markOf(i)} ${conditionsText(each)}`, '']),
    `![Speed relative to the faster peer](${machine.servers}.svg)`,
    '',
    '| work | client | median | min–max | ratio to the better peer | wanted | CPU | peak memory |',
    '| --- | --- | --: | --: | --: | --- | --: | --: |',
    ...lines,
    '',
    '| promised | wanted | found | |',
    '| --- | --- | --: | --- |',
    ...promises(report).map(({ what, wanted, found, kept }) => `| ${what} | ${wanted} | ${found} | ${verdict(kept)} |`),
  ].join('\n');
}

/** The same for a terminal, with the change against the last report where there was one. */
export function printTable(report: Report, last: Report | undefined): string {
  const before = new Map(last?.rows.map((row) => [row.name, row.clients[OURS]?.median]));
  const header = ['work', 'client', 'median', 'min–max', 'ratio', 'wanted', 'CPU', 'peak MiB', 'limit', 'since last'];
  const rows = report.rows.flatMap((row) =>
    [OURS, ...PEERS].flatMap((name) => {
      const client = row.clients[name];
      if (client === undefined) return [];
      const isOurs = name === OURS;
      return [
        [
          isOurs ? row.name : '',
          name,
          `${number(client.median)} ${row.unit}`,
          `${number(client.min)}–${number(client.max)}`,
          isOurs ? ratioText(row) : '',
          isOurs ? wantedText(row) : '',
          cpuText(client),
          String(Math.round(client.peakBytes / MIB)),
          row.workload.startsWith('stream') ? shareText(client, report) : '',
          isOurs ? changeText(client.median, before.get(row.name)) : '',
        ],
      ];
    }),
  );
  const { limits, machine } = report;
  return (
    `MooseFS ${machine.servers}; limits in MB/s: loopback TCP ${limits.loopbackTcp}, CRC-32 ${limits.crc32}, ` +
    `disk ${limits.diskWrite}\n${alignColumns([header, ...rows])}\n${promisesText(report)}`
  );
}

function promisesText(report: Report): string {
  const lines = promises(report).map(({ what, wanted, found, kept }) => [what, wanted, found, verdict(kept)]);
  return alignColumns([['promised', 'wanted', 'found', ''], ...lines]);
}

const verdict = (kept: boolean): string => (kept ? 'reached' : 'missed');

/** Every byte of a stream passes the loopback once on its way between client and server. */
function shareText({ median }: Summary, { limits }: Report): string {
  return `${Math.round((100 * median) / limits.loopbackTcp)}% of TCP`;
}

function changeText(now: number, before: number | undefined): string {
  if (before === undefined) return '';
  const percent = Math.round((now / before - 1) * 100);
  return `${percent >= 0 ? '+' : ''}${percent}%`;
}

/** Cells in columns of equal width. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
