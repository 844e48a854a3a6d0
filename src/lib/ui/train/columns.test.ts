import { expect, it } from 'vitest';
import type { DataFacts } from '#lib/worker/protocol.ts';
import { columnsOf, wishOf, type ColumnFacts } from './columns.ts';

const column = (name: string, guess: ColumnFacts['guess']): ColumnFacts => {
  return { name, guess, samples: [], distinct: 3, missing: 0, role: null };
};
const columns = [
  column('id', 'numbers'),
  column('area', 'numbers'),
  column('town', 'categories'),
  column('price', 'numbers'),
];
const recipe: DataFacts['recipe'] = {
  kind: 'table',
  files: ['houses.csv'],
  held: [],
  separator: ',',
  header: true,
  features: [
    { name: 'area', as: { kind: 'numbers', mean: 2, std: 3 } },
    { name: 'town', as: { kind: 'one_hot', categories: ['a', 'b'] } },
  ],
  targets: [{ name: 'price', as: { kind: 'numbers' } }],
};

it('shows what each column is, and wishes the same', () => {
  const shown = columnsOf(recipe, columns);
  expect(shown.map(({ role, as, standardised }) => [role, as, standardised])).toEqual([
    [null, 'numbers', false],
    ['feature', 'numbers', true],
    ['feature', 'categories', false],
    ['target', 'numbers', false],
  ]);
  expect(wishOf(shown)).toEqual({
    features: ['area', 'town'],
    targets: ['price'],
    as: { id: 'numbers', area: 'numbers', town: 'categories', price: 'numbers' },
    standardise: ['area'],
  });
});
