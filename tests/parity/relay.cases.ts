/**
 * The relay's cases, drawn at random from a seed: a model, one of the nine optimizers with options,
 * a schedule or none, a GradScaler or none, clipping or none, and how many batches a step takes.
 * Every model, optimizer and schedule has its turn before one comes again.
 */
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import { optimizerNames } from '#lib/checkpoint/optimizer.ts';
import { permutation, uniform } from '#lib/inputs/random.ts';
import type { OptionValue, OptimizerSettings } from '#lib/optim/settings.ts';
import type { SchedulerSettings } from '#lib/optim/schedulers/settings.ts';
import type { RunSettings, ScalerSettings } from '#lib/training/settings.ts';

export interface RelayCase {
  readonly id: string;
  readonly model: ModelName;
  readonly seed: number;
  readonly optimizer: OptimizerSettings;
  /** Whether the file names the parameters (`param_names`); without, groups follow their order. */
  readonly named: boolean;
  readonly scheduler: (SchedulerSettings & { readonly interval: 'step' | 'epoch' }) | null;
  readonly scaler: ScalerSettings | null;
  /** Whether each leg has a batch whose gradients are no numbers, so that the scaler leaves it out. */
  readonly overflow: boolean;
  readonly clip: RunSettings['clip'];
  readonly accumulate: number;
}

export const modelNames = ['MLP', 'CNN', 'LSTM', 'GPT'] as const;
export type ModelName = (typeof modelNames)[number];

/** Draws `count` cases whose optimizer takes `steps` steps in the whole relay. */
export function drawCases(seed: number, count: number, steps: number): RelayCase[] {
  const next = uniform(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const oneOf = <T>(...items: readonly T[]): T => items[below(items.length)]!;
  /** A value between the two, of few digits. */
  const between = (low: number, high: number) =>
    Number((low + next() * (high - low)).toPrecision(3));
  /** Gives the items in a random order, again and again. */
  const turns = <T>(items: readonly T[]) => {
    let left: T[] = [];
    return (): T => {
      if (left.length === 0) {
        left = [...permutation(items.length, below(2 ** 31))].map((at) => items[at]!);
      }
      return left.pop()!;
    };
  };

  const rates: Record<OptimizerName, readonly [number, number]> = {
    SGD: [0.01, 0.05],
    Adam: [5e-4, 3e-3],
    AdamW: [5e-4, 3e-3],
    NAdam: [5e-4, 3e-3],
    RAdam: [5e-4, 3e-3],
    Adamax: [1e-3, 4e-3],
    RMSprop: [3e-4, 1e-3],
    Adagrad: [3e-3, 1e-2],
    Adadelta: [0.3, 1],
  };
  const betas = () => oneOf([0.9, 0.999], [0.8, 0.99], [0.95, 0.98]);
  const decay = () => oneOf(0, 1e-3, 0.02);
  const flag = () => oneOf(false, true);
  const eps = () => oneOf(1e-8, 1e-6);
  const options: Record<OptimizerName, () => Record<string, OptionValue>> = {
    SGD: () => {
      const momentum = oneOf(0, 0.8, 0.9);
      const nesterov = momentum > 0 && flag();
      const dampening = nesterov ? 0 : oneOf(0, 0.1);
      return { momentum, nesterov, dampening, weight_decay: decay() };
    },
    Adam: () => ({ betas: betas(), eps: eps(), weight_decay: decay(), amsgrad: flag() }),
    AdamW: () => ({ betas: betas(), eps: eps(), weight_decay: decay(), amsgrad: flag() }),
    NAdam: () => ({
      betas: betas(),
      momentum_decay: oneOf(4e-3, 0.02),
      weight_decay: decay(),
      decoupled_weight_decay: flag(),
    }),
    RAdam: () => ({ betas: betas(), weight_decay: decay(), decoupled_weight_decay: flag() }),
    Adamax: () => ({ betas: betas(), eps: eps(), weight_decay: decay() }),
    RMSprop: () => ({
      alpha: oneOf(0.99, 0.9),
      momentum: oneOf(0, 0.9),
      centered: flag(),
      eps: eps(),
      weight_decay: decay(),
    }),
    Adagrad: () => ({
      lr_decay: oneOf(0, 0.01),
      initial_accumulator_value: oneOf(0, 0.1),
      weight_decay: decay(),
    }),
    Adadelta: () => ({ rho: oneOf(0.9, 0.8), eps: oneOf(1e-6, 1e-5), weight_decay: decay() }),
  };
  /** The last layer is the head in all models; the embedding that GPT ties to it comes first. */
  const heads: Record<ModelName, string> = {
    MLP: 'head.*',
    CNN: 'head.*',
    LSTM: 'head.*',
    GPT: 'norm.*',
  };
  const bodies: Record<ModelName, string> = {
    MLP: 'body.*',
    CNN: 'conv1.*',
    LSTM: 'lstm.*',
    GPT: 'tokens.*',
  };

  const make = (
    name: SchedulerSettings['name'],
    options: SchedulerSettings['options'],
    rest: Pick<SchedulerSettings, 'lambda' | 'schedulers'> = {},
  ): SchedulerSettings => ({ name, options, ...rest });
  /** By the steps that a schedule will take, the rate, and whether there is momentum to cycle. */
  type Make = (steps: number, rate: number, cycle_momentum: boolean) => SchedulerSettings;
  const schedules: (Make | null)[] = [
    null,
    (steps) => make('StepLR', { step_size: 1 + below(steps / 2), gamma: between(0.3, 0.9) }),
    (steps) => make('MultiStepLR', { milestones: [1, 1 + below(steps)], gamma: between(0.3, 0.9) }),
    (steps) => make('ConstantLR', { factor: between(0.2, 0.9), total_iters: 1 + below(steps) }),
    (steps) => make('LinearLR', { start_factor: between(0.1, 0.9), total_iters: 1 + below(steps) }),
    () => make('ExponentialLR', { gamma: between(0.8, 0.99) }),
    (steps) => make('CosineAnnealingLR', { T_max: 2 + below(2 * steps), eta_min: oneOf(0, 1e-5) }),
    () => make('CosineAnnealingWarmRestarts', { T_0: 1 + below(4), T_mult: oneOf(1, 2) }),
    (steps) => make('PolynomialLR', { total_iters: 2 + below(2 * steps), power: between(0.5, 2) }),
    (steps, rate, cycle_momentum) =>
      make('OneCycleLR', {
        ...{ max_lr: 2 * rate, total_steps: steps + 1, three_phase: flag(), pct_start: 0.4 },
        ...{ anneal_strategy: oneOf('cos', 'linear'), cycle_momentum },
      }),
    (_, rate, cycle_momentum) =>
      make('CyclicLR', {
        ...{ base_lr: rate / 4, max_lr: 2 * rate, step_size_up: 2 + below(4), gamma: 0.9 },
        ...{ mode: oneOf('triangular', 'triangular2', 'exp_range'), cycle_momentum },
      }),
    () => make('ReduceLROnPlateau', { patience: oneOf(0, 1), factor: 0.5, threshold: 0.01 }),
    (steps) =>
      make(
        'LambdaLR',
        {},
        {
          lambda: {
            ...{ after: oneOf('constant', 'linear', 'cosine'), warmup: below(steps / 2) },
            ...{ total: 2 * steps },
          },
        },
      ),
    (steps) =>
      make(
        'SequentialLR',
        { milestones: [1 + below(steps - 1)] },
        {
          schedulers: [
            make('LinearLR', { start_factor: 0.1, total_iters: 3 }),
            oneOf(
              make('CosineAnnealingLR', { T_max: steps }),
              make('ExponentialLR', { gamma: 0.9 }),
            ),
          ],
        },
      ),
    () =>
      make(
        'ChainedScheduler',
        {},
        {
          schedulers: [
            make('ConstantLR', { factor: 0.5, total_iters: 3 }),
            make('ExponentialLR', { gamma: between(0.85, 0.99) }),
          ],
        },
      ),
  ];

  const nextModel = turns(modelNames);
  const nextOptimizer = turns(optimizerNames);
  const nextSchedule = turns(schedules);
  return Array.from({ length: count }, (_, at): RelayCase => {
    const model = nextModel();
    const name = nextOptimizer();
    const lr = between(...rates[name]);
    const kind = below(3);
    const named = kind === 2;
    const own = { lr: lr / 4, weight_decay: 0 };
    const groups = [
      [], // one group
      [{ parameters: [bodies[model]], options: own }], // the first parameters, in their order
      [{ parameters: [heads[model]], options: own }], // the last ones, before the others
    ][kind]!;
    const interval = oneOf('step', 'step', 'epoch');
    const ofSteps = interval === 'step' ? steps : EPOCHS;
    const scheduler = nextSchedule()?.(ofSteps, lr, !['Adagrad', 'Adadelta'].includes(name));
    const scaler = oneOf(null, {
      ...{ init_scale: 2 ** (4 + below(12)), growth_factor: oneOf(2, 1.7) },
      ...{ backoff_factor: 0.5, growth_interval: 1 + below(8) },
    });
    return {
      id: String(at),
      model,
      seed: below(2 ** 31),
      optimizer: { name, options: { lr, ...options[name]() }, groups },
      named,
      scheduler: scheduler ? { ...scheduler, interval } : null,
      scaler,
      overflow: scaler !== null && (model === 'MLP' || model === 'LSTM') && flag(),
      clip: oneOf<RunSettings['clip']>(
        null,
        { kind: 'norm', maxNorm: between(0.2, 2), normType: oneOf(2, 2, 1) },
        { kind: 'value', clipValue: between(0.01, 0.2) },
      ),
      accumulate: oneOf(1, 1, 2, 3),
    };
  });
}

/** Of the whole relay: two for each leg. */
export const EPOCHS = 6;
