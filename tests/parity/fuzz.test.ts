/** A short campaign over all readers; `npm run fuzz` runs a long one. */
import { expect, it } from 'vitest';
import { runBatch } from '../fuzz/batch.ts';
import { allSeeds } from '../fuzz/seeds.ts';

const INPUTS = 20_000;
/** Fixed, so that a run that fails can be repeated; the long campaign takes others. */
const SEED = 20_250_101;

it(`always ends in a checkpoint or findings: ${INPUTS} inputs`, async () => {
  const result = await runBatch(await allSeeds(), SEED, INPUTS);
  if ('failure' in result) throw new Error(result.failure);
  const counts = [...result.outcomes].sort(([, a], [, b]) => b - a);
  console.log(counts.map(([code, count]) => `${String(count).padStart(7)}  ${code}`).join('\n'));
  expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBe(INPUTS);
});
