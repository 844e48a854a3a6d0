/** Resampling of `torch.nn`. */
import { interpolate } from '../functional/resize.ts';
import type { Layer, Layers } from '../layer.ts';

/** An `nn.Upsample` of one mode: the arguments that it does not take are attributes all the same. */
const upsampling = (mode: string, alignCorners: boolean | null): Layer => ({
  signature: 'size=None, scale_factor=None',
  build({ set }) {
    set('mode', mode);
    set('align_corners', alignCorners);
  },
  forward: (call, self) =>
    interpolate(self, call.tensor('input'), { recompute: false, antialias: false }),
});

export const layers: Layers = {
  Upsample: {
    signature:
      "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None",
    forward: (call, self) => {
      const recompute = self.value('recompute_scale_factor');
      return interpolate(self, call.tensor('input'), {
        recompute: recompute !== null && self.bool('recompute_scale_factor'),
        antialias: false,
      });
    },
  },
  UpsamplingNearest2d: upsampling('nearest', null),
  UpsamplingBilinear2d: upsampling('bilinear', true),
};
