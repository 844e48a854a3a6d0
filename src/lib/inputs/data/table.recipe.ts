/** Which columns are features and which are targets, and how cells become numbers. */
import { numberOf } from '../csv.ts';
import { listed } from '#lib/formats/folder.files.ts';
import { DataError, type TableWish } from './choices.ts';
import type { ColumnRecipe, TargetSpec } from './dataset.ts';
import { guessRoles, isClass, isMissing, MAX_CATEGORIES, type Column } from './table.columns.ts';

export interface TableRecipe {
  readonly features: readonly ColumnRecipe[];
  readonly targets: readonly ColumnRecipe[];
  readonly notes: readonly string[];
}

/** Applies a wish to what was found. Throws a FindingError that names the column, and the row. */
export function chooseColumns(columns: readonly Column[], wish: TableWish): TableRecipe {
  const named = (name: string) => {
    const column = columns.find((it) => it.name === name);
    if (column) return column;
    throw new DataError(
      `there is no column ${JSON.stringify(name)} among ${listed(columns.map((it) => JSON.stringify(it.name)))}`,
      'Choose some of those that there are.',
    );
  };
  const { roles, notes } = guessRoles(columns);
  const of = (role: 'feature' | 'target') => columns.filter((_, at) => roles[at] === role);
  const targets =
    wish.targets?.map(named) ?? of('target').filter((it) => !wish.features?.includes(it.name));
  const features =
    wish.features?.map(named) ??
    columns.filter(
      (it, at) =>
        !targets.includes(it) &&
        (roles[at] === 'feature' || (roles[at] === 'target' && !it.firstMissing)),
    );
  const twice = features.find((column) => targets.includes(column));
  if (twice) {
    throw new DataError(
      `${twice.name} is a feature and a target`,
      'A model that sees its target learns nothing else: choose one of both.',
    );
  }
  if (features.length === 0 || targets.length === 0) {
    throw new DataError(
      `of ${columns.length} columns, ${features.length} are features and ${targets.length} are targets`,
      'Choose at least one column of each.',
    );
  }
  const { standardise = true, as = {} } = wish;
  const isStandardised = (name: string, byDefault: boolean) =>
    typeof standardise === 'boolean' ? standardise && byDefault : standardise.includes(name);
  const featureRecipes = features.map((column) => {
    const isNumbers = as[column.name] ? as[column.name] === 'numbers' : column.isNumbers;
    return isNumbers
      ? numbersRecipe(column, isStandardised(column.name, true))
      : categoriesRecipe(column, 'one_hot');
  });
  const targetRecipes = targets.map((column) => {
    const isNumbers = as[column.name] ? as[column.name] === 'numbers' : !isClass(column);
    return isNumbers
      ? numbersRecipe(column, isStandardised(column.name, false))
      : categoriesRecipe(column, 'class');
  });
  const classes = targetRecipes.filter(({ as }) => as.kind === 'class');
  if (classes.length > 0 && targetRecipes.length > 1) {
    throw new DataError(
      `${classes[0]!.name} is one of ${targetRecipes.length} targets and a class, which stands alone`,
      'Choose one class, or several columns of numbers.',
    );
  }
  return {
    features: featureRecipes,
    targets: targetRecipes,
    notes: wish.features ? [] : notes,
  };
}

function numbersRecipe(column: Column, isStandardised: boolean): ColumnRecipe {
  const { name, firstMissing, firstWord, mean, std } = column;
  const [missing, word] = [firstMissing?.row ?? Infinity, firstWord?.row ?? Infinity];
  if (firstMissing && missing < word) throw missingValue(column);
  if (firstWord) throw noNumber(name, firstWord.row, firstWord.cell);
  return { name, as: isStandardised ? { kind: 'numbers', mean, std } : { kind: 'numbers' } };
}

function categoriesRecipe(column: Column, kind: 'one_hot' | 'class'): ColumnRecipe {
  if (column.firstMissing) throw missingValue(column);
  const { name, categories } = column;
  if (categories) return { name, as: { kind, categories } };
  throw new DataError(
    `${name} has more than ${MAX_CATEGORIES} different cells, too many for categories`,
    'Leave the column out, or take it as numbers.',
  );
}

function missingValue({ name, firstMissing, missing, rows }: Column): DataError {
  return new DataError(
    `row ${firstMissing!.row}, ${name} has no value but ${JSON.stringify(firstMissing!.cell)}, as ${missing} of ${rows} rows`,
    'Leave the column out, or fill the gaps before.',
  );
}

function noNumber(name: string, row: number, cell: string): DataError {
  return new DataError(
    `row ${row}, ${name} is ${JSON.stringify(cell)}, no number`,
    'Correct the cell, or take the column as categories.',
  );
}

export function targetOf(targets: readonly ColumnRecipe[]): TargetSpec {
  const [first] = targets as [ColumnRecipe];
  if (first.as.kind === 'class') return { kind: 'class', classes: first.as.categories, shape: [] };
  return { kind: 'numbers', names: targets.map(({ name }) => name), shape: [targets.length] };
}

/** Numbers that a row of cells becomes. */
export interface Encoder {
  readonly width: number;
  /** Writes the numbers of a row's cells to `out` from `at` on; `row` is for messages. */
  encode(cells: readonly string[], out: Float32Array | Int32Array, at: number, row: number): void;
}

/** An encoder of columns, of which `places` says where they stand in a row. */
export function encoderOf(
  recipes: readonly ColumnRecipe[],
  places: readonly number[],
  columns: ReadonlyMap<string, Column>,
): Encoder {
  const parts = recipes.map(({ name, as }, index) => {
    const place = places[index]!;
    const column = columns.get(name)!;
    if (as.kind === 'numbers') {
      const { mean = 0, std = 1 } = as;
      const write: Encoder['encode'] = (cells, out, at, row) => {
        const cell = cells[place]!;
        const value = numberOf(cell);
        if (Number.isNaN(value)) {
          if (isMissing(cell)) throw missingCell(name, row, cell);
          throw noNumber(name, row, cell);
        }
        out[at] = (value - mean) / std;
      };
      return { width: 1, write };
    }
    const ids = new Map(as.categories.map((category, id) => [category, id]));
    const write: Encoder['encode'] = (cells, out, at, row) => {
      const cell = cells[place]!;
      if (isMissing(cell)) throw missingCell(name, row, cell);
      const id = ids.get(column.categoryOf(cell));
      if (id === undefined) throw unknown(name, row, cell, as.categories);
      if (as.kind === 'class') out[at] = id;
      else out.fill(0, at, at + as.categories.length)[at + id] = 1;
    };
    return { width: as.kind === 'class' ? 1 : as.categories.length, write };
  });
  return {
    width: parts.reduce((sum, { width }) => sum + width, 0),
    encode(cells, out, at, row) {
      let to = at;
      for (const { width, write } of parts) {
        write(cells, out, to, row);
        to += width;
      }
    },
  };
}

function missingCell(name: string, row: number, cell: string): DataError {
  return new DataError(
    `row ${row}, ${name} has no value but ${JSON.stringify(cell)}`,
    'Leave the column out, or fill the gaps before.',
  );
}

function unknown(
  name: string,
  row: number,
  cell: string,
  categories: readonly string[],
): DataError {
  return new DataError(
    `row ${row}, ${name} is ${JSON.stringify(cell)}, none of the ${categories.length} categories of the training rows: ${listed(categories)}`,
    'Held-out rows may hold only categories that training rows have.',
  );
}
