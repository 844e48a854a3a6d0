/** cross_entropy and nll_loss of torch, from log-probabilities. */
import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { hotRows } from '../sequence/one_hot.ts';
import { reduce } from './reduce.ts';

type Inputs = Parameters<OpFunction<'cross_entropy'>>[0];
type Attrs = Parameters<OpFunction<'cross_entropy'>>[1];

export const crossEntropy: OpFunction<'cross_entropy'> = (inputs, attrs) => {
  const rows = tf.logSoftmax(classesLast(inputs[0]), -1);
  const target = inputs[1].tensor;
  return target.dtype === 'int32'
    ? ofIndices(rows, inputs, attrs)
    : ofProbabilities(rows, inputs, attrs);
};

export const nllLoss: OpFunction<'nll_loss'> = (inputs, attrs) =>
  ofIndices(classesLast(inputs[0]), inputs, { ...attrs, label_smoothing: 0 });

/** (N, C, …) or (C) as (rows, C). */
function classesLast(x: Activation): tf.Tensor {
  const input = toStandard(x);
  const { rank } = input;
  if (rank <= 2) return tf.reshape(input, [-1, input.shape.at(-1)!]);
  const order = [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
  return tf.reshape(tf.transpose(input, order), [-1, input.shape[1]!]);
}

/**
 * −w[t] · log p[t] for each target t; smoothing ε takes (1 − ε) of that and ε / C of every class's.
 * Targets equal to ignore_index count nothing; one outside of the classes, which PyTorch refuses,
 * makes the loss NaN. `mean` divides by the sum of the targets' weights.
 */
function ofIndices(rows: tf.Tensor, inputs: Inputs, attrs: Attrs): Activation {
  const classes = rows.shape[1]!;
  const target = tf.reshape(toStandard(inputs[1]), [-1]) as tf.Tensor1D;
  const counts = tf.cast(tf.notEqual(target, attrs.ignore_index), 'float32');
  const hot = tf.mul(hotRows(target, classes, 'float32'), tf.expandDims(counts, 1));
  const weight = inputs[2]?.tensor;
  const weights = weight ? tf.mul(hot, weight) : hot;
  const smoothing = attrs.label_smoothing;
  let losses = tf.neg(tf.sum(tf.mul(rows, weights), 1));
  if (smoothing > 0) {
    const every = tf.neg(tf.sum(weight ? tf.mul(rows, weight) : rows, 1));
    const share = tf.mul(tf.mul(every, counts), smoothing / classes);
    losses = tf.add(tf.mul(losses, 1 - smoothing), share);
  }
  losses = tf.mul(losses, known(target, classes, counts));
  if (attrs.reduction === 'mean') {
    return standard(tf.div(tf.sum(losses), tf.sum(weights)));
  }
  return reduce(tf.reshape(losses, inputs[1].tensor.shape), attrs.reduction);
}

/** One, and NaN for a target that is neither a class nor ignored. */
function known(target: tf.Tensor, classes: number, counts: tf.Tensor): tf.Tensor {
  const isClass = tf.logicalAnd(tf.greaterEqual(target, 0), tf.less(target, classes));
  const isKnown = tf.logicalOr(isClass, tf.equal(counts, 0));
  return tf.where(isKnown, tf.onesLike(counts), tf.fill(counts.shape, Number.NaN));
}

/** −Σ w · p · log q; `mean` divides by the number of rows. */
function ofProbabilities(rows: tf.Tensor, inputs: Inputs, attrs: Attrs): Activation {
  const classes = rows.shape[1]!;
  const smoothing = attrs.label_smoothing;
  const given = classesLast(inputs[1]);
  const target = smoothing > 0 ? tf.add(tf.mul(given, 1 - smoothing), smoothing / classes) : given;
  const weight = inputs[2]?.tensor;
  const products = tf.mul(rows, weight ? tf.mul(target, weight) : target);
  const losses = tf.neg(tf.sum(products, 1));
  const { shape } = inputs[1].tensor;
  const rest = shape.length === 1 ? [] : [shape[0]!, ...shape.slice(2)];
  return reduce(attrs.reduction === 'none' ? tf.reshape(losses, rest) : losses, attrs.reduction);
}
