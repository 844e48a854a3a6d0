import source from './convnext.py?raw';
import { int, ints, type Family } from './family.ts';

/** By depths of the third stage and the first width. */
const NAMES: Readonly<Record<string, string>> = {
  '9 96': 'Tiny',
  '27 96': 'Small',
  '27 128': 'Base',
  '27 192': 'Large',
};

export const convnext: Family = {
  name: 'convnext',
  source,
  propose(shapes) {
    if (!shapes.has('features.1.0.layer_scale', 'features.0.0.weight', 'classifier.2.weight'))
      return [];
    const widths: number[] = [];
    const depths: number[] = [];
    for (let at = 1; shapes.has(`features.${at}.0.layer_scale`); at += 2) {
      widths.push(shapes.size(`features.${at}.0.layer_scale`, 0));
      depths.push(shapes.count(`features.${at}.`));
    }
    const channels = shapes.size('features.0.0.weight', 1);
    const num_classes = shapes.size('classifier.2.weight', 0);
    const name = NAMES[`${depths[2]} ${widths[0]}`];
    return [
      {
        title: name ? `ConvNeXt ${name}` : 'ConvNeXt',
        model: 'ConvNeXt',
        args: { widths: ints(widths), depths: ints(depths), ...int({ channels, num_classes }) },
      },
    ];
  },
};
