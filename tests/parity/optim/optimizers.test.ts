/**
 * Every optimizer with every option, 50 steps from the same start with the same gradients, against
 * PyTorch; and on from PyTorch's states after 25 steps, and from those of PyTorch 1.13. What the lab
 * saves has to be what PyTorch saves, and PyTorch goes on from it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterAll, expect, it } from 'vitest';
import type { ParameterSpec } from '#lib/architecture/graph.ts';
import { matchParameters, parseOptimizer, recogniseOptimizer } from '#lib/checkpoint/optimizer.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import type { BackendName } from '#lib/runtime/backend.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { oldPython, runPython } from '../../python.ts';
import { backends, numbers, open, unwrap, useBackend } from '../lab.ts';
import { rows, type Row } from './rows.ts';

const STEPS = 50;
const HALF = 25;
const BOUND = 5e-6;

interface Judgement {
  file: string;
  id: string;
  error: number;
  where: string;
  structure: string[];
  onward: number;
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-optimizers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const judge = (command: string, python?: string) =>
  runPython('tests/judge/optimizers.py', [command, folder], {
    input: JSON.stringify(rows),
    ...(python && { python }),
  });
const dictOf = async (name: string) => (await open(join(folder, name))).root as Dict;

await Promise.all([judge('start'), oldPython && judge('old', oldPython)]);
const start = await dictOf('start.pt');
const initial = tensorsOf(start.get('parameters'));
const firstSteps = new Map((start.get('from') as Dict).entries() as Iterable<[string, bigint]>);
const parameters = [...initial].map(([key, { shape }]): ParameterSpec => ({
  ...{ key, shape, dtype: 'float32', kind: 'parameter', requiresGrad: true },
}));

function tensorsOf(value: unknown): Map<string, Tensor> {
  return new Map((value as Dict).entries() as Iterable<[string, Tensor]>);
}

/** The gradients of each step on the current backend; null before a parameter's first. */
async function uploadGradients(): Promise<Map<string, tf.Tensor | null>[]> {
  const gradients = await Promise.all(
    parameters.map(async ({ key, shape }) => {
      const { values } = await numbers(start.get('gradients')!, key);
      const size = tf.util.sizeFromShape([...shape]);
      return { key, shape, size, values };
    }),
  );
  return Array.from({ length: STEPS }, (_, step) => {
    const entries = gradients.map(({ key, shape, size, values }) => {
      const part = values.subarray(step * size, (step + 1) * size);
      const isLate = step < Number(firstSteps.get(key)!);
      return [key, isLate ? null : tf.tensor(part, [...shape])] as const;
    });
    return new Map(entries);
  });
}

/** Programs that WebGPU has been given in the last step. */
let kernels = 0;

function countKernels(): void {
  const backend = tf.backend() as WebGPUBackend;
  const run = backend.runWebGPUProgram.bind(backend);
  backend.runWebGPUProgram = (...program) => {
    kernels++;
    return run(...program);
  };
}

/** Takes the steps that are left and gives what there is to save. */
async function runSteps(
  weights: ReadonlyMap<string, Tensor>,
  optimizer: Optimizer,
  gradients: readonly ReadonlyMap<string, tf.Tensor | null>[],
): Promise<Dict> {
  const model = await Model.load(parameters, weights);
  for (const step of gradients) {
    kernels = 0;
    optimizer.step(model, step);
  }
  const { floats } = await model.read();
  const written = parameters.map(({ key, shape }): [string, Tensor] => {
    const values = floats.get(key)!;
    return [key, tensorFromBytes(new Uint8Array(values.buffer), 'float32', shape)];
  });
  const saved = dict({
    parameters: dict(new Map(written)),
    optimizer: await optimizer.stateDict(),
  });
  optimizer.dispose();
  model.dispose();
  return saved;
}

async function resume(row: Row, half: Dict, gradients: Map<string, tf.Tensor | null>[]) {
  const saved = parseOptimizer(half.get('optimizer'))!;
  const { keys } = unwrap(matchParameters(saved, parameters));
  const optimizer = await Optimizer.restore(row.name, saved, keys);
  return runSteps(tensorsOf(half.get('parameters')), optimizer, gradients.slice(HALF));
}

async function write(name: string, runs: Map<string, Dict>): Promise<void> {
  const sink = memorySink();
  await torch.write!(dict(runs), sink, { stem: name });
  writeFileSync(join(folder, `${name}.pt`), sink.bytes());
}

const kernelsOf = new Map<string, number>();
const seconds: Partial<Record<BackendName, number>> = {};
const halves = await dictOf('half.pt');
const olds = oldPython ? await dictOf('old.pt') : new Dict();
for (const backend of backends) {
  const running = await useBackend(backend);
  const began = performance.now();
  if (backend === 'webgpu') countKernels();
  const gradients = await uploadGradients();
  const before = tf.memory().numTensors;
  const runs = {
    all: new Map<string, Dict>(),
    half: new Map<string, Dict>(),
    old: new Map<string, Dict>(),
  };
  for (const row of rows) {
    runs.all.set(row.id, await runSteps(initial, Optimizer.fresh(row, parameters), gradients));
    kernelsOf.set(row.id, kernels);
    // What a state is restored to differs between backends in no more than the first step does.
    if (backend !== 'cpu') continue;
    const [half, old] = [halves, olds].map((saved) => saved.get(row.id) as Dict | undefined);
    runs.half.set(row.id, await resume(row, half!, gradients));
    if (old) runs.old.set(row.id, await resume(row, old, gradients));
  }
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose(gradients.flatMap((step) => [...step.values()].filter((it) => it !== null)));
  running.check();
  for (const [begin, saved] of Object.entries(runs)) {
    if (saved.size > 0) await write(`${begin}-${backend}`, saved);
  }
  seconds[backend] = (performance.now() - began) / 1000;
}
const finals = dictOf('all-webgpu.pt');
const judgements = (await judge('finish'))
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Judgement);
const found = (file: string, { id }: Row) =>
  judgements.find(
    (judgement) => judgement.file.replace('.pt', '') === file && judgement.id === id,
  )!;

it.each(rows)('$id', (row) => {
  const old = row.old && oldPython ? ['old-cpu'] : [];
  for (const file of ['all-cpu', 'all-webgpu', 'half-cpu', ...old]) {
    const { structure, error, where, onward } = found(file, row);
    expect(structure, file).toEqual([]);
    expect(error, `${file} ${where}`).toBeLessThanOrEqual(BOUND);
    expect(onward, `${file} onward`).toBeLessThanOrEqual(BOUND);
  }
});

it.each(rows)('takes one kernel for each tensor that it changes: $id', async (row) => {
  const saved = (await finals).get(row.id) as Dict;
  const states = [...((saved.get('optimizer') as Dict).get('state') as Dict).values()] as Dict[];
  const names = states.flatMap((state) => [...state.keys()] as string[]);
  const tensors = names.filter((name) => name !== 'step' && name !== 'mu_product');
  expect(kernelsOf.get(row.id)).toBe(parameters.length + tensors.length);
});

it.each(rows)('recognises $id', (row) => {
  const { weight_decay: decay = row.name === 'AdamW' ? 0.01 : 0 } = row.options;
  for (const file of row.old && oldPython ? [halves, olds] : [halves]) {
    const saved = parseOptimizer((file.get(row.id) as Dict).get('optimizer'))!;
    const expected: ReturnType<typeof recogniseOptimizer> = { name: row.name, certain: true };
    // Adam and AdamW are told apart by what they compute, and before 2.7 by their decay.
    if (row.options.decoupled_weight_decay && row.name === 'Adam') expected.name = 'AdamW';
    if (file === olds && /^AdamW?$/.test(row.name)) {
      expected.name = decay === 0 ? 'Adam' : 'AdamW';
      expected.certain = decay === 0;
    }
    expect(recogniseOptimizer(saved)).toEqual(expected);
  }
});

afterAll(() => {
  const line = (row: Row) => {
    const cells = backends.map((backend) => found(`all-${backend}`, row).error.toExponential(1));
    const own = found('own', row).error.toExponential(1);
    return `${row.id.padEnd(96)} ${cells.join('  ')}  ${own}`;
  };
  const times = backends.map((backend) => `${backend} ${seconds[backend]!.toFixed(1)} s`);
  console.log(
    [
      `${`optimizers, ${STEPS} steps (${times.join(', ')})`.padEnd(96)} cpu      webgpu   PyTorch's float32 to float64`,
      ...rows.map(line),
    ].join('\n'),
  );
});
