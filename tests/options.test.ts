/** What the Train page shows of PyTorch's constructors is what the lab's optimizers take. */
import { describe, expect, test } from 'vitest';
import type { Value } from '#lib/checkpoint/value.ts';
import { rules } from '#lib/optim/optimizer.ts';
import { schedulerParameters } from '#lib/optim/schedulers/kinds.ts';
import type { OptionValue } from '#lib/ui/train/options.ts';
import { optimizerNames, optimizers } from '#lib/ui/train/optimizers.ts';
import { schedulerNames, schedulers } from '#lib/ui/train/schedulers.ts';

/** What says how PyTorch computes, and has no meaning for what is kept. */
const unseen = ['capturable', 'differentiable'];
/** AdamW is Adam with it. */
const implied: Record<string, string[]> = { AdamW: ['decoupled_weight_decay'] };
/** Of a schedule that goes on: its state says it. */
const state = ['last_epoch'];
/** Other ways to say what is shown already, or for functions, which a file cannot hold. */
const redundant: Record<string, string[]> = {
  OneCycleLR: ['epochs', 'steps_per_epoch'],
  CyclicLR: ['scale_mode'],
};

/** A default as JSON. */
function plain(value: Value | undefined): OptionValue | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  return value.kind === 'tuple' ? value.items.map(Number) : undefined;
}

const shown = (options: (typeof optimizers)['SGD']) =>
  Object.fromEntries(options.map(({ name, standard }) => [name, standard]));

describe('the form shows the options with their defaults', () => {
  test.each(optimizerNames)('of %s', (name) => {
    const left = [...unseen, ...(implied[name] ?? [])];
    const taken = rules[name].defaults.filter(([key]) => !left.includes(key));
    const expected = Object.fromEntries(taken.map(([key, value]) => [key, plain(value)]));
    expect(shown(optimizers[name])).toEqual(expected);
  });

  test('of every optimizer', () => {
    expect(optimizerNames.toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  test.each(schedulerNames)('of %s', (name) => {
    const left = [...state, ...(redundant[name] ?? [])];
    const all = Object.entries(schedulerParameters(name));
    const taken = all.filter(([key]) => !left.includes(key));
    const expected = Object.fromEntries(taken.map(([key, it]) => [key, plain(it.default)]));
    expect(shown(schedulers[name])).toEqual(expected);
  });
});
