/**
 * What a torch.optim optimizer does to one parameter, in two parts. `numbers` is the arithmetic that
 * torch does in Python floats, in doubles on the host and once a step; `formula` is the rest, on the
 * backend. Its structure depends on the options alone, so that a step can be repeated by changing
 * its numbers.
 */
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { Dict, Value } from '#lib/checkpoint/value.ts';
import { add, mul, neg, type Term } from '#lib/runtime/kernels/formula.ts';
import { flag, number } from './options.ts';

/** Entries of a state that torch keeps as float32 scalars: `step`, `mu_product`. */
export type Scalars = Readonly<Record<string, number>>;

export interface Terms<State extends string, Name extends string> {
  readonly param: Term;
  readonly grad: Term;
  readonly state: Readonly<Record<State, Term>>;
  readonly numbers: Readonly<Record<Name, Term>>;
}

/** New values: the states that change, and the parameter after them. */
export type Results<State extends string> = Partial<Record<State, Term>> & { readonly param: Term };

export interface Rule<State extends string = string, Name extends string = string> {
  readonly name: OptimizerName;
  /** The entries of a param_group as torch.optim 2.13 writes them, `params` left out. */
  readonly defaults: readonly (readonly [string, Value])[];
  /** Entries that came with later versions, in the order that `__setstate__` adds them. */
  readonly later: readonly (readonly [string, Value])[];
  /** Throws a FindingError for options that do not go together. */
  check?(options: Dict): void;
  /** Whether the states exist before the first step. */
  readonly isEager?: true;
  /** The scalars of a parameter's state before its first step; they come before its tensors. */
  readonly scalars: Scalars;
  /** The tensors of a state under these options, in torch's order, by what they are filled with. */
  tensors(options: Dict): Partial<Readonly<Record<State, number>>>;
  /** The scalars of the next step. */
  advance(scalars: Scalars, options: Dict): Scalars;
  /** The numbers of a step, of its scalars; `isFirst` where its tensors are new. */
  numbers(options: Dict, scalars: Scalars, isFirst: boolean): Record<Name, number>;
  formula(terms: Terms<State, Name>, options: Dict): Results<State>;
}

/** Counts a step as torch does, in float32. */
export function countStep(scalars: Scalars): Scalars {
  return { ...scalars, step: Math.fround(scalars.step! + 1) };
}

/** The gradient to go down: turned around by `maximize`, with the parameter's weight decay. */
export function descent(
  { param, grad, numbers }: Pick<Terms<never, 'weight_decay'>, 'param' | 'grad' | 'numbers'>,
  options: Dict,
): Term {
  const down = flag(options, 'maximize') ? neg(grad) : grad;
  const decays = !flag(options, 'decoupled_weight_decay') && number(options, 'weight_decay') !== 0;
  return decays ? add(down, mul(param, numbers.weight_decay)) : down;
}

/** The parameter after weight decay where that is decoupled from the gradient, as in AdamW. */
export function shrink(
  { param, numbers }: Pick<Terms<never, 'shrink'>, 'param' | 'numbers'>,
  options: Dict,
): Term {
  const decays = flag(options, 'decoupled_weight_decay') && number(options, 'weight_decay') !== 0;
  return decays ? mul(param, numbers.shrink) : param;
}

/** The numbers of `descent` and `shrink`. */
export function decayNumbers(options: Dict): { weight_decay: number; shrink: number } {
  const decay = number(options, 'weight_decay');
  return { weight_decay: decay, shrink: 1 - number(options, 'lr') * decay };
}
