/**
 * The rows of a CSV file of any size, one piece of the file after the other: where each row lies, and
 * its cells. Row ends are found among bytes, quotes minded, so that a row can be read again by itself.
 */
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { blobSource } from '#lib/file/source.ts';
import type { NamedBlob } from '../open_for_use.ts';
import { csvCells } from '../csv.ts';
import { DataError } from './choices.ts';

/** Bytes of one row. A quote that does not end would make the rest of the file one cell. */
const MAX_ROW = 2 ** 20;

/** Rows that are given at once: few enough to be gone before they are moved in memory. */
const AT_ONCE = 256;

const [TAB, NEWLINE, RETURN, QUOTE, COMMA, SEMICOLON] = [9, 10, 13, 34, 44, 59];
const SEPARATORS: Readonly<Record<string, number>> = { ',': COMMA, ';': SEMICOLON, '\t': TAB };

export interface CsvRow {
  /** Bytes of the file. */
  readonly start: number;
  readonly end: number;
  readonly cells: readonly string[];
}

/** Rows in pieces. Throws a FindingError that names the row where one cannot be read. */
export async function* csvRows(
  file: NamedBlob,
  separator: string,
  signal?: AbortSignal,
): AsyncGenerator<CsvRow[]> {
  const source = blobSource(file, file.name);
  const reading = new ReadAhead([{ source, start: 0, end: file.size }], signal).next();
  const decode = rowDecoder(file.name, separator);
  /** What of the last piece belongs to a row that goes on, and where it begins in the file. */
  let rest = new Uint8Array();
  let at = 0;
  for (;;) {
    const { value: piece, done } = await reading.next();
    const bytes = done ? rest : joined(rest, piece);
    const ends = rowEnds(bytes, SEPARATORS[separator]!);
    if (done) ends.push(bytes.length);
    let rows: CsvRow[] = [];
    let start = at === 0 && isMarked(bytes) ? 3 : 0;
    for (const end of ends) {
      const cells = end > start && decode(bytes.subarray(start, end));
      if (cells) rows.push({ start: at + start, end: at + end, cells });
      start = end + 1;
      if (rows.length < AT_ONCE) continue;
      yield rows;
      rows = [];
    }
    yield rows;
    if (done) return;
    rest = bytes.slice(start);
    at += start;
    if (rest.length > MAX_ROW) decode(rest); // refuses it
  }
}

function joined(rest: Uint8Array, piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rest.length + piece.length);
  bytes.set(rest);
  bytes.set(piece, rest.length);
  return bytes;
}

/** UTF-8's byte order mark, which Excel writes. */
function isMarked([first, second, third]: Uint8Array): boolean {
  return first === 0xef && second === 0xbb && third === 0xbf;
}

/** Where rows end, outside of quotes. An empty row, as between CR and LF, is one of no bytes. */
function rowEnds(bytes: Uint8Array, separator: number): number[] {
  const ends: number[] = [];
  let isStart = true;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === NEWLINE || byte === RETURN) {
      ends.push(at);
      isStart = true;
    } else if (byte === QUOTE && isStart) {
      // Two quotes within are the end of one part and the beginning of the next.
      at = bytes.indexOf(QUOTE, at + 1);
      if (at === -1) return ends;
    } else isStart = byte === separator;
  }
  return ends;
}

/** The cells of one row after the other; null for an empty one. */
function rowDecoder(
  name: string,
  separator: string,
): (bytes: Uint8Array) => readonly string[] | null {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let row = 0;
  const refuse = (what: string) =>
    new DataError(
      `${name}: row ${row} ${what}`,
      'Save the table as CSV in UTF-8, with as many cells in every row.',
    );
  return (bytes) => {
    row++;
    if (bytes.length > MAX_ROW) {
      throw refuse(`takes more than ${MAX_ROW} bytes: a quote may be missing its end`);
    }
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw refuse('is not UTF-8');
    }
    if (text.includes('\0')) throw refuse('holds bytes of 0: this is no text in UTF-8');
    if (!text.includes('"')) {
      const cells = trimmed(text.split(separator));
      if (cells.length > 1 || cells[0] !== '') return cells;
      row--;
      return null;
    }
    try {
      const [cells] = csvCells(text, separator);
      return cells ? trimmed(cells) : null;
    } catch (error) {
      throw refuse(`is no CSV: ${(error as Error).message.replace(/^table: /, '')}`);
    }
  };
}

/** The cells of a row by its bytes, which were read before. */
export function cellsOf(bytes: Uint8Array, separator: string): readonly string[] {
  return trimmed(csvCells(new TextDecoder().decode(bytes), separator)[0] ?? []);
}

/** Without blanks around, in quotes too: a category is the same however it is written. */
function trimmed(cells: readonly string[]): string[] {
  return cells.map((cell) => cell.trim());
}
