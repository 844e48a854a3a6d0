import source from './densenet.py?raw';
import { int, ints, type Family } from './family.ts';

export const densenet: Family = {
  name: 'densenet',
  source,
  propose(shapes) {
    const first = 'features.denseblock1.denselayer1';
    if (!shapes.has('features.conv0.weight', `${first}.conv2.weight`, 'classifier.weight'))
      return [];
    const depths: number[] = [];
    for (let block = 1; ; block++) {
      const prefix = `features.denseblock${block}.denselayer`;
      let depth = 0;
      while (shapes.has(`${prefix}${depth + 1}.conv1.weight`)) depth++;
      if (depth === 0) break;
      depths.push(depth);
    }
    const [width = 0, channels = 0] = shapes.of('features.conv0.weight');
    const [growth = 0, bottleneck = 0] = shapes.of(`${first}.conv2.weight`);
    const layers = depths.reduce((sum, depth) => sum + 2 * depth, depths.length + 1);
    return [
      {
        title: `DenseNet-${layers}`,
        model: 'DenseNet',
        args: {
          depths: ints(depths),
          ...int({
            growth,
            width,
            bottleneck,
            channels,
            num_classes: shapes.size('classifier.weight', 0),
          }),
        },
      },
    ];
  },
};
