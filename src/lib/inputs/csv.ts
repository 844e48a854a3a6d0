/** CSV as text (RFC 4180; also with semicolons or tabs): rows, cells, and which cells are numbers. */
import { FindingError } from '#lib/checkpoint/finding.ts';

export function csvError(message: string): FindingError {
  return new FindingError({
    code: 'table-unsuitable',
    message: `table: ${message}`,
    advice: 'Expected: a CSV file with a number in every chosen column.',
  });
}

/** The cells of every row; empty rows are passed over. */
export function csvCells(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const { cell, end } = text[at] === '"' ? quoted(text, at) : plain(text, at, separator);
    row.push(cell);
    at = end;
    if (text[at] === separator) {
      at++;
      if (at < text.length && !isBreak(text[at])) continue;
      row.push(''); // the row ends with a separator
    } else if (at < text.length && !isBreak(text[at])) {
      throw csvError(`${JSON.stringify(text[at])} follows a quoted cell at character ${at + 1}`);
    }
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
    at += text.startsWith('\r\n', at) ? 2 : 1;
  }
  return rows;
}

function isBreak(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}

function plain(text: string, start: number, separator: string): { cell: string; end: number } {
  let end = start;
  while (end < text.length && text[end] !== separator && !isBreak(text[end])) end++;
  return { cell: text.slice(start, end).trim(), end };
}

/** A cell in quotes; within it, two quotes stand for one. */
function quoted(text: string, start: number): { cell: string; end: number } {
  let end = start + 1;
  for (; ; end++) {
    end = text.indexOf('"', end);
    if (end === -1) throw csvError(`the quote at character ${start + 1} does not end`);
    if (text[end + 1] !== '"') break;
    end++;
  }
  return { cell: text.slice(start + 1, end).replaceAll('""', '"'), end: end + 1 };
}

/** What stands most often in the first line. */
export function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (separator: string) => line.split(separator).length;
  return [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best));
}

/** A cell as a number; NaN for what is none. */
export function numberOf(cell: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : NaN;
}

/** Whether a first row is the header: it holds no number. */
export function isCsvHeader(first: readonly string[]): boolean {
  return first.every((cell) => Number.isNaN(numberOf(cell)));
}

/** The names of the columns, by the first row. */
export function columnNames(first: readonly string[], isHeader: boolean): string[] {
  return first.map((cell, at) => (isHeader && cell !== '' ? cell : `column ${at + 1}`));
}
