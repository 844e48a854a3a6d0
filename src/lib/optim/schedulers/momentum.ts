/** What OneCycleLR and CyclicLR share: the momentum goes against the rate. */
import { tuple, type Dict } from '#lib/checkpoint/value.ts';
import type { Attributes, Num } from './attributes.ts';
import { refuse } from './parameters.ts';
import type { SchedulerOption } from './settings.ts';

/** Whether the momentum is the first of `betas`; refuses optimizers that have neither. */
export function usesBeta1(groups: readonly Dict[]): boolean {
  if (groups[0]?.has('betas')) return true;
  if (groups[0]?.has('momentum')) return false;
  return refuse('cycle_momentum needs an optimizer with momentum or betas');
}

export function setMomentum(group: Dict, momentum: number, isBeta1: boolean): void {
  if (!isBeta1) {
    group.set('momentum', momentum);
    return;
  }
  const betas = group.get('betas');
  const isPair = typeof betas === 'object' && (betas?.kind === 'tuple' || betas?.kind === 'list');
  if (!isPair) refuse('betas in param_groups is no tuple');
  group.set('betas', tuple(momentum, ...betas.items.slice(1)));
}

/** What the constructors of OneCycleLR and CyclicLR do to the groups: momentum begins at its maximum. */
export function beginMomentum(groups: readonly Dict[], args: Attributes): void {
  const isBeta1 = usesBeta1(groups);
  const base = args.perGroup('base_momentum', groups.length);
  const max = args.perGroup('max_momentum', groups.length);
  if (args.number('last_epoch') !== -1) return;
  for (const [index, group] of groups.entries()) {
    setMomentum(group, Number(max[index]), isBeta1);
    group.set('max_momentum', max[index]!).set('base_momentum', base[index]!);
  }
}

/** A quotient that was an argument once, without the rounding of its way there and back. */
export function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** As an argument: one number where all groups have the same. */
export function shortest(values: readonly Num[]): SchedulerOption {
  const [first, ...others] = values.map(Number);
  return others.every((value) => value === first) ? first! : [first!, ...others];
}
