/**
 * The graph view against PyTorch's forward hooks: of every module, by its path, the numbers of
 * parameters and of multiply-adds, the output and its statistics; of attention, the weights. What is compared is what the
 * page gets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Dict } from '#lib/checkpoint/value.ts';
import { gpuBytes } from '#lib/runtime/gpu_memory.ts';
import * as tf from '#lib/runtime/tf.ts';
import { GraphView } from '#lib/worker/graph_view.ts';
import type { Pictures } from '#lib/worker/protocol.ts';
import { runPython } from '../python.ts';
import { buildModel, numbers, open, relativeError, unwrap, upload, useBackend } from './lab.ts';

const BOUND = 1e-4;
const source = (name: string) => `tests/fixtures/models/${name}.py`;
const cases = [
  { name: 'cnn', source: source('batchnorm_cnn'), model: 'SmallCNN', shape: [2, 3, 36, 36] },
  { name: 'gpt', source: source('attention'), model: 'Reader', shape: [2, 7], vocabulary: 11 },
];
const runs = [
  { ...cases[0]!, backend: 'cpu' },
  { ...cases[1]!, backend: 'cpu' },
  { ...cases[1]!, backend: 'webgpu' },
] as const;

interface Told {
  readonly own: number;
  readonly all: number;
  /** Null where it is not called: there PyTorch does not count. */
  readonly multiplied: number | null;
  readonly output: Record<'mean' | 'std' | 'min' | 'max' | 'zeros', number> | null;
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-graph-'));
afterAll(() => rmSync(folder, { recursive: true }));
const told: Record<string, Record<string, Told>> = JSON.parse(
  await runPython('tests/judge/graph.py', [folder], { input: JSON.stringify(cases) }),
);

/** The numbers of a tensor again, from all of its pictures. */
function whole(pictures: Pictures): number[] {
  switch (pictures.kind) {
    case 'number':
      return [pictures.value];
    case 'bars':
      return [...pictures.low];
    default:
      return pictures.maps.flatMap(({ values }) => [...values]);
  }
}

it.each(runs)('$name on $backend', async ({ name, source, model, vocabulary, backend: chosen }) => {
  const backend = await useBackend(chosen);
  const checkpoint = await open(join(folder, `${name}.pt`));
  const judged = checkpoint.root as Dict;
  const bound = buildModel(checkpoint, source, model);
  const before = { tensors: tf.memory().numTensors, bytes: gpuBytes() };
  const loaded = await upload(bound);
  const held = tf.memory().numTensors;
  const given = await numbers(judged, 'input');
  const input = vocabulary
    ? { shape: given.shape, dtype: 'int64' as const, values: Int32Array.from(given.values) }
    : { ...given, dtype: 'float32' as const };
  const runner = {
    module: bound.module,
    graph: () => unwrap(bound.module.trace([input], { training: false })).graph,
    model: () => Promise.resolve(loaded),
    backend,
  };
  const { signal } = new AbortController();
  const context = { signal, progress() {} };
  const { view, measured } = await GraphView.measure(runner, [input], null, context);
  expect(tf.memory().numTensors, 'tensors after measuring').toBe(held);
  const look = (node: number, what: 'output' | 'attention') =>
    view.look(runner, { node, what, start: 0, count: Infinity }, signal);

  const modules = measured.parts.filter(({ kind }) => kind === 'module');
  expect(modules.map(({ path }) => path).sort()).toEqual(Object.keys(told[name]!).sort());
  for (const { path, outputs, parameters: all, ownParameters: own, multiplyAdds } of modules) {
    const { output, ...counts } = told[name]![path]!;
    const multiplied = output ? multiplyAdds : null;
    expect({ own, all, multiplied }, path).toEqual(counts);
    expect(outputs.length, path).toBe(output ? 1 : 0);
    if (!output) continue;
    const expected = await numbers(judged.get('outputs')!, path);
    expect(outputs[0]!.shape, path).toEqual(expected.shape);
    const { statistics, pictures, shape } = await look(outputs[0]!.node, 'output');
    expect(shape, path).toEqual(expected.shape);
    expect(relativeError(whole(pictures), expected.values), path).toBeLessThan(BOUND);
    const { min, max, mean, std, zeros } = statistics;
    const { zeros: none, ...figures } = output;
    const largest = Math.max(Math.abs(output.min), Math.abs(output.max));
    for (const [key, value] of Object.entries({ min, max, mean, std })) {
      const difference = Math.abs(Number(value) - figures[key as keyof typeof figures]);
      expect(difference, `${key} of ${path}`).toBeLessThan(BOUND * largest);
    }
    expect(zeros, `zeros of ${path}`).toBe(none);
  }

  const attending = measured.parts.filter(({ attention }) => attention !== null);
  const weights = judged.get('attention') as Dict;
  expect(attending.map(({ path }) => path)).toEqual([...weights.keys()]);
  for (const { path, attention } of attending) {
    const expected = await numbers(weights, path);
    const { shape, pictures } = await look(attention!, 'attention');
    expect(shape, path).toEqual(expected.shape);
    expect(relativeError(whole(pictures), expected.values), path).toBeLessThan(BOUND);
  }

  // Each part's time and memory are within the whole's.
  const [all] = measured.parts;
  expect(all!.milliseconds).toBeGreaterThan(0);
  expect(all!.bytes).toBe(measured.peakBytes);
  for (const { milliseconds, bytes, outputs } of measured.parts) {
    expect(milliseconds).toBeLessThanOrEqual(all!.milliseconds * (1 + 1e-9));
    expect(bytes).toBeLessThanOrEqual(measured.peakBytes);
    expect(outputs.every(({ node }) => node >= 0)).toBe(true);
  }
  expect(tf.memory().numTensors, 'tensors after looking').toBe(held);
  loaded.dispose();
  expect({ tensors: tf.memory().numTensors, bytes: gpuBytes() }).toEqual(before);
});
