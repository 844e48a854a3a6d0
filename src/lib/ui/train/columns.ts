/** The columns of a table as the form shows them: from the recipe, and back to a wish. */
import type { DataFacts, DataWish } from '#lib/worker/protocol.ts';

export type ColumnFacts = Extract<DataFacts['choices'], { kind: 'table' }>['columns'][number];

export interface ColumnChoice {
  name: string;
  role: 'feature' | 'target' | null;
  as: 'numbers' | 'categories';
  standardised: boolean;
}

/** What each column is now. */
export function columnsOf(
  recipe: DataFacts['recipe'],
  columns: readonly ColumnFacts[],
): ColumnChoice[] {
  const table = recipe.kind === 'table' ? recipe : { features: [], targets: [] };
  return columns.map(({ name, guess }) => {
    const feature = table.features.find((it) => it.name === name);
    const target = table.targets.find((it) => it.name === name);
    const used = feature ?? target;
    const as = used ? (used.as.kind === 'numbers' ? 'numbers' : 'categories') : guess;
    const standardised = used?.as.kind === 'numbers' && used.as.std !== undefined;
    return { name, role: feature ? 'feature' : target ? 'target' : null, as, standardised };
  });
}

export function wishOf(columns: readonly ColumnChoice[]): NonNullable<DataWish['table']> {
  const named = (isWanted: (column: ColumnChoice) => boolean) =>
    columns.filter(isWanted).map(({ name }) => name);
  return {
    features: named(({ role }) => role === 'feature'),
    targets: named(({ role }) => role === 'target'),
    as: Object.fromEntries(columns.map(({ name, as }) => [name, as])),
    standardise: named(({ role, as, standardised }) => {
      return role !== null && as === 'numbers' && standardised;
    }),
  };
}
