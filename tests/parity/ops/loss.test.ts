import { loss } from '#lib/runtime/ops/loss/index.ts';
import { compareOps } from './compare.ts';
import { row, type InputSpec } from './rows.ts';

const classes = (values: number[], shape: number[] = [values.length]): InputSpec => ({
  shape,
  dtype: 'int64',
  values,
});
const unit = (...shape: number[]): InputSpec => ({ shape, low: 0.05, high: 0.95 });
const pair = { x: [2, 3], y: [2, 3] };
const probable = { x: unit(2, 3), y: unit(2, 3) };
const labelled = { x: [4, 5], t: classes([0, 4, 2, 2]) };
const pixels = { x: [2, 3, 2, 2], t: classes([0, 1, 2, 0, 1, 1, -100, 2], [2, 2, 2]) };
const weighted = { init: 'self.m = nn.CrossEntropyLoss(weight=torch.ones(5) + 1)' };

/** PyTorch has no gradient of the classes' weights. */
const classWeights = (count: number) => ({
  init: `self.register_buffer("w", torch.rand(${count}))`,
});

compareOps('loss', Object.keys(loss), [
  row('F.cross_entropy(x, t)', labelled),
  row('F.cross_entropy(x, t)', { x: [5], t: classes([3], []) }),
  row('x + F.cross_entropy(x, t)', { x: [3, 1], t: classes([0, 0, 0]) }), // one class
  row('F.cross_entropy(x, t, self.w, label_smoothing=0.1)', labelled, classWeights(5)),
  row('F.cross_entropy(x, t, ignore_index=2, label_smoothing=0.3)', labelled),
  row('F.cross_entropy(x, t, self.w, reduction="none")', pixels, classWeights(3)),
  row(
    'F.cross_entropy(x, t, self.w, reduction="sum", label_smoothing=0.2)',
    pixels,
    classWeights(3),
  ),
  row('F.cross_entropy(x, y)', { x: [2, 3], y: unit(2, 3) }),
  row(
    'F.cross_entropy(x, y, self.w, label_smoothing=0.1)',
    {
      x: [2, 3, 2],
      y: unit(2, 3, 2),
    },
    classWeights(3),
  ),
  row('F.cross_entropy(x, y, reduction="none")', { x: [2, 3, 2], y: unit(2, 3, 2) }),
  row('self.m(x, t)', labelled, weighted),
  row('F.nll_loss(x, t)', labelled),
  row('F.nll_loss(x, t, self.w, ignore_index=4, reduction="sum")', labelled, classWeights(5)),
  row('self.m(x, t)', pixels, { init: 'self.m = nn.NLLLoss(reduction="none")' }),

  row('F.mse_loss(x, y)', pair),
  row('F.mse_loss(x, y, reduction="none")', { x: [2, 3], y: [3] }),
  row('self.m(x, y)', pair, { init: 'self.m = nn.MSELoss(reduction="sum")' }),
  row('F.l1_loss(x, y)', pair),
  row('F.l1_loss(x, x, reduction="sum") + F.l1_loss(x, y)', pair),
  row('F.smooth_l1_loss(x, y)', pair),
  row('F.smooth_l1_loss(x, y, beta=0.0, reduction="none")', pair),
  row('self.m(x, y)', pair, { init: 'self.m = nn.SmoothL1Loss(beta=0.5)' }),
  row('F.huber_loss(x, y, delta=0.7)', pair),
  row('self.m(x, y)', pair, { init: 'self.m = nn.HuberLoss(reduction="sum")' }),
  row('F.kl_div(x, y)', probable),
  row('F.kl_div(x, y, reduction="batchmean", log_target=True)', pair),
  row(
    'self.m(x, y)',
    { x: [2, 3], y: { shape: [2, 3], values: [0, 0.2, 0.8, 1, 0, 0] } },
    {
      init: 'self.m = nn.KLDivLoss(reduction="sum")',
      noGradient: "log 0 in the target's own gradient",
    },
  ),

  row('F.binary_cross_entropy(x, y)', probable),
  row('F.binary_cross_entropy(x, y, self.w, reduction="sum")', probable, classWeights(3)),
  row(
    'F.binary_cross_entropy(x, y)',
    { x: { shape: [4], values: [0, 1, 0, 1] }, y: { shape: [4], values: [0, 1, 1, 0] } },
    { noGradient: 'PyTorch gives ±10¹², where its float64 is the measure' },
  ),
  row('self.m(x, y)', probable, { init: 'self.m = nn.BCELoss(reduction="none")' }),
  row('F.binary_cross_entropy_with_logits(x, y)', { x: [2, 3], y: unit(2, 3) }),
  row(
    'F.binary_cross_entropy_with_logits(x, y, self.w, pos_weight=self.w + 1)',
    { x: [2, 3], y: unit(2, 3) },
    classWeights(3),
  ),
  row('F.binary_cross_entropy_with_logits(x, y)', {
    x: { shape: [3], values: [80, -80, 0] },
    y: unit(3),
  }),
  row(
    'self.m(x, y)',
    { x: [2, 3], y: unit(2, 3) },
    { init: 'self.m = nn.BCEWithLogitsLoss(pos_weight=torch.ones(3) + 2)' },
  ),

  row('F.cosine_similarity(x, y)', { x: [2, 3, 4], y: [2, 3, 4] }),
  row('F.cosine_similarity(x, y, dim=-1, eps=1e-6)', { x: [2, 3, 4], y: [4] }),
  row(
    'F.cosine_similarity(x, y, dim=1)',
    { x: [3, 1, 2], y: [3, 4, 2] },
    { noGradient: 'x is one number here, whose size does not matter: its gradient is rounding' },
  ),
  row('self.m(x, y)', pair, { init: 'self.m = nn.CosineSimilarity(dim=0)' }),
]);
