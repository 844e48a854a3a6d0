import { int, type Family } from './family.ts';
import { headsOf } from './heads.ts';
import source from './timm_vit.py?raw';

export const timmVit: Family = {
  name: 'timm_vit',
  source,
  propose(shapes, hints) {
    if (
      !shapes.has('cls_token', 'pos_embed', 'patch_embed.proj.weight', 'blocks.0.attn.qkv.weight')
    )
      return [];
    const distilled = shapes.has('dist_token', 'head_dist.weight');
    const [width = 0, channels = 0, patch = 0] = shapes.of('patch_embed.proj.weight');
    const side = patch * Math.sqrt(shapes.size('pos_embed', 1) - (distilled ? 2 : 1));
    if (!Number.isInteger(side)) return [];
    const heads = headsOf(width, hints, ['num_heads'], 64);
    const name = { 192: 'Tiny', 384: 'Small', 768: 'Base', 1024: 'Large' }[width] ?? '';
    return [
      {
        title: `${distilled ? 'DeiT' : 'ViT'} ${name}/${patch} (timm)`.replace(' /', '/'),
        model: 'VisionTransformer',
        args: {
          biased: shapes.has('blocks.0.attn.qkv.bias'),
          distilled,
          ...int({
            image: side,
            patch,
            depth: shapes.count('blocks.'),
            width,
            heads: heads.count,
            hidden: shapes.size('blocks.0.mlp.fc1.weight', 0),
            channels,
            num_classes: shapes.size('head.weight', 0),
          }),
        },
        assumed: heads.assumed,
      },
    ];
  },
};
