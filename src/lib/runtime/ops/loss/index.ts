import type { OpFunctions } from '../../op.ts';
import { binaryCrossEntropy, binaryCrossEntropyWithLogits } from './binary_cross_entropy.ts';
import { crossEntropy, nllLoss } from './class_loss.ts';
import { cosineSimilarity } from './cosine_similarity.ts';
import { huberLoss, klDiv, l1Loss, mseLoss, smoothL1Loss } from './pair_loss.ts';

export const loss = {
  binary_cross_entropy: binaryCrossEntropy,
  binary_cross_entropy_with_logits: binaryCrossEntropyWithLogits,
  cosine_similarity: cosineSimilarity,
  cross_entropy: crossEntropy,
  huber_loss: huberLoss,
  kl_div: klDiv,
  l1_loss: l1Loss,
  mse_loss: mseLoss,
  nll_loss: nllLoss,
  smooth_l1_loss: smoothL1Loss,
} satisfies OpFunctions;
