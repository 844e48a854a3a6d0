/** The rows of one file of a table: where each lies, and what its columns hold. */
import { columnNames, isCsvHeader } from '../csv.ts';
import type { NamedBlob } from '../open_for_use.ts';
import { DataError } from './choices.ts';
import { csvRows } from './csv_rows.ts';
import type { DataMember } from './given.ts';
import { Column } from './table.columns.ts';

/** Rows whose places are kept, 16 bytes each. */
const MAX_ROWS = 2 ** 26;
export const TABLE_ADVICE = 'Save a table with a header and at least one row below it.';

/** A file whose rows were found. */
export interface Table {
  readonly path: string;
  readonly file: NamedBlob;
  readonly columns: readonly string[];
  readonly hasHeader: boolean;
  /** Where rows begin, and behind them where the last one ends. */
  readonly starts: Float64Array;
  readonly count: number;
}

/** The number of a row in its file, which counts from 1 with the header. */
export function rowNumber({ hasHeader }: Table, index: number): number {
  return index + (hasHeader ? 2 : 1);
}

/** Finds the rows of a file; what they hold is added to `columns`, which its header fills if empty. */
export async function findRows(
  { path, open }: DataMember,
  separator: string,
  columns: Map<string, Column> | null,
  signal?: AbortSignal,
): Promise<Table> {
  const file = await open();
  const starts: number[] = [];
  let names: string[] | null = null;
  let added: readonly Column[] = [];
  let hasHeader = false;
  let row = 0;
  let end = 0;
  for await (const rows of csvRows(file, separator, signal)) {
    for (const { start, end: rowEnd, cells } of rows) {
      row++;
      if (!names) {
        hasHeader = isCsvHeader(cells);
        names = distinct(columnNames(cells, hasHeader));
        added = columns ? columnsOf(columns, names, path) : [];
        if (hasHeader) continue;
      }
      if (cells.length !== names.length) {
        throw new DataError(
          `${path}: row ${row} has ${cells.length} cells, the first has ${names.length}`,
          'Save the table with as many cells in every row.',
        );
      }
      for (const [at, column] of added.entries()) column.add(cells[at]!, row);
      starts.push(start);
      end = rowEnd;
    }
    if (starts.length > MAX_ROWS) {
      throw new DataError(
        `${path} has more than ${MAX_ROWS} rows`,
        'Save the numbers with numpy.save: arrays of any length are read from the disk.',
      );
    }
  }
  if (!names || starts.length === 0) throw new DataError(`${path} holds no rows`, TABLE_ADVICE);
  const count = starts.length;
  const places = new Float64Array(count + 1);
  places.set(starts);
  places[count] = end;
  return { path, file, columns: names, hasHeader, starts: places, count };
}

/** As pandas names them: a second `a` is `a.1`. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let at = 1; taken.has(free); at++) free = `${name}.${at}`;
    taken.add(free);
    return free;
  });
}

/** The columns in a file's order. The first file makes them, the others must have the same. */
function columnsOf(columns: Map<string, Column>, names: readonly string[], path: string): Column[] {
  if (columns.size === 0) for (const name of names) columns.set(name, new Column(name));
  const strange = names.find((name) => !columns.has(name));
  const missing = [...columns.keys()].find((name) => !names.includes(name));
  if (strange === undefined && missing === undefined)
    return names.map((name) => columns.get(name)!);
  throw new DataError(
    strange === undefined
      ? `${path} has no column ${missing}`
      : `${path} has a column ${strange}, which the first file lacks`,
    'Bring files of the same columns, or one of them.',
  );
}
