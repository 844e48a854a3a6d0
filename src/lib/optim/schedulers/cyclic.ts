import { list } from '#lib/checkpoint/value.ts';
import { rateKind, recallSame } from './kind.ts';
import { beginMomentum, setMomentum, shortest, tidy, usesBeta1 } from './momentum.ts';
import { positive, refuse } from './parameters.ts';
import type { SchedulerOption } from './settings.ts';

/** How the cycles shrink: by the number of the cycle, counted from 1, or by `last_epoch`. */
const shrinking = {
  triangular: () => 1,
  triangular2: (cycle: number) => 1 / 2 ** (cycle - 1),
  exp_range: (_: number, epoch: number, gamma: number) => gamma ** epoch,
};

export const cyclicLR = rateKind({
  parameters: {
    base_lr: { type: 'rates' },
    max_lr: { type: 'rates' },
    step_size_up: { type: 'float', default: 2000n, must: positive },
    step_size_down: { type: 'float', default: null, must: positive },
    mode: { type: ['triangular', 'triangular2', 'exp_range'], default: 'triangular' },
    gamma: { type: 'float', default: 1 },
    // Without a `scale_fn`, which is code, torch takes the mode's own.
    scale_mode: { type: ['cycle', 'iterations'], default: 'cycle' },
    cycle_momentum: { type: 'bool', default: true },
    base_momentum: { type: 'rates', default: 0.8 },
    max_momentum: { type: 'rates', default: 0.9 },
  },
  attributes: [
    'max_lrs',
    'total_size',
    'step_ratio',
    'mode',
    'gamma',
    '_scale_fn_custom',
    'scale_mode',
    'cycle_momentum',
    'use_beta1',
    'base_momentums',
    'max_momentums',
  ],
  construct({ state, groups }, args) {
    const count = groups.length;
    const base = args.perGroup('base_lr', count);
    if (args.number('last_epoch') === -1) {
      for (const [index, group] of groups.entries()) group.set('lr', base[index]!);
    }
    const up = args.number('step_size_up');
    const down = args.get('step_size_down') === null ? up : args.number('step_size_down');
    const cycles = args.flag('cycle_momentum');
    state.set({
      max_lrs: list(...args.perGroup('max_lr', count)),
      total_size: up + down,
      step_ratio: up / (up + down),
      mode: args.get('mode'),
      gamma: args.get('gamma'),
      _scale_fn_custom: null,
      scale_mode: args.text('mode') === 'exp_range' ? 'iterations' : 'cycle',
      cycle_momentum: cycles,
    });
    if (!cycles) return;
    state.set({
      use_beta1: usesBeta1(groups),
      base_momentums: list(...args.perGroup('base_momentum', count)),
      max_momentums: list(...args.perGroup('max_momentum', count)),
    });
    beginMomentum(groups, args);
  },
  // The first step still goes by `initial_lr`, where an earlier scheduler has set that.
  finish({ state, groups }, args) {
    state.set({ base_lrs: list(...args.perGroup('base_lr', groups.length)) });
  },
  rates({ state, groups }) {
    const epoch = state.number('last_epoch');
    const total = state.number('total_size');
    const ratio = state.number('step_ratio');
    const cycle = Math.floor(1 + epoch / total);
    const x = 1 + epoch / total - cycle;
    const height = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
    const shrink = shrinking[state.text('mode') as keyof typeof shrinking];
    const scale = shrink(cycle, epoch, state.number('gamma'));
    const max = state.nums('max_lrs');
    const rates = state
      .nums('base_lrs')
      .map((base, index) => Number(base) + (Number(max[index]) - Number(base)) * height * scale);
    if (state.flag('cycle_momentum')) {
      const low = state.nums('base_momentums');
      for (const [index, high] of state.nums('max_momentums').map(Number).entries()) {
        const momentum = high - (high - Number(low[index])) * height * scale;
        setMomentum(groups[index]!, momentum, state.flag('use_beta1'));
      }
    }
    return rates;
  },
  recall(state) {
    const usual = state.text('mode') === 'exp_range' ? 'iterations' : 'cycle';
    if (state.get('_scale_fn_custom') !== null || state.text('scale_mode') !== usual) {
      refuse('CyclicLR had a scale_fn of its own');
    }
    const momenta: Record<string, SchedulerOption> = state.flag('cycle_momentum')
      ? {
          base_momentum: shortest(state.nums('base_momentums')),
          max_momentum: shortest(state.nums('max_momentums')),
        }
      : {};
    const total = state.number('total_size');
    const up = tidy(state.number('step_ratio') * total);
    return {
      base_lr: shortest(state.nums('base_lrs')),
      max_lr: shortest(state.nums('max_lrs')),
      step_size_up: up,
      step_size_down: tidy(total - up),
      ...recallSame(state, ['mode', 'gamma', 'cycle_momentum']),
      ...momenta,
    };
  },
});
