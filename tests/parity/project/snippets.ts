/** Every optimizer, scheduler and loss as a project says it, and what PyTorch has to make of it. */
import { pythonCriterion } from '#lib/export/criterion.ts';
import { pythonOptimizer } from '#lib/export/optimizer.ts';
import { pythonScheduler } from '#lib/export/scheduler.ts';
import { isDict, type Value } from '#lib/checkpoint/value.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import { learningRateCurve } from '#lib/optim/schedulers/curve.ts';
import type { SchedulerSettings } from '#lib/optim/schedulers/settings.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import type { LossSettings, OptimizerSettings } from '#lib/training/settings.ts';
import { rows } from '../optim/rows.ts';

/** Of the judge's model: two linear layers, 3 to 4 to 2. */
const parameters = [
  { key: '0.weight', shape: [4, 3] },
  { key: '0.bias', shape: [4] },
  { key: '1.weight', shape: [2, 4] },
  { key: '1.bias', shape: [2] },
];

const optimizers: OptimizerSettings[] = [
  ...rows.filter(({ groups }) => groups.length === 0),
  {
    name: 'SGD',
    options: { lr: 0.5, momentum: 0.9 },
    groups: [
      { parameters: ['1.*', '!*.bias'], options: { lr: 0.25 } },
      { parameters: ['*.bias'], options: { momentum: 0, weight_decay: 0.125 } },
    ],
  },
  { name: 'AdamW', options: {}, groups: [{ parameters: ['*'], options: { betas: [0.5, 0.75] } }] },
];

const schedule = (
  name: SchedulerSettings['name'],
  options: SchedulerSettings['options'] = {},
  more: Partial<SchedulerSettings> = {},
): SchedulerSettings => ({ name, options, ...more });
const warmUp = (after: 'constant' | 'linear' | 'cosine', warmup: number, total: number) =>
  schedule('LambdaLR', {}, { lambda: { after, warmup, total } });
const cyclic = { base_lr: 0.01, max_lr: 0.2, step_size_up: 3 };

const schedulers: SchedulerSettings[] = [
  schedule('StepLR', { step_size: 3, gamma: 0.5 }),
  schedule('MultiStepLR', { milestones: [2, 5, 5], gamma: 0.3 }),
  schedule('ConstantLR', { factor: 0.25, total_iters: 4 }),
  schedule('LinearLR', { start_factor: 0.1, end_factor: 0.8, total_iters: 7 }),
  schedule('ExponentialLR', { gamma: 0.9 }),
  schedule('CosineAnnealingLR', { T_max: 9, eta_min: 1e-4 }),
  schedule('CosineAnnealingWarmRestarts', { T_0: 3, T_mult: 2, eta_min: 0.001 }),
  schedule('OneCycleLR', { max_lr: 0.4, total_steps: 12, three_phase: true }),
  schedule('OneCycleLR', {
    ...{ max_lr: [0.4], total_steps: null, epochs: 4, steps_per_epoch: 3, pct_start: 0.4 },
    ...{ anneal_strategy: 'linear', cycle_momentum: false, div_factor: 7, final_div_factor: 90 },
  }),
  schedule('CyclicLR', { ...cyclic, step_size_down: 2, mode: 'triangular2' }),
  schedule('CyclicLR', { ...cyclic, mode: 'exp_range', gamma: 0.9, cycle_momentum: false }),
  schedule('PolynomialLR', { total_iters: 8, power: 2.5 }),
  schedule('ReduceLROnPlateau', {
    ...{ mode: 'max', factor: 0.2, patience: 1, threshold: 0.01, threshold_mode: 'abs' },
    ...{ cooldown: 1, min_lr: 0.001, eps: 1e-9 },
  }),
  warmUp('constant', 4, 0),
  warmUp('linear', 0, 9),
  warmUp('cosine', 3, 10),
  schedule(
    'SequentialLR',
    { milestones: [4, 8] },
    {
      schedulers: [
        schedule('LinearLR', { total_iters: 4 }),
        warmUp('constant', 2, 0),
        warmUp('cosine', 1, 4),
      ],
    },
  ),
  schedule(
    'ChainedScheduler',
    {},
    {
      schedulers: [schedule('ExponentialLR', { gamma: 0.8 }), schedule('ConstantLR')],
    },
  ),
];

const classWeights = [1, 0.5];
const losses: LossSettings[] = [
  { name: 'cross_entropy', labelSmoothing: 0, ignoreIndex: -100, classWeights: null },
  { name: 'cross_entropy', labelSmoothing: 0.125, ignoreIndex: 1, classWeights },
  { name: 'nll_loss', ignoreIndex: -100, classWeights },
  { name: 'nll_loss', ignoreIndex: 0, classWeights: null },
  { name: 'mse_loss' },
  { name: 'l1_loss' },
  { name: 'smooth_l1_loss', beta: 1 },
  { name: 'smooth_l1_loss', beta: 0.25 },
  { name: 'binary_cross_entropy', posWeight: null },
  { name: 'binary_cross_entropy_with_logits', posWeight: null },
  { name: 'binary_cross_entropy_with_logits', posWeight: [3, 0.25] },
];

export interface Snippet {
  readonly name: string;
  readonly given: {
    readonly optimizer: string;
    readonly groups: string | null;
    readonly scheduler?: string;
    readonly functions?: string | null;
    readonly criterion?: string;
  };
  /** What the judge gives for it, as far as it is said here. */
  readonly expected: object;
}

const sgd: OptimizerSettings = { name: 'SGD', options: { lr: 0.1, momentum: 0.9 }, groups: [] };

function ofOptimizer(settings: OptimizerSettings): Snippet {
  const { expression, groups } = pythonOptimizer(settings, 'trained');
  const optimizer = Optimizer.fresh(settings, parameters);
  const expected = optimizer.groups.map((group) => {
    const { params, ...options } = plain(group) as { params: unknown[]; param_names?: unknown };
    delete options.param_names; // the lab names them where there are several groups
    return { ...options, params: params.length };
  });
  optimizer.dispose();
  return {
    name: `${settings.name} ${JSON.stringify(settings.options)} ${settings.groups.length}`,
    given: { optimizer: expression, groups },
    expected: { groups: expected, count: parameters.length },
  };
}

function ofScheduler(settings: SchedulerSettings): Snippet {
  const { expression, functions } = pythonScheduler(settings);
  const optimizer = Optimizer.fresh(sgd, parameters);
  const constant = settings.name === 'ReduceLROnPlateau';
  const [rates] = constant ? [undefined] : learningRateCurve(settings, optimizer, 12, 12);
  optimizer.dispose();
  return {
    name: `${settings.name} ${JSON.stringify(settings.options)}`,
    given: {
      ...{ optimizer: pythonOptimizer(sgd, 'all').expression, groups: null },
      ...{ scheduler: expression, functions },
    },
    expected: {
      scheduler: settings.name,
      ...(rates ? { rates } : { attributes: settings.options }),
    },
  };
}

const classNames = {
  cross_entropy: 'CrossEntropyLoss',
  nll_loss: 'NLLLoss',
  mse_loss: 'MSELoss',
  l1_loss: 'L1Loss',
  smooth_l1_loss: 'SmoothL1Loss',
  binary_cross_entropy: 'BCELoss',
  binary_cross_entropy_with_logits: 'BCEWithLogitsLoss',
} as const;

function ofLoss(settings: LossSettings): Snippet {
  const criterion: Record<string, unknown> = { name: classNames[settings.name], reduction: 'mean' };
  if ('ignoreIndex' in settings) criterion.ignore_index = settings.ignoreIndex;
  if ('labelSmoothing' in settings) criterion.label_smoothing = settings.labelSmoothing;
  if ('classWeights' in settings && settings.classWeights) criterion.weight = settings.classWeights;
  if ('posWeight' in settings && settings.posWeight) criterion.pos_weight = settings.posWeight;
  if ('beta' in settings) criterion.beta = settings.beta;
  return {
    name: JSON.stringify(settings),
    given: {
      ...pythonOf(sgd),
      criterion: pythonCriterion(settings),
    },
    expected: { criterion },
  };
}

function pythonOf(settings: OptimizerSettings) {
  const { expression, groups } = pythonOptimizer(settings, 'all');
  return { optimizer: expression, groups };
}

/** A value as Python's json has it. */
function plain(value: Value): object | number | string | boolean | null {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object') return value;
  if (isDict(value)) {
    return Object.fromEntries(
      [...value.entries()].map(([key, item]) => [String(key), plain(item)]),
    );
  }
  if (value.kind === 'list' || value.kind === 'tuple') return value.items.map(plain);
  throw new Error(`no plain value: ${value.kind}`);
}

await startBackend(['cpu']); // some optimizers begin with states
export const snippets: readonly Snippet[] = [
  ...optimizers.map(ofOptimizer),
  ...schedulers.map(ofScheduler),
  ...losses.map(ofLoss),
];
