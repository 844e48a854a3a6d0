/**
 * What is told of a run: loss, accuracy, top-5, F1, R², perplexity and the confusion matrix, by
 * sklearn's definitions. Each batch leaves a few sums on the device; they are read back with the
 * loss, added in doubles, and only then divided. So a metric of an epoch is that of all its
 * examples, however they lay in batches.
 */
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import * as tf from '#lib/runtime/tf.ts';
import { rowsOf, type Criterion, type LossSums } from './losses.ts';
import type { LossName, MetricName } from './settings.ts';

/** A confusion matrix is counted up to so many classes: more make no picture, and much to read. */
export const MAX_CONFUSION_CLASSES = 100;

/**
 * Sums over examples. `loss`: sum and weight. `hits`: right ones, and all that count. `top5`: right
 * ones. `matches`: for each class the right ones, then how often it was predicted, then how often it
 * was the target. `confusion`: targets × predictions. `residuals`: Σ (y − ŷ)² of each output.
 * `spread`: number of examples, then the mean, then Σ (y − mean)² of each target; from the host.
 */
export type SumName = 'loss' | 'hits' | 'top5' | 'matches' | 'confusion' | 'residuals' | 'spread';
export type Sums = Readonly<Partial<Record<SumName, Float64Array>>>;

/** The metrics that there are for a kind of target under a loss, the loss first. */
export function metricsFor(target: TargetSpec, loss: LossName): MetricName[] {
  switch (target.kind) {
    case 'class':
      return target.classes.length > 5
        ? ['loss', 'accuracy', 'top5_accuracy', 'f1']
        : ['loss', 'accuracy', 'f1'];
    case 'tokens':
      return ['loss', 'perplexity', 'accuracy'];
    case 'numbers':
      switch (loss) {
        case 'cross_entropy':
        case 'nll_loss':
          return ['loss'];
        case 'binary_cross_entropy':
        case 'binary_cross_entropy_with_logits':
          return ['loss', 'accuracy'];
        default:
          return ['loss', 'r2'];
      }
    default:
      throw new Error(`no target ${(target satisfies never as TargetSpec).kind}`);
  }
}

/** The sums of a batch that `metrics` are made of, each flat; the confusion matrix if wished. */
export function measure(
  metrics: readonly MetricName[],
  criterion: Criterion,
  batch: {
    readonly output: tf.Tensor;
    readonly targets: tf.Tensor;
    readonly mask: tf.Tensor1D;
    readonly loss: LossSums;
  },
  withConfusion: boolean,
): [SumName, tf.Tensor1D][] {
  const { output, targets, mask, loss } = batch;
  const sums: [SumName, tf.Tensor1D][] = [['loss', pair(loss.sum, loss.weight)]];
  const has = (name: MetricName) => metrics.includes(name);
  if (criterion.target.kind === 'numbers') {
    if (has('accuracy')) sums.push(['hits', signHits(criterion, output, targets, mask)]);
    if (has('r2')) sums.push(['residuals', residuals(output, targets, mask)]);
    return sums;
  }
  if (!['accuracy', 'top5_accuracy', 'f1'].some((name) => has(name as MetricName))) return sums;
  const rows = rowsOf(output, criterion.target);
  const target = tf.reshape(targets, [-1]) as tf.Tensor1D;
  const counts = countsOf(criterion, target, mask);
  const predicted = tf.argMax(rows, 1) as tf.Tensor1D;
  if (has('accuracy') || has('top5_accuracy')) {
    const right = tf.cast(tf.equal(predicted, target), 'float32');
    sums.push(['hits', pair(tf.sum(tf.mul(right, counts)), tf.sum(counts))]);
  }
  if (has('top5_accuracy')) sums.push(['top5', top5(rows, target, counts)]);
  if (has('f1')) {
    const classes = rows.shape[1];
    const isMatrix = withConfusion && classes <= MAX_CONFUSION_CLASSES;
    const hot = (indices: tf.Tensor1D) =>
      tf.mul(tf.oneHot(indices, classes, 1, 0, 'float32'), tf.expandDims(counts, 1)) as tf.Tensor2D;
    sums.push(
      isMatrix
        ? ['confusion', tf.reshape(tf.matMul(hot(target), hot(predicted), true), [-1])]
        : ['matches', matches(hot(target), hot(predicted))],
    );
  }
  return sums;
}

function pair(a: tf.Tensor, b: tf.Tensor): tf.Tensor1D {
  return tf.stack([a, b]) as tf.Tensor1D;
}

/** One for each place that counts: of an example that does, with a target that is not ignored. */
function countsOf(criterion: Criterion, target: tf.Tensor1D, mask: tf.Tensor1D): tf.Tensor1D {
  const places = target.size / mask.size;
  const spread = tf.broadcastTo(tf.expandDims(mask, 1), [mask.size, places]);
  const counted = tf.cast(tf.notEqual(target, criterion.ignoreIndex!), 'float32');
  return tf.mul(tf.reshape(spread, [-1]), counted);
}

/** Rows whose target has fewer than five classes above it. */
function top5(rows: tf.Tensor2D, target: tf.Tensor1D, counts: tf.Tensor1D): tf.Tensor1D {
  const hot = tf.oneHot(target, rows.shape[1], 1, 0, 'bool');
  const own = tf.sum(tf.where(hot, rows, tf.zerosLike(rows)), 1, true);
  const above = tf.sum(tf.cast(tf.greater(rows, own), 'float32'), 1);
  const right = tf.cast(tf.less(above, 5), 'float32');
  return tf.reshape(tf.sum(tf.mul(right, counts)), [1]);
}

function matches(target: tf.Tensor2D, predicted: tf.Tensor2D): tf.Tensor1D {
  const right = tf.mul(target, predicted);
  return tf.concat([right, predicted, target].map((hot) => tf.sum(hot, 0) as tf.Tensor1D));
}

/** Of zeros and ones: an output is right on the same side of ½, a logit on that of 0. */
function signHits(
  criterion: Criterion,
  output: tf.Tensor,
  targets: tf.Tensor,
  mask: tf.Tensor1D,
): tf.Tensor1D {
  const middle = criterion.settings.name === 'binary_cross_entropy' ? 0.5 : 0;
  const right = tf.equal(tf.greater(output, middle), tf.greater(targets, 0.5));
  const each = tf.reshape(tf.cast(right, 'float32'), [mask.size, -1]);
  const hits = tf.sum(tf.mul(tf.sum(each, 1), mask));
  return pair(hits, tf.mul(tf.sum(mask), each.shape[1]!));
}

function residuals(output: tf.Tensor, targets: tf.Tensor, mask: tf.Tensor1D): tf.Tensor1D {
  const squares = tf.square(tf.sub(targets, output));
  const each = tf.reshape(squares, [mask.size, -1]);
  return tf.sum(tf.mul(each, tf.expandDims(mask, 1)), 0);
}

/** The `spread` of a batch's targets: they come from the host, where it is exact. */
export function spreadOf(targets: ArrayLike<number>, count: number): Float64Array {
  const size = targets.length / count;
  const spread = new Float64Array(1 + 2 * size);
  spread[0] = count;
  for (let column = 0; column < size; column++) {
    let sum = 0;
    for (let row = 0; row < count; row++) sum += targets[row * size + column]!;
    const mean = sum / count;
    let squares = 0;
    for (let row = 0; row < count; row++) squares += (targets[row * size + column]! - mean) ** 2;
    spread[1 + column] = mean;
    spread[1 + size + column] = squares;
  }
  return spread;
}

/** The sums of two sets of examples together. */
export function addSums(a: Sums, b: Sums): Sums {
  const names = new Set([...Object.keys(a), ...Object.keys(b)] as SumName[]);
  return Object.fromEntries(
    [...names].map((name) => {
      const [one, other] = [a[name], b[name]];
      if (!one || !other) return [name, one ?? other];
      if (name === 'spread') return [name, addSpreads(one, other)];
      return [name, one.map((value, at) => value + other[at]!)];
    }),
  );
}

/** Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm (1979). */
function addSpreads(a: Float64Array, b: Float64Array): Float64Array {
  const size = (a.length - 1) / 2;
  const count = a[0]! + b[0]!;
  const spread = new Float64Array(a.length);
  spread[0] = count;
  for (let column = 0; column < size; column++) {
    const [mean, squares] = [1 + column, 1 + size + column];
    const apart = b[mean]! - a[mean]!;
    spread[mean] = a[mean]! + (apart * b[0]!) / count;
    spread[squares] = a[squares]! + b[squares]! + (apart ** 2 * a[0]! * b[0]!) / count;
  }
  return spread;
}

/** A metric of the examples behind `sums`; NaN where nothing counted, as PyTorch's mean of nothing. */
export function metricOf(name: MetricName, sums: Sums): number {
  switch (name) {
    case 'loss':
      return need(sums, 'loss')[0]! / need(sums, 'loss')[1]!;
    case 'perplexity':
      return Math.exp(metricOf('loss', sums));
    case 'accuracy':
      return need(sums, 'hits')[0]! / need(sums, 'hits')[1]!;
    case 'top5_accuracy':
      return need(sums, 'top5')[0]! / need(sums, 'hits')[1]!;
    case 'f1':
      return macroF1(sums.confusion ? matchesOf(sums.confusion) : need(sums, 'matches'));
    case 'r2':
      return rSquared(need(sums, 'residuals'), need(sums, 'spread'));
    default:
      throw new Error(`no metric ${name satisfies never}`);
  }
}

function need(sums: Sums, name: SumName): Float64Array {
  const found = sums[name];
  if (!found) throw new Error(`metrics: the run did not count ${name}`);
  return found;
}

/** The confusion matrix as rows of targets; null where there is none. */
export function confusionOf({ confusion }: Sums): number[][] | null {
  if (!confusion) return null;
  const classes = Math.sqrt(confusion.length);
  return Array.from({ length: classes }, (_, row) => [
    ...confusion.subarray(row * classes, (row + 1) * classes),
  ]);
}

function matchesOf(confusion: Float64Array): Float64Array {
  const classes = Math.sqrt(confusion.length);
  const sums = new Float64Array(3 * classes);
  for (let target = 0; target < classes; target++) {
    for (let predicted = 0; predicted < classes; predicted++) {
      const count = confusion[target * classes + predicted]!;
      if (target === predicted) sums[target]! += count;
      sums[classes + predicted]! += count;
      sums[2 * classes + target]! += count;
    }
  }
  return sums;
}

/** The mean of 2 tp / (predicted + targets) over the classes that occur as either. */
function macroF1(matches: Float64Array): number {
  const classes = matches.length / 3;
  const scores: number[] = [];
  for (let at = 0; at < classes; at++) {
    const both = matches[classes + at]! + matches[2 * classes + at]!;
    if (both > 0) scores.push((2 * matches[at]!) / both);
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * The mean of 1 − Σ (y − ŷ)² / Σ (y − ȳ)² over the outputs. Of a target that is constant, 1 where
 * the output hits it and 0 elsewhere; of less than two examples there is none.
 */
function rSquared(residuals: Float64Array, spread: Float64Array): number {
  if (spread[0]! < 2) return Number.NaN;
  const size = residuals.length;
  const scores = residuals.map((residual, column) => {
    const squares = spread[1 + size + column]!;
    if (squares === 0) return residual === 0 ? 1 : 0;
    return 1 - residual / squares;
  });
  return scores.reduce((sum, score) => sum + score, 0) / size;
}
