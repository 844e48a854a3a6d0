/** Rows of tables as examples: encoded once and kept, or read from the disk and encoded each time. */
import { blobSource } from '#lib/file/source.ts';
import { cellsOf, csvRows } from './csv_rows.ts';
import type { Examples } from './dataset.ts';
import { checkIndices } from './examples.ts';
import { readTogether } from './read_together.ts';
import type { Column } from './table.columns.ts';
import { encoderOf, targetOf, type Encoder, type TableRecipe } from './table.recipe.ts';
import { rowNumber, type Table } from './table.rows.ts';

/** Bytes of features and targets up to which they stay in memory. */
const KEPT = 2 ** 28;

interface Encoding {
  readonly columns: ReadonlyMap<string, Column>;
  readonly recipe: TableRecipe;
  readonly separator: string;
}

/** A table among others: its first row's number among all, and how its columns are encoded. */
interface Part extends Table {
  readonly first: number;
  readonly features: Encoder;
  readonly targets: Encoder;
}

/** A batch in the making. */
interface Numbers {
  readonly inputs: Float32Array<ArrayBuffer>;
  readonly targets: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/**
 * Encodes every row once, so that a bad cell is told before training; keeps the numbers where they
 * take no more than `kept` bytes. `width` is the number of features.
 */
export async function openExamples(
  tables: readonly Table[],
  encoding: Encoding,
  signal?: AbortSignal,
  kept = KEPT,
): Promise<{ width: number; examples: Examples }> {
  const parts = partsOf(tables, encoding);
  const { features, targets } = parts[0]!;
  const count = tables.reduce((sum, table) => sum + table.count, 0);
  const isClass = targetOf(encoding.recipe.targets).kind === 'class';
  const make = (rows: number): Numbers => ({
    inputs: new Float32Array(rows * features.width),
    targets: new (isClass ? Int32Array : Float32Array)(rows * targets.width),
  });
  const isKept = 4 * count * (features.width + targets.width) <= kept;
  const all = isKept ? make(count) : null;
  const single = make(1);
  const classes = isClass ? new Int32Array(count) : null;
  for (const part of parts) {
    let index = 0;
    for await (const rows of csvRows(part.file, encoding.separator, signal)) {
      for (const { start, cells } of rows) {
        if (start !== part.starts[index]) continue; // the header
        const [numbers, at] = all ? [all, part.first + index] : [single, 0];
        encode(part, cells, index, numbers, at);
        if (classes) classes[part.first + index] = numbers.targets[at]!;
        index++;
      }
    }
  }
  const read: Examples['read'] = async (indices, { signal } = {}) => {
    checkIndices(indices, count);
    const batch = make(indices.length);
    if (all) pick(all, indices, batch);
    else for (const part of parts) await readPart(part, encoding.separator, indices, batch, signal);
    return { count: indices.length, ...batch };
  };
  return { width: features.width, examples: { count, classes, read } };
}

function partsOf(tables: readonly Table[], { recipe, columns }: Encoding): Part[] {
  let first = 0;
  return tables.map((table) => {
    const encoder = (recipes: TableRecipe['features']) => {
      const places = recipes.map(({ name }) => table.columns.indexOf(name));
      return encoderOf(recipes, places, columns);
    };
    const part = {
      ...{ ...table, first },
      features: encoder(recipe.features),
      targets: encoder(recipe.targets),
    };
    first += table.count;
    return part;
  });
}

/** Writes the numbers of a table's row to the place `at` of a batch. */
function encode(
  part: Part,
  cells: readonly string[],
  index: number,
  { inputs, targets }: Numbers,
  at: number,
): void {
  const row = rowNumber(part, index);
  part.features.encode(cells, inputs, at * part.features.width, row);
  part.targets.encode(cells, targets, at * part.targets.width, row);
}

function pick(all: Numbers, indices: ArrayLike<number>, batch: Numbers): void {
  for (const part of ['inputs', 'targets'] as const) {
    const width = batch[part].length / indices.length;
    for (let at = 0; at < indices.length; at++) {
      const from = indices[at]! * width;
      batch[part].set(all[part].subarray(from, from + width), at * width);
    }
  }
}

/** Those of the rows that are in one table, from the disk. */
async function readPart(
  part: Part,
  separator: string,
  indices: ArrayLike<number>,
  batch: Numbers,
  signal?: AbortSignal,
): Promise<void> {
  const source = blobSource(part.file, part.path);
  const own = Array.from(indices, (index, at) => ({ index: index - part.first, at })).filter(
    ({ index }) => index >= 0 && index < part.count,
  );
  const ranges = own.map(({ index }) => ({
    start: part.starts[index]!,
    end: part.starts[index + 1]!,
  }));
  const rows = await readTogether(ranges, (start, end) => source.read(start, end, signal));
  for (const [place, bytes] of rows.entries()) {
    const { index, at } = own[place]!;
    encode(part, cellsOf(bytes, separator), index, batch, at);
  }
}
