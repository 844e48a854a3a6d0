/** Rows of the table as text for spreadsheets. */
import type { TableRows } from './table_rows.ts';
import { figureNames } from './filter.ts';

/** Columns of the text; what is not known is empty. */
function cellsOf(rows: TableRows, row: number): string[] {
  const figures = figureNames.map((figure) => rows.figure(figure)[row]!);
  return [
    rows.names[row]!,
    rows.titles[row]!,
    rows.dtype(row),
    `[${rows.shape(row).join(', ')}]`,
    ...figures.map((value) => (Number.isNaN(value) ? '' : String(value))),
    String(rows.table.stored[row]!),
    rows
      .marksOf(row)
      .map(({ id }) => id)
      .join(' '),
  ];
}

const heads = ['name', 'title', 'dtype', 'shape', ...figureNames, 'stored bytes', 'marks'];

/** For pasting: cells apart by tabs. */
export function toTsv(rows: TableRows, shown: Iterable<number>): string {
  const lines = [heads, ...Array.from(shown, (row) => cellsOf(rows, row))];
  return lines.map((cells) => cells.map((cell) => cell.replace(/\s/gu, ' ')).join('\t')).join('\n');
}

/** A file as RFC 4180 has it. */
export function toCsv(rows: TableRows, shown: Iterable<number>): string {
  const lines = [heads, ...Array.from(shown, (row) => cellsOf(rows, row))];
  return lines.map(csvLine).join('');
}

export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n]/u.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Full names, one a line. */
export function toNames(rows: TableRows, shown: Iterable<number>): string {
  return Array.from(shown, (row) => rows.names[row]!).join('\n');
}
