/** Tables and columns of plain text. */
import { pad, widthOf } from './text.ts';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** At least so wide: for tables whose rows come later. */
  readonly width?: number;
}

/** A table whose rows are printed as they come, under titles that are printed once. */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];

  /** `rows`: those known already; the columns become as wide as they need. */
  constructor(columns: readonly Column[], rows: readonly (readonly string[])[] = []) {
    this.#columns = columns;
    this.#widths = columns.map(({ title, width = 0 }, i) =>
      Math.max(width, widthOf(title), ...rows.map((row) => widthOf(row[i] ?? ''))),
    );
  }

  /** The line of titles. */
  get head(): string {
    return this.row(this.#columns.map(({ title }) => title));
  }

  /** One line; a cell that is too long pushes the others aside. */
  row(cells: readonly string[], gap = '  '): string {
    return cells
      .map((cell, i) => pad(cell, this.#widths[i]!, this.#columns[i]!.align))
      .join(gap)
      .trimEnd();
  }
}

/** Cells in as many columns as fit into `width`, filled from top to bottom, as ls prints names on a terminal. */
export function inColumns(cells: readonly string[], width: number): string[] {
  const widths = cells.map(widthOf);
  const gap = 2;
  for (let columns = Math.min(cells.length, Math.floor(width / (1 + gap)) + 1); columns > 1; columns--) {
    const rows = Math.ceil(cells.length / columns);
    const columnWidths = Array.from({ length: Math.ceil(cells.length / rows) }, (_, i) =>
      Math.max(...widths.slice(i * rows, (i + 1) * rows)),
    );
    const total = columnWidths.reduce((sum, each) => sum + each + gap, -gap);
    if (total > width) continue;
    return Array.from({ length: rows }, (_, row) =>
      columnWidths
        .map((columnWidth, column) => pad(cells[column * rows + row] ?? '', columnWidth + gap))
        .join('')
        .trimEnd(),
    );
  }
  return [...cells];
}
