/**
 * The relay: PyTorch trains two epochs and saves, the lab resumes for two on the same batches and
 * saves, PyTorch resumes from the lab's file for two more. Judged against PyTorch alone for six: a
 * loss may differ by 1e-5 · max(1, |loss|), a tensor by 1e-5 or 30 times what PyTorch's own float32
 * differs from its float64. Cases are drawn at random; `WEIGHTROOM_RELAYS=SEED,COUNT` draws others.
 *
 * That means something only where PyTorch itself is exact: the models are smooth and the rates
 * moderate, so that its own distance stays below 1e-5, which is asserted for the usual cases.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Graph } from '#lib/architecture/graph.ts';
import {
  matchParameters,
  optimizerNames,
  parseOptimizer,
  recogniseOptimizer,
} from '#lib/checkpoint/optimizer.ts';
import { isDict } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import { GradScaler } from '#lib/optim/grad_scaler.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import { kinds } from '#lib/optim/schedulers/kinds.ts';
import { findScheduler } from '#lib/optim/schedulers/recognise.ts';
import { Scheduler } from '#lib/optim/schedulers/scheduler.ts';
import type { BackendName } from '#lib/runtime/backend.ts';
import type { Kept } from '#lib/training/kept.ts';
import { metricOf } from '#lib/training/metrics.ts';
import { settle, Trainer } from '#lib/training/trainer.ts';
import { trainedCheckpoint } from '#lib/worker/trained.ts';
import { runPython } from '../python.ts';
import { buildModel, numbers, open, unwrap, upload, useBackend } from './lab.ts';
import { drawCases, EPOCHS, modelNames, type ModelName, type RelayCase } from './relay.cases.ts';

const [seed = '1', count = '44'] = process.env.WEIGHTROOM_RELAYS?.split(',') ?? [];
/** Optimizer steps of an epoch; a leg is two epochs. */
const STEPS = 4;
const LEG = EPOCHS / 3;
const BOUND = 1e-5;
const OWN = 30;

const cases = drawCases(Number(seed), Number(count), EPOCHS * STEPS);
/** WebGPU is slow in software: the first case of each model. */
const onWebGPU = new Set(
  modelNames.map((name) => cases.find(({ model, overflow }) => model === name && !overflow)?.id),
);

const folder = mkdtempSync(join(tmpdir(), 'weightroom-relay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const classes = ['0', '1', '2', '3'];
const targets: Record<ModelName, TargetSpec> = {
  MLP: { kind: 'class', classes, shape: [] },
  CNN: { kind: 'class', classes, shape: [] },
  LSTM: { kind: 'class', classes, shape: [] },
  GPT: { kind: 'tokens', vocabulary: 11, shape: [7] },
};

/** The lab's leg: resumes `start.pth`, trains, writes a checkpoint. Gives its losses. */
async function labLeg(given: RelayCase, to: string): Promise<number[]> {
  const { model, accumulate, scheduler: schedule } = given;
  const out = join(folder, given.id);
  const checkpoint = await open(join(out, 'start.pth'));
  const bound = buildModel(checkpoint, 'tests/judge/relay_models.py', model);
  const { module } = bound;
  expect(bound.binding).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
  const part = (key: string) => (isDict(checkpoint.root) ? checkpoint.root.get(key) : null) ?? null;
  const saved = parseOptimizer(part('optimizer'))!;
  const recognised = recogniseOptimizer(saved);
  expect(recognised).toEqual({ name: given.optimizer.name, certain: true });
  const shapes = new Map(module.state.map(({ key, shape }) => [key, shape]));
  const parameters = module.parameterOrder.map((key) => ({ key, shape: shapes.get(key)! }));
  const { keys } = unwrap(matchParameters(saved, parameters));

  const weights = await upload(bound);
  const optimizer = await Optimizer.restore(given.optimizer.name, saved, keys);
  const found = findScheduler(checkpoint.root, optimizer.groups);
  expect(found?.scheduler.name).toBe(schedule?.name);
  const scheduler = found && Scheduler.restore(schedule!, found.dict, optimizer);

  const scaler = given.scaler && GradScaler.restore(part('scaler'));

  const batches = (await open(join(out, 'batches.npz'))).root;
  const inputs = await numbers(batches, 'inputs');
  const labels = await numbers(batches, 'targets');
  const [, size, ...example] = inputs.shape as [number, number, ...number[]];
  const isText = model === 'GPT';
  const graphs = new Map<boolean, Graph>();
  const graphFor = (count: number, training: boolean) => {
    const spec = { shape: [count, ...example], dtype: isText ? 'int64' : 'float32' } as const;
    const graph = graphs.get(training) ?? unwrap(module.trace([spec], { training })).graph;
    graphs.set(training, graph);
    return graph;
  };
  const trainer = new Trainer({
    model: weights,
    optimizer,
    loss: { name: 'cross_entropy', labelSmoothing: 0, ignoreIndex: -100, classWeights: null },
    target: targets[model],
    metrics: ['loss'],
    accumulate,
    clip: given.clip,
    scaler,
    graphFor,
    batchSize: size,
  });
  const slice = ({ shape, values }: typeof inputs, at: number) => {
    const width = values.length / shape[0]!;
    return values.slice(at * width, (at + 1) * width);
  };
  const perEpoch = STEPS * accumulate;
  const losses: number[] = [];
  const mean = (last: number) => losses.slice(-last).reduce((sum, loss) => sum + loss) / last;
  for (let at = LEG * perEpoch; at < 2 * LEG * perEpoch; at++) {
    const pending = await trainer.step({
      count: size,
      inputs: isText ? Int32Array.from(slice(inputs, at)) : slice(inputs, at),
      targets: Int32Array.from(slice(labels, at)),
    });
    const [settled] = await settle([pending]);
    losses.push(metricOf('loss', settled!.sums));
    if (pending.stepped && schedule?.interval === 'step') scheduler!.step(mean(accumulate));
    if ((at + 1) % perEpoch === 0 && schedule?.interval === 'epoch')
      scheduler!.step(mean(perEpoch));
  }
  const kept: Kept = {
    ...{ epoch: 2 * LEG, batch: 0, step: 2 * LEG * STEPS, stale: 0, partial: {}, best: null },
    metrics: { train_loss: mean(perEpoch) },
    ...{ weights: await weights.read(), ema: null, optimizer: await optimizer.stateDict() },
    ...{ scheduler: scheduler?.stateDict() ?? null, scaler: scaler?.stateDict() ?? null },
  };
  const sink = memorySink();
  await torch.write!(trainedCheckpoint(checkpoint, bound, kept), sink, { stem: 'relay' });
  writeFileSync(to, sink.bytes());
  trainer.dispose();
  optimizer.dispose();
  weights.dispose();
  return losses;
}

interface Judgement {
  readonly id: string;
  readonly file: string | null;
  readonly alone: { losses: number[]; distance: number };
  readonly finish: { losses: number[] };
  /** [after which epoch and which, the relay's error, PyTorch's own]. */
  readonly compare: { tensors: [string, number, number][]; differences: string[] };
}

/** Runs PyTorch's legs of every case in one process. */
async function judge(...commands: string[]): Promise<Judgement[]> {
  const input = JSON.stringify({ steps: STEPS, cases });
  const lines = await runPython('tests/judge/relay.py', [folder, ...commands], { input });
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement);
}

const alone = new Map((await judge('start', 'alone')).map((it) => [it.id, it.alone]));
const ofLab: { given: RelayCase; id: string; backend: BackendName; losses: number[] }[] = [];
for (const backend of ['cpu', 'webgpu'] as const) {
  const running = await useBackend(backend);
  for (const given of cases) {
    if (backend === 'webgpu' && !onWebGPU.has(given.id)) continue;
    const losses = await labLeg(given, join(folder, given.id, `lab-${backend}.pt`));
    running.check();
    ofLab.push({ given, id: given.id, backend, losses });
  }
}
const judged = await judge('finish', 'compare');

describe(`relays drawn from seed ${seed}`, () => {
  it.each(ofLab)(
    '$id $given.model $given.optimizer.name on $backend',
    ({ given, backend, losses }) => {
      const own = alone.get(given.id)!;
      const { finish, compare } = judged.find(
        ({ id, file }) => id === given.id && file === `lab-${backend}.pt`,
      )!;
      const relay = [...losses, ...finish.losses];
      const expected = own.losses.slice(-relay.length);
      expect(relay).toHaveLength(2 * LEG * STEPS * given.accumulate);
      const loss = Math.max(
        ...relay.map(
          (it, at) => Math.abs(it - expected[at]!) / Math.max(1, Math.abs(expected[at]!)),
        ),
      );
      const share = ([, error, own]: (typeof compare.tensors)[number]) =>
        error / Math.max(BOUND, OWN * own);
      const furthest = compare.tensors.reduce((a, b) => (share(b) > share(a) ? b : a));
      table.push({ given, backend, loss, ownLoss: own.distance, furthest, share: share(furthest) });
      expect(compare.differences).toEqual([]);
      expect(loss).toBeLessThanOrEqual(BOUND);
      for (const [key, error, own] of compare.tensors) {
        expect(error, key).toBeLessThanOrEqual(Math.max(BOUND, OWN * own));
      }
    },
  );

  it.skipIf(process.env.WEIGHTROOM_RELAYS)('are 40 or more, and PyTorch itself is exact', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
    expect(judged.length).toBe(cases.length + modelNames.length);
    const drawn = (of: (given: RelayCase) => unknown) => new Set(cases.map(of)).size;
    expect(drawn(({ model }) => model)).toBe(modelNames.length);
    expect(drawn(({ optimizer }) => optimizer.name)).toBe(optimizerNames.length);
    expect(drawn(({ scheduler }) => scheduler?.name)).toBe(Object.keys(kinds).length + 1);
    expect(drawn(({ clip }) => clip?.kind)).toBe(3);
    expect(drawn(({ scaler, overflow }) => `${scaler !== null} ${overflow}`)).toBe(3);
    const owns = judged.flatMap(({ compare }) => compare.tensors.map(([, , own]) => own));
    expect(Math.max(...owns)).toBeLessThan(BOUND);
  });
});

interface Row {
  given: RelayCase;
  backend: BackendName;
  loss: number;
  ownLoss: number;
  furthest: Judgement['compare']['tensors'][number];
  share: number;
}
const table: Row[] = [];
afterAll(() => {
  const line = ({ given, backend, loss, ownLoss, furthest, share }: Row) => {
    const { model, optimizer, scheduler, scaler, overflow, clip, accumulate } = given;
    const [name, error, own] = furthest;
    return [
      given.id.padStart(3),
      backend.padEnd(6),
      model.padEnd(4),
      `${optimizer.name}${optimizer.groups.length > 0 ? '+' : ''}`.padEnd(9),
      (scheduler ? `${scheduler.name} by ${scheduler.interval}` : '').padEnd(35),
      (overflow ? 'scaler, inf' : scaler ? 'scaler' : '').padEnd(11),
      (clip?.kind ?? '').padEnd(5),
      `x${accumulate}`,
      `loss ${loss.toExponential(1)} (own ${ownLoss.toExponential(1)})`,
      `tensor ${error.toExponential(1)} (own ${own.toExponential(1)}) ${(100 * share).toFixed(0)} % of what it may: ${name}`,
    ].join(' ');
  };
  console.log(
    [
      'relay: the largest distance of a loss and of the tensor that is nearest to its bound, from',
      'PyTorch alone, and in brackets PyTorch’s own of float32 from float64; + is two param_groups',
      ...table.map(line),
    ].join('\n'),
  );
});
