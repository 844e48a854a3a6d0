import { spatial } from '#lib/runtime/ops/spatial/index.ts';
import { compareOps } from './compare.ts';
import { row } from './rows.ts';

/** A layer of one input. */
const layer = (init: string, x: readonly number[], training = false) =>
  row('self.m(x)', { x }, { init: `self.m = nn.${init}`, training });

compareOps('spatial', Object.keys(spatial), [
  // Convolutions: three axes, groups, gaps, unequal strides, without a batch.
  layer('Conv2d(3, 4, (3, 2), stride=2, padding=1)', [2, 3, 7, 6]),
  layer(
    'Conv2d(3, 4, 3, stride=(2, 1), padding=(0, 2), dilation=(1, 2), bias=False)',
    [2, 3, 9, 8],
  ),
  layer("Conv2d(3, 4, 3, padding='same', dilation=2)", [1, 3, 6, 7]),
  layer('Conv2d(3, 2, 3)', [3, 6, 5]),
  layer('Conv2d(4, 6, 3, groups=2, padding=1)', [2, 4, 5, 5]),
  layer('Conv2d(12, 8, 3, stride=2, groups=4, padding=1)', [2, 12, 7, 6]),
  layer('Conv2d(6, 6, 3, stride=2, groups=6, padding=1)', [2, 6, 7, 6]),
  layer('Conv2d(3, 9, (3, 2), stride=(1, 2), groups=3, dilation=2, padding=2)', [2, 3, 7, 8]),
  layer('Conv1d(3, 4, 3, stride=2, padding=2, dilation=2)', [2, 3, 11]),
  layer('Conv1d(4, 4, 5, groups=4, bias=False)', [4, 9]),
  layer('Conv3d(2, 3, (2, 3, 3), stride=(2, 1, 2), padding=(1, 1, 0))', [2, 2, 5, 4, 6]),
  layer('Conv3d(4, 4, 2, dilation=(2, 1, 1), groups=4)', [1, 4, 4, 3, 3]),
  layer("Conv2d(2, 3, (2, 4), padding='same', padding_mode='reflect')", [2, 2, 5, 6]),
  layer("Conv2d(2, 3, 3, stride=2, padding=(2, 1), padding_mode='replicate')", [2, 5, 6]),
  layer("Conv1d(2, 3, 5, padding=2, padding_mode='circular')", [2, 2, 6]),
  layer("Conv1d(2, 3, 4, padding='same')", [2, 2, 6]),
  row('F.conv2d(x, w, b, padding=1)', { x: [1, 2, 4, 4], w: [3, 2, 3, 3], b: [3] }),

  // Transposed convolutions.
  layer('ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1)', [2, 3, 4, 5]),
  layer('ConvTranspose2d(4, 6, (3, 2), stride=(1, 3), dilation=(2, 1), groups=2)', [2, 4, 4, 3]),
  layer('ConvTranspose2d(3, 3, 2, stride=2, groups=3, bias=False)', [3, 4, 4]),
  layer('ConvTranspose2d(2, 2, 1, stride=1, padding=1)', [1, 2, 5, 5]),
  layer('ConvTranspose1d(3, 2, 4, stride=2, padding=1)', [2, 3, 6]),
  layer('ConvTranspose3d(2, 3, 3, stride=2, padding=1, output_padding=1)', [1, 2, 3, 2, 3]),
  row(
    'self.m(x, output_size=(7, 8))',
    { x: [1, 2, 4, 4] },
    { init: 'self.m = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)' },
  ),
  row('F.conv_transpose2d(x, w, stride=2)', { x: [1, 2, 3, 3], w: [2, 3, 2, 2] }),

  // Pools.
  row('F.max_pool2d(x, 3, 2, 1)', { x: [2, 3, 7, 6] }),
  row('F.max_pool2d(x, (2, 3), stride=(1, 2), padding=(1, 0), dilation=(2, 1), ceil_mode=True)', {
    x: [2, 3, 7, 8],
  }),
  row('F.max_pool2d(x, 3, stride=2, ceil_mode=True)', { x: [3, 6, 8] }),
  layer('MaxPool1d(3, stride=2, padding=1)', [2, 3, 8]),
  layer('MaxPool3d((2, 3, 2), stride=2, padding=1, ceil_mode=True)', [1, 2, 5, 5, 4]),
  row('F.avg_pool2d(x, 3, 2, 1)', { x: [2, 3, 7, 6] }),
  row('F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)', { x: [2, 3, 6, 8] }),
  row('F.avg_pool2d(x, (3, 2), 2, 1, True, False)', { x: [2, 3, 6, 8] }),
  row('F.avg_pool2d(x, 2, divisor_override=3)', { x: [3, 6, 8] }),
  layer('AvgPool1d(4, stride=3, padding=1, count_include_pad=False)', [2, 3, 9]),
  layer(
    'AvgPool3d(3, stride=2, padding=1, count_include_pad=False, ceil_mode=True)',
    [1, 2, 4, 5, 6],
  ),
  row('F.adaptive_avg_pool2d(x, (3, 2))', { x: [2, 3, 7, 6] }),
  row('F.adaptive_avg_pool2d(x, 1)', { x: [2, 3, 7, 6] }),
  layer('AdaptiveAvgPool2d((None, 3))', [2, 3, 4, 9]),
  layer('AdaptiveAvgPool2d(7)', [1, 2, 3, 4]),
  layer('AdaptiveAvgPool1d(4)', [2, 3, 10]),
  layer('AdaptiveAvgPool3d((2, 1, 3))', [1, 2, 5, 4, 3]),
  layer('AdaptiveMaxPool2d((3, 2))', [2, 3, 7, 6]),
  layer('AdaptiveMaxPool2d(1)', [2, 3, 6, 6]),
  layer('AdaptiveMaxPool1d(4)', [2, 3, 10]),
  layer('AdaptiveMaxPool3d((2, 1, 3))', [1, 2, 5, 4, 3]),

  // Norms.
  layer('BatchNorm2d(3)', [2, 3, 4, 4]),
  layer('BatchNorm2d(3)', [2, 3, 4, 4], true),
  layer('BatchNorm2d(3, affine=False, track_running_stats=False)', [2, 3, 4, 4]),
  layer('BatchNorm1d(3)', [4, 3]),
  layer('BatchNorm1d(3, momentum=None)', [4, 3, 5], true),
  layer('BatchNorm3d(2, eps=1e-3)', [2, 2, 3, 2, 3], true),
  layer('SyncBatchNorm(2)', [2, 2, 3, 2]),
  row('F.batch_norm(x, None, None, training=True)', { x: [4, 3, 2, 2] }),
  layer('LayerNorm(5)', [2, 3, 5]),
  layer('LayerNorm((3, 5), eps=1e-3, bias=False)', [2, 3, 5]),
  row('F.layer_norm(x, (5,))', { x: [2, 3, 5] }),
  row(
    'F.layer_norm(self.m(x), (2, 4, 4))',
    { x: [1, 3, 4, 4] },
    { init: 'self.m = nn.Conv2d(3, 2, 1)' },
  ),
  layer('GroupNorm(2, 6)', [2, 6, 3, 4]),
  layer('GroupNorm(1, 4, affine=False)', [2, 4, 5]),
  layer('InstanceNorm2d(3)', [2, 3, 4, 4]),
  layer('InstanceNorm2d(3, affine=True, track_running_stats=True)', [2, 3, 4, 4]),
  layer('InstanceNorm2d(3, affine=True, track_running_stats=True)', [2, 3, 4, 4], true),
  layer('InstanceNorm1d(3)', [3, 6]),
  layer('InstanceNorm3d(2, affine=True)', [2, 2, 2, 3, 2]),
  row('F.instance_norm(x, weight=w)', { x: [2, 3, 4, 4], w: [3] }),
  layer('RMSNorm(6)', [2, 3, 6]),
  row('F.rms_norm(x, (3, 4), w, 1e-5)', { x: [2, 3, 4], w: [3, 4] }),
  layer('LocalResponseNorm(3, alpha=0.5, k=2.0)', [2, 5, 3, 3]),
  row('F.local_response_norm(x, 4, beta=0.5)', { x: [2, 5, 6] }),

  // Resampling.
  row('F.interpolate(x, scale_factor=2)', { x: [2, 3, 4, 5] }),
  row('F.interpolate(x, size=(7, 3))', { x: [2, 3, 4, 5] }),
  row("F.interpolate(x, scale_factor=1.7, mode='nearest-exact')", { x: [2, 3, 5] }),
  row("F.interpolate(x, scale_factor=(1.5, 0.6, 2), mode='nearest')", { x: [1, 2, 4, 5, 3] }),
  row("F.interpolate(x, scale_factor=2, mode='linear')", { x: [2, 3, 5] }),
  row("F.interpolate(x, size=7, mode='linear', align_corners=True)", { x: [2, 3, 5] }),
  row("F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)", { x: [2, 3, 4, 5] }),
  row("F.interpolate(x, scale_factor=0.7, mode='bilinear')", { x: [2, 3, 8, 9] }),
  row("F.interpolate(x, scale_factor=0.7, mode='bilinear', recompute_scale_factor=True)", {
    x: [2, 3, 8, 9],
  }),
  row("F.interpolate(x, size=(3, 12), mode='bilinear', antialias=True)", { x: [2, 3, 8, 9] }),
  row("F.interpolate(x, size=(6, 9), mode='bicubic')", { x: [2, 3, 4, 5] }),
  row("F.interpolate(x, size=(6, 3), mode='bicubic', align_corners=True)", { x: [2, 3, 4, 5] }),
  row("F.interpolate(x, size=(3, 11), mode='bicubic', antialias=True)", { x: [2, 3, 8, 9] }),
  row("F.interpolate(x, scale_factor=2, mode='trilinear')", { x: [1, 2, 2, 3, 4] }),
  row("F.interpolate(x, size=(3, 4), mode='area')", { x: [2, 3, 8, 9] }),
  layer("Upsample(scale_factor=3, mode='bilinear')", [1, 2, 3, 4]),
  layer('UpsamplingNearest2d(scale_factor=2)', [1, 2, 3, 4]),
  layer('UpsamplingBilinear2d(size=(5, 7))', [1, 2, 3, 4]),
]);
