/**
 * Ops over images, sounds and volumes: (N, C, …) with one, two or three axes behind the channels.
 * Lists such as `stride` have one entry for each of those axes.
 */
import type { NodeId } from '../graph.ts';

type Sizes = readonly number[];
type Rank = 1 | 2 | 3;

interface Convolution {
  /** [x (N, C, …), weight (O, C / groups, k…), bias (O) or null] */
  inputs: readonly [NodeId, NodeId, NodeId | null];
  attrs: { stride: Sizes; padding: Sizes; dilation: Sizes; groups: number };
}

interface TransposedConvolution {
  /** [x (N, C, …), weight (C, O / groups, k…), bias (O) or null] */
  inputs: readonly [NodeId, NodeId, NodeId | null];
  attrs: {
    stride: Sizes;
    padding: Sizes;
    output_padding: Sizes;
    dilation: Sizes;
    groups: number;
  };
}

interface MaxPool {
  inputs: readonly [NodeId];
  attrs: { kernel_size: Sizes; stride: Sizes; padding: Sizes; dilation: Sizes; ceil_mode: boolean };
}

interface AvgPool {
  inputs: readonly [NodeId];
  attrs: {
    kernel_size: Sizes;
    stride: Sizes;
    padding: Sizes;
    ceil_mode: boolean;
    count_include_pad: boolean;
    divisor_override: number | null;
  };
}

interface AdaptivePool {
  inputs: readonly [NodeId];
  attrs: { output_size: Sizes };
}

type Convolutions = { [R in Rank as `conv${R}d`]: Convolution };
type Transposed = { [R in Rank as `conv_transpose${R}d`]: TransposedConvolution };
type MaxPools = { [R in Rank as `max_pool${R}d`]: MaxPool };
type AvgPools = { [R in Rank as `avg_pool${R}d`]: AvgPool };
type AdaptivePools = {
  [R in Rank as `adaptive_avg_pool${R}d` | `adaptive_max_pool${R}d`]: AdaptivePool;
};

export interface SpatialOps extends Convolutions, Transposed, MaxPools, AvgPools, AdaptivePools {
  /** To the size of the node; `scales` are the factors that were given instead, else null. */
  interpolate: {
    inputs: readonly [NodeId];
    attrs: {
      mode: 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area';
      align_corners: boolean;
      scales: readonly (number | null)[];
      antialias: boolean;
    };
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
  /** [x, weight or null, bias or null], over the last `normalized_shape.length` axes. */
  layer_norm: {
    inputs: readonly [NodeId, NodeId | null, NodeId | null];
    attrs: { normalized_shape: Sizes; eps: number };
  };
  /** [x (N, C, …), weight (C) or null, bias (C) or null] */
  group_norm: {
    inputs: readonly [NodeId, NodeId | null, NodeId | null];
    attrs: { num_groups: number; eps: number };
  };
  /**
   * [x (N, C, …), weight (C) or null, bias (C) or null, running_mean (C) or null, running_var (C) or
   * null], by each image's own statistics; running ones move towards the batch's mean of these.
   * What uses running statistics instead is a batch_norm.
   */
  instance_norm: {
    inputs: readonly [NodeId, NodeId | null, NodeId | null, NodeId | null, NodeId | null];
    attrs: { momentum: number; eps: number };
  };
  /** [x, weight or null] */
  rms_norm: {
    inputs: readonly [NodeId, NodeId | null];
    attrs: { normalized_shape: Sizes; eps: number };
  };
  /** AlexNet's, across `size` neighbouring channels. */
  local_response_norm: {
    inputs: readonly [NodeId];
    attrs: { size: number; alpha: number; beta: number; k: number };
  };
}
