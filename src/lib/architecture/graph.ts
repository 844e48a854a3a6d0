/**
 * The forward pass of a model as data. Whatever a model came from (Python source today), it ends
 * here: a list of composite ops in execution order, with PyTorch's names, argument names and
 * conventions (NCHW, weights as torch stores them). A graph is traced for fixed input shapes and
 * for one mode, training or evaluation; for another shape or mode it is traced anew, which takes
 * milliseconds. The executor in `runtime/` gives every op its numbers; nothing here computes any.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { ElementwiseOps } from './ops/elementwise.ts';
import type { LossOps } from './ops/loss.ts';
import type { ReduceOps } from './ops/reduce.ts';
import type { SequenceOps } from './ops/sequence.ts';
import type { ShapeOps } from './ops/shape.ts';
import type { SpatialOps } from './ops/spatial.ts';

/** Index of a node in `Graph.nodes`. */
export type NodeId = number;

/** Where a node came from: the module's path (`features.0`) and the line of the source. */
export interface Origin {
  readonly module: string;
  readonly file?: string;
  readonly line?: number;
}

/** The argument lists of every op. A node's inputs are other nodes; `null` is Python's None. */
export interface Ops extends ElementwiseOps, ShapeOps, ReduceOps, SpatialOps, SequenceOps, LossOps {
  /** A model input; `index` counts the forward method's tensor arguments. */
  input: { inputs: readonly []; attrs: { name: string; index: number } };
  /** A parameter or buffer, by its state_dict key. */
  parameter: { inputs: readonly []; attrs: { key: string } };
  /**
   * Output number `index` of an op that has several. Such a node is never used itself; its own
   * shape and dtype are those of its output 0.
   */
  pick: { inputs: readonly [NodeId]; attrs: { index: number } };
}

/** Ops that are only used through `pick`. */
export type MultiOutputOp =
  'max' | 'min' | 'topk' | 'sort' | 'multi_head_attention' | 'lstm' | 'gru' | 'rnn' | 'lstm_cell';

export type Pair = readonly [number, number];
export type Op = keyof Ops;
export type { BinaryOp, UnaryOp } from './ops/elementwise.ts';

export type GraphNode = {
  [K in Op]: {
    readonly op: K;
    readonly inputs: Ops[K]['inputs'];
    readonly attrs: Readonly<Ops[K]['attrs']>;
    readonly shape: readonly number[];
    readonly dtype: Dtype;
    readonly origin: Origin;
  };
}[Op];

/** A parameter or buffer of a model, as `state_dict()` would list it, in its order. */
export interface ParameterSpec {
  /** state_dict key. */
  readonly key: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** A constant comes out of a file that carries its forward pass, and is no part of the state_dict. */
  readonly kind: 'parameter' | 'buffer' | 'constant';
  readonly requiresGrad: boolean;
  /** The first key of the same tensor, where a tensor is registered twice (tied weights). */
  readonly tiedTo?: string;
  /** What the constructor gives it; absent where the model comes out of a file with its values. */
  readonly init?: Init;
}

/** How a parameter or buffer gets its first numbers. */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  | {
      readonly kind: 'trunc_normal';
      readonly mean: number;
      readonly std: number;
      readonly low: number;
      readonly high: number;
    }
  | { readonly kind: 'orthogonal'; readonly gain: number }
  /** Worked out by the source, of random numbers or not. */
  | { readonly kind: 'computed' }
  /** Nobody knows its numbers; the reason ends with the line. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly NodeId[];
  /** The tensors that forward returns; one for most models. */
  readonly outputs: readonly NodeId[];
  /** Where each of them lies in the result: `logits`, `1.0`; `output` where it is alone. */
  readonly outputNames: readonly string[];
  readonly training: boolean;
  /**
   * What each module's call gave, by its path: the node of a tensor, of a tuple one for each item
   * that is a tensor, null for one that nothing needs. Of several calls, the last. Absent where the
   * graph comes from a file that does not say.
   */
  readonly modules?: ReadonlyMap<string, readonly (NodeId | null)[]>;
}
