/** What of torch is written in Python: it is made of ops that have rows of their own. */
import { expect, it } from 'vitest';
import { publicNames } from '#lib/architecture/torch/written/index.ts';
import { compareOps } from './compare.ts';
import { row, type InputSpec, type Row } from './rows.ts';

const signs = (...values: number[]): InputSpec => ({ shape: [values.length], values });
const bools = (shape: number[], ...values: number[]): InputSpec => ({
  shape,
  dtype: 'bool',
  values,
});
const layer = (
  call: string,
  init: string,
  inputs: Row['inputs'],
  options: Partial<Row> = {},
): Row => row(call, inputs, { init: `self.m = nn.${init}`, ...options });

/** One shape for all of them: on WebGPU a shader is compiled for each. */
const src = [3, 2, 4];
const hidden = bools([2, 3], 0, 0, 1, 0, 0, 0);
const causal = 'self.m.generate_square_subsequent_mask(3)';

const rows: readonly Row[] = [
  // Transformers.
  layer('self.m(x)', 'TransformerEncoderLayer(4, 2, 6)', { x: src }),
  layer(
    'self.m(x, src_mask=nn.Transformer.generate_square_subsequent_mask(3), is_causal=True)',
    "TransformerEncoderLayer(4, 2, 6, activation='gelu', batch_first=True, norm_first=True, bias=False)",
    { x: [2, 3, 4] },
  ),
  layer(
    'self.m(x, m, p)',
    'TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, 0.0, F.silu), 2, nn.LayerNorm(4))',
    { x: src, m: bools([3, 3], 0, 1, 0, 0, 0, 0, 1, 0, 0), p: hidden },
    { training: true },
  ),
  layer(
    'self.m(x, x, tgt_mask=m, tgt_key_padding_mask=p)',
    'TransformerDecoderLayer(4, 2, 6, 0.0, nn.GELU(), norm_first=True)',
    { x: src, m: [3, 3], p: hidden },
    { training: true },
  ),
  layer(
    'self.m(y, x, memory_key_padding_mask=p)',
    'TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, layer_norm_eps=1e-3), 1, nn.LayerNorm(4))',
    { x: src, y: src, p: hidden },
  ),
  layer(`self.m(x, y, tgt_mask=${causal}, tgt_is_causal=True)`, 'Transformer(4, 2, 1, 1, 6)', {
    x: src,
    y: src,
  }),
  layer('self.m(x[:, 0], y[:, 0])', 'Transformer(4, 2, 1, 1, 6, batch_first=True)', {
    x: src,
    y: src,
  }),

  // Parameters in lists and dicts.
  row(
    'sum(p * x for p in self.m[1:]) + self.m[-3] * len(self.m)',
    { x: [3] },
    {
      init: 'self.m = nn.ParameterList([torch.ones(3), nn.Parameter(torch.ones(1))])\nself.m.append(nn.Parameter(torch.zeros(3)))',
    },
  ),
  row(
    "sum(p * x for _, p in self.m.items()) + self.m['a'] + ('c' in self.m) + self.m.b",
    { x: [3] },
    { init: "self.m = nn.ParameterDict({'b': torch.ones(3), 'a': torch.ones(1)})" },
  ),

  // Sampling.
  ...['zeros', 'border', 'reflection'].flatMap((padding) => [
    row(`F.grid_sample(x, g, padding_mode='${padding}', align_corners=True)`, {
      x: [2, 3, 4, 5],
      g: [2, 2, 3, 2],
    }),
    row(`F.grid_sample(x, g, 'bicubic', '${padding}', False)`, {
      x: [2, 3, 4, 5],
      g: [2, 2, 3, 2],
    }),
    row(
      `F.grid_sample(x, F.affine_grid(torch.tensor([[[0.8, 0.3, 0.1], [-0.4, 1.1, 0.5]]] * 2), [2, 3, 3, 4], False), 'nearest', '${padding}', False)`,
      { x: [2, 3, 4, 5] },
    ),
  ]),
  row('F.grid_sample(x, g, align_corners=False)', { x: [1, 2, 3, 4, 2], g: [1, 2, 2, 3, 3] }),
  row(
    'F.affine_grid(t, (2, 3, 4, 5), align_corners=True), F.affine_grid(t, (2, 3, 1, 3), align_corners=False)',
    { t: [2, 2, 3] },
  ),
  row('F.affine_grid(t, (1, 1, 2, 3, 2), align_corners=False)', { t: [1, 3, 4] }),

  // Pools.
  layer('self.m(x), F.lp_pool1d(x, 2, 3)', 'LPPool1d(2, 3, stride=2)', { x: [2, 3, 8] }),
  layer('self.m(x), F.lp_pool2d(x, 2.0, 2)', 'LPPool2d(3, (2, 3), ceil_mode=True)', {
    x: { shape: [1, 2, 5, 6], low: 0.1, high: 1 },
  }),
  layer('self.m(x), F.lp_pool3d(x, 1, 2, 1)', 'LPPool3d(2, (1, 2, 2))', {
    x: { shape: [1, 2, 2, 3, 4], low: 0.1, high: 1 },
  }),
  layer('self.m(x)', 'MaxPool2d(2, return_indices=True)', { x: [2, 3, 6, 4] }),
  row('F.max_pool2d(x, (3, 2), (2, 1), 1, (1, 2), True, True)', { x: [3, 6, 7] }),
  row(
    'F.max_pool1d(x, 3, 2, 1, return_indices=True), F.max_pool1d_with_indices(x, 2), F.max_pool2d_with_indices(x, 2)',
    { x: [2, 3, 7] },
  ),
  row(
    'y, i = F.max_pool2d(x, 2, return_indices=True)\nreturn self.m(y * 2, i), F.max_unpool2d(y, i, 2, output_size=x.shape)',
    { x: [1, 2, 5, 4] },
    { init: 'self.m = nn.MaxUnpool2d(2, stride=2)' },
  ),
  row(
    'y, i = F.max_pool1d(x, 2, return_indices=True)\nreturn self.m(y, i), F.max_unpool1d(y, i, 2)',
    { x: [2, 2, 6] },
    { init: 'self.m = nn.MaxUnpool1d(2)' },
  ),

  // Distances.
  layer('self.m(x, y), F.pairwise_distance(x, y, 1.0, keepdim=True)', 'PairwiseDistance()', {
    x: [4, 3],
    y: [4, 3],
  }),
  row('torch.cdist(x, y), torch.cdist(x, y, p=1.0), torch.cdist(x[0], y[1], p=math.inf)', {
    x: [2, 3, 4],
    y: [2, 5, 4],
  }),
  row('torch.pdist(x), F.pdist(x, 1.0)', { x: [4, 3] }),

  // Losses.
  layer(
    'self.m(x, y, t), F.margin_ranking_loss(x, y, t, 0.5, reduction="sum")',
    'MarginRankingLoss()',
    { x: [4], y: [4], t: signs(1, -1, 1, -1) },
  ),
  layer('self.m(x, t), F.hinge_embedding_loss(x, t)', "HingeEmbeddingLoss(0.7, reduction='none')", {
    x: [4],
    t: signs(1, -1, 1, -1),
  }),
  layer(
    'self.m(x, y, t), F.cosine_embedding_loss(x, y, t)',
    "CosineEmbeddingLoss(0.2, reduction='sum')",
    { x: [4, 3], y: [4, 3], t: signs(1, -1, 1, -1) },
  ),
  layer(
    'self.m(x, y, z), F.triplet_margin_loss(x, y, z, p=1)',
    'TripletMarginLoss(2.0, swap=True)',
    {
      x: [4, 3],
      y: [4, 3],
      z: [4, 3],
    },
  ),
  layer(
    'self.m(x, y, z), F.triplet_margin_with_distance_loss(x, y, z, swap=True)',
    'TripletMarginWithDistanceLoss(distance_function=lambda a, b: 1 - F.cosine_similarity(a, b))',
    { x: [4, 3], y: [4, 3], z: [4, 3] },
  ),
  layer(
    'self.m(x, t), F.poisson_nll_loss(x * x, t, log_input=False)',
    'PoissonNLLLoss(full=True)',
    { x: [2, 3], t: { shape: [2, 3], low: 0, high: 4 } },
  ),
  layer(
    'self.m(x, y, v), F.gaussian_nll_loss(x, y, v[:, :1], True), F.gaussian_nll_loss(x, y, 0.5)',
    "GaussianNLLLoss(eps=0.5, reduction='sum')",
    { x: [2, 3], y: [2, 3], v: { shape: [2, 3], low: 0.1, high: 2 } },
  ),
  layer('self.m(x, t.detach()), F.soft_margin_loss(x, t.detach())', 'SoftMarginLoss()', {
    x: [4],
    t: signs(1, -1, 1, -1),
  }),
  layer(
    'self.m(x, t), F.multi_margin_loss(x, t, p=2, margin=0.5)',
    'MultiMarginLoss(weight=torch.tensor([1.0, 2.0, 0.5]))',
    { x: [4, 3], t: { shape: [4], dtype: 'int64', low: 0, high: 3 } },
  ),
  layer(
    'self.m(x, t), F.multilabel_soft_margin_loss(x, t, x[:1].detach())',
    'MultiLabelSoftMarginLoss()',
    {
      x: [2, 3],
      t: { shape: [2, 3], values: [1, 0, 1, 0, 0, 1] },
    },
  ),

  // Weights that are worked out of others. The state_dicts are PyTorch's.
  ...['nn.utils', 'nn.utils.parametrizations'].flatMap((place) => [
    row(
      'self.m(x)',
      { x: [2, 2, 5] },
      { init: `self.m = ${place}.weight_norm(nn.Conv1d(2, 3, 3))` },
    ),
    row(
      'self.m(x)',
      { x: [2, 4] },
      { init: `self.m = ${place}.weight_norm(nn.Linear(4, 3), 'weight', None)` },
    ),
    row(
      'self.m(x)',
      { x: [2, 2, 3] },
      { init: `self.m = ${place}.weight_norm(nn.ConvTranspose1d(2, 3, 3, bias=False), dim=1)` },
    ),
    row(
      'self.m(x), self.n(x[:, :, 0])',
      { x: [2, 2, 3] },
      {
        init: `self.m = ${place}.spectral_norm(nn.ConvTranspose1d(2, 3, 3))\nself.n = ${place}.spectral_norm(nn.Linear(2, 3))`,
      },
    ),
  ]),
  row(
    'self.m(x)[0]',
    { x: [3, 2, 4] },
    { init: "self.m = nn.utils.weight_norm(nn.GRU(4, 3), 'weight_hh_l0')" },
  ),
  row(
    'self.m(x)',
    { x: [2, 4] },
    { init: 'self.m = nn.utils.remove_weight_norm(nn.utils.weight_norm(nn.Linear(4, 3)))' },
  ),
  row(
    'self.m(i)',
    { i: { shape: [2, 3], dtype: 'int64', low: 0, high: 4 } },
    { init: 'self.m = nn.Embedding.from_pretrained(torch.ones(4, 3), padding_idx=1)' },
  ),

  row('self.m(x)', { x: [2, 4] }, { init: 'self.m = nn.DataParallel(nn.Linear(4, 3))' }),

  // Functions of `torch` that are those of `F`.
  row(
    'torch.conv2d(x, w), torch.conv_transpose2d(x, w), torch.max_pool2d(x, 2), torch.group_norm(x, 2), torch.rms_norm(x, [3]), torch.bilinear(x[0, 0], x[0, 1], x[0])',
    { x: [2, 2, 3, 3], w: [2, 2, 2, 2] },
  ),
  row('torch.conv_transpose1d(x, w), torch.avg_pool1d(x, 2), torch.adaptive_avg_pool1d(x, 2)', {
    x: [2, 2, 5],
    w: [2, 2, 3],
  }),
  row('torch.conv3d(x, w), torch.conv_transpose3d(x, w), torch.max_pool3d(x, 2)', {
    x: [1, 1, 3, 3, 2],
    w: [1, 1, 2, 2, 2],
  }),
  row(
    'x * torch.randperm(4).sort()[0].to(torch.get_default_dtype()) * torch.is_floating_point(x)',
    { x: [4] },
  ),

  // Functions of tensors.
  row('torch.diff(x), x.diff(2, 0), x.diff(prepend=x[:, :1], append=x), (x > 0).diff(dim=0)', {
    x: [3, 4],
  }),
  row('x.trace(), torch.cross(x, y, -1), x.T.cross(y.T), torch.kron(x, y), torch.kron(x[0], y)', {
    x: [4, 3],
    y: [4, 3],
  }),
  row(
    'torch.hypot(x, y), torch.logaddexp(x, y), torch.logaddexp2(x, y), x.asinh() + x.arcsinh(), torch.dist(x, y), x.dist(y, 1)',
    { x: [4, 3], y: [4, 3] },
  ),
  row(
    'torch.xlogy(x, y), x.logit(), x.logit(0.2), x.atanh() + x.arctanh(), (y + 1).acosh() + torch.arccosh(y + 1), x.xlogy(2.0), torch.deg2rad(x), x.rad2deg(), torch.sinc(y)',
    { x: { shape: [3, 4], low: 0.1, high: 0.9 }, y: { shape: [3, 4], low: 0.2, high: 2 } },
  ),
  row(
    'x.median(), x.median(1), torch.median(x, 0, True), x.quantile(0.3, 1), x.quantile(0.5), x.aminmax(dim=1), torch.msort(x)',
    { x: [3, 4] },
  ),
  row(
    'x.nansum(), x.nanmean(1), torch.fmax(x, y), torch.fmin(x, y), torch.isneginf(x / 0), (x / 0).isposinf()',
    { x: { shape: [2, 3], values: [1, Number.NaN, -2, 3, -5, 0.5] }, y: [2, 3] },
    { noGradient: 'NaN and infinity' },
  ),
  row(
    'torch.diag_embed(x), x.diag_embed(1), torch.diagflat(x, -1), torch.block_diag(x, x[0]), torch.cartesian_prod(x[0], x[1])',
    { x: [2, 3] },
  ),
  row(
    'torch.isclose(x, y), torch.heaviside(x.detach(), y.detach()), x.sgn() * x',
    { x: signs(0, 1, -2, 3), y: signs(0, 1.00001, 2, 3.1) },
    { noGradient: 'steps' },
  ),
  row('x.logcumsumexp(1), torch.addmv(b, x, y), torch.addr(x, b, y, beta=0.5, alpha=2)', {
    x: [2, 3],
    b: [2],
    y: [3],
  }),
  row(
    'torch.bucketize(x, b), torch.bucketize(x, b, right=True), torch.embedding(w, i), torch.dropout(w, 0.5, False), torch.conv1d(w.T[None], w[:, :, None]), torch.layer_norm(w, [3]), w * torch.numel(x)',
    {
      x: { shape: [2, 3], dtype: 'int64', low: 0, high: 9 },
      b: { shape: [3], dtype: 'int64', values: [2, 4, 6] },
      w: [4, 3],
      i: { shape: [2], dtype: 'int64', low: 0, high: 4 },
    },
  ),
];

it('has a row for each public name', () => {
  const code = rows.map(({ code, init }) => `${code} ${init ?? ''}`).join('\n');
  expect(publicNames().filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
});

compareOps('written', null, rows);
