/** Formulas of terms on every backend: each op, every rank, and more than one row of workgroups. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '#lib/runtime/backend.ts';
import * as formula from '#lib/runtime/kernels/formula.ts';
import * as tf from '#lib/runtime/tf.ts';
import { backends, relativeError, useBackend } from '../lab.ts';

const { element, Numbers } = formula;
const A = [0.25, -3, 1e-30, 7, 0, 1e30];
const B = [2, -0.5, 3, 7, 1, 5];

describe.each(backends)('on %s', (name) => {
  let running: Backend;
  beforeAll(async () => {
    running = await useBackend(name);
  });
  afterAll(() => running.check());

  it.each<
    ['add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum', (a: number, b: number) => number]
  >([
    ['add', (a, b) => a + b],
    ['sub', (a, b) => a - b],
    ['mul', (a, b) => a * b],
    ['div', (a, b) => a / b],
    ['maximum', Math.max],
    ['minimum', Math.min],
  ])('%s', async (op, expected) => {
    const numbers = new Numbers({ n: 2.5 });
    const [a, b] = [tf.tensor1d(A), tf.tensor1d(B)];
    const both = { both: formula[op](element(a), element(b)) };
    const one = { one: formula[op](element(a), numbers.terms.n) };
    const got = { ...numbers.compute(both), ...numbers.compute(one) };
    const float = (value: number) => Math.fround(value);
    const wanted = A.map((it, at) => expected(float(it), B[at]!));
    expect(relativeError(await got.both!.data(), wanted)).toBeLessThan(1e-7);
    const withNumber = A.map((it) => expected(float(it), 2.5));
    expect(relativeError(await got.one!.data(), withNumber)).toBeLessThan(1e-7);
  });

  it.each<['neg' | 'abs' | 'sqrt' | 'square' | 'nonFinite', number[], number[]]>([
    ['neg', [1, -2, 0.5], [-1, 2, -0.5]],
    ['abs', [1, -2, -0.5], [1, 2, 0.5]],
    ['sqrt', [4, 2.25, 0], [2, 1.5, 0]],
    ['square', [4, -1.5, 0], [16, 2.25, 0]],
    ['nonFinite', [1, NaN, Infinity, -Infinity, 3.4e38, 1e-45], [0, 1, 1, 1, 0, 0]],
  ])('%s', async (op, values, expected) => {
    const term = formula[op](element(tf.tensor1d(values)));
    const { result } = new Numbers({ unused: 1 }).compute({ result: term });
    expect([...(await result!.data())]).toEqual(expected);
  });

  it('takes earlier results, parts that occur twice, and tensors of every rank', async () => {
    const numbers = new Numbers({ half: 0.5, two: 2 });
    const { half, two } = numbers.terms;
    for (let rank = 0; rank <= 6; rank++) {
      const shape = [2, 1, 3, 1, 2, 1].slice(0, rank);
      const x = element(tf.fill(shape, 3));
      const squared = formula.square(x);
      const first = formula.add(formula.mul(squared, half), squared);
      const second = formula.lerp(first, formula.mul(first, two), half);
      const got = numbers.compute({ first, none: undefined, second });
      expect(Object.keys(got)).toEqual(['first', 'second']);
      expect(got.second!.shape).toEqual(shape);
      expect(new Set(await got.first!.data())).toEqual(new Set([13.5]));
      expect(new Set(await got.second!.data())).toEqual(new Set([20.25]));
    }
  });
});

it('goes over more elements than one row of workgroups takes', async () => {
  const running = await useBackend('webgpu');
  const size = 65_536 * 64 + 64;
  const values = Float32Array.from({ length: size }, (_, at) => at % 1000);
  const x = element(tf.tensor(values, [64, size / 64]));
  const numbers = new Numbers({ one: 1 });
  const { result } = numbers.compute({ result: formula.add(x, numbers.terms.one) });
  const got = await result!.data();
  running.check();
  expect(values.every((value, at) => got[at] === value + 1)).toBe(true);
});
