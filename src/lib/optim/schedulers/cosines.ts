/** Schedulers along a cosine. Source: lr_scheduler.py. */
import { divide, ofGroups } from './attributes.ts';
import { increment, rateKind } from './kind.ts';
import { positive } from './parameters.ts';

/** From `high` down to `low`, as `share` goes from 0 to 1. */
function cosine(low: number, high: number, angle: number): number {
  return low + ((high - low) * (1 + Math.cos(angle))) / 2;
}

export const cosineAnnealingLR = rateKind({
  parameters: {
    T_max: { type: 'int', must: positive },
    eta_min: { type: 'float', default: 0 },
  },
  attributes: ['T_max', 'eta_min'],
  rates({ state, groups }) {
    const epoch = state.number('last_epoch');
    const period = state.number('T_max');
    const low = state.number('eta_min');
    const rates = ofGroups(groups, 'lr');
    const base = state.nums('base_lrs').map(Number);
    if (state.flag('_is_initial')) return rates;
    if (state.number('_step_count') === 1 && epoch > 0) {
      return base.map((high) => cosine(low, high, (epoch * Math.PI) / period));
    }
    // At the lowest point the quotient below would be 0 by 0.
    if ((epoch - 1 - period) % (2 * period) === 0) {
      const rise = 1 - Math.cos(Math.PI / period);
      return base.map((high, index) => Number(rates[index]) + ((high - low) * rise) / 2);
    }
    const quotient = divide(
      1 + Math.cos((Math.PI * epoch) / period),
      1 + Math.cos((Math.PI * (epoch - 1)) / period),
    );
    return rates.map((rate) => quotient * (Number(rate) - low) + low);
  },
  closedForm({ state }) {
    const angle = (Math.PI * state.number('last_epoch')) / state.number('T_max');
    const low = state.number('eta_min');
    return state.nums('base_lrs').map((high) => cosine(low, Number(high), angle));
  },
});

export const cosineAnnealingWarmRestarts = rateKind({
  parameters: {
    T_0: { type: 'int', must: positive },
    T_mult: { type: 'int', default: 1n, must: positive },
    eta_min: { type: 'float', default: 0 },
  },
  attributes: ['T_0', 'T_i', 'T_mult', 'eta_min', 'T_cur'],
  construct({ state }, args) {
    state.set({
      T_0: args.num('T_0'),
      T_i: args.num('T_0'),
      T_mult: args.num('T_mult'),
      eta_min: args.num('eta_min'),
      T_cur: args.num('last_epoch'),
    });
  },
  count(self) {
    const { state } = self;
    if (state.number('last_epoch') < 0) {
      state.set({ T_i: state.num('T_0'), T_cur: 0n, last_epoch: 0n });
      return;
    }
    increment(self, 'T_cur');
    const period = state.number('T_i');
    if (state.number('T_cur') >= period) {
      increment(self, 'T_cur', -period * Math.floor(divide(state.number('T_cur'), period)));
      increment(self, 'T_i', period * (state.number('T_mult') - 1));
    }
    increment(self, 'last_epoch');
  },
  rates({ state }) {
    const angle = (Math.PI * state.number('T_cur')) / state.number('T_i');
    const low = state.number('eta_min');
    return state.nums('base_lrs').map((high) => cosine(low, Number(high), angle));
  },
});
