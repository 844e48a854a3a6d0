/**
 * Rows of numbers for a tabular model: typed, or from a CSV file whose columns are chosen. They go
 * in raw, or standardised by what the checkpoint keeps of its scaler.
 */
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { columnNames, csvCells, csvError, isCsvHeader, numberOf, separatorOf } from './csv.ts';
import { isDict, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';

export interface Table {
  /** Names of the columns: the header, or `column 1` and so on. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** More text than this belongs into an .npz. */
const MAX_CHARACTERS = 2 ** 26;

/** Reads CSV (RFC 4180; also with semicolons or tabs). A first row without numbers is the header. */
export function parseCsv(text: string): Table {
  if (text.length > MAX_CHARACTERS) {
    throw csvError(`${text.length} characters are too many, at most ${MAX_CHARACTERS}`);
  }
  const plain = text.replace(/^\uFEFF/, '');
  const rows = csvCells(plain, separatorOf(plain));
  const [first] = rows;
  if (!first) throw csvError('there are no rows');
  const odd = rows.findIndex(({ length }) => length !== first.length);
  if (odd !== -1) {
    throw csvError(
      `row ${odd + 1} has ${rows[odd]!.length} columns, the first has ${first.length}`,
    );
  }
  const isHeader = isCsvHeader(first);
  return {
    columns: columnNames(first, isHeader),
    rows: isHeader ? rows.slice(1) : rows,
  };
}

/** The chosen columns of every row as float32, row by row. Throws where a cell is no number. */
export function numbersOf(
  { columns, rows }: Table,
  chosen: readonly number[],
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows.length * chosen.length);
  for (const [at, row] of rows.entries()) {
    for (const [place, column] of chosen.entries()) {
      const value = numberOf(row[column] ?? '');
      if (Number.isNaN(value)) {
        throw csvError(
          `row ${at + 1}, ${columns[column] ?? `column ${column + 1}`} is ${JSON.stringify(row[column] ?? '')}, no number`,
        );
      }
      values[at * chosen.length + place] = value;
    }
  }
  return values;
}

/** What a scaler does to each feature: (x − mean) / scale. */
export interface Scaler {
  /** Where it was found: `x_mean, x_std`. */
  readonly title: string;
  readonly mean: Float32Array;
  readonly scale: Float32Array;
}

/** Pairs of names that scripts keep a scaler under; the second pair is scikit-learn's. */
const PAIRS = [
  ['mean', 'std'],
  ['mean_', 'scale_'],
  ['x_mean', 'x_std'],
  ['X_mean', 'X_std'],
  ['feature_mean', 'feature_std'],
  ['feature_means', 'feature_stds'],
  ['means', 'stds'],
  ['scaler_mean', 'scaler_scale'],
  ['scaler_mean', 'scaler_std'],
] as const;
const PLACES = [
  'scaler',
  'normalizer',
  'normalization',
  'stats',
  'preprocessing',
  'meta',
  'config',
];

/** The scaler that a checkpoint keeps for `features` features; null where there is none. */
export async function findScaler(root: Value, features: number): Promise<Scaler | null> {
  if (!isDict(root)) return null;
  for (const place of [root, ...PLACES.map((name) => root.get(name))].filter(isDict)) {
    for (const [meanKey, scaleKey] of PAIRS) {
      const mean = await vectorOf(place, meanKey, features);
      const scale = await vectorOf(place, scaleKey, features);
      if (mean && scale && !scale.includes(0)) {
        return { title: `${meanKey}, ${scaleKey}`, mean, scale };
      }
    }
  }
  return null;
}

async function vectorOf(place: Dict, key: string, size: number): Promise<Float32Array | null> {
  const value = place.get(key);
  if (isTensor(value)) {
    const isFitting = value.shape.reduce((count, side) => count * side, 1) === size;
    return isFitting ? toFloat32(await readTensor(value), value.dtype) : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if ((value.kind !== 'list' && value.kind !== 'tuple') || value.items.length !== size) return null;
  const isNumber = (item: Value) => typeof item === 'number' || typeof item === 'bigint';
  return value.items.every(isNumber) ? Float32Array.from(value.items, Number) : null;
}

/** Rows of features, standardised in float32. */
export function standardise(
  values: Float32Array,
  { mean, scale }: Scaler,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value, at) => {
    const feature = at % mean.length;
    return Math.fround(value - mean[feature]!) / scale[feature]!;
  });
}
