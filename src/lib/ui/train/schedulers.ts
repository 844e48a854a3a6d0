/** torch.optim.lr_scheduler's schedules: arguments, defaults, and what a new one starts with. */
import type { SchedulerSettings } from '#lib/worker/protocol.ts';
import { choice, flag, integer, number, type Option } from './options.ts';

export type SchedulerName = SchedulerSettings['name'];
export type Interval = 'step' | 'epoch';

/** Arguments in the order of the constructors; of the composed ones, beside their schedulers. */
export const schedulers: Readonly<Record<SchedulerName, readonly Option[]>> = {
  StepLR: [integer('step_size'), number('gamma', 0.1)],
  MultiStepLR: [{ name: 'milestones', kind: 'integers' }, number('gamma', 0.1)],
  ConstantLR: [number('factor', 1 / 3), integer('total_iters', 5)],
  LinearLR: [number('start_factor', 1 / 3), number('end_factor', 1), integer('total_iters', 5)],
  ExponentialLR: [number('gamma')],
  CosineAnnealingLR: [integer('T_max'), number('eta_min', 0)],
  CosineAnnealingWarmRestarts: [integer('T_0'), integer('T_mult', 1), number('eta_min', 0)],
  OneCycleLR: [
    number('max_lr'),
    integer('total_steps', null),
    number('pct_start', 0.3),
    choice('anneal_strategy', ['cos', 'linear']),
    flag('cycle_momentum', true),
    number('base_momentum', 0.85),
    number('max_momentum', 0.95),
    number('div_factor', 25),
    number('final_div_factor', 10_000),
    flag('three_phase'),
  ],
  CyclicLR: [
    number('base_lr'),
    number('max_lr'),
    integer('step_size_up', 2000),
    integer('step_size_down', null),
    choice('mode', ['triangular', 'triangular2', 'exp_range']),
    number('gamma', 1),
    flag('cycle_momentum', true),
    number('base_momentum', 0.8),
    number('max_momentum', 0.9),
  ],
  PolynomialLR: [integer('total_iters', 5), number('power', 1)],
  ReduceLROnPlateau: [
    choice('mode', ['min', 'max']),
    number('factor', 0.1),
    integer('patience', 10),
    number('threshold', 1e-4),
    choice('threshold_mode', ['rel', 'abs']),
    integer('cooldown', 0),
    number('min_lr', 0),
    number('eps', 1e-8),
  ],
  LambdaLR: [],
  SequentialLR: [{ name: 'milestones', kind: 'integers' }],
  ChainedScheduler: [],
};

export const schedulerNames = Object.keys(schedulers) as SchedulerName[];

/** Schedules that are stepped with the optimizer, by their nature. */
const stepped = new Set<SchedulerName>(['OneCycleLR', 'CyclicLR', 'LambdaLR']);

export function usualInterval(name: SchedulerName): Interval {
  return stepped.has(name) ? 'step' : 'epoch';
}

/** What a new schedule needs to know of the run. */
export interface RunLength {
  epochs: number;
  /** Optimizer steps of the whole run. */
  steps: number;
  /** The rate of the last param_group. */
  lr: number;
  /** Whether the optimizer has a momentum to cycle. */
  cyclesMomentum: boolean;
}

/** A schedule that spans the run. */
export function newScheduler(
  name: SchedulerName,
  interval: Interval,
  run: RunLength,
): SchedulerSettings {
  const total = Math.max(1, interval === 'step' ? run.steps : run.epochs);
  const share = (part: number) => Math.max(1, Math.round(total * part));
  const options = (): SchedulerSettings['options'] => {
    switch (name) {
      case 'StepLR':
        return { step_size: share(1 / 3) };
      case 'MultiStepLR':
        return { milestones: [...new Set([share(1 / 2), share(3 / 4)])] };
      case 'ConstantLR':
        return { total_iters: share(1 / 10) };
      case 'LinearLR':
        return { start_factor: 1, end_factor: 0.01, total_iters: total };
      case 'ExponentialLR':
        return { gamma: Number((0.01 ** (1 / total)).toPrecision(4)) };
      case 'CosineAnnealingLR':
        return { T_max: total };
      case 'CosineAnnealingWarmRestarts':
        return { T_0: share(1 / 4) };
      case 'OneCycleLR':
        return { max_lr: run.lr, total_steps: total, ...momentum };
      case 'CyclicLR':
        return { base_lr: run.lr / 10, max_lr: run.lr, step_size_up: share(1 / 8), ...momentum };
      case 'PolynomialLR':
        return { total_iters: total };
      case 'SequentialLR':
        return { milestones: [share(1 / 10)] };
      case 'ReduceLROnPlateau':
      case 'LambdaLR':
      case 'ChainedScheduler':
        return {};
      default:
        return name satisfies never;
    }
  };
  const momentum: SchedulerSettings['options'] = run.cyclesMomentum
    ? {}
    : { cycle_momentum: false };
  const warm: SchedulerSettings = {
    name: 'LinearLR',
    options: { start_factor: 0.1, total_iters: share(1 / 10) },
  };
  const made = { name, options: options() };
  if (name === 'LambdaLR') {
    return { ...made, lambda: { after: 'cosine', warmup: share(1 / 20), total } };
  }
  if (name === 'SequentialLR') {
    const rest = Math.max(1, total - share(1 / 10));
    return { ...made, schedulers: [warm, { name: 'CosineAnnealingLR', options: { T_max: rest } }] };
  }
  if (name === 'ChainedScheduler') {
    return { ...made, schedulers: [warm, newScheduler('ExponentialLR', interval, run)] };
  }
  return made;
}
