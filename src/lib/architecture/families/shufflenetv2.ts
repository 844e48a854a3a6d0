import { int, ints, type Family } from './family.ts';
import source from './shufflenetv2.py?raw';

export const shufflenetv2: Family = {
  name: 'shufflenetv2',
  source,
  propose(shapes) {
    if (!shapes.has('stage2.0.branch1.0.weight', 'conv5.0.weight', 'fc.weight')) return [];
    const stages = [2, 3, 4];
    const depths = stages.map((stage) => shapes.count(`stage${stage}.`));
    const widths = [
      shapes.size('conv1.0.weight', 0),
      ...stages.map((stage) => 2 * shapes.size(`stage${stage}.0.branch2.0.weight`, 0)),
      shapes.size('conv5.0.weight', 0),
    ];
    const channels = shapes.size('conv1.0.weight', 1);
    const num_classes = shapes.size('fc.weight', 0);
    return [
      {
        title: 'ShuffleNetV2',
        model: 'ShuffleNetV2',
        args: { depths: ints(depths), widths: ints(widths), ...int({ channels, num_classes }) },
      },
    ];
  },
};
