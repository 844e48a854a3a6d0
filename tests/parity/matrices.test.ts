/** Singular values against NumPy's, and rows nearest to a row against PyTorch's. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { neighbours, type Neighbour } from '#lib/inspect/neighbours.ts';
import { singularValues } from '#lib/inspect/singular_values.ts';
import { runPython } from '../python.ts';

interface Case extends Pick<Tensor, 'dtype' | 'shape' | 'strides' | 'offset'> {
  readonly name: string;
  readonly path: string;
}
interface Decomposed extends Case {
  readonly singularValues: readonly number[];
}
interface Surrounded extends Case {
  readonly row: number;
  readonly nearest: Record<'cosine' | 'distance', readonly Neighbour[]>;
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-matrices-'));
afterAll(() => rmSync(folder, { recursive: true }));
const lines = (await runPython('tests/judge/matrices.py', [folder])).trim().split('\n');
const cases = lines.map((line) => JSON.parse(line) as Decomposed | Surrounded);

function tensorOf({ path, dtype, shape, strides, offset }: Case): Tensor {
  const bytes = new Uint8Array(readFileSync(path));
  return { ...tensorFromBytes(bytes, 'uint8', [bytes.length]), dtype, shape, strides, offset };
}

describe('singular values', () => {
  const rows: Record<string, unknown>[] = [];
  afterAll(() => console.table(rows));

  it.each(cases.filter((one) => 'singularValues' in one))('$name', async (one) => {
    const values = await singularValues(tensorOf(one));
    expect(values).toHaveLength(one.singularValues.length);
    const largest = one.singularValues[0]!;
    const apart = values.map((value, at) => Math.abs(value - one.singularValues[at]!));
    const difference = largest === 0 ? Math.max(...values) : Math.max(...apart) / largest;
    rows.push({ matrix: one.name, shape: one.shape.join(' × '), difference });
    expect(difference).toBeLessThan(1e-12); // 1e-5 would do
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
  });
});

describe('neighbours', () => {
  it.each(cases.filter((one) => 'nearest' in one))('$name', async (one) => {
    for (const by of ['cosine', 'distance'] as const) {
      const own = await neighbours(tensorOf(one), one.row, { by, count: 7 });
      expect(own.map(({ row }) => row)).toEqual(one.nearest[by].map(({ row }) => row));
      for (const [at, { cosine, distance }] of own.entries()) {
        expect(cosine).toBeCloseTo(one.nearest[by][at]!.cosine, 12);
        expect(distance).toBeCloseTo(one.nearest[by][at]!.distance, 10);
      }
    }
  });
});
