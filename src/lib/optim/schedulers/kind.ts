/**
 * What a scheduler of torch.optim.lr_scheduler is made of. Most of them are rates: a `get_lr` over
 * their own attributes and the param_groups, stepped by LRScheduler's common lines; `rateKind` is
 * these lines. As in torch most rates multiply the current one, so that several schedulers can work
 * on one optimizer, and the order of operations is torch's, for equal doubles.
 */
import { Dict, list, type Value } from '#lib/checkpoint/value.ts';
import { Attributes, isNumber, ofGroups, rateList, type Num } from './attributes.ts';
import type { Parameters } from './parameters.ts';
import type { SchedulerOption, SchedulerSettings, WarmUp } from './settings.ts';

/** A scheduler as its kind sees it. */
export interface Self {
  readonly settings: SchedulerSettings;
  readonly state: Attributes;
  readonly groups: readonly Dict[];
  /** Of SequentialLR and ChainedScheduler. */
  readonly parts: readonly Part[];
  readonly warmUp: WarmUp | undefined;
}

/** A scheduler within another one. */
export interface Part extends Self {
  readonly kind: Kind;
  step(): void;
}

export interface Kind {
  readonly parameters: Parameters;
  /** The keys of its state_dict. */
  readonly attributes: readonly string[];
  /** The constructor: sets the attributes, in torch's order, and entries of the param_groups. */
  construct(self: Self, args: Attributes): void;
  step(self: Self, metric?: number): void;
  /** torch's `_update_lr(0)`, with which SequentialLR begins a part; not all can. */
  restart?(self: Self): void;
  /** The constructor's arguments, as far as state_dict and param_groups still tell them. */
  recall(state: Attributes, groups: readonly Dict[]): Record<string, SchedulerOption>;
}

export interface Rate {
  readonly parameters: Parameters;
  /** Keys of the state_dict beside LRScheduler's. */
  readonly attributes: readonly string[];
  /** What the constructor does before LRScheduler's; by default its arguments are attributes. */
  construct?(self: Self, args: Attributes): void;
  /** What the constructor does after LRScheduler's. */
  finish?(self: Self, args: Attributes): void;
  /** `get_lr`: the next rate of each group; it may set momenta as well. */
  rates(self: Self): Num[];
  /** `_get_closed_form_lr`, where torch has one. */
  closedForm?(self: Self): Num[];
  /** What a step counts, where that is not `_step_count` and `last_epoch`. */
  count?(self: Self): void;
  recall?: Kind['recall'];
}

const common = [
  'base_lrs',
  'last_epoch',
  '_step_count',
  '_is_initial',
  '_get_lr_called_within_step',
  '_last_lr',
];

/** LRScheduler around a `get_lr`. */
export function rateKind(rate: Rate): Kind {
  const apply = ({ state, groups }: Self, rates: readonly Num[]) => {
    for (const [index, group] of groups.entries()) group.set('lr', rates[index]!);
    state.set({ _get_lr_called_within_step: false, _last_lr: rateList(groups) });
  };
  const kind: Kind = {
    parameters: { ...rate.parameters, last_epoch: { type: 'int', default: -1n } },
    attributes: [...rate.attributes, ...common],
    construct(self, args) {
      const { state, groups } = self;
      if (rate.construct) rate.construct(self, args);
      else for (const key of rate.attributes) state.set({ [key]: args.get(key) });
      if (args.number('last_epoch') === -1) {
        const rates = ofGroups(groups, 'lr');
        for (const [index, group] of groups.entries()) {
          if (!group.has('initial_lr')) group.set('initial_lr', rates[index]!);
        }
      }
      const initial = list(...ofGroups(groups, 'initial_lr'));
      state.set({ base_lrs: initial, last_epoch: args.num('last_epoch') });
      takeInitialStep(self, () => kind.step(self));
      rate.finish?.(self, args);
    },
    step(self) {
      if (rate.count) rate.count(self);
      else {
        increment(self, '_step_count');
        increment(self, 'last_epoch');
      }
      apply(self, rate.rates(self));
    },
    restart(self) {
      self.state.set({ last_epoch: 0n });
      apply(self, (rate.closedForm ?? rate.rates)(self));
    },
    recall: rate.recall ?? ((state) => recallSame(state, Object.keys(rate.parameters))),
  };
  return kind;
}

/** LRScheduler._initial_step: one step that knows that it is the first. */
export function takeInitialStep({ state }: Self, step: () => void): void {
  state.set({ _step_count: 0n, _is_initial: true });
  step();
  state.set({ _is_initial: false });
}

export function increment({ state }: Pick<Self, 'state'>, key: string, by = 1): void {
  const value = state.num(key);
  state.set({ [key]: typeof value === 'bigint' ? value + BigInt(by) : value + by });
}

/** Arguments that are attributes of the same name. */
export function recallSame(
  state: Attributes,
  keys: readonly string[],
): Record<string, SchedulerOption> {
  return Object.fromEntries(keys.map((key) => [key, plain(state.get(key))]));
}

/** A value as a setting; the argument's check refuses what is none. */
export function plain(value: Value): SchedulerOption {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object') return value;
  if (value.kind !== 'list') return value.kind;
  return value.items.map((item) => (isNumber(item) ? Number(item) : NaN));
}
