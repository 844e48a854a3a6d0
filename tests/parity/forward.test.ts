/**
 * Forward passes, gradients and running statistics, on WebGPU and on the fallback, against
 * PyTorch's: the samples with their own weights, and models that use every op of the graph.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dict, list, tuple, type Dict, type Value } from '#lib/checkpoint/value.ts';
import * as tf from '#lib/runtime/tf.ts';
import { runPython } from '../python.ts';
import {
  backends,
  buildModel,
  numbers,
  open,
  relativeError,
  unwrap,
  upload,
  useBackend,
} from './lab.ts';

const BOUND = 1e-5;
/**
 * What is tiny by cancellation, such as the gradient of a bias before a BatchNorm, is noise in
 * PyTorch's float32 too: there its own distance from float64 is the measure.
 */
const OWN = 30;

interface Case {
  readonly name: string;
  readonly source: string;
  readonly model: string;
  readonly shape: readonly number[];
  /** Constructor arguments as Python text, and the same for the lab. */
  readonly arguments?: string;
  readonly values?: Record<string, Value>;
  readonly checkpoint?: string;
}

const fixture = (file: string) => `tests/fixtures/models/${file}.py`;

const cases: Case[] = [
  {
    name: 'sample digits',
    source: 'public/samples/digits/model.py',
    model: 'DigitsCNN',
    shape: [8, 1, 28, 28],
    arguments: 'dropout=0.0',
    values: { dropout: 0 },
    checkpoint: 'public/samples/digits/last.pth',
  },
  {
    name: 'sample mlp',
    source: 'public/samples/mlp/model.py',
    model: 'model',
    shape: [64, 32],
    checkpoint: 'public/samples/mlp/mlp.pt',
  },
  {
    name: 'sample linear',
    source: 'public/samples/linear/model.py',
    model: 'Linear',
    shape: [64, 10],
    checkpoint: 'public/samples/linear/linear.pth',
  },
  { name: 'lenet', source: fixture('lenet'), model: 'LeNet', shape: [2, 1, 28, 28] },
  {
    name: 'batch norm',
    source: fixture('batchnorm_cnn'),
    model: 'SmallCNN',
    shape: [2, 3, 32, 32],
  },
  {
    name: 'resnet',
    source: fixture('resnet'),
    model: 'tiny_resnet',
    shape: [2, 3, 32, 32],
  },
  { name: 'ordered dict', source: fixture('ordered_dict'), model: 'Named', shape: [2, 1, 16, 18] },
  {
    name: 'arguments',
    source: fixture('constructor_arguments'),
    model: 'Configurable',
    shape: [4, 12],
    arguments: 'sizes=(5,)',
    values: { sizes: tuple(5n) },
  },
  { name: 'helpers', source: fixture('helpers'), model: 'Helped', shape: [2, 1, 9, 9] },
  { name: 'inheritance', source: fixture('inheritance'), model: 'Derived', shape: [3, 3, 8, 8] },
  { name: 'tied', source: fixture('tied'), model: 'Tied', shape: [5, 8] },
  { name: 'built from a list', source: fixture('list_built'), model: 'vgg', shape: [2, 3, 32, 32] },
  { name: 'module list', source: fixture('module_list'), model: 'Stack', shape: [4, 6] },
  { name: 'pools', source: fixture('pools'), model: 'Pools', shape: [2, 2, 13, 11] },
  {
    name: 'strides and pads',
    source: fixture('strides'),
    model: 'Strides',
    shape: [2, 3, 14, 9],
    arguments: 'widths=[4, 6]',
    values: { widths: list(4n, 6n) },
  },
  { name: 'softmax of axes', source: fixture('axes'), model: 'Axes', shape: [2, 3, 4, 5] },
];

const folder = mkdtempSync(join(tmpdir(), 'weightroom-forward-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/forward.py', [folder], {
  input: JSON.stringify(cases.map((item) => ({ arguments: '', ...item, values: undefined }))),
});

async function numbersAt(root: Dict, [key, ...rest]: string[]): Promise<Float32Array> {
  if (rest.length > 0) return numbersAt(root.get(key!) as Dict, rest);
  return (await numbers(root, key!)).values;
}

const table: string[] = [];
afterAll(() =>
  console.log(
    [
      'relative errors (PyTorch float32 itself), the largest gradient or buffer last:',
      ...table,
    ].join('\n'),
  ),
);

describe.each(backends)('%s', (backend) => {
  it.each(cases)('$name', async ({ name, source, model, shape, values }) => {
    const running = await useBackend(backend);
    const checkpoint = await open(join(folder, `${name}.pt`));
    const judged = checkpoint.root as Dict;
    const single = judged.get('single') as Dict;
    const double = judged.get('double') as Dict;
    const state = { ...checkpoint, root: dict({ model: judged.get('state')! }) };
    const bound = buildModel(state, source, model, values);
    expect(bound.binding).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
    const before = tf.memory().numTensors;
    const loaded = await upload(bound);
    const trace = (training: boolean) =>
      unwrap(bound.module.trace([{ shape, dtype: 'float32' }], { training })).graph;
    const errors: { name: string; error: number; own: number }[] = [];
    const compare = async (path: string[], numbersOfLab: ArrayLike<number>) => {
      const [ours, exact] = await Promise.all(
        [single, double].map((root) => numbersAt(root, path)),
      );
      const name = path.join(' ');
      const own = relativeError(ours!, exact!);
      errors.push({ name, own, error: relativeError(numbersOfLab, exact!) });
    };

    const given = await numbers(judged, 'input');
    const input = tf.tensor(given.values, given.shape);
    const outputs = loaded.forward(trace(false), [input]);
    expect(outputs[0]!.shape).toEqual((await numbers(single, 'output')).shape);
    await compare(['output'], await outputs[0]!.data());

    const factor = await numbers(judged, 'weight');
    const weight = tf.tensor(factor.values, factor.shape);
    const { loss, extra, gradients } = loaded.gradients(trace(true), [input], ([trained]) => ({
      loss: tf.sum(tf.mul(trained!, weight)) as tf.Scalar,
      extra: trained!,
    }));
    await compare(['trained'], await extra.data());
    for (const [key, gradient] of gradients) {
      const expected = (single.get('gradients') as Dict).has(key);
      expect(gradient !== null, `a gradient of ${key}`).toBe(expected);
      if (gradient) await compare(['gradients', key], await gradient.data());
    }
    const read = await loaded.read();
    for (const { key, kind, dtype } of bound.module.state) {
      if (kind !== 'buffer') continue;
      if (dtype !== 'int64') await compare(['state', key], read.floats.get(key)!);
      else
        expect(read.counters.get(key)).toBe(BigInt((await numbersAt(single, ['state', key]))[0]!));
    }
    running.check();
    const [output, trained, ...others] = errors;
    const worst = others.reduce((a, b) => (b.error > a.error ? b : a));
    const figure = ({ error, own }: { error: number; own: number }) =>
      `${error.toExponential(1)} (${own.toExponential(1)})`;
    table.push(
      `${backend.padEnd(7)} ${name.padEnd(18)} output ${figure(output!)}  in training ${figure(trained!)}  ${worst.name} ${figure(worst)}`,
    );
    expect(output!.error).toBeLessThanOrEqual(BOUND);
    for (const { name, error, own } of errors) {
      expect(error, name).toBeLessThanOrEqual(Math.max(BOUND, OWN * own));
    }

    tf.dispose([input, weight, loss, extra, ...outputs]);
    for (const gradient of gradients.values()) gradient?.dispose();
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
