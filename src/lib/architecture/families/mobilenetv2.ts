import { list, tuple } from '#lib/checkpoint/value.ts';
import { int, type Family } from './family.ts';
import source from './mobilenetv2.py?raw';

/** Strides of the seven stages (Sandler et al. 2018, table 2); blocks of one stage have one width. */
const STRIDES = [1, 2, 2, 2, 1, 2, 1];

export const mobilenetv2: Family = {
  name: 'mobilenetv2',
  source,
  propose(shapes) {
    if (!shapes.has('features.0.0.weight', 'features.1.conv.1.weight', 'classifier.1.weight'))
      return [];
    const blocks: [hidden: number, outputs: number, stride: number][] = [];
    let stage = -1;
    for (let at = 1; ; at++) {
      const name = `features.${at}.conv`;
      const expands = shapes.has(`${name}.3.weight`);
      const [outputs, hidden] = shapes.of(`${name}.${expands ? 2 : 1}.weight`);
      if (outputs === undefined || hidden === undefined) break;
      const isNew = blocks.at(-1)?.[1] !== outputs;
      if (isNew) stage++;
      blocks.push([hidden, outputs, isNew ? (STRIDES[stage] ?? 1) : 1]);
    }
    const last = `features.${blocks.length + 1}.0.weight`;
    const channels = shapes.size('features.0.0.weight', 1);
    return [
      {
        title: 'MobileNetV2',
        model: 'MobileNetV2',
        args: {
          blocks: list(...blocks.map((block) => tuple(...block.map(BigInt)))),
          ...int({
            stem: shapes.size('features.0.0.weight', 0),
            last: shapes.size(last, 0),
            channels,
            num_classes: shapes.size('classifier.1.weight', 0),
          }),
        },
      },
    ];
  },
};
