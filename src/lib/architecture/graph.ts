/**
 * The forward pass of a model as data. Whatever a model came from (Python source today), it ends
 * here: a list of composite ops in execution order, with PyTorch's names, argument names and
 * conventions (NCHW, weights as torch stores them). A graph is traced for fixed input shapes and
 * for one mode, training or evaluation; for another shape or mode it is traced anew, which takes
 * milliseconds. The executor in `runtime/` gives every op its numbers; nothing here computes any.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';

/** Index of a node in `Graph.nodes`. */
export type NodeId = number;

/** Where a node came from: the module's path (`features.0`) and the line of the source. */
export interface Origin {
  readonly module: string;
  readonly file?: string;
  readonly line?: number;
}

/** The argument lists of every op. A node's inputs are other nodes; `null` is Python's None. */
export interface Ops {
  /** A model input; `index` counts the forward method's tensor arguments. */
  input: { inputs: readonly []; attrs: { name: string; index: number } };
  /** A parameter or buffer, by its state_dict key. */
  parameter: { inputs: readonly []; attrs: { key: string } };
  /** [x, weight (out, in), bias (out) or null] */
  linear: { inputs: readonly [NodeId, NodeId, NodeId | null]; attrs: object };
  /** [x (N, C, H, W), weight (O, C / groups, kH, kW), bias (O) or null] */
  conv2d: {
    inputs: readonly [NodeId, NodeId, NodeId | null];
    attrs: { stride: Pair; padding: Pair; dilation: Pair; groups: number };
  };
  /**
   * [x (N, C, …), weight, bias, running_mean, running_var, num_batches_tracked], any of the last
   * five null. `training` normalises by the batch and, where there are running statistics, updates
   * them: by `momentum`, or by a cumulative average where momentum is null.
   */
  batch_norm: {
    inputs: readonly [
      NodeId,
      NodeId | null,
      NodeId | null,
      NodeId | null,
      NodeId | null,
      NodeId | null,
    ];
    attrs: { training: boolean; momentum: number | null; eps: number };
  };
  relu: { inputs: readonly [NodeId]; attrs: object };
  max_pool2d: {
    inputs: readonly [NodeId];
    attrs: { kernel_size: Pair; stride: Pair; padding: Pair; dilation: Pair; ceil_mode: boolean };
  };
  adaptive_avg_pool2d: { inputs: readonly [NodeId]; attrs: { output_size: Pair } };
  /** Identity unless `training`. Each dropout node draws its own mask. */
  dropout: { inputs: readonly [NodeId]; attrs: { p: number; training: boolean } };
  log_softmax: { inputs: readonly [NodeId]; attrs: { dim: number } };
  softmax: { inputs: readonly [NodeId]; attrs: { dim: number } };
  /** `flatten`, `view` and `reshape` all end here; `shape` has no -1 left. */
  reshape: { inputs: readonly [NodeId]; attrs: { shape: readonly number[] } };
  /** x + alpha · y with broadcasting; a Python number stands in `scalar` with y null. */
  add: { inputs: readonly [NodeId, NodeId | null]; attrs: { alpha: number; scalar: number } };
}

export type Pair = readonly [number, number];
export type Op = keyof Ops;

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
  readonly kind: 'parameter' | 'buffer';
  readonly requiresGrad: boolean;
  /** The first key of the same tensor, where a tensor is registered twice (tied weights). */
  readonly tiedTo?: string;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly NodeId[];
  /** The tensors that forward returns; one for most models. */
  readonly outputs: readonly NodeId[];
  readonly training: boolean;
}
