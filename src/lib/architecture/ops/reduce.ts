/** Ops that take axes together, and matrix products. `dims` are counted from the front and sorted. */
import type { NodeId } from '../graph.ts';

interface Reduction<Attrs extends object = object> {
  inputs: readonly [NodeId];
  attrs: { dims: readonly number[]; keepdim: boolean } & Attrs;
}

interface Along<Attrs extends object = object> {
  inputs: readonly [NodeId];
  attrs: { dim: number } & Attrs;
}

export interface ReduceOps {
  sum: Reduction;
  mean: Reduction;
  prod: Reduction;
  /** Gradients are shared among ties, as torch's amax does. */
  amax: Reduction;
  amin: Reduction;
  var: Reduction<{ correction: number }>;
  std: Reduction<{ correction: number }>;
  /** ‖x‖ₚ; p may be Infinity, −Infinity or 0. */
  norm: Reduction<{ p: number }>;
  logsumexp: Reduction;
  any: Reduction;
  all: Reduction;
  argmax: Along<{ keepdim: boolean }>;
  argmin: Along<{ keepdim: boolean }>;
  /** Two outputs: values and indices. The gradient goes to the index alone. */
  max: Along<{ keepdim: boolean }>;
  min: Along<{ keepdim: boolean }>;
  /** Two outputs: values and indices. */
  topk: Along<{ k: number; largest: boolean; sorted: boolean }>;
  /** Two outputs: values and indices. */
  sort: Along<{ descending: boolean; stable: boolean }>;
  cumsum: Along;
  cumprod: Along;
  softmax: Along;
  log_softmax: Along;
  /** x / max(‖x‖ₚ, eps) along dim */
  normalize: Along<{ p: number; eps: number }>;

  /** [a, b]: torch.matmul, with vectors and broadcast batches; `bmm`, `mm`, `mv` and `@` too. */
  matmul: { inputs: readonly [NodeId, NodeId]; attrs: object };
  /** Explicit form only: "bij,bjk->bik", letters and no ellipsis. */
  einsum: { inputs: readonly [NodeId, ...NodeId[]]; attrs: { equation: string } };
  /** [x, weight (out, in), bias (out) or null] */
  linear: { inputs: readonly [NodeId, NodeId, NodeId | null]; attrs: object };
  /** [x1, x2, weight (out, in1, in2), bias (out) or null] */
  bilinear: { inputs: readonly [NodeId, NodeId, NodeId, NodeId | null]; attrs: object };
}
