/** The tests of one row of the matrix, with the bars that every cell must clear. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActivityName } from './activities.ts';
import type { Fault } from './faults.ts';
import { Matrix, printResults } from './matrix.ts';
import type { CellResult, Target } from './matrix.ts';

/**
 * How long things may take, in milliseconds. The bars are what the documents promise, for a machine that does nothing else. On a
 * busy one `MOOSEFS_FAULT_BARS=generous` asserts only that everything ends soon and well; the figures are printed either way.
 */
const bars =
  process.env['MOOSEFS_FAULT_BARS'] === 'generous'
    ? {
        write: 30_000,
        read: 15_000,
        lost: 120_000,
        afterReturn: 20_000,
        afterDrop: 5000,
        afterMaster: 20_000,
        otherSession: 30_000,
        factor: 3,
      }
    : {
        // The master drops a silent chunkserver after 10 s, and looks once a second; then comes the new chain.
        write: 12_000,
        read: 2000,
        // A chunk without any copy is asked for until ioTimeoutMs is over.
        lost: 75_000,
        // After the only server of its kind is of use again.
        afterReturn: 2000,
        // After the master has dropped a server that does not answer, as an independent witness sees it: the new chain, and a
        // buffer of 16 MiB.
        afterDrop: 500,
        // After the master answers again and has the chunk's servers, as the witness sees it.
        afterMaster: 2000,
        // A chunk that nobody holds locked is written and 24 MiB read in this.
        otherSession: 5000,
        factor: 1,
      };

/** What differs from fault to fault. */
export interface RowOptions {
  readonly targets: readonly Target[];
  readonly during: readonly ActivityName[];
  /** Cells in which the data cannot be had: they must fail, saying why. */
  readonly mustFail?: (target: Target, during: ActivityName) => RegExp | undefined;
  /** Cells in which the cluster may lose the only copy, which it was told to write: then the call must say so, in bounded time. */
  readonly mayLose?: (target: Target, during: ActivityName) => boolean;
  /** Nobody but the master can say that the server is gone, and a write waits for that: a server that is silent, not closed. */
  readonly waitsForDrop?: boolean;
  /** Only the end of the fault helps, though there are other replicas. */
  readonly waitsForMending?: boolean;
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

function judge(row: CellResult, options: RowOptions): void {
  const { mustFail, mayLose, barMs, waitsForMending = false, waitsForDrop = false } = options;
  const { target, during } = row;
  if (mayLose?.(target, during) === true && LOST.test(row.outcome)) {
    expect(row.worstMs).toBeLessThan(bars.lost);
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
  expect(row.otherSessionMs).toBeLessThan(bars.otherSession);
  const isShort = during === 'read' || during === 'metadata';
  if (barMs !== undefined) expect(row.worstMs).toBeLessThan(barMs * bars.factor);
  else if (target === 'master')
    expect(row.worstMs < bars.read ? 0 : (row.afterMasterMs ?? Infinity)).toBeLessThan(bars.afterMaster);
  else if (target === 'only' || waitsForMending)
    expect(row.worstMs < bars.read ? 0 : row.afterMendingMs).toBeLessThan(bars.afterReturn);
  else expect(row.worstMs).toBeLessThan(isShort ? bars.read : bars.write);
  if (waitsForDrop && !isShort && target !== 'only' && target !== 'master')
    expect(row.worstMs < bars.read ? 0 : (row.afterMasterMs ?? Infinity)).toBeLessThan(bars.afterDrop);
}

/** What the master says of a chunk whose only copy its server reported as damaged, with what was being written to it and where. */
const LOST = /^failed: ENXIO: .*bytes of chunk 0, last on .*CHUNKLOST/;
