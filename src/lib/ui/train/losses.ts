/** Losses as they start, with PyTorch's defaults. */
import type { LossName, LossSettings, MetricName } from '#lib/worker/protocol.ts';

export function newLoss(name: LossName): LossSettings {
  switch (name) {
    case 'cross_entropy':
      return { name, labelSmoothing: 0, ignoreIndex: -100, classWeights: null };
    case 'nll_loss':
      return { name, ignoreIndex: -100, classWeights: null };
    case 'smooth_l1_loss':
      return { name, beta: 1 };
    case 'mse_loss':
    case 'l1_loss':
      return { name };
    case 'binary_cross_entropy':
    case 'binary_cross_entropy_with_logits':
      return { name, posWeight: null };
    default:
      return name satisfies never;
  }
}

/** Whether less is better. */
export function usualMode(metric: MetricName): 'min' | 'max' {
  return metric === 'loss' || metric === 'perplexity' ? 'min' : 'max';
}
