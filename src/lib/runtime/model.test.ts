import { beforeAll, describe, expect, it } from 'vitest';
import {
  floats,
  tinyGraph,
  tinyModel,
  tinyState,
  tinyTensors,
} from '../../../tests/fixtures/tiny.ts';
import { startBackend } from './backend.ts';
import { Model } from './model.ts';
import * as tf from './tf.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

const input = () => tf.tensor2d([1, 2, 3, -1, 0, 1], [2, 3]);
const sum = ([output]: tf.Tensor[]) => ({
  loss: tf.sum(output!) as tf.Scalar,
  extra: tf.mean(output!),
});

describe('a model', () => {
  it('leaves no tensor behind: opened, run, trained, closed', async () => {
    const before = tf.memory().numTensors;
    for (let times = 0; times < 3; times++) {
      const model = await tinyModel();
      const held = tf.memory().numTensors;
      const x = input();
      tf.dispose(model.forward(tinyGraph(2, false), [x]));
      const { loss, extra, gradients } = model.gradients(tinyGraph(2, true, 0.5), [x], sum);
      tf.dispose([x, loss, extra, ...[...gradients.values()].filter((it) => it !== null)]);
      await model.predict(tinyGraph(2, false), [{ values: new Float32Array(6), shape: [2, 3] }]);
      expect(tf.memory().numTensors).toBe(held);
      model.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves no tensor behind where a pass fails', async () => {
    const model = await tinyModel();
    const before = tf.memory().numTensors;
    const wrong = [{ values: new Float32Array(3), shape: [1, 3] }];
    await expect(model.predict(tinyGraph(2, false), wrong)).rejects.toThrow(
      'the graph was traced for an input float32 [2, 3], given was float32 [1, 3]',
    );
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('measures a pass and leaves no tensor behind, stopped or not', async () => {
    const model = await tinyModel();
    const before = tf.memory();
    const graph = tinyGraph(2, false);
    const measure = (signal: AbortSignal) =>
      model.profile(graph, [{ values: new Float32Array(6), shape: [2, 3] }], {
        signal,
        progress() {},
      });
    const { milliseconds, bytes, passes } = await measure(new AbortController().signal);
    expect(passes).toBeGreaterThan(0);
    expect([milliseconds.length, bytes.length]).toEqual([graph.nodes.length, graph.nodes.length]);
    // At least the input and what the op gives.
    const [output] = graph.outputs;
    expect(bytes[output!]).toBeGreaterThanOrEqual(4 * 6);
    await expect(measure(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
    model.dispose();
  });

  it('leaves no tensor behind where it cannot be opened', async () => {
    const before = tf.memory().numTensors;
    const tensors = tinyTensors();
    tensors.delete('fc.bias');
    await expect(Model.load(tinyState, tensors)).rejects.toThrow('model: no value for fc.bias');
    const aborted = tinyTensors();
    const { storage } = floats([2], 0, 0);
    const read = () => Promise.reject(new Error('stopped'));
    aborted.set('fc.bias', { ...floats([2], 0, 0), storage: { ...storage, read } });
    await expect(Model.load(tinyState, aborted)).rejects.toThrow('stopped');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('seeds dropout by a text: every seed, step and node draws a mask of its own', () => {
    const masks = new Set<string>();
    for (const seed of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
      for (const step of [0, 1, 1_000_003]) {
        for (const node of [1, 2, 1_000_003]) {
          const draw = tf.randomUniform([16], 0, 1, 'float32', `${seed} ${step} ${node}`);
          masks.add([...draw.dataSync()].join());
          draw.dispose();
        }
      }
    }
    expect(masks.size).toBe(36);
  });
});
