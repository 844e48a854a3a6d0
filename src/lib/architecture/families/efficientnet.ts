import { list, tuple } from '#lib/checkpoint/value.ts';
import source from './efficientnet.py?raw';
import { int, type Family, type Shapes } from './family.ts';

/** Strides of the seven stages (Tan & Le 2019, table 1). */
const STRIDES = [1, 2, 2, 2, 1, 2, 1];

/** By the channels of the last layer: name, dropout, and BatchNorm's epsilon. */
const VARIANTS: Readonly<Record<number, readonly [string, number, number]>> = {
  1280: ['B0', 0.2, 1e-5],
  1408: ['B2', 0.3, 1e-5],
  1536: ['B3', 0.3, 1e-5],
  1792: ['B4', 0.4, 1e-5],
  2048: ['B5', 0.4, 1e-3],
  2304: ['B6', 0.5, 1e-3],
  2560: ['B7', 0.5, 1e-3],
};

export const efficientnet: Family = {
  name: 'efficientnet',
  source,
  propose(shapes) {
    if (!shapes.has('features.1.0.block.0.0.weight', 'classifier.1.weight')) return [];
    const [num_classes = 0, last = 0] = shapes.of('classifier.1.weight');
    const variant = VARIANTS[last];
    const stages = STRIDES.map((stride, at) => stageOf(shapes, at + 1, stride));
    if (!variant || stages.some((stage) => stage.items.length === 0)) return [];
    const [name, dropout, eps] = variant;
    const isB1 = last === 1280 && stages[0]!.items.length > 1;
    const [stem = 0, channels = 0] = shapes.of('features.0.0.weight');
    return [
      {
        title: `EfficientNet-${isB1 ? 'B1' : name}`,
        model: 'EfficientNet',
        args: {
          stages: list(...stages),
          eps,
          dropout,
          ...int({ stem, last, channels, num_classes }),
        },
      },
    ];
  },
};

function stageOf(shapes: Shapes, at: number, stride: number) {
  const blocks = Array.from({ length: shapes.count(`features.${at}.`) }, (_, number) => {
    const name = `features.${at}.${number}.block`;
    const expands = shapes.has(`${name}.3.0.weight`) ? 1 : 0;
    const [hidden = 0, , kernel = 0] = shapes.of(`${name}.${expands}.0.weight`);
    const squeezed = shapes.size(`${name}.${expands + 1}.fc1.weight`, 0);
    const outputs = shapes.size(`${name}.${expands + 2}.0.weight`, 0);
    return tuple(...[hidden, outputs, kernel, number === 0 ? stride : 1, squeezed].map(BigInt));
  });
  return list(...blocks);
}
