import { int, type Family } from './family.ts';
import source from './squeezenet.py?raw';

export const squeezenet: Family = {
  name: 'squeezenet',
  source,
  propose(shapes) {
    if (!shapes.has('features.3.squeeze.weight', 'classifier.1.weight')) return [];
    const version = shapes.size('features.0.weight', 0) === 96 ? '1_0' : '1_1';
    const channels = shapes.size('features.0.weight', 1);
    const num_classes = shapes.size('classifier.1.weight', 0);
    return [
      {
        title: `SqueezeNet ${version.replace('_', '.')}`,
        model: 'SqueezeNet',
        args: { version, ...int({ channels, num_classes }) },
      },
    ];
  },
};
