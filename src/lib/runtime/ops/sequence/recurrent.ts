/**
 * lstm, gru and rnn of torch: layers, directions and steps. All steps' inputs of a layer are
 * projected by one matrix product; a step is then one product with the state and a few gates.
 */
import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpContext, OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { unstacked } from './unstacked.ts';
import { drop } from './drop.ts';
import { gruStep, lstmStep, rnnStep } from './steps.ts';

/** The weights of one layer and direction; biases and projection where there are any. */
export interface Weights {
  readonly weightIh: tf.Tensor;
  readonly weightHh: tf.Tensor;
  readonly biasIh: tf.Tensor | null;
  readonly biasHh: tf.Tensor | null;
  readonly weightHr: tf.Tensor | null;
}

/** New states from a step's projected input (N, gates · hidden) and the old states; h first. */
export type Step = (
  projected: tf.Tensor,
  states: readonly tf.Tensor[],
  weights: Weights,
) => tf.Tensor[];

/** How a kind of layer computes. */
export interface Kind {
  /** h, and c of an LSTM. */
  readonly states: number;
  /** The bias that goes into the projection of the inputs. */
  readonly bias: (weights: Weights) => tf.Tensor | null;
  readonly step: Step;
}

const bothBiases = ({ biasIh, biasHh }: Weights) => biasIh && tf.add(biasIh, biasHh!);
const rnnKind = (nonlinearity: 'tanh' | 'relu'): Kind => ({
  states: 1,
  bias: bothBiases,
  step: rnnStep(nonlinearity),
});

export const lstmKind: Kind = { states: 2, bias: bothBiases, step: lstmStep };
/** The hidden bias of a GRU lies within its reset gate. */
export const gruKind: Kind = { states: 1, bias: ({ biasIh }) => biasIh, step: gruStep };

export const lstm: OpFunction<'lstm'> = (inputs, attrs, context) =>
  layers(lstmKind, inputs, attrs, context);
export const gru: OpFunction<'gru'> = (inputs, attrs, context) =>
  layers(gruKind, inputs, attrs, context);
export const rnn: OpFunction<'rnn'> = (inputs, attrs, context) =>
  layers(rnnKind(attrs.nonlinearity), inputs, attrs, context);

type RecurrentOp = 'lstm' | 'gru' | 'rnn';
type Attrs = Parameters<OpFunction<'gru'>>[1] & { readonly proj_size?: number };

function layers(
  kind: Kind,
  inputs: Parameters<OpFunction<RecurrentOp>>[0],
  attrs: Attrs,
  context: OpContext,
): Activation[] {
  const input = toStandard(inputs[0]!);
  const isUnbatched = input.rank === 2;
  const isTurned = attrs.batch_first && !isUnbatched;
  let x = isUnbatched ? tf.expandDims(input, 1) : input;
  if (isTurned) x = tf.transpose(x, [1, 0, 2]);
  const directions = attrs.bidirectional ? 2 : 1;
  const initial = initialStates(kind, inputs, attrs, x.shape[1]!);
  const weights = weightsOf(inputs.slice(1 + kind.states), attrs);
  const finals: tf.Tensor[][] = initial.map(() => []);
  for (let layer = 0; layer < attrs.num_layers; layer++) {
    const outputs: tf.Tensor[] = [];
    for (let direction = 0; direction < directions; direction++) {
      const at = layer * directions + direction;
      const states = initial.map((state) => state[at]!);
      const run = direct(kind, x, states, weights[at]!, direction === 1);
      outputs.push(run.output);
      run.states.forEach((state, index) => finals[index]!.push(state));
    }
    x = outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 2);
    const isLast = layer === attrs.num_layers - 1;
    if (attrs.training && !isLast && attrs.dropout > 0) {
      x = drop(x, attrs.dropout, context, { stream: layer });
    }
  }
  const y = isTurned ? tf.transpose(x, [1, 0, 2]) : x;
  return [
    isUnbatched ? tf.squeeze(y, [1]) : y,
    ...finals.map((states) => {
      const all = tf.stack(states);
      return isUnbatched ? tf.squeeze(all, [1]) : all;
    }),
  ].map(standard);
}

/** One direction of one layer over x (L, N, in): y (L, N, size) and the last states. */
function direct(
  kind: Kind,
  x: tf.Tensor,
  initial: readonly tf.Tensor[],
  weights: Weights,
  isBackward: boolean,
): { output: tf.Tensor; states: readonly tf.Tensor[] } {
  const [length, batch, features] = x.shape as [number, number, number];
  const product = tf.matMul(tf.reshape(x, [-1, features]), weights.weightIh, false, true);
  const bias = kind.bias(weights);
  const projected = bias ? tf.add(product, bias) : product;
  const steps = unstacked(tf.reshape(projected, [length, batch, -1]));
  const hidden: tf.Tensor[] = [];
  let states = initial;
  for (let index = 0; index < length; index++) {
    const at = isBackward ? length - 1 - index : index;
    states = kind.step(steps[at]!, states, weights);
    hidden[at] = states[0]!;
  }
  return { output: tf.stack(hidden), states };
}

/** For each kind of state, one (N, size) for each layer and direction. */
function initialStates(
  kind: Kind,
  inputs: readonly (Activation | null)[],
  attrs: Attrs,
  batch: number,
): tf.Tensor[][] {
  const count = attrs.num_layers * (attrs.bidirectional ? 2 : 1);
  return Array.from({ length: kind.states }, (_, index) => {
    const size = (index === 0 && attrs.proj_size) || attrs.hidden_size;
    const given = inputs[1 + index];
    if (!given) {
      const zeros = tf.zeros([batch, size]);
      return new Array<tf.Tensor>(count).fill(zeros);
    }
    return unstacked(tf.reshape(toStandard(given), [count, batch, size]));
  });
}

function weightsOf(all: readonly (Activation | null)[], attrs: Attrs): Weights[] {
  const perDirection = 2 + (attrs.has_bias ? 2 : 0) + (attrs.proj_size ? 1 : 0);
  return Array.from({ length: all.length / perDirection }, (_, index) => {
    const own = all.slice(index * perDirection, (index + 1) * perDirection);
    const [weightIh, weightHh, ...rest] = own.map((weight) => weight!.tensor);
    return {
      weightIh: weightIh!,
      weightHh: weightHh!,
      biasIh: attrs.has_bias ? rest[0]! : null,
      biasHh: attrs.has_bias ? rest[1]! : null,
      weightHr: attrs.proj_size ? rest.at(-1)! : null,
    };
  });
}

const cellOf =
  (kind: Kind) =>
  (inputs: readonly (Activation | null)[], context: OpContext): Activation[] => {
    const shape = [...context.node.shape];
    const rows = (given: Activation) =>
      tf.reshape(toStandard(given), [-1, given.tensor.shape.at(-1)!]);
    const x = rows(inputs[0]!);
    const states = inputs
      .slice(1, 1 + kind.states)
      .map((state) => (state ? rows(state) : tf.zeros([x.shape[0]!, shape.at(-1)!])));
    const [weightIh, weightHh, biasIh, biasHh] = inputs
      .slice(1 + kind.states)
      .map((weight) => weight?.tensor ?? null);
    const weights = {
      weightIh: weightIh!,
      weightHh: weightHh!,
      biasIh: biasIh!,
      biasHh: biasHh!,
      weightHr: null,
    };
    const product = tf.matMul(x, weights.weightIh, false, true);
    const bias = kind.bias(weights);
    const projected = bias ? tf.add(product, bias) : product;
    return kind.step(projected, states, weights).map((state) => standard(tf.reshape(state, shape)));
  };

export const lstmCell: OpFunction<'lstm_cell'> = (inputs, _, context) =>
  cellOf(lstmKind)(inputs, context);
export const gruCell: OpFunction<'gru_cell'> = (inputs, _, context) =>
  cellOf(gruKind)(inputs, context)[0]!;
export const rnnCell: OpFunction<'rnn_cell'> = (inputs, { nonlinearity }, context) =>
  cellOf(rnnKind(nonlinearity))(inputs, context)[0]!;
