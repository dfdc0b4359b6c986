/** What the project promises of its speed, CPU and memory, held against a report. */
import type { Report, Row } from './report.ts';
import { ratioToBest } from './statistics.ts';

/** One promise and what became of it. */
export interface Promised {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly kept: boolean;
}

const MIB = 2 ** 20;
/** The most resident memory, in MiB, by workload: a prefix of its name. */
const memoryLimits = [
  { workload: 'stream', mib: 120 },
  { workload: 'uploads', mib: 250 },
] as const;

/** How many times as fast as the faster peer, of one row. */
export function ratioOf({ clients }: Row): number | undefined {
  return ratioToBest(clients['moosefs-client'], [clients['libmfsio'], clients['mfsmount']]);
}

/** All promises about the rows that a report has. */
export function promises({ rows }: Report): Promised[] {
  return rows.flatMap((row) => [...speed(row), ...cpu(row), ...memory(row)]);
}

function speed(row: Row): Promised[] {
  const ratio = ratioOf(row);
  if (row.wanted === undefined || ratio === undefined) return [];
  const wanted = `at least ${row.wanted.toFixed(1)}`;
  return [{ what: `${row.name}: speed`, wanted, found: ratio.toFixed(2), kept: ratio >= row.wanted }];
}

function cpu({ name, workload, clients }: Row): Promised[] {
  const [ours, mount] = [clients['moosefs-client']?.cpuPerGiB, clients['mfsmount']?.cpuPerGiB];
  if (!workload.startsWith('stream') || ours === undefined || mount === undefined) return [];
  const ratio = ours / mount;
  const what = `${name}: CPU against mfsmount's`;
  return [{ what, wanted: 'at most 1.0', found: ratio.toFixed(2), kept: ratio <= 1 }];
}

function memory({ name, workload, clients }: Row): Promised[] {
  const limit = memoryLimits.find((each) => workload.startsWith(each.workload));
  const peak = clients['moosefs-client']?.peakBytes;
  if (limit === undefined || peak === undefined) return [];
  const found = `${Math.round(peak / MIB)} MiB`;
  return [{ what: `${name}: memory`, wanted: `at most ${limit.mib} MiB`, found, kept: peak <= limit.mib * MIB }];
}
