/** The tests of one row of the matrix, with the bars that every cell must clear. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActivityName } from './activities.ts';
import type { Fault } from './faults.ts';
import { Matrix, printResults } from './matrix.ts';
import type { CellResult, Target } from './matrix.ts';

/** The master drops a silent chunkserver after 10 s, and looks once a second; then comes the new chain. */
const WRITE_BAR_MS = 12_000;
const READ_BAR_MS = 2000;
/** A chunk without any copy is asked for until ioTimeoutMs is over. */
const LOST_BAR_MS = 75_000;
/** After the only server of its kind is of use again. */
const RETURN_BAR_MS = 2000;
/** A chunk that nobody holds locked is written and 24 MiB read in this, also on a busy machine. */
const OTHER_SESSION_BAR_MS = 5000;

/** What differs from fault to fault. */
export interface RowOptions {
  readonly targets: readonly Target[];
  readonly during: readonly ActivityName[];
  /** Cells in which the data cannot be had: they must fail, saying why. */
  readonly mustFail?: (target: Target, during: ActivityName) => RegExp | undefined;
  /** Cells in which the cluster may lose the only copy, which it was told to write: then the call must say so, in bounded time. */
  readonly mayLose?: (target: Target, during: ActivityName) => boolean;
  /** Bars of its own, in milliseconds, for faults that are no absence of one server. */
  readonly barMs?: number;
}

/** Declares them. */
export function matrixTests(fault: Fault, options: RowOptions): void {
  const groups = [
    { kind: 'chain', targets: options.targets.filter((target) => target !== 'only') },
    { kind: 'only', targets: options.targets.filter((target) => target === 'only') },
  ] as const;
  for (const { kind, targets } of groups) {
    if (targets.length === 0) continue;
    describe(`${fault.name}, ${kind === 'only' ? 'the only replica' : 'three copies'}`, () => {
      let matrix: Matrix;
      beforeAll(async () => {
        matrix = await Matrix.start(fault, kind);
      });
      afterAll(async () => {
        printResults(matrix.cluster.version, matrix.results);
        await matrix[Symbol.asyncDispose]();
      });
      for (const target of targets) {
        for (const during of options.during) {
          // Names are the master's business alone: which chunkserver it is makes no difference.
          if (during === 'metadata' && (target === 'middle' || target === 'last')) continue;
          test(`${target} during ${during}`, async () => judge(await matrix.cell(target, during), options));
        }
      }
    });
  }
}

function judge(row: CellResult, { mustFail, mayLose, barMs }: RowOptions): void {
  const { target, during } = row;
  if (mayLose?.(target, during) === true && row.outcome.startsWith('failed: ENXIO')) {
    expect(row.worstMs).toBeLessThan(LOST_BAR_MS);
    expect(row.leaks).toEqual([]);
    return;
  }
  const reason = mustFail?.(target, during);
  if (reason === undefined) {
    expect(row.outcome).toBe('went on');
    expect(row.lostBytes).toBe(0);
    const [equal, valid] = row.replicas.split('/');
    expect(equal).toBe(valid);
  } else {
    expect(row.outcome).toMatch(reason);
  }
  expect(row.leaks).toEqual([]);
  expect(row.otherSessionMs).toBeLessThan(OTHER_SESSION_BAR_MS);
  if (barMs !== undefined) expect(row.worstMs).toBeLessThan(barMs);
  else if (target === 'only' || target === 'master')
    expect(row.worstMs < READ_BAR_MS ? 0 : row.afterMendingMs).toBeLessThan(RETURN_BAR_MS);
  else expect(row.worstMs).toBeLessThan(during === 'read' || during === 'metadata' ? READ_BAR_MS : WRITE_BAR_MS);
}
