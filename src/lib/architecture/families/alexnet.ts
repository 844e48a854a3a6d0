import source from './alexnet.py?raw';
import { int, type Family } from './family.ts';

export const alexnet: Family = {
  name: 'alexnet',
  source,
  propose(shapes) {
    if (!shapes.has('features.10.weight', 'classifier.6.weight')) return [];
    const channels = shapes.size('features.0.weight', 1);
    const num_classes = shapes.size('classifier.6.weight', 0);
    return [
      {
        title: 'AlexNet',
        model: 'AlexNet',
        args: int({ channels, num_classes }),
      },
    ];
  },
};
