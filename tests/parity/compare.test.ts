/** How two tensors differ, for every pair of dtypes: counts as NumPy's, numbers to 1e-6. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CompareArgs, Difference, Measured, PairOutcome } from '#lib/worker/protocol.ts';
import { comparedRow, recordsCsv, toRecords } from '#lib/ui/compare/compared.ts';
import { Lab } from '#lib/worker/lab.ts';
import { runPython } from '../python.ts';
import { unwrap } from './lab.ts';

interface Expected extends Omit<Difference, 'measured' | 'of' | 'identical'> {
  readonly measured: Omit<Measured, 'at'>;
  /** |Δ| of the places where both are finite. */
  readonly deltas: readonly number[];
  readonly places: readonly number[];
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/compare.py', [folder]);
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<
  string,
  Expected
>;

const lab = new Lab();
const context = { signal: new AbortController().signal, progress: () => {} };
const file = (name: string) => new File([readFileSync(join(folder, name))], name);
unwrap(await lab.handlers.open({ file: file('a.pt') }, context));
const { beside } = unwrap(await lab.handlers.openBeside({ file: file('b.pt') }, context));
const args: CompareArgs = {
  a: { checkpoint: null, stateDict: 0 },
  b: { checkpoint: beside.id, stateDict: 0 },
  rules: null,
  chosen: [],
};
const { paired } = unwrap(await lab.handlers.pairTensors(args, context));
const outcomes = new Map<string, PairOutcome>();
const compared = unwrap(
  await lab.handlers.compareCheckpoints(args, {
    ...context,
    progress: (progress) => {
      for (const [row, outcome] of progress.outcomes) {
        outcomes.set(paired.rows[row]!.a!.name, outcome);
      }
    },
  }),
);

function difference(name: string): Difference {
  const outcome = outcomes.get(name);
  if (outcome === undefined || typeof outcome === 'string') throw new Error(`${name}: ${outcome}`);
  return outcome;
}

/** Numbers of the judge against the lab's; both of 0 are equal. */
function expectClose(actual: number | null, wanted: number, name: string): void {
  const error = Math.abs((actual ?? NaN) - wanted) / (wanted === 0 ? 1 : Math.abs(wanted));
  expect(error, `${name}: ${actual}, expected ${wanted}`).toBeLessThan(1e-6);
}

describe('every pair of dtypes', () => {
  it('is there', () => {
    expect([...outcomes.keys()].sort()).toEqual(Object.keys(expected).sort());
    expect(outcomes.size).toBe(21 * 21 + 2);
    expect(compared.bytes).toBeGreaterThan(0);
  });

  it.each(Object.keys(expected))('%s', (name) => {
    const { measured, deltas, places, ...counts } = expected[name]!;
    const found = difference(name);
    expect(found).toMatchObject(counts);
    const { max, at, mean, relative, norm, norms, cosine } = found.measured!;
    expectClose(max, measured.max, 'max');
    expectClose(deltas[places.indexOf(at)]!, measured.max, 'the place of the largest');
    expectClose(mean, measured.mean, 'mean');
    expectClose(relative, measured.relative, 'relative');
    expectClose(norm, measured.norm, 'norm');
    expectClose(norms[0], measured.norms[0]!, 'norm of a');
    expectClose(norms[1], measured.norms[1]!, 'norm of b');
    expect(Math.abs(cosine! - measured.cosine!)).toBeLessThan(1e-6);
  });

  it('tells what is equal bit for bit', () => {
    expect(difference('equal')).toMatchObject({ identical: true, changed: 0 });
    expect(difference('float32-float32').identical).toBe(false);
  });
});

it('is saved as CSV and JSON with the numbers that Python finds', async () => {
  const rows = paired.rows.map((row) => comparedRow(row, outcomes.get(row.a!.name)));
  const records = toRecords(rows);
  writeFileSync(join(folder, 'saved.csv'), recordsCsv(records));
  writeFileSync(join(folder, 'saved.json'), JSON.stringify(records));
  const count = await runPython('tests/judge/compare_saved.py', [folder]);
  expect(Number(count)).toBe(2 * 9 * outcomes.size);
});

it('follows each tensor through a series', async () => {
  const members = [
    { name: 'a.pt', ...args.a },
    { name: 'b.pt', ...args.b },
  ];
  const { series } = unwrap(await lab.handlers.compareSeries({ members }, context));
  expect(series.members.map(({ name }) => name)).toEqual(['a.pt', 'b.pt']);
  expect(series.tensors).toHaveLength(outcomes.size);
  for (const { name, norms, moves, gaps } of series.tensors) {
    const { measured, nans, infinities } = expected[name]!;
    // A norm of what is not finite would be of the rest alone.
    const odd = [0, 1].filter((member) => nans[member]! + infinities[member]! > 0);
    expect(gaps).toEqual(odd.map((member) => ({ member, why: 'it holds NaN or infinity' })));
    norms.forEach((norm, member) => expect(norm === null, name).toBe(odd.includes(member)));
    expect(moves[0]).toBeNull();
    if (odd.length > 0) {
      expect(moves[1], name).toBeNull();
      continue;
    }
    expectClose(norms[0]!, measured.norms[0]!, `${name}, norm in a`);
    expectClose(norms[1]!, measured.norms[1]!, `${name}, norm in b`);
    expectClose(moves[1]!, measured.norm, `${name}, move`);
  }
});

it('lists the largest changes with both values, and where they are', async () => {
  const row = paired.rows.find(({ a }) => a?.name === 'strided')!;
  const { max } = difference('strided').measured!;
  const pair = [row.a!.place, row.b!.place] as const;
  const asked = { a: args.a, b: args.b, pair, max };
  const { changes } = unwrap(await lab.handlers.tensorChanges(asked, context));
  expect(changes.largest).toEqual([
    { index: [0, 0], a: '0.0', b: '1.0', delta: 1 },
    { index: [1, 1], a: '7.0', b: '8.0', delta: 1 },
    { index: [2, 2], a: '14.0', b: '15.0', delta: 1 },
    { index: [3, 3], a: '21.0', b: '22.0', delta: 1 },
  ]);
  expect(changes.along).toEqual([0.25, 0.25, 0.25, 0.25, 0, 0]);
  const { low, high, counts } = changes.histogram!;
  expect([low, high, counts.at(-1)]).toEqual([-1, 1, 4]);
});

it.each(['float32-float16', 'complex64-float32', 'int64-uint64', 'float64-int8'])(
  'the changes of %s are those that were counted',
  async (name) => {
    const row = paired.rows.find(({ a }) => a?.name === name)!;
    const { changed, unmeasured, measured } = difference(name);
    const pair = [row.a!.place, row.b!.place] as const;
    const asked = { a: args.a, b: args.b, pair, max: measured!.max };
    const { changes } = unwrap(await lab.handlers.tensorChanges(asked, context));
    const counted = changes.histogram!.counts.reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(changed - unmeasured);
    const listed = Math.min(20, unmeasured);
    expect(changes.largest.slice(0, listed).every(({ delta }) => delta === null)).toBe(true);
    const first = changes.largest[listed]!;
    expect(Math.abs(first.delta!)).toBe(measured!.max);
    expect(first.index).toEqual([measured!.at]);
  },
);
