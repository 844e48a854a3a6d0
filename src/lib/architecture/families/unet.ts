import { int, type Family } from './family.ts';
import source from './unet.py?raw';

export const unet: Family = {
  name: 'unet',
  source,
  propose(shapes) {
    if (
      !shapes.has('inc.double_conv.0.weight', 'up4.conv.double_conv.0.weight', 'outc.conv.weight')
    )
      return [];
    const [width = 0, channels = 0] = shapes.of('inc.double_conv.0.weight');
    const classes = shapes.size('outc.conv.weight', 0);
    return [
      {
        title: 'U-Net',
        model: 'UNet',
        args: { ...int({ channels, classes, width }), bilinear: !shapes.has('up1.up.weight') },
      },
    ];
  },
};
