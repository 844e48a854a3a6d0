import type * as tf from '#lib/runtime/tf.ts';
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { Dict, Value } from '#lib/checkpoint/value.ts';

/** The tensors of one parameter's state by torch's names: `exp_avg`, `momentum_buffer`. */
export type StateTensors = Record<string, tf.Tensor>;

export interface Update {
  readonly param: tf.Tensor;
  readonly grad: tf.Tensor;
  /** Empty before the first step. */
  readonly state: StateTensors;
  /** Counts from 1. */
  readonly step: number;
}

export type Updated = { param: tf.Tensor; state: StateTensors };

/**
 * The arithmetic of one optimizer, for one parameter: a pure function from the old values to the
 * new ones. Scalars are computed in doubles on the host, as Python does.
 */
export interface Rule {
  readonly name: OptimizerName;
  /** The entries of a param_group as torch.optim 2.13 writes them, `params` left out. */
  readonly defaults: readonly (readonly [string, Value])[];
  /** Whether the state counts its steps (Adam does, SGD does not). */
  readonly counts: boolean;
  /** Reads a param_group and gives the update. Throws an Error that names a bad option. */
  compile(options: Dict): (update: Update) => Updated;
}

/** A param_group's number; `tensor(0.001)` as a learning rate is not supported. */
export function number(options: Dict, key: string): number {
  const value = options.get(key);
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new Error(`optimizer: ${key} in param_groups is no number`);
  }
  return Number(value);
}

export function flag(options: Dict, key: string): boolean {
  const value = options.get(key) ?? false;
  if (typeof value !== 'boolean') throw new Error(`optimizer: ${key} in param_groups is no bool`);
  return value;
}
