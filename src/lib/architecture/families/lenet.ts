import { int, type Family } from './family.ts';
import source from './lenet.py?raw';

/** A grey picture is MNIST's, 28 by 28 and padded; a coloured one is CIFAR's, 32 by 32. */
export const lenet: Family = {
  name: 'lenet',
  source,
  propose(shapes) {
    if (shapes.of('conv2.weight').join() !== '16,6,5,5' || !shapes.has('fc3.weight')) return [];
    const channels = shapes.size('conv1.weight', 1);
    const isGrey = channels === 1;
    const num_classes = shapes.size('fc3.weight', 0);
    return [
      {
        title: 'LeNet-5',
        model: 'LeNet',
        args: int({ channels, padding: isGrey ? 2 : 0, num_classes }),
        assumed: ['ReLU and max pooling', ...(isGrey ? ['padding 2 in conv1'] : [])],
        origins: { padding: 'custom' },
      },
    ];
  },
};
