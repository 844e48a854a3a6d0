/**
 * Tables as a data set: CSV and TSV, of whatever size. One pass over the files tells what the columns
 * hold and where each row lies; a second one makes the numbers. Where these are too many for memory,
 * rows are read again from the disk, batch by batch. Means, standard deviations and categories are
 * those of the training files.
 */
import { separatorOf } from '../csv.ts';
import { DataError, type DataChoices } from './choices.ts';
import type { Dataset } from './dataset.ts';
import type { Given, Reading } from './given.ts';
import { partsOf } from './parts.ts';
import { columnFacts, guessRoles, type Column } from './table.columns.ts';
import { openExamples } from './table.examples.ts';
import { chooseColumns, targetOf, type TableRecipe } from './table.recipe.ts';
import { findRows, TABLE_ADVICE, type Table } from './table.rows.ts';

/** Bytes in which the first row ends, for telling the separator. */
const HEAD = 2 ** 16;

/** Throws a FindingError that names row and column. */
export async function readTable(given: Given, kept?: number): Promise<Reading> {
  const { files, wish, signal } = given;
  const parts = partsOf(files, wish);
  const first = await parts.train[0]!.open();
  const separator = separatorOf(await first.slice(0, HEAD).text());
  const columns = new Map<string, Column>();
  const train: Table[] = [];
  const held: Table[] = [];
  for (const member of parts.train) train.push(await findRows(member, separator, columns, signal));
  for (const member of parts.held) held.push(await findRows(member, separator, null, signal));
  const all = [...columns.values()];
  const { roles } = guessRoles(all);
  const choices: DataChoices = {
    kind: 'table',
    columns: all.map((column, at) => columnFacts(column, roles[at]!)),
  };
  try {
    const recipe = chooseColumns(all, wish.table ?? {});
    const open = (tables: readonly Table[]) =>
      openExamples(tables, { columns, recipe, separator }, signal, kept);
    const usable = held.filter((table) => isComplete(table, recipe));
    const dropped = [...held.filter((table) => !usable.includes(table)), ...parts.unused];
    const target = targetOf(recipe.targets);
    const trained = await open(train);
    const dataset: Dataset = {
      name: given.name,
      input: { dtype: 'float32', shape: [trained.width] },
      target,
      train: trained.examples,
      held: usable.length > 0 ? (await open(usable)).examples : null,
      recipe: {
        kind: 'table',
        files: train.map(({ path }) => path),
        held: usable.map(({ path }) => path),
        separator,
        header: train[0]!.hasHeader,
        features: recipe.features,
        targets: recipe.targets,
      },
      notes: [
        ...recipe.notes,
        ...scalingNotes(recipe, trained.examples.count),
        ...dropped.map(({ path }) => `left out: ${path}`),
      ],
      fingerprint: given.fingerprint,
    };
    return { dataset, choices };
  } catch (error) {
    throw error instanceof DataError ? error.with(choices) : error;
  }
}

/** Test tables of competitions lack the target: nothing can be validated on them. */
function isComplete(table: Table, { features, targets }: TableRecipe): boolean {
  const missing = (recipes: TableRecipe['features']) =>
    recipes.find(({ name }) => !table.columns.includes(name));
  const feature = missing(features);
  if (feature) throw new DataError(`${table.path} has no column ${feature.name}`, TABLE_ADVICE);
  return !missing(targets);
}

function scalingNotes({ features }: TableRecipe, rows: number): string[] {
  const scaled = features.filter(({ as }) => as.kind === 'numbers' && as.std !== undefined);
  if (scaled.length === 0) return [];
  return [
    `standardised by the ${rows} training rows: ${scaled.map(({ name }) => name).join(', ')}`,
  ];
}
