import { list, tuple } from '#lib/checkpoint/value.ts';
import { int, type Family, type Shapes } from './family.ts';
import source from './mobilenetv3.py?raw';

/** Which blocks halve the image and which use hard swish (Howard et al. 2019, tables 1 and 2). */
const VARIANTS = [
  { name: 'large', blocks: 15, halves: [1, 3, 6, 12], hardFrom: 6 },
  { name: 'small', blocks: 11, halves: [0, 1, 3, 8], hardFrom: 3 },
];

export const mobilenetv3: Family = {
  name: 'mobilenetv3',
  source,
  propose(shapes) {
    if (!shapes.has('features.0.0.weight', 'features.1.block.0.0.weight', 'classifier.3.weight'))
      return [];
    const rows = blocksOf(shapes);
    const variant = VARIANTS.find(({ blocks }) => blocks === rows.length);
    if (!variant) return [];
    const blocks = rows.map(({ kernel, hidden, outputs, squeezed }, at) =>
      tuple(
        ...[kernel, hidden, outputs, squeezed].map(BigInt),
        at >= variant.hardFrom,
        variant.halves.includes(at) ? 2n : 1n,
      ),
    );
    const [stem = 0, channels = 0] = shapes.of('features.0.0.weight');
    const [hidden = 0, last = 0] = shapes.of('classifier.0.weight');
    const num_classes = shapes.size('classifier.3.weight', 0);
    return [
      {
        title: `MobileNetV3 ${variant.name}`,
        model: 'MobileNetV3',
        args: { blocks: list(...blocks), ...int({ stem, last, hidden, channels, num_classes }) },
      },
    ];
  },
};

/** The parts of a block are told apart by their shapes: depthwise, squeeze, or pointwise. */
function blocksOf(shapes: Shapes) {
  const rows: { kernel: number; hidden: number; outputs: number; squeezed: number }[] = [];
  for (let at = 1; shapes.begins(`features.${at}.block.`); at++) {
    const row = { kernel: 1, hidden: 0, outputs: 0, squeezed: 0 };
    const parts = shapes.count(`features.${at}.block.`);
    for (let part = 0; part < parts; part++) {
      const name = `features.${at}.block.${part}`;
      const [outputs = 0, inputs = 0, kernel = 0] = shapes.of(`${name}.0.weight`);
      if (shapes.has(`${name}.fc1.weight`)) row.squeezed = shapes.size(`${name}.fc1.weight`, 0);
      else if (inputs === 1 && kernel > 1) Object.assign(row, { kernel, hidden: outputs });
      else row.outputs = outputs;
    }
    rows.push(row);
  }
  return rows;
}
