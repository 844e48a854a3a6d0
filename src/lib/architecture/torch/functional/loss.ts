/** Losses of `torch.nn.functional`. */
import type { Reduction } from '../../ops/loss.ts';
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

/** How elements become the loss. Arguments from before reductions had words are refused. */
export function reductionOf(given: Given): Reduction {
  refuseOld(given);
  return given.word('reduction', ['none', 'mean', 'sum']);
}

function refuseOld(given: Given): void {
  if (given.value('size_average') === null && given.value('reduce') === null) return;
  throw unsupported('size_average and reduce of a loss are not supported: give reduction');
}

function refuseWeight(given: Given): void {
  if (given.value('weight') !== null) throw unsupported('weight of this loss is not supported');
}

/** A loss by its arguments; those of a layer are its attributes, `options`. */
type Loss = (input: PyTensor, target: PyTensor, options: Given) => PyTensor;

export const losses = {
  cross_entropy: (input, target, options) =>
    ops.classLoss('cross_entropy', input, target, options.tensorOrNone('weight'), {
      reduction: reductionOf(options),
      ignore_index: options.int('ignore_index'),
      label_smoothing: options.float('label_smoothing'),
    }),
  nll_loss: (input, target, options) =>
    ops.classLoss('nll_loss', input, target, options.tensorOrNone('weight'), {
      reduction: reductionOf(options),
      ignore_index: options.int('ignore_index'),
    }),
  mse_loss: (input, target, options) =>
    ops.pairLoss('mse_loss', input, target, { reduction: reductionOf(options) }),
  l1_loss: (input, target, options) =>
    ops.pairLoss('l1_loss', input, target, { reduction: reductionOf(options) }),
  smooth_l1_loss: (input, target, options) =>
    ops.pairLoss('smooth_l1_loss', input, target, {
      reduction: reductionOf(options),
      beta: options.float('beta'),
    }),
  huber_loss: (input, target, options) =>
    ops.pairLoss('huber_loss', input, target, {
      reduction: options.word('reduction', ['none', 'mean', 'sum']),
      delta: options.float('delta'),
    }),
  binary_cross_entropy: (input, target, options) =>
    ops.binaryCrossEntropy(input, target, options.tensorOrNone('weight'), reductionOf(options)),
  binary_cross_entropy_with_logits: (input, target, options) =>
    ops.binaryCrossEntropyWithLogits(
      input,
      target,
      options.tensorOrNone('weight'),
      options.tensorOrNone('pos_weight'),
      reductionOf(options),
    ),
  kl_div: (input, target, options) => {
    refuseOld(options);
    return ops.pairLoss('kl_div', input, target, {
      reduction: options.word('reduction', ['none', 'mean', 'sum', 'batchmean']),
      log_target: options.bool('log_target'),
    });
  },
} satisfies Record<string, Loss>;

/** Arguments of each loss after input and target, as its function has them. */
const signatures: Record<keyof typeof losses, string> = {
  cross_entropy:
    "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0",
  nll_loss: "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
  mse_loss: "size_average=None, reduce=None, reduction='mean', weight=None",
  l1_loss: "size_average=None, reduce=None, reduction='mean', weight=None",
  smooth_l1_loss: "size_average=None, reduce=None, reduction='mean', beta=1",
  huber_loss: "reduction='mean', delta=1, weight=None",
  binary_cross_entropy: "weight=None, size_average=None, reduce=None, reduction='mean'",
  binary_cross_entropy_with_logits:
    "weight=None, size_average=None, reduce=None, reduction='mean', pos_weight=None",
  kl_div: "size_average=None, reduce=None, reduction='mean', log_target=False",
};

/** Losses whose `weight` weighs elements, which is rare enough to be left out. */
const weighsElements: ReadonlySet<string> = new Set(['mse_loss', 'l1_loss', 'huber_loss']);

export const functional: Functions = {
  ...Object.fromEntries(
    Object.entries(losses).map(([name, loss]) => [
      name,
      [
        `input, target, ${signatures[name as keyof typeof losses]}`,
        (given: Given) => {
          if (weighsElements.has(name)) refuseWeight(given);
          return loss(given.tensor('input'), given.tensor('target'), given);
        },
      ] as const,
    ]),
  ),
  cosine_similarity: [
    'x1, x2, dim=1, eps=1e-8',
    (given) =>
      ops.cosineSimilarity(
        given.tensor('x1'),
        given.tensor('x2'),
        given.int('dim'),
        given.float('eps'),
      ),
  ],
};
