/** Clipping, GradScaler and averaged weights against PyTorch's, on every backend. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParameterSpec } from '#lib/architecture/graph.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, type Dict, type List, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { clipGradNorm, clipGradValue } from '#lib/optim/clip_grad.ts';
import { Ema } from '#lib/optim/ema.ts';
import { GradScaler } from '#lib/optim/grad_scaler.ts';
import type { Gradients } from '#lib/optim/gradients.ts';
import type { Backend } from '#lib/runtime/backend.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { runPython } from '../../python.ts';
import { backends, open, relativeError, useBackend } from '../lab.ts';

const BOUND = 1e-6;
const folder = mkdtempSync(join(tmpdir(), 'weightroom-optim-'));
afterAll(() => rmSync(folder, { recursive: true }));

await runPython('tests/judge/optim_helpers.py', ['start', folder]);
const helpers = (await open(join(folder, 'helpers.pt'))).root as Dict;
const part = (value: Value | undefined, key: string) => (value as Dict).get(key)!;
const casesOf = (name: string) => [...(part(helpers, name) as Dict).keys()] as string[];

const tensorsOf = (value: Value) =>
  new Map((value as Dict).entries() as Iterable<[string, Tensor]>);

async function valuesOf(tensor: Value): Promise<Float32Array> {
  const it = tensor as Tensor;
  return toFloat32(await readTensor(it), it.dtype);
}

/** Tensors of a dict on the backend, and one gradient that is not there. */
async function upload(value: Value): Promise<Map<string, tf.Tensor | null>> {
  const gradients = new Map<string, tf.Tensor | null>([['absent', null]]);
  for (const [key, tensor] of tensorsOf(value)) {
    gradients.set(key, tf.tensor(await valuesOf(tensor), [...tensor.shape], 'float32'));
  }
  return gradients;
}

const disposeAll = (gradients: Gradients) => {
  for (const gradient of gradients.values()) gradient?.dispose();
};

/** The largest relative error of the gradients; numbers that are none have to be the same. */
async function errorOf(gradients: Gradients, expected: Value): Promise<number> {
  expect(gradients.get('absent')).toBeNull();
  const errors: number[] = [];
  for (const [key, tensor] of tensorsOf(expected)) {
    const [got, wanted] = [await gradients.get(key)!.data(), await valuesOf(tensor)];
    const isOdd = wanted.map((it) => (Number.isFinite(it) ? 0 : 1));
    expect(Float32Array.from(got, (it) => (Number.isFinite(it) ? 0 : 1))).toEqual(isOdd);
    const finite = (values: ArrayLike<number>) => Array.from(values).filter((_, at) => !isOdd[at]);
    errors.push(relativeError(finite(got), finite(wanted)));
  }
  expect(errors).toHaveLength(gradients.size - 1);
  return Math.max(...errors);
}

const states: Record<string, Dict> = {};
const worst: Record<string, number> = {};
const note = (label: string, error: number) => {
  worst[label] = Math.max(worst[label] ?? 0, error);
  expect(error).toBeLessThanOrEqual(BOUND);
};

describe.each(backends)('on %s', (backend) => {
  let running: Backend;
  let before: number;
  beforeAll(async () => {
    running = await useBackend(backend);
    before = tf.memory().numTensors;
  });
  afterAll(() => {
    running.check();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(casesOf('norm'))('clips by norm %s', async (name) => {
    const [kind, limit] = name.replace('inf', 'Infinity').split(' ').map(Number);
    const gradients = await upload(part(helpers, 'gradients'));
    const clipped = clipGradNorm(gradients, limit!, kind);
    const expected = part(part(helpers, 'norm'), name);
    note(`clip by norm, ${backend}`, await errorOf(clipped.gradients, part(expected, 'gradients')));
    const norm = await clipped.norm.data();
    note(`norm, ${backend}`, relativeError(norm, await valuesOf(part(expected, 'norm'))));
    disposeAll(gradients);
    disposeAll(clipped.gradients);
    clipped.norm.dispose();
  });

  it.each(casesOf('value'))('clips by value %s', async (name) => {
    const gradients = await upload(part(helpers, 'gradients'));
    const clipped = clipGradValue(gradients, Number(name));
    expect(await errorOf(clipped, part(part(helpers, 'value'), name))).toBe(0);
    disposeAll(gradients);
    disposeAll(clipped);
  });

  it.each(casesOf('scaler'))('scales: %s', async (name) => {
    const run = part(part(helpers, 'scaler'), name);
    const option = (key: string) => Number(part(part(run, 'settings'), key));
    let scaler = new GradScaler({
      init_scale: option('init_scale'),
      growth_factor: option('growth_factor'),
      backoff_factor: option('backoff_factor'),
      growth_interval: option('growth_interval'),
    });
    for (const step of (part(run, 'steps') as List).items) {
      const gradients = await upload(part(step, 'gradients'));
      const unscaled = scaler.unscale(gradients);
      note(`unscale, ${backend}`, await errorOf(unscaled.gradients, part(step, 'unscaled')));
      const foundInf = (await unscaled.foundInf.data())[0] === 1;
      expect(foundInf).toBe(part(step, 'found_inf'));
      scaler.update(foundInf);
      const state = scaler.stateDict();
      expect([...state.entries()]).toEqual([...(part(step, 'state') as Dict).entries()]);
      scaler = GradScaler.restore(part(step, 'state'));
      states[name] = state;
      disposeAll(gradients);
      disposeAll(unscaled.gradients);
      unscaled.foundInf.dispose();
    }
  });

  it.each(casesOf('ema'))('averages with a decay of %s', async (name) => {
    const { weights, averages } = Object.fromEntries(
      (part(part(helpers, 'ema'), name) as Dict).entries(),
    ) as Record<'weights' | 'averages', List>;
    const start = tensorsOf(weights.items[0]!);
    const state = [...start].map(([key, { shape }]): ParameterSpec => ({
      ...{ key, shape, dtype: 'float32', requiresGrad: true },
      kind: key.includes('running') ? 'buffer' : 'parameter',
    }));
    const model = await Model.load(state, start);
    let ema = new Ema(Number(name));
    expect(await ema.read(model)).toBeNull();
    for (const [step, saved] of weights.items.entries()) {
      for (const [key, tensor] of tensorsOf(saved)) {
        model.assign(key, tf.tensor(await valuesOf(tensor), [...tensor.shape], 'float32'));
      }
      ema.update(model);
      const read = (await ema.read(model))!;
      for (const [key, tensor] of tensorsOf(averages.items[step]!)) {
        const error = relativeError(read.floats.get(key)!, await valuesOf(tensor));
        note(`average, ${backend}`, error);
      }
      if (step !== 4) continue;
      ema.dispose();
      ema = Ema.restore(Number(name), model, read);
    }
    ema.dispose();
    model.dispose();
  });
});

it("writes a scaler's state as PyTorch reads and writes it", async () => {
  const sink = memorySink();
  await torch.write!(dict({ state: dict(states) }), sink, { stem: 'scaler' });
  writeFileSync(join(folder, 'scaler.pt'), sink.bytes());
  const loaded: unknown = JSON.parse(
    await runPython('tests/judge/optim_helpers.py', ['load', folder]),
  );
  const expected = Object.entries(states).map(([name, state]) => [
    name,
    [...state.entries()].map(([key, value]) => [
      key,
      typeof value === 'bigint' ? 'int' : 'float',
      Number(value),
    ]),
  ]);
  expect(Object.keys(states)).toHaveLength(4);
  expect(loaded).toEqual(Object.fromEntries(expected));
});

afterAll(() => {
  const lines = Object.entries(worst).map(
    ([label, it]) => `${label.padEnd(24)} ${it.toExponential(1)}`,
  );
  console.log(['around the step, largest relative errors:', ...lines].join('\n'));
});
