/** How many chunks have which goal and how many copies, and what that says of them. */
import { MATRIX_EDGE } from '../protocol/messages/monitor.ts';

/** A matrix, and its sums. Goals and copies of 10 mean 10 or more. */
export interface ChunkMatrix {
  /** `cells[goal][copies]`: how many chunks. A goal of 0: chunks that are to be deleted. */
  readonly cells: readonly (readonly number[])[];
  /** Chunks without a copy. */
  readonly missing: number;
  /** Chunks with one copy that should have more. */
  readonly endangered: number;
  /** Other chunks with fewer copies than they should have. */
  readonly underGoal: number;
  readonly atGoal: number;
  readonly overGoal: number;
  /** Chunks that nothing needs any more. */
  readonly unused: number;
}

/** Chunks by goal and copies; parts count as the copies that would survive as much. */
export interface ChunkMatrices {
  /** All copies. */
  readonly all: ChunkMatrix;
  /** Without those on disks that are marked for removal. */
  readonly regular: ChunkMatrix;
  /** False while chunkservers connect or go: the numbers are on their way. */
  readonly settled: boolean;
}

/** Reads what the master answers: on every version the first two matrices count all chunks. */
export function matricesOf(progress: number, matrices: readonly { readonly cells: Uint8Array }[]): ChunkMatrices {
  const [all, regular] = matrices.map(({ cells }) => matrixOf(cells));
  const none = matrixOf(new Uint8Array(4 * MATRIX_EDGE * MATRIX_EDGE));
  return { all: all ?? none, regular: regular ?? all ?? none, settled: progress === 0 };
}

function matrixOf(bytes: Uint8Array): ChunkMatrix {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const edge = Array.from({ length: MATRIX_EDGE }, (_, i) => i);
  const cells = edge.map((goal) => edge.map((copies) => b.readUInt32BE(4 * (goal * MATRIX_EDGE + copies))));
  const sum = (wanted: (goal: number, copies: number) => boolean): number =>
    cells
      .flatMap((row, goal) => row.filter((_, copies) => wanted(goal, copies)))
      .reduce((total, each) => total + each, 0);
  return {
    cells,
    missing: sum((goal, copies) => goal > 0 && copies === 0),
    endangered: sum((goal, copies) => goal > 1 && copies === 1),
    underGoal: sum((goal, copies) => copies > 1 && copies < goal),
    atGoal: sum((goal, copies) => goal > 0 && copies === goal),
    overGoal: sum((goal, copies) => goal > 0 && copies > goal),
    unused: sum((goal) => goal === 0),
  };
}
