import { displayWidth } from './display-width.ts';
import type { Terminal } from './invocation.ts';
import { type Colour, cut, paint, wrap } from './text.ts';

export interface Column {
  readonly header: string;
  readonly alignRight?: boolean;
  /** Columns of the terminal below which this one is not made narrower; fixed when left out. */
  readonly shrinksTo?: number;
}

export interface Row {
  readonly cells: readonly string[];
  /** Colour of a cell by its index. */
  readonly colours?: Readonly<Record<number, Colour>>;
  /** Lines below the row, indented. */
  readonly notes?: readonly string[];
}

const GAP = '  ';
const NOTE_INDENT = '    ';
/** Narrower than this nothing is readable; a terminal that claims so is not believed. */
const LEAST_COLUMNS = 40;

/**
 * Rows under their headers, aligned, no wider than the terminal: what does not fit is cut, the last
 * column and notes are wrapped. Lines do not end in blanks. Pure.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly Row[],
  terminal: Terminal,
): string {
  const total = Math.max(terminal.columns, LEAST_COLUMNS);
  const widths = fitted(columns, naturalWidths(columns, rows), total);
  const headers: Row = { cells: columns.map((column) => column.header) };
  const lines = [headers, ...rows].flatMap((row) => [
    ...renderRow(row, columns, widths, terminal),
    ...(row.notes ?? []).flatMap((note) => renderNote(note, total)),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

function naturalWidths(columns: readonly Column[], rows: readonly Row[]) {
  return columns.map((column, index) =>
    rows.reduce(
      (widest, row) => Math.max(widest, displayWidth(row.cells[index] ?? '')),
      displayWidth(column.header),
    ),
  );
}

/** Takes what is too wide from the widest column that may shrink, a column at a time. */
function fitted(columns: readonly Column[], natural: readonly number[], total: number) {
  const widths = [...natural];
  const gaps = GAP.length * (columns.length - 1);
  for (;;) {
    const excess = widths.reduce((sum, width) => sum + width, gaps) - total;
    if (excess <= 0) return widths;
    const widest = columns.reduce<number | null>((best, column, index) => {
      const canShrink = (widths[index] ?? 0) > (column.shrinksTo ?? Number.POSITIVE_INFINITY);
      return canShrink && (widths[index] ?? 0) > (best === null ? 0 : (widths[best] ?? 0))
        ? index
        : best;
    }, null);
    if (widest === null) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function renderRow(
  row: Row,
  columns: readonly Column[],
  widths: readonly number[],
  terminal: Terminal,
): readonly string[] {
  const last = columns.length - 1;
  const wrapped = wrap(row.cells[last] ?? '', widths[last] ?? 0);
  const cells = columns.slice(0, last).map((column, index) => {
    const width = widths[index] ?? 0;
    const text = cut(row.cells[index] ?? '', width);
    const blanks = ' '.repeat(Math.max(width - displayWidth(text), 0));
    const painted = paint(text, row.colours?.[index] ?? null, terminal);
    return column.alignRight === true ? blanks + painted : painted + blanks;
  });
  const indent = widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0);
  return wrapped.map((text, line) =>
    line === 0 ? [...cells, text].join(GAP).trimEnd() : ' '.repeat(indent) + text,
  );
}

/** Wrapped lines of a note stand two columns further in than its first. */
function renderNote(note: string, total: number): readonly string[] {
  const lines = wrap(note, total - NOTE_INDENT.length - 2);
  return lines.map((line, index) => NOTE_INDENT + (index === 0 ? '' : '  ') + line);
}
