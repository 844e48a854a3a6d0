import { describe, expect, it } from 'vitest';
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import { addSums, confusionOf, metricOf, metricsFor, spreadOf, type Sums } from './metrics.ts';

const sums = (given: Record<string, number[]>): Sums =>
  Object.fromEntries(
    Object.entries(given).map(([name, values]) => [name, Float64Array.from(values)]),
  );

describe('metrics', () => {
  it('are those of all examples, however they lay in batches', () => {
    const parts = [sums({ loss: [6, 2], hits: [1, 2] }), sums({ loss: [1, 8], hits: [7, 8] })];
    const all = parts.reduce(addSums);
    expect(metricOf('loss', all)).toBe(0.7);
    expect(metricOf('perplexity', all)).toBe(Math.exp(0.7));
    expect(metricOf('accuracy', all)).toBe(0.8);
  });

  it('are NaN where nothing counted, and an error where nothing was counted', () => {
    expect(metricOf('loss', sums({ loss: [0, 0] }))).toBeNaN();
    expect(() => metricOf('f1', sums({ loss: [1, 1] }))).toThrow(
      'metrics: the run did not count matches',
    );
  });

  it('take F1 of the classes that occur as target or prediction', () => {
    // Right, predicted, targets: the last class occurs nowhere, the third is never right.
    const matches = [2, 1, 0, 0, 3, 1, 0, 0, 2, 1, 1, 0];
    expect(metricOf('f1', sums({ matches }))).toBeCloseTo((4 / 5 + 1 + 0) / 3, 12);
    const confusion = [2, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    expect(metricOf('f1', sums({ confusion }))).toBe(metricOf('f1', sums({ matches })));
    expect(confusionOf(sums({ confusion }))![2]).toEqual([1, 0, 0, 0]);
  });

  it('keep the spread of targets far from zero', () => {
    const targets = Array.from({ length: 300 }, (_, at) => 1e6 + Math.sin(at) * (1 + (at % 3)));
    const whole = spreadOf(targets, 100);
    const parts = [spreadOf(targets.slice(0, 30), 10), spreadOf(targets.slice(30), 90)];
    const { spread } = parts.map((it) => ({ spread: it }) as Sums).reduce(addSums);
    expect([...spread!].map((it, at) => it / whole[at]!)).toEqual(
      [...whole].map(() => expect.closeTo(1, 9) as number),
    );
  });

  it.each<[string, number[], number[], number]>([
    ['the mean over the outputs', [1, 3], [4, 0, 0, 4, 4], 0.5],
    ['1 for a constant target that is hit', [0], [4, 5, 0], 1],
    ['0 for one that is not', [0.1], [4, 5, 0], 0],
    ['none for a single example', [0.1], [1, 5, 0], Number.NaN],
  ])('take as R² %s', (_, residuals, spread, expected) => {
    expect(metricOf('r2', sums({ residuals, spread }))).toBe(expected);
  });

  it('fit the targets and the loss', () => {
    const classes = (count: number): TargetSpec => ({
      kind: 'class',
      classes: Array.from({ length: count }, String),
      shape: [],
    });
    const numbers: TargetSpec = { kind: 'numbers', names: [], shape: [] };
    expect(metricsFor(classes(5), 'cross_entropy')).toEqual(['loss', 'accuracy', 'f1']);
    expect(metricsFor(classes(6), 'nll_loss')).toContain('top5_accuracy');
    expect(metricsFor({ kind: 'tokens', vocabulary: 9, shape: [3] }, 'cross_entropy')).toEqual([
      'loss',
      'perplexity',
      'accuracy',
    ]);
    expect(metricsFor(numbers, 'mse_loss')).toEqual(['loss', 'r2']);
    expect(metricsFor(numbers, 'binary_cross_entropy')).toEqual(['loss', 'accuracy']);
    expect(metricsFor(numbers, 'cross_entropy')).toEqual(['loss']);
  });
});
