/**
 * Kept states as checkpoints: what the usual training scripts saved is read, a state of the lab is
 * put in its place, and PyTorch takes it up with the keys that the script has for it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bind, findStateDicts } from '#lib/architecture/binding.ts';
import { readSource } from '#lib/architecture/source.ts';
import { Dict, dict, isTensor, list, tuple } from '#lib/checkpoint/value.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import type { Weights } from '#lib/runtime/model.ts';
import { bestFor } from '#lib/training/best.ts';
import type { Best, Kept } from '#lib/training/kept.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { keptFrom } from '#lib/worker/kept_state.ts';
import { trainedCheckpoint, type BoundModel } from '#lib/worker/trained.ts';
import { runPython } from '../python.ts';
import { open, unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-kept-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/kept.py', ['write', folder]);

const source = `
import torch.nn as nn
def make():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
`;
const { module } = unwrap(
  unwrap(readSource([{ name: 'model.py', text: source }])).source.build('make', new Map()),
);

const settings: RunSettings = {
  ...{ name: 'net', epochs: 3, batchSize: 4, accumulate: 1, seed: 2 ** 31 },
  optimizer: { name: 'AdamW', options: { lr: 1, betas: [0.9, 0.99], amsgrad: false }, groups: [] },
  scheduler: {
    name: 'MultiStepLR',
    options: { milestones: [2, 4], gamma: 0.5 },
    interval: 'epoch',
  },
  ...{ scaler: null, clip: { kind: 'norm', maxNorm: 1, normType: 2 }, ema: { decay: 0.99 } },
  loss: { name: 'cross_entropy', labelSmoothing: 0, ignoreIndex: -100, classWeights: 'balanced' },
  monitor: { metric: 'accuracy', mode: 'max' },
  earlyStopping: { patience: 3, minDelta: 0 },
  data: { validationShare: 0.25, stratified: true, augmentation: null },
  keep: { every: 2, newest: 3, steps: 0 },
};

const KINDS = ['references', 'imagenet', 'tutorial', 'lightning', 'bare'] as const;
type Kind = (typeof KINDS)[number];

/** The weights of the file, each with its first number replaced. */
async function weightsOf({ binding }: BoundModel, first: number): Promise<Weights> {
  const floats = new Map<string, Float32Array>();
  for (const [key, { tensor }] of binding.matched) {
    if (key.endsWith('num_batches_tracked')) continue;
    const values = toFloat32(await readTensor(tensor), tensor.dtype).slice();
    values[0] = first;
    floats.set(key, values);
  }
  return { floats, counters: new Map([['1.num_batches_tracked', 9n]]) };
}

const best: Best = { epoch: 8, metric: 'val_accuracy', mode: 'max', value: 0.75 };

async function keep(kind: Kind) {
  const checkpoint = await open(join(folder, `${kind}.pt`));
  const stateDict = findStateDicts(checkpoint.root)[0]!;
  const bound = { module, stateDict, binding: bind(module.state, stateDict.dict) };
  const before = await keptFrom(checkpoint.root);
  const optimizer = before.optimizer ?? dict({ state: dict(), param_groups: newGroups() });
  const kept: Kept = {
    ...{ epoch: 8, batch: 3, step: 77, stale: 1, best },
    metrics: { lr: 0.005, train_loss: 0.5, val_loss: 0.25, val_accuracy: 0.625 },
    partial: { loss: 3, weight: 12 },
    weights: await weightsOf(bound, 5.5),
    ema: await weightsOf(bound, 6.5),
    optimizer,
    scheduler: before.scheduler && new Dict(before.scheduler.entries()).set('last_epoch', 8n),
    scaler: before.scaler && new Dict(before.scaler.entries()).set('scale', 2048),
  };
  const root = trainedCheckpoint(checkpoint, bound, kept, { run: 'a-run', settings });
  const sink = memorySink();
  await torch.write!(root, sink, { stem: kind });
  writeFileSync(join(folder, `${kind}.kept.pt`), sink.bytes());
  return { before, bound };
}

/** Of a fresh AdamW. */
function newGroups() {
  const params = list(...[0n, 1n, 2n, 3n, 4n, 5n]);
  return list(dict({ lr: 0.01, betas: tuple(0.9, 0.999), eps: 1e-8, weight_decay: 0.01, params }));
}

const made = Object.fromEntries(
  await Promise.all(KINDS.map(async (kind) => [kind, await keep(kind)])),
) as Record<Kind, Awaited<ReturnType<typeof keep>>>;
interface Judged {
  keys: string[];
  first: number;
  simple: Record<string, unknown>;
  rate: number | null;
  averaged: number | null;
}
const judged = JSON.parse(await runPython('tests/judge/kept.py', ['read', folder])) as Record<
  Kind,
  Judged
>;

describe('what training scripts saved', () => {
  it.each<[Kind, object]>([
    ['references', { epoch: 7, step: 0, best: null }],
    [
      'imagenet',
      { epoch: 7, best: { epoch: 0, metric: 'val_accuracy', mode: 'max', value: 0.7125 } },
    ],
    [
      'tutorial',
      { epoch: 7, step: 40, best: { epoch: 0, metric: 'val_loss', mode: 'min', value: 0.375 } },
    ],
    [
      'lightning',
      { epoch: 7, step: 40, best: { epoch: 0, metric: 'score', mode: 'max', value: 0.5 } },
    ],
    ['bare', { epoch: 0, step: 0, best: null, optimizer: null, scheduler: null }],
  ])('is read from %s', (kind, expected) => {
    const { before } = made[kind];
    expect(before).toMatchObject({ batch: 0, partial: {}, settings: null, run: null, ...expected });
    if (kind !== 'bare') expect(before.optimizer!.has('param_groups')).toBe(true);
    const withSchedule = ['references', 'imagenet', 'lightning'].includes(kind);
    expect(before.scheduler?.get('last_epoch')).toBe(withSchedule ? 2n : undefined);
    expect(before.ema !== null).toBe(kind === 'references');
    expect(before.scaler?.get('scale')).toBe(kind === 'references' ? 1024 : undefined);
  });

  it('counts for what is monitored, or not', () => {
    const { imagenet, tutorial, lightning } = made;
    const accuracy = { metric: 'accuracy', mode: 'max' } as const;
    expect(bestFor(imagenet.before.best, accuracy)?.value).toBe(0.7125);
    expect(bestFor(tutorial.before.best, accuracy)).toBeNull();
    expect(bestFor(lightning.before.best, accuracy)).toMatchObject({
      ...{ metric: 'val_accuracy', value: 0.5 },
    });
  });
});

describe('a kept state, taken up by PyTorch', () => {
  it.each(KINDS)('as %s has it: under its own keys, and nothing of before', (kind) => {
    const { first, rate, averaged, simple } = judged[kind];
    expect([first, averaged]).toEqual([5.5, 6.5]);
    expect(simple).toMatchObject({ epoch: 8 });
    const hasSchedule = made[kind].before.scheduler !== null;
    expect(rate).toBe(hasSchedule ? 8 : null);
    if (kind === 'references')
      expect(simple.scaler).toMatchObject({ scale: 2048, growth_interval: 9 });
  });

  it('keeps the keys, the order and what else is there', () => {
    const news = ['step', 'metrics', 'best_val_accuracy', 'versions', 'run'];
    const { references, imagenet, tutorial, lightning, bare } = judged;
    const old = ['model', 'optimizer', 'lr_scheduler', 'epoch', 'args', 'model_ema', 'scaler'];
    expect(references.keys).toEqual([...old, ...news]);
    expect(imagenet.keys).toEqual([
      ...['epoch', 'arch', 'state_dict', 'best_acc1', 'optimizer', 'scheduler', 'ema', 'step'],
      ...['metrics', 'versions', 'run'],
    ]);
    expect(tutorial.simple).toMatchObject({
      ...{ global_step: 77, loss: 0.5, best_val_loss: 0.375, best_val_accuracy: 0.75 },
      scheduler_state_dict: null,
    });
    expect(lightning.simple).toMatchObject({ global_step: 77, best_score: 0.75 });
    expect(lightning.keys).toContain('lr_schedulers');
    expect(bare.keys).toEqual(['model', 'optimizer', 'ema', 'epoch', ...news]);
  });

  it.each(KINDS)('and is read back whole from %s', async (kind) => {
    const { root } = await open(join(folder, `${kind}.kept.pt`));
    const state = await keptFrom(root);
    expect(state).toMatchObject({
      ...{ epoch: 8, batch: 3, step: 77, stale: 1, best, settings, run: 'a-run' },
      metrics: { lr: 0.005, train_loss: 0.5, val_loss: 0.25, val_accuracy: 0.625 },
      partial: { loss: 3, weight: 12 },
    });
    expect(bind(module.state, state.ema!).missing).toEqual([]);
  });
});

describe('the state of an edited model', () => {
  it('has the names of that model, and leaves the file’s behind', async () => {
    const checkpoint = await open(join(folder, 'imagenet.pt'));
    const stateDict = findStateDicts(checkpoint.root)[0]!;
    const specs = module.state.map((spec) =>
      spec.key === '2.weight' ? { ...spec, shape: [5, 4] } : spec,
    );
    const state = specs.map((spec) => ({ ...spec, key: spec.key.replace('0.', '0.base_layer.') }));
    const edited = { ...module, state } as typeof module;
    const binding = bind(state, stateDict.dict);
    expect(binding.missing).toContain('0.base_layer.weight');
    expect(binding.mismatched.map(({ key }) => key)).toEqual(['2.weight']);
    const floats = new Map(
      state.map(({ key, shape }) => [key, new Float32Array(shape.reduce((a, b) => a * b, 1))]),
    );
    const bound = { module: edited, stateDict, binding };
    const kept = {
      ...{ epoch: 1, batch: 0, step: 1, stale: 0, best: null, metrics: {}, partial: {} },
      ...{ weights: { floats, counters: new Map() }, ema: null },
      ...{ optimizer: dict(), scheduler: null, scaler: null },
    };
    const root = trainedCheckpoint(checkpoint, bound, kept) as Dict;
    const saved = root.get('state_dict') as Dict;
    expect([...saved.keys()]).toEqual(state.map(({ key }) => key));
    const weight = saved.get('2.weight');
    expect(isTensor(weight) && weight.shape).toEqual([5, 4]);
    expect(root.get('scheduler')).toBeNull();
  });
});
