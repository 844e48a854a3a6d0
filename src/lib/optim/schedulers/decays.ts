/** Schedulers that multiply the rate by a factor, now or at every step. Source: lr_scheduler.py. */
import { Dict, list } from '#lib/checkpoint/value.ts';
import { divide, ofGroups, times, type Num } from './attributes.ts';
import { rateKind, type Self } from './kind.ts';
import { positive, refuse, share } from './parameters.ts';
import { warmUpFactor } from './warm_up.ts';

/** The current rates times a factor, in that order. */
function scaled({ groups }: Self, factor: Num): Num[] {
  return ofGroups(groups, 'lr').map((rate) => times(rate, factor));
}

function unchanged({ groups }: Self): Num[] {
  return ofGroups(groups, 'lr');
}

/** The rates that the schedule began with, times a factor. */
function ofBase({ state }: Self, factor: number): Num[] {
  return state.nums('base_lrs').map((rate) => Number(rate) * factor);
}

export const stepLR = rateKind({
  parameters: {
    step_size: { type: 'int', must: positive },
    gamma: { type: 'float', default: 0.1 },
  },
  attributes: ['step_size', 'gamma'],
  rates(self) {
    const epoch = self.state.number('last_epoch');
    const decays = epoch !== 0 && epoch % self.state.number('step_size') === 0;
    return decays ? scaled(self, self.state.num('gamma')) : unchanged(self);
  },
  closedForm(self) {
    const { state } = self;
    const decays = Math.floor(state.number('last_epoch') / state.number('step_size'));
    return ofBase(self, state.number('gamma') ** decays);
  },
});

/** A file may count a milestone as often as it likes. */
const MOST_MILESTONES = 100_000;

/** How often each milestone was given: torch keeps a Counter. */
function milestonesOf({ state }: Pick<Self, 'state'>): [number, number][] {
  const milestones = state.get('milestones');
  if (!(milestones instanceof Dict)) return refuse('milestones is no Counter');
  const counted = [...milestones.entries()].map(([epoch, times]) => [Number(epoch), Number(times)]);
  const total = counted.reduce((sum, [, times]) => sum + times!, 0);
  if (!(total <= MOST_MILESTONES)) refuse(`milestones count up to ${total}`);
  return counted as [number, number][];
}

export const multiStepLR = rateKind({
  parameters: { milestones: { type: 'ints' }, gamma: { type: 'float', default: 0.1 } },
  attributes: ['milestones', 'gamma'],
  construct({ state }, args) {
    const counter = new Dict([], 'Counter');
    for (const epoch of args.nums('milestones')) {
      counter.set(epoch, ((counter.get(epoch) ?? 0n) as bigint) + 1n);
    }
    state.set({ milestones: counter, gamma: args.num('gamma') });
  },
  rates(self) {
    const epoch = self.state.number('last_epoch');
    const reached = milestonesOf(self).find(([milestone]) => milestone === epoch);
    return reached ? scaled(self, self.state.number('gamma') ** reached[1]) : unchanged(self);
  },
  closedForm(self) {
    const epoch = self.state.number('last_epoch');
    const past = milestonesOf(self).filter(([milestone]) => milestone <= epoch);
    const decays = past.reduce((sum, [, times]) => sum + times, 0);
    return ofBase(self, self.state.number('gamma') ** decays);
  },
  recall: (state) => ({
    milestones: milestonesOf({ state }).flatMap(([epoch, times]) => Array(times).fill(epoch)),
    gamma: state.number('gamma'),
  }),
});

export const constantLR = rateKind({
  parameters: {
    factor: { type: 'float', default: 1 / 3, must: share },
    total_iters: { type: 'int', default: 5n },
  },
  attributes: ['factor', 'total_iters'],
  rates(self) {
    const { state } = self;
    const epoch = state.number('last_epoch');
    if (epoch === 0) return scaled(self, state.num('factor'));
    if (epoch !== state.number('total_iters')) return unchanged(self);
    return scaled(self, divide(1, state.number('factor')));
  },
  closedForm(self) {
    const { state } = self;
    const factor = state.number('factor');
    const isOver = state.number('last_epoch') >= state.number('total_iters');
    return ofBase(self, factor + Number(isOver) * (1 - factor));
  },
});

export const linearLR = rateKind({
  parameters: {
    start_factor: {
      type: 'float',
      default: 1 / 3,
      must: [(value) => value > 0 && value <= 1, 'greater than 0 and at most 1'],
    },
    end_factor: { type: 'float', default: 1, must: share },
    total_iters: { type: 'int', default: 5n },
  },
  attributes: ['start_factor', 'end_factor', 'total_iters'],
  rates(self) {
    const { state } = self;
    const epoch = state.number('last_epoch');
    const total = state.number('total_iters');
    const start = state.number('start_factor');
    if (epoch === 0) return scaled(self, state.num('start_factor'));
    if (state.flag('_is_initial') || epoch > total) return unchanged(self);
    const difference = state.number('end_factor') - start;
    return scaled(self, 1 + divide(difference, total * start + (epoch - 1) * difference));
  },
  closedForm(self) {
    const { state } = self;
    const start = state.number('start_factor');
    const total = state.number('total_iters');
    const reached = Math.min(total, state.number('last_epoch'));
    return ofBase(self, start + divide((state.number('end_factor') - start) * reached, total));
  },
});

export const exponentialLR = rateKind({
  parameters: { gamma: { type: 'float' } },
  attributes: ['gamma'],
  rates: (self) =>
    self.state.flag('_is_initial') ? unchanged(self) : scaled(self, self.state.num('gamma')),
  closedForm: (self) => ofBase(self, self.state.number('gamma') ** self.state.number('last_epoch')),
});

export const polynomialLR = rateKind({
  parameters: {
    total_iters: { type: 'int', default: 5n },
    power: { type: 'float', default: 1 },
  },
  attributes: ['total_iters', 'power'],
  rates(self) {
    const { state } = self;
    const epoch = state.number('last_epoch');
    const total = state.number('total_iters');
    if (state.flag('_is_initial') || epoch > total) return unchanged(self);
    const left = divide(1 - divide(epoch, total), 1 - divide(epoch - 1, total));
    return scaled(self, left ** state.number('power'));
  },
  closedForm(self) {
    const { state } = self;
    const total = state.number('total_iters');
    const reached = Math.min(total, state.number('last_epoch'));
    return ofBase(self, (1 - divide(reached, total)) ** state.number('power'));
  },
});

export const lambdaLR = rateKind({
  parameters: {},
  attributes: ['lr_lambdas'],
  construct({ state, groups, warmUp }) {
    if (!warmUp) refuse('LambdaLR needs a function, which no checkpoint holds');
    state.set({ lr_lambdas: list(...groups.map(() => null)) });
  },
  rates({ state, warmUp }) {
    const factor = warmUpFactor(warmUp!, state.number('last_epoch'));
    return state.nums('base_lrs').map((rate) => Number(rate) * factor);
  },
  recall: () => ({}),
});
