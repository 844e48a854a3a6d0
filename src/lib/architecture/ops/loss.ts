/** Losses, with PyTorch's reductions. */
import type { NodeId } from '../graph.ts';

export type Reduction = 'none' | 'mean' | 'sum';

interface Loss<Attrs extends object = object> {
  /** [input, target] */
  inputs: readonly [NodeId, NodeId];
  attrs: { reduction: Reduction } & Attrs;
}

export interface LossOps {
  /** [input (N, C, …), target (int64 indices or probabilities), weight (C) or null] */
  cross_entropy: {
    inputs: readonly [NodeId, NodeId, NodeId | null];
    attrs: { reduction: Reduction; ignore_index: number; label_smoothing: number };
  };
  nll_loss: {
    inputs: readonly [NodeId, NodeId, NodeId | null];
    attrs: { reduction: Reduction; ignore_index: number };
  };
  mse_loss: Loss;
  l1_loss: Loss;
  smooth_l1_loss: Loss<{ beta: number }>;
  huber_loss: Loss<{ delta: number }>;
  /** [input, target, weight or null] */
  binary_cross_entropy: {
    inputs: readonly [NodeId, NodeId, NodeId | null];
    attrs: { reduction: Reduction };
  };
  /** [input, target, weight or null, pos_weight or null] */
  binary_cross_entropy_with_logits: {
    inputs: readonly [NodeId, NodeId, NodeId | null, NodeId | null];
    attrs: { reduction: Reduction };
  };
  /** `batchmean` divides the sum by the length of the first axis. */
  kl_div: {
    inputs: readonly [NodeId, NodeId];
    attrs: { reduction: Reduction | 'batchmean'; log_target: boolean };
  };
  /** [x1, x2], which broadcast; the cosine of the angle between them along `dim`. */
  cosine_similarity: { inputs: readonly [NodeId, NodeId]; attrs: { dim: number; eps: number } };
}
