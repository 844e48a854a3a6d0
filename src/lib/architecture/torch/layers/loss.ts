/** Losses of `torch.nn`. Their weights are buffers, which the state_dict lists. */
import { losses } from '../functional/loss.ts';
import type { Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';

const layer = (
  name: keyof typeof losses,
  signature: string,
  weights: readonly string[] = [],
): Layer => ({
  signature,
  call: 'input, target',
  build({ given, held }) {
    for (const weight of weights) held(weight, given.tensorOrNone(weight));
  },
  forward: (call, self) => losses[name](call.tensor('input'), call.tensor('target'), self),
});

const old = 'size_average=None, reduce=None';

export const layers: Layers = {
  CrossEntropyLoss: layer(
    'cross_entropy',
    "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0",
    ['weight'],
  ),
  NLLLoss: layer(
    'nll_loss',
    "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
    ['weight'],
  ),
  MSELoss: layer('mse_loss', `${old}, reduction='mean'`),
  L1Loss: layer('l1_loss', `${old}, reduction='mean'`),
  SmoothL1Loss: layer('smooth_l1_loss', `${old}, reduction='mean', beta=1`),
  HuberLoss: layer('huber_loss', "reduction='mean', delta=1"),
  BCELoss: layer('binary_cross_entropy', `weight=None, ${old}, reduction='mean'`, ['weight']),
  BCEWithLogitsLoss: layer(
    'binary_cross_entropy_with_logits',
    `weight=None, ${old}, reduction='mean', pos_weight=None`,
    ['weight', 'pos_weight'],
  ),
  KLDivLoss: layer('kl_div', `${old}, reduction='mean', log_target=False`),
  CosineSimilarity: {
    signature: 'dim=1, eps=1e-8',
    call: 'x1, x2',
    forward: (call, self) =>
      ops.cosineSimilarity(
        call.tensor('x1'),
        call.tensor('x2'),
        self.int('dim'),
        self.float('eps'),
      ),
  },
};
