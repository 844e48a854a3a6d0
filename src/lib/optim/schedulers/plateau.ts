import { list, type Value } from '#lib/checkpoint/value.ts';
import { ofGroups, rateList, type Attributes } from './attributes.ts';
import { increment, plain, recallSame, type Kind, type Self } from './kind.ts';
import { refuse } from './parameters.ts';

const SAME = ['mode', 'factor', 'patience', 'threshold', 'threshold_mode', 'cooldown', 'eps'];

/** torch.optim.lr_scheduler.ReduceLROnPlateau: no rate of its own, a metric decides. */
export const reduceLROnPlateau: Kind = {
  parameters: {
    mode: { type: ['min', 'max'], default: 'min' },
    factor: { type: 'float', default: 0.1, must: [(value) => value < 1, 'below 1'] },
    patience: { type: 'int', default: 10n },
    threshold: { type: 'float', default: 1e-4 },
    threshold_mode: { type: ['rel', 'abs'], default: 'rel' },
    cooldown: { type: 'int', default: 0n },
    min_lr: { type: 'rates', default: 0n },
    eps: { type: 'float', default: 1e-8 },
  },
  attributes: [
    'factor',
    'default_min_lr',
    'min_lrs',
    'patience',
    'cooldown',
    'eps',
    'last_epoch',
    '_last_lr',
    'mode_worse',
    'mode',
    'threshold',
    'threshold_mode',
    'best',
    'cooldown_counter',
    'num_bad_epochs',
  ],
  construct({ state, groups }, args) {
    const lowest = args.get('min_lr');
    const worst = args.text('mode') === 'min' ? Infinity : -Infinity;
    const take = (...keys: string[]) =>
      Object.fromEntries(keys.map((key): [string, Value] => [key, args.get(key)]));
    state.set({
      ...take('factor'),
      default_min_lr: typeof lowest === 'object' ? null : lowest,
      min_lrs: list(...args.perGroup('min_lr', groups.length)),
      ...take('patience', 'cooldown', 'eps'),
      last_epoch: 0n,
      _last_lr: rateList(groups),
      mode_worse: worst,
      ...take('mode', 'threshold', 'threshold_mode'),
      best: worst,
      cooldown_counter: 0n,
      num_bad_epochs: 0n,
    });
  },
  step(self, metric) {
    const { state, groups } = self;
    if (metric === undefined) refuse('ReduceLROnPlateau needs the metric that it watches');
    increment(self, 'last_epoch');
    if (isBetter(state, metric)) state.set({ best: metric, num_bad_epochs: 0n });
    else increment(self, 'num_bad_epochs');
    if (state.number('cooldown_counter') > 0) {
      increment(self, 'cooldown_counter', -1);
      state.set({ num_bad_epochs: 0n });
    }
    if (state.number('num_bad_epochs') > state.number('patience')) {
      reduce(self);
      state.set({ cooldown_counter: state.num('cooldown'), num_bad_epochs: 0n });
    }
    state.set({ _last_lr: rateList(groups) });
  },
  recall(state) {
    const common = plain(state.get('default_min_lr'));
    return {
      ...recallSame(state, SAME),
      min_lr: common ?? state.nums('min_lrs').map(Number),
    };
  },
};

function isBetter(state: Attributes, metric: number): boolean {
  const best = state.number('best');
  const threshold = state.number('threshold');
  const isRelative = state.text('threshold_mode') === 'rel';
  if (state.text('mode') === 'min') {
    return metric < (isRelative ? best * (1 - threshold) : best - threshold);
  }
  return metric > (isRelative ? best * (threshold + 1) : best + threshold);
}

function reduce({ state, groups }: Self): void {
  const lowest = state.nums('min_lrs');
  for (const [index, rate] of ofGroups(groups, 'lr').entries()) {
    const reduced = Number(rate) * state.number('factor');
    const next = lowest[index]! > reduced ? lowest[index]! : reduced;
    if (Number(rate) - Number(next) > state.number('eps')) groups[index]!.set('lr', next);
  }
}
