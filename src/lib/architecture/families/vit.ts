import { int, type Family } from './family.ts';
import { Customs } from './customs.ts';
import source from './vit.py?raw';

export const vit: Family = {
  name: 'vit',
  source,
  propose(shapes, hints) {
    const first = 'encoder.layers.encoder_layer_0.';
    if (!shapes.has('class_token', 'conv_proj.weight', 'heads.head.weight')) return [];
    const named = shapes.has(`${first}mlp.linear_1.weight`);
    const [width = 0, channels = 0, patch = 0] = shapes.of('conv_proj.weight');
    const side = patch * Math.sqrt(shapes.size('encoder.pos_embedding', 1) - 1);
    if (!Number.isInteger(side)) return [];
    // H/14 has 80 numbers a head, the others 64.
    const custom = new Customs(hints);
    const heads = custom.heads(width, ['num_heads'], width === 1280 ? 80 : 64);
    const depth = shapes.count('encoder.layers.encoder_layer_');
    const hidden = shapes.size(`${first}mlp.${named ? 'linear_1' : '0'}.weight`, 0);
    const num_classes = shapes.size('heads.head.weight', 0);
    const size = { 768: 'B', 1024: 'L', 1280: 'H' }[width];
    return [
      {
        title: size ? `ViT-${size}/${patch}` : `ViT/${patch}`,
        model: 'VisionTransformer',
        args: {
          named,
          ...int({ image: side, patch, depth, width, heads, hidden }),
          ...int({ channels, num_classes }),
        },
        ...custom.reading,
      },
    ];
  },
};
