/** cross_entropy and nll_loss of torch, from log-probabilities. */
import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { hotRows } from '../sequence/one_hot.ts';
import { reduce } from './reduce.ts';

/** What each row adds to the loss, and to what the mean divides by. */
export interface RowLosses {
  readonly losses: tf.Tensor;
  readonly weights: tf.Tensor;
}

interface ClassOptions {
  /** One for each class. */
  readonly weight: tf.Tensor | null;
  readonly ignoreIndex: number;
  readonly smoothing: number;
}

type Inputs = Parameters<OpFunction<'cross_entropy'>>[0];
type Attrs = Parameters<OpFunction<'cross_entropy'>>[1];

export const crossEntropy: OpFunction<'cross_entropy'> = (inputs, attrs) => {
  const target = toStandard(inputs[1]);
  const { rows, options } = prepare(inputs, attrs, attrs.label_smoothing);
  const logs = tf.logSoftmax(rows, -1);
  if (target.dtype === 'int32') {
    return reduceRows(indexLosses(logs, target, options), target, logs.shape[1]!, attrs);
  }
  const { losses } = probabilityLosses(logs, classesLast(target), options);
  const { shape } = target;
  const rest = shape.length === 1 ? [] : [shape[0]!, ...shape.slice(2)];
  return reduce(attrs.reduction === 'none' ? tf.reshape(losses, rest) : losses, attrs.reduction);
};

export const nllLoss: OpFunction<'nll_loss'> = (inputs, attrs) => {
  const target = toStandard(inputs[1]);
  const { rows, options } = prepare(inputs, attrs, 0);
  return reduceRows(indexLosses(rows, target, options), target, rows.shape[1], attrs);
};

function prepare(inputs: Inputs, attrs: Omit<Attrs, 'label_smoothing'>, smoothing: number) {
  const weight = inputs[2]?.tensor ?? null;
  const options: ClassOptions = { weight, ignoreIndex: attrs.ignore_index, smoothing };
  return { rows: classesLast(toStandard(inputs[0])), options };
}

/**
 * `mean` divides by the sum of the targets' weights. A target outside of the classes, which PyTorch
 * refuses, makes its loss NaN.
 */
function reduceRows(
  { losses, weights }: RowLosses,
  target: tf.Tensor,
  classes: number,
  attrs: Omit<Attrs, 'label_smoothing'>,
): Activation {
  const checked = tf.mul(losses, known(tf.reshape(target, [-1]), classes, attrs.ignore_index));
  if (attrs.reduction === 'mean') return standard(tf.div(tf.sum(checked), tf.sum(weights)));
  return reduce(tf.reshape(checked, target.shape), attrs.reduction);
}

/** One, and NaN for a target that is neither a class nor ignored. */
function known(target: tf.Tensor, classes: number, ignoreIndex: number): tf.Tensor {
  const isClass = tf.logicalAnd(tf.greaterEqual(target, 0), tf.less(target, classes));
  const isKnown = tf.logicalOr(isClass, tf.equal(target, ignoreIndex));
  return tf.where(isKnown, tf.ones(target.shape), tf.fill(target.shape, Number.NaN));
}

/** (N, C, …) or (C) as (rows, C). */
export function classesLast(input: tf.Tensor): tf.Tensor2D {
  const { rank } = input;
  if (rank <= 2) return tf.reshape(input, [-1, input.shape.at(-1)!]);
  const order = [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
  return tf.reshape(tf.transpose(input, order), [-1, input.shape[1]!]);
}

/**
 * −w[t] · log p[t] for each target t; smoothing ε takes (1 − ε) of that and ε / C of every class's.
 * Targets equal to ignoreIndex count nothing. `logs` are (rows, C), the weights w[t].
 */
export function indexLosses(
  logs: tf.Tensor,
  targets: tf.Tensor,
  { weight, ignoreIndex, smoothing }: ClassOptions,
): RowLosses {
  const classes = logs.shape[1]!;
  const target = tf.reshape(targets, [-1]) as tf.Tensor1D;
  const counts = tf.cast(tf.notEqual(target, ignoreIndex), 'float32');
  const every = hotRows(target, classes, 'float32');
  // An index outside of the classes has no one in its row.
  const isClass = ignoreIndex >= 0 && ignoreIndex < classes;
  const hot = isClass ? tf.mul(every, tf.expandDims(counts, 1)) : every;
  const weighted = weight ? tf.mul(hot, weight) : hot;
  let losses = tf.neg(tf.sum(tf.mul(logs, weighted), 1));
  if (smoothing > 0) {
    const even = tf.neg(tf.sum(weight ? tf.mul(logs, weight) : logs, 1));
    const share = tf.mul(tf.mul(even, counts), smoothing / classes);
    losses = tf.add(tf.mul(losses, 1 - smoothing), share);
  }
  const weights = weight ? tf.sum(weighted, 1) : counts;
  return { losses, weights };
}

/** −Σ w · p · log q of rows (rows, C); the mean divides by the number of rows. */
export function probabilityLosses(
  logs: tf.Tensor,
  given: tf.Tensor,
  { weight, smoothing }: Omit<ClassOptions, 'ignoreIndex'>,
): RowLosses {
  const classes = logs.shape[1]!;
  const target = smoothing > 0 ? tf.add(tf.mul(given, 1 - smoothing), smoothing / classes) : given;
  const products = tf.mul(logs, weight ? tf.mul(target, weight) : target);
  const losses = tf.neg(tf.sum(products, 1));
  return { losses, weights: tf.onesLike(losses) };
}
