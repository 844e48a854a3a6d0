/** LSTM, GRU and plain recurrent layers, and one step of each. */
import { raised } from '../../python/errors.ts';
import type { Op } from '../../graph.ts';
import { demandFloat, demandShape, emit, emitMany, type Attrs } from '../emit.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

export type Recurrent = 'lstm' | 'gru' | 'rnn';

/** Rows of a weight for each unit: one for each gate. */
export const gates = { lstm: 4, gru: 3, rnn: 1 } as const satisfies Record<Recurrent, number>;

/**
 * x (L, N, in), (N, L, in) with batch_first, or (L, in); initial states (layers × directions, N,
 * hidden) or null for zeros. Gives y (L, N, directions × hidden) and the last states.
 */
export function recurrent<K extends Recurrent>(
  op: K,
  x: PyTensor,
  states: readonly (PyTensor | null)[],
  weights: readonly PyTensor[],
  attrs: Attrs<K>,
): PyTensor[] {
  const rank = x.shape.length;
  demandFloat(op, x, ...states, ...weights);
  if (rank !== 2 && rank !== 3) {
    throw raised(
      'RuntimeError',
      `${op}: input has shape ${shapeText(x.shape)}, 2 or 3 axes needed`,
    );
  }
  const { hidden_size: hidden, num_layers: layers, bidirectional, batch_first: batchFirst } = attrs;
  const projection = 'proj_size' in attrs ? attrs.proj_size : 0;
  const directions = bidirectional ? 2 : 1;
  const size = projection || hidden;
  checkWeights(op, x.shape.at(-1)!, weights, { ...attrs, directions, projection });
  const batch = rank === 2 ? [] : [x.shape[batchFirst ? 0 : 1]!];
  const stateShapes = [size, hidden].map((width) => [layers * directions, ...batch, width]);
  states.forEach((state, at) => demandShape(op, at === 0 ? 'h_0' : 'c_0', state, stateShapes[at]!));
  const shapes = [
    [...x.shape.slice(0, -1), directions * size],
    ...stateShapes.slice(0, states.length),
  ];
  return emitMany(
    op,
    [x, ...states, ...weights],
    attrs,
    shapes.map((shape) => ({ shape, dtype: x.dtype })),
  );
}

function checkWeights(
  op: Recurrent,
  inputs: number,
  weights: readonly PyTensor[],
  options: {
    readonly hidden_size: number;
    readonly num_layers: number;
    readonly has_bias: boolean;
    readonly directions: number;
    readonly projection: number;
  },
): void {
  const { hidden_size: hidden, num_layers: layers, directions, projection } = options;
  const size = projection || hidden;
  const names = weightNames(options.has_bias, projection > 0);
  if (weights.length !== layers * directions * names.length) {
    throw raised('RuntimeError', `${op}: ${weights.length} weights for ${layers} layers`);
  }
  weights.forEach((weight, at) => {
    const layer = Math.floor(at / (directions * names.length));
    const name = names[at % names.length]!;
    const shape = weightShape(op, name, {
      inputs: layer === 0 ? inputs : directions * size,
      hidden,
      size,
    });
    demandShape(op, `${name}_l${layer}`, weight, shape);
  });
}

/** The weights of one layer and direction, in their order. */
export function weightNames(hasBias: boolean, hasProjection: boolean): string[] {
  return [
    'weight_ih',
    'weight_hh',
    ...(hasBias ? ['bias_ih', 'bias_hh'] : []),
    ...(hasProjection ? ['weight_hr'] : []),
  ];
}

export function weightShape(
  op: Recurrent,
  name: string,
  { inputs, hidden, size }: { inputs: number; hidden: number; size: number },
): number[] {
  const rows = gates[op] * hidden;
  if (name === 'weight_ih') return [rows, inputs];
  if (name === 'weight_hh') return [rows, size];
  return name === 'weight_hr' ? [size, hidden] : [rows];
}

/** One step: x (N, in) or (in), states (N, hidden) or null for zeros. Gives the new states. */
export function cell<K extends Extract<Op, `${Recurrent}_cell`>>(
  op: K,
  x: PyTensor,
  states: readonly (PyTensor | null)[],
  weights: readonly [PyTensor, PyTensor, PyTensor | null, PyTensor | null],
  attrs: Attrs<K>,
): PyTensor[] {
  demandFloat(op, x, ...states, ...weights);
  if (x.shape.length !== 1 && x.shape.length !== 2) {
    throw raised('ValueError', `${op}: input has shape ${shapeText(x.shape)}, 1 or 2 axes needed`);
  }
  const [weightIh, weightHh, biasIh, biasHh] = weights;
  const hidden = weightHh.shape[1]!;
  const rows = gates[op.replace('_cell', '') as Recurrent] * hidden;
  demandShape(op, 'weight_ih', weightIh, [rows, x.shape.at(-1)!]);
  demandShape(op, 'weight_hh', weightHh, [rows, hidden]);
  demandShape(op, 'bias_ih', biasIh, [rows]);
  demandShape(op, 'bias_hh', biasHh, [rows]);
  const shape = [...x.shape.slice(0, -1), hidden];
  states.forEach((state) => demandShape(op, 'the state', state, shape));
  const inputs = [x, ...states, ...weights];
  if (op !== 'lstm_cell') return [emit(op, inputs, attrs, shape, x.dtype)];
  return emitMany(
    op,
    inputs,
    attrs,
    states.map(() => ({ shape, dtype: x.dtype })),
  );
}
