/**
 * Every loss and its options against PyTorch on both backends: value and gradient of the outputs,
 * with padding and without; and every metric, over batches that are read back together, the last of
 * them short.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Graph } from '#lib/architecture/graph.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type List, type Value } from '#lib/checkpoint/value.ts';
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import type { Backend } from '#lib/runtime/backend.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { Criterion } from '#lib/training/losses.ts';
import { addSums, confusionOf, metricOf, metricsFor } from '#lib/training/metrics.ts';
import type { LossSettings, MetricName } from '#lib/training/settings.ts';
import { settle, Trainer } from '#lib/training/trainer.ts';
import { runPython } from '../../python.ts';
import { backends, open, relativeError, useBackend } from '../lab.ts';

interface Case {
  readonly loss: LossSettings;
  readonly target: TargetSpec;
  /** Shape of one example's output. */
  readonly output: readonly number[];
  /** Outputs are (places, classes) instead of (N, places, classes). */
  readonly rows?: true;
  /** Some targets are ignored. */
  readonly ignores?: true;
  /** Labels that occur: from, and up to but without. */
  readonly labels?: readonly [number, number];
}

const COUNT = 7;
const cross = {
  name: 'cross_entropy',
  labelSmoothing: 0,
  ignoreIndex: -100,
  classWeights: null,
} as const;
const nll = { name: 'nll_loss', ignoreIndex: -100, classWeights: null } as const;
const weights = [0.5, 2, 1.5, 0.25, 1, 3];
const classes = (count: number, ...shape: number[]): TargetSpec => ({
  kind: 'class',
  classes: Array.from({ length: count }, (_, at) => `class ${at}`),
  shape,
});
const tokens = (vocabulary: number, ...shape: number[]): TargetSpec => ({
  kind: 'tokens',
  vocabulary,
  shape,
});
const numbers = (...shape: number[]): TargetSpec => ({ kind: 'numbers', names: [], shape });
const six = { target: classes(6), output: [6] };
const pixels = { target: classes(6, 2, 3), output: [6, 2, 3] };
const binary = { target: numbers(3), output: [3] };

const cases: Record<string, Case> = {
  cross_entropy: { ...six, loss: cross },
  'cross_entropy with more outputs than classes': { ...six, output: [9], loss: cross },
  'cross_entropy of two classes': { target: classes(2), output: [2], loss: cross },
  'cross_entropy with class weights': { ...six, loss: { ...cross, classWeights: weights } },
  'cross_entropy with label smoothing': { ...six, loss: { ...cross, labelSmoothing: 0.1 } },
  'cross_entropy that ignores a class': { ...six, loss: { ...cross, ignoreIndex: 2 } },
  'cross_entropy that ignores -100': { ...six, loss: cross, ignores: true },
  'cross_entropy with everything': {
    ...six,
    loss: { ...cross, labelSmoothing: 0.2, classWeights: weights, ignoreIndex: 1 },
  },
  'cross_entropy where classes do not occur': { ...six, loss: cross, labels: [1, 3] },
  'cross_entropy of pixels': { ...pixels, loss: cross, ignores: true },
  'cross_entropy of pixels with everything': {
    ...pixels,
    loss: { ...cross, labelSmoothing: 0.1, classWeights: weights },
    ignores: true,
  },
  'cross_entropy of probabilities': { target: numbers(6), output: [6], loss: cross },
  'cross_entropy of probabilities with everything': {
    target: numbers(6, 2),
    output: [6, 2],
    loss: { ...cross, labelSmoothing: 0.1, classWeights: weights },
  },
  nll_loss: { ...six, loss: nll },
  'nll_loss with everything': {
    ...pixels,
    loss: { ...nll, ignoreIndex: 3, classWeights: weights },
  },
  'a language model (N, T, V)': { target: tokens(11, 5), output: [5, 11], loss: cross },
  'a language model (N · T, V)': {
    target: tokens(11, 5),
    output: [5, 11],
    rows: true,
    loss: cross,
  },
  'a language model that ignores padding': {
    target: tokens(11, 5),
    output: [5, 11],
    loss: { ...cross, labelSmoothing: 0.1 },
    ignores: true,
  },
  mse_loss: { target: numbers(4), output: [4], loss: { name: 'mse_loss' } },
  'mse_loss of single numbers': { target: numbers(), output: [], loss: { name: 'mse_loss' } },
  l1_loss: { target: numbers(2, 3), output: [2, 3], loss: { name: 'l1_loss' } },
  smooth_l1_loss: { target: numbers(4), output: [4], loss: { name: 'smooth_l1_loss', beta: 1 } },
  'smooth_l1_loss with beta': {
    target: numbers(4),
    output: [4],
    loss: { name: 'smooth_l1_loss', beta: 1000 },
  },
  'smooth_l1_loss with a beta of 0': {
    target: numbers(4),
    output: [4],
    loss: { name: 'smooth_l1_loss', beta: 0 },
  },
  binary_cross_entropy: { ...binary, loss: { name: 'binary_cross_entropy', posWeight: null } },
  binary_cross_entropy_with_logits: {
    ...binary,
    loss: { name: 'binary_cross_entropy_with_logits', posWeight: null },
  },
  'binary_cross_entropy_with_logits of single numbers': {
    target: numbers(),
    output: [],
    loss: { name: 'binary_cross_entropy_with_logits', posWeight: [2.5] },
  },
  'binary_cross_entropy_with_logits with pos_weight': {
    ...binary,
    loss: { name: 'binary_cross_entropy_with_logits', posWeight: [0.5, 2, 3] },
  },
};

const BOUND = { cpu: 1e-6, webgpu: 1e-5, webgl: 1e-5 };
/** Where PyTorch's own float32 is further from its float64, that is the measure. */
const OWN = 4;

const folder = mkdtempSync(join(tmpdir(), 'weightroom-losses-'));
afterAll(() => rmSync(folder, { recursive: true }));
let answers: List;
beforeAll(async () => {
  const file = join(folder, 'answers.pt');
  const input = Object.values(cases).map(({ target, rows, ...rest }) => ({
    ...rest,
    count: COUNT,
    ...(rows && { form: 'rows' }),
    target: {
      kind: target.kind,
      shape: target.shape,
      ...(target.kind === 'class' && { classes: target.classes.length }),
      ...(target.kind === 'tokens' && { classes: target.vocabulary }),
    },
  }));
  await runPython('tests/judge/losses.py', [file], { input: JSON.stringify(input) });
  answers = (await open(file)).root as List;
}, 60_000);

const at = (value: Value | undefined, ...keys: string[]): Value =>
  keys.reduce<Value | undefined>((dict, key) => (dict as Dict).get(key), value)!;

async function values(tensor: Value): Promise<Float32Array<ArrayBuffer>> {
  if (!isTensor(tensor)) throw new Error('no tensor');
  return Float32Array.from(toFloat32(await readTensor(tensor), tensor.dtype));
}

async function targetsOf(answer: Dict) {
  const target = answer.get('target') as Tensor;
  const read = await values(target);
  return target.dtype === 'int64' ? Int32Array.from(read) : read;
}

/** `rows` numbers more behind the others, which are alike to none of them. */
function padded<T extends Float32Array | Int32Array>(given: T, rows: number, fill: number): T {
  const all = new (given.constructor as new (length: number) => T)(
    (given.length / COUNT) * (COUNT + rows),
  );
  all.fill(fill);
  all.set(given);
  return all;
}

describe.each(backends)('%s', (backend) => {
  let running: Backend;
  beforeAll(async () => {
    running = await useBackend(backend);
  }, 60_000);

  const table = Object.entries(cases).map(([name, it], number) => ({ name, number, ...it }));

  it.each(table)('$name', async ({ number, loss, target, output, rows }) => {
    const answer = answers.items[number] as Dict;
    const before = tf.memory().numTensors;
    const criterion = new Criterion(loss, target);
    for (const more of [0, 3]) {
      const size = COUNT + more;
      const shape = rows ? [size * output[0]!, output[1]!] : [size, ...output];
      const given = padded(await values(answer.get('output')!), more, 0.25);
      const initial = tf.tensor(given, shape, 'float32');
      const outputs = tf.variable(initial);
      const labels = padded(await targetsOf(answer), more, 1);
      const dtype = target.kind === 'numbers' ? 'float32' : 'int32';
      const targets = tf.tensor(labels, [size, ...target.shape], dtype);
      const mask = tf.tensor1d(new Float32Array(size).fill(1, 0, COUNT));
      const { value, grads } = tf.variableGrads(() => {
        const { sum, weight } = criterion.sums(outputs, targets, mask);
        return tf.div(sum, weight) as tf.Scalar;
      }, [outputs]);
      const gradient = grads[outputs.name]!;
      for (const [name, tensor] of [
        ['loss', value],
        ['gradient', gradient],
      ] as const) {
        const [single, double] = await Promise.all([
          values(at(answer, 'single', name)),
          values(at(answer, 'double', name)),
        ]);
        const own = await tensor.data<'float32'>();
        const bound = Math.max(BOUND[backend], OWN * relativeError(single, double));
        expect(relativeError(own.slice(0, double.length), double), name).toBeLessThanOrEqual(bound);
        expect(
          own.slice(double.length).every((it) => it === 0),
          'of padding',
        ).toBe(true);
      }
      tf.dispose([value, gradient, outputs, initial, targets, mask]);
    }
    criterion.dispose();
    running.check();
    expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
  });

  it.each(table)('metrics of $name', async ({ number, loss, target, output, rows }) => {
    const answer = answers.items[number] as Dict;
    const metrics = metricsFor(target, loss.name);
    const before = tf.memory().numTensors;
    const model = await Model.load([], new Map());
    const trainer = new Trainer({
      model,
      optimizer: { step() {} },
      loss,
      target,
      metrics,
      graphFor: (count) => identity(count, output, rows === true),
      batchSize: 4,
    });
    const [inputs, targets] = [await values(answer.get('output')!), await targetsOf(answer)];
    const [width, places] = [inputs.length / COUNT, targets.length / COUNT];
    const pending = [0, 4].map((first) => {
      const end = Math.min(first + 4, COUNT);
      return trainer.evaluate({
        count: end - first,
        inputs: inputs.slice(first * width, end * width),
        targets: targets.slice(first * places, end * places),
      });
    });
    const settled = await settle(pending);
    running.check();
    const sums = settled.map((it) => it.sums).reduce(addSums);
    const judged = answer.get('metrics') as Dict;
    const names = [...judged.keys()].filter((name) => name !== 'confusion');
    expect([...metrics].sort()).toEqual(
      names.filter((name) => metrics.includes(name as MetricName)).sort(),
    );
    for (const name of metrics) {
      const expected = judged.get(name) as number;
      const bound = 20 * BOUND[backend] * Math.max(1, Math.abs(expected));
      expect(Math.abs(metricOf(name, sums) - expected), name).toBeLessThanOrEqual(bound);
    }
    const confusion = judged.get('confusion');
    if (confusion) expect(confusionOf(sums)?.flat()).toEqual([...(await values(confusion))]);
    trainer.dispose();
    model.dispose();
    expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
  });
});

/** A model that gives its input. */
function identity(count: number, shape: readonly number[], rows: boolean): Graph {
  const origin = { module: '' };
  const common = { dtype: 'float32', origin } as const;
  const whole = [count, ...shape];
  const flat = [count * shape[0]!, shape[1]!];
  return {
    nodes: [
      { op: 'input', inputs: [], attrs: { name: 'x', index: 0 }, shape: whole, ...common },
      ...(rows
        ? [{ op: 'reshape', inputs: [0], attrs: { shape: flat }, shape: flat, ...common } as const]
        : []),
    ],
    inputs: [0],
    outputs: [rows ? 1 : 0],
    outputNames: ['output'],
    training: false,
  };
}
