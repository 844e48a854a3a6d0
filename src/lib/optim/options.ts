/** Reading a param_group, and checking it as the constructors of torch.optim do. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isDict, tuple, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Rule } from './rule.ts';
import type { OptionValue } from './settings.ts';

/**
 * Entries of a param_group that choose an implementation or belong to a scheduler: kept as they are,
 * without a part in the arithmetic, as texts are. Any other unknown entry is an error.
 */
const INERT = new Set([
  ...['params', 'param_names', 'foreach', 'fused', 'capturable', 'differentiable'],
  ...['initial_lr', 'max_lr', 'min_lr', 'base_lr', 'base_momentum', 'max_momentum', 'swa_lr'],
]);

/** A param_group's number; `tensor(0.001)` as a learning rate is not supported. */
export function number(options: Dict, key: string): number {
  const value = options.get(key);
  if (!isNumber(value)) throw new Error(`optimizer: ${key} in param_groups is no number`);
  return Number(value);
}

export function flag(options: Dict, key: string): boolean {
  const value = options.get(key) ?? false;
  if (typeof value !== 'boolean') throw new Error(`optimizer: ${key} in param_groups is no bool`);
  return value;
}

/** A param_group's `betas`. */
export function betas(options: Dict): [number, number] {
  const value = options.get('betas');
  const items =
    typeof value === 'object' && (value?.kind === 'tuple' || value?.kind === 'list')
      ? value.items
      : [];
  const [first, second] = items;
  if (!isNumber(first) || !isNumber(second) || items.length !== 2) {
    throw new Error('optimizer: betas in param_groups are no two floats');
  }
  return [Number(first), Number(second)];
}

function isNumber(value: Value | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** An option as the Value that Python would have: numbers are floats, lists are tuples. */
export function optionValue(rule: Rule, key: string, value: OptionValue): Value {
  if (!rule.defaults.some(([name]) => name === key))
    throw invalid(`${rule.name} has no option ${key}`);
  return typeof value === 'object' && value !== null ? tuple(...value) : value;
}

/** Throws for entries that the rule does not know, values of another kind or out of its range. */
export function checkOptions(rule: Rule, options: Dict): void {
  const defaults = new Map(rule.defaults);
  for (const [key, value] of options.entries()) {
    const isInert = INERT.has(key as string) || typeof value === 'string';
    if (!isInert && !defaults.has(key as string)) {
      throw new Error(`optimizer: ${rule.name} has no option ${String(key)} in param_groups`);
    }
  }
  const demand = (isValid: boolean, key: string, value: unknown, range: string) => {
    if (!isValid) throw invalid(`${key} of ${rule.name} is ${String(value)}, expected ${range}`);
  };
  for (const [key, standard] of defaults) {
    if (key === 'betas') {
      for (const beta of betas(options)) {
        demand(beta >= 0 && beta < 1, key, beta, '0 or more and less than 1');
      }
    } else if (isNumber(standard)) {
      const value = number(options, key);
      if (key === 'rho') demand(value >= 0 && value <= 1, key, value, '0 to 1');
      else if (key !== 'dampening') demand(value >= 0, key, value, '0 or more');
    } else {
      flag(options, key);
    }
  }
  if (flag(options, 'fused') && (flag(options, 'foreach') || flag(options, 'differentiable'))) {
    throw invalid(`fused of ${rule.name} goes neither with foreach nor with differentiable`);
  }
  rule.check?.(options);
}

export function invalid(what: string): FindingError {
  return new FindingError({
    code: 'optimizer-options',
    message: `optimizer: ${what}`,
    advice: 'Correct the option; the names and ranges are those of torch.optim.',
  });
}

/** Whether two options are the same; 0 and 0.0 are. */
export function isSame(a: Value | undefined, b: Value | undefined): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b);
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || isDict(a) || isDict(b)) {
    return a === b;
  }
  const [first, second] = [a, b].map((it) =>
    it.kind === 'tuple' || it.kind === 'list' ? it.items : null,
  );
  if (!first || !second) return a === b;
  return first.length === second.length && first.every((item, at) => isSame(item, second[at]));
}
