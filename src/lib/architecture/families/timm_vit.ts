import { int, type Family } from './family.ts';
import { Customs } from './customs.ts';
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
    const places = shapes.size('pos_embed', 1);
    const places_first = Number.isInteger(Math.sqrt(places - (distilled ? 2 : 1)));
    const side = patch * Math.sqrt(places - (!places_first ? 0 : distilled ? 2 : 1));
    if (!Number.isInteger(side)) return [];
    const custom = new Customs(hints);
    const heads = custom.heads(width, ['num_heads'], 64);
    const name = { 192: 'Tiny', 384: 'Small', 768: 'Base', 1024: 'Large' }[width] ?? '';
    return [
      {
        title: `${distilled || !places_first ? 'DeiT' : 'ViT'} ${name}/${patch} (timm)`.replace(
          ' /',
          '/',
        ),
        model: 'VisionTransformer',
        args: {
          biased: shapes.has('blocks.0.attn.qkv.bias'),
          distilled,
          scaled: shapes.has('blocks.0.ls1.gamma'),
          places_first,
          ...int({
            image: side,
            patch,
            depth: shapes.count('blocks.'),
            width,
            heads,
            hidden: shapes.size('blocks.0.mlp.fc1.weight', 0),
            channels,
            num_classes: shapes.size('head.weight', 0),
          }),
        },
        ...custom.reading,
      },
    ];
  },
};
