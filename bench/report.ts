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
  /** Of an earlier run: its place in {@link Report.earlier}. */
  readonly earlier?: number;
}

/** When, on what and how often something was measured. */
export interface Conditions {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly runs: number;
  readonly limits: Limits;
  /** The machine's load at the end. */
  readonly loadAfter: number;
}

/** One run of the program; with rows of earlier runs where it did a part of the work. */
export interface Report extends Conditions {
  readonly scale: Scale;
  readonly rows: readonly Row[];
  readonly earlier?: readonly Conditions[];
}

/** The report of the same servers that is kept, if there is one. */
export function lastReport({ machine }: Report): Promise<Report | undefined> {
  return readSaved<Report>(`${machine.servers}.json`);
}

/** The report with those rows of the last one whose work was not done this time. */
export function withOtherRows(report: Report, last: Report | undefined): Report {
  const fresh = new Map(report.rows.map((row) => [row.name, row]));
  const earlier: Conditions[] = [];
  const kept = (last?.rows ?? []).map(
    (row) => fresh.get(row.name) ?? { ...row, earlier: placeOf(row, last!, earlier) },
  );
  const known = new Set(kept.map(({ name }) => name));
  return { ...report, rows: [...kept, ...report.rows.filter(({ name }) => !known.has(name))], earlier };
}

/** Where the conditions of a kept row stand in a list, which gets them where they are new. */
function placeOf(row: Row, last: Report, list: Conditions[]): number {
  const { date, machine, runs, limits, loadAfter } = row.earlier === undefined ? last : last.earlier![row.earlier]!;
  const known = list.findIndex((each) => each.date === date);
  return known < 0 ? list.push({ date, machine, runs, limits, loadAfter }) - 1 : known;
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
