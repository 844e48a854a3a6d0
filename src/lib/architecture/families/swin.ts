import { int, ints, type Family } from './family.ts';
import source from './swin.py?raw';

const NAMES: Readonly<Record<string, string>> = { '6 96': 'T', '18 96': 'S', '18 128': 'B' };

export const swin: Family = {
  name: 'swin',
  source,
  propose(shapes) {
    const table = 'attn.relative_position_bias_table';
    if (!shapes.has('features.0.0.weight', `features.1.0.${table}`, 'head.weight')) return [];
    const depths: number[] = [];
    const heads: number[] = [];
    for (let at = 1; shapes.has(`features.${at}.0.${table}`); at += 2) {
      depths.push(shapes.count(`features.${at}.`));
      heads.push(shapes.size(`features.${at}.0.${table}`, 1));
    }
    const [width = 0, channels = 0, patch = 0] = shapes.of('features.0.0.weight');
    const size = (Math.sqrt(shapes.size(`features.1.0.${table}`, 0)) + 1) / 2;
    const ratio = shapes.size('features.1.0.mlp.0.weight', 0) / width;
    if (!Number.isInteger(size) || !Number.isInteger(ratio)) return [];
    const num_classes = shapes.size('head.weight', 0);
    return [
      {
        title: `Swin-${NAMES[`${depths[2]} ${width}`] ?? width}`,
        model: 'SwinTransformer',
        args: {
          depths: ints(depths),
          heads: ints(heads),
          ...int({ width, size, patch, ratio, channels, num_classes }),
        },
      },
    ];
  },
};
