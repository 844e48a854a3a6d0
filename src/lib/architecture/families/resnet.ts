import { int, ints, type Family } from './family.ts';
import source from './resnet.py?raw';

/** ResNet-18 to 152, ResNeXt and Wide ResNet (He et al. 2015; Xie et al. 2016; Zagoruyko 2016). */
export const resnet: Family = {
  name: 'resnet',
  source,
  propose(shapes) {
    if (!shapes.has('conv1.weight', 'layer1.0.conv1.weight', 'fc.weight')) return [];
    const depths = [1, 2, 3, 4].map((stage) => shapes.count(`layer${stage}.`)).filter(Boolean);
    const bottleneck = shapes.has('layer1.0.conv3.weight');
    const width = shapes.size('layer1.0.conv1.weight', 0);
    const groups = bottleneck ? width / shapes.size('layer1.0.conv2.weight', 1) : 1;
    const layers = depths.reduce((sum, depth) => sum + depth * (bottleneck ? 3 : 2), 2);
    const channels = shapes.size('conv1.weight', 1);
    const kind = groups > 1 ? 'ResNeXt' : width > 64 ? 'Wide ResNet' : 'ResNet';
    const detail = groups > 1 ? ` ${groups}×${width / groups}d` : '';
    return [
      {
        title: `${kind}-${layers}${detail}`,
        model: 'ResNet',
        args: {
          depths: ints(depths),
          bottleneck,
          ...int({ width, groups, channels, num_classes: shapes.size('fc.weight', 0) }),
        },
      },
    ];
  },
};
