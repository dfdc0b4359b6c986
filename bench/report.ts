/** The reports that are kept: docs/benchmarks/VERSION.json, .svg, and the tables in docs/benchmarks/README.md. */
import { chart } from './chart.ts';
import type { Limits } from './limits.ts';
import type { Machine } from './machine.ts';
import { readSaved, readText, writeMarkdown, writeSaved, writeText } from './saved.ts';
import type { Summary, Unit } from './statistics.ts';
import { markdownTable } from './table.ts';
import type { Scale } from './workloads.ts';

/** One piece of work and what each client made of it. */
export interface Row {
  readonly name: string;
  readonly workload: string;
  readonly unit: Unit;
  readonly wanted?: number;
  readonly clients: Readonly<Record<string, Summary>>;
}

/** One run of the program. */
export interface Report {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly scale: Scale;
  readonly runs: number;
  readonly limits: Limits;
  readonly rows: readonly Row[];
  /** The machine's load at the end. */
  readonly loadAfter: number;
}

/** The report of the same servers that is kept, if there is one. */
export function lastReport({ machine }: Report): Promise<Report | undefined> {
  return readSaved<Report>(`${machine.servers}.json`);
}

/** The report with those rows of the last one whose work was not done this time. */
export function withOtherRows(report: Report, last: Report | undefined): Report {
  const fresh = new Map(report.rows.map((row) => [row.name, row]));
  const kept = (last?.rows ?? []).map((row) => fresh.get(row.name) ?? row);
  const known = new Set(kept.map(({ name }) => name));
  return { ...report, rows: [...kept, ...report.rows.filter(({ name }) => !known.has(name))] };
}

/** Keeps the report instead of the last one. */
export async function saveReport(report: Report): Promise<void> {
  const name = report.machine.servers;
  await writeSaved(`${name}.json`, report);
  await writeText(`${name}.svg`, chart(report));
  await writeMarkdown('README.md', placeTable(await readText('README.md'), name, markdownTable(report)));
}

/** Puts a version's table between its two marks; at the end where there are none yet. */
export function placeTable(text: string, version: string, table: string): string {
  const [from, to] = [`<!-- results ${version} -->`, `<!-- end ${version} -->`];
  const start = text.indexOf(from);
  const end = text.indexOf(to);
  const section = `${from}\n\n${table}\n\n${to}`;
  if (start < 0 || end < start) return `${text.trimEnd()}\n\n${section}\n`;
  return text.slice(0, start) + section + text.slice(end + to.length);
}
