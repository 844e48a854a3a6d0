/** Ops that move elements: views, joins, and picking by index. */
import type { NodeId } from '../graph.ts';

interface Move<Attrs extends object> {
  inputs: readonly [NodeId];
  attrs: Attrs;
}

export interface ShapeOps {
  /** `flatten`, `view`, `squeeze` and `reshape` all end here; `shape` has no -1 left. */
  reshape: Move<{ shape: readonly number[] }>;
  /** `transpose`, `t`, `movedim` too: output axis i is input axis dims[i]. */
  permute: Move<{ dims: readonly number[] }>;
  /** `expand` and `broadcast_to`: axes of size 1, and new ones in front, are repeated to `shape`. */
  expand: Move<{ shape: readonly number[] }>;
  /** As many copies along each axis; as many entries as the output has axes. */
  repeat: Move<{ repeats: readonly number[] }>;
  /** Each element of the axis `repeats` times in a row. */
  repeat_interleave: Move<{ repeats: number; dim: number }>;
  /**
   * Every `step`-th element of each axis from `start`, `size` of them: what indexing with ints and
   * slices, `narrow`, `select`, `split`, `chunk` and `unbind` do. Steps are positive.
   */
  slice: Move<{ start: readonly number[]; size: readonly number[]; step: readonly number[] }>;
  /** [x, value]: x with the elements that `slice` would pick replaced; value has their shape. */
  slice_scatter: {
    inputs: readonly [NodeId, NodeId];
    attrs: { start: readonly number[]; size: readonly number[]; step: readonly number[] };
  };
  /**
   * [x, index tensors]: NumPy's advanced indexing. `dims` are the axes that are indexed, one for
   * each index tensor (integers, negative ones count from the end); those broadcast together. Where the axes stand side by side the
   * result's axes take their place, else they come first.
   */
  index: { inputs: readonly [NodeId, ...NodeId[]]; attrs: { dims: readonly number[] } };
  /**
   * [x, value, index tensors]: x with `x[indices] = value`, or `+= value` with accumulate; value has
   * the shape of `x[indices]`.
   */
  index_put: {
    inputs: readonly [NodeId, NodeId, ...NodeId[]];
    attrs: { dims: readonly number[]; accumulate: boolean };
  };
  /** [x, index (1-d)] */
  index_select: { inputs: readonly [NodeId, NodeId]; attrs: { dim: number } };
  /** [x, index]: torch.gather */
  gather: { inputs: readonly [NodeId, NodeId]; attrs: { dim: number } };
  /** [x, index, src or null]: torch.scatter, or scatter_add with `add`. */
  scatter: {
    inputs: readonly [NodeId, NodeId, NodeId | null];
    attrs: { dim: number; add: boolean; scalar: number };
  };
  cat: { inputs: readonly [NodeId, ...NodeId[]]; attrs: { dim: number } };
  stack: { inputs: readonly [NodeId, ...NodeId[]]; attrs: { dim: number } };
  /**
   * torch.nn.functional.pad: `pad` holds [before, after] for each axis of x, none negative or the
   * elements are cut.
   */
  pad: Move<{
    pad: readonly (readonly [number, number])[];
    mode: 'constant' | 'reflect' | 'replicate' | 'circular';
    value: number;
  }>;
  roll: Move<{ shifts: readonly number[]; dims: readonly number[] }>;
  flip: Move<{ dims: readonly number[] }>;
  tril: Move<{ diagonal: number }>;
  triu: Move<{ diagonal: number }>;
  pixel_shuffle: Move<{ upscale_factor: number }>;
  pixel_unshuffle: Move<{ downscale_factor: number }>;
  /** im2col of (N, C, H, W) → (N, C · kH · kW, L). */
  unfold: Move<{
    kernel_size: readonly [number, number];
    dilation: readonly [number, number];
    padding: readonly [number, number];
    stride: readonly [number, number];
  }>;
  /** col2im: the sum over overlapping windows. */
  fold: Move<{
    output_size: readonly [number, number];
    kernel_size: readonly [number, number];
    dilation: readonly [number, number];
    padding: readonly [number, number];
    stride: readonly [number, number];
  }>;
}
