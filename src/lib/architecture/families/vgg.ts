import { int, ints, type Family, type Shapes } from './family.ts';
import source from './vgg.py?raw';

/** VGG-11 to 19. Where the pools stand is told by the gaps in the numbers of the layers. */
export const vgg: Family = {
  name: 'vgg',
  source,
  propose(shapes) {
    if (!shapes.has('features.0.weight', 'classifier.0.weight', 'classifier.6.weight')) return [];
    const normed = shapes.has('features.1.running_mean');
    const plan = planOf(shapes, normed);
    if (!plan) return [];
    const channels = shapes.size('features.0.weight', 1);
    const layers = plan.filter((width) => width > 0).length + 3;
    return [
      {
        title: `VGG-${layers}${normed ? ' with batch norm' : ''}`,
        model: 'VGG',
        args: {
          plan: ints(plan),
          normed,
          ...int({
            channels,
            hidden: shapes.size('classifier.0.weight', 0),
            num_classes: shapes.size('classifier.6.weight', 0),
          }),
        },
      },
    ];
  },
};

function planOf(shapes: Shapes, normed: boolean): number[] | null {
  const convolutions = shapes.keys
    .map((key) => /^features\.(\d+)\.weight$/.exec(key))
    .filter((found) => found !== null && shapes.of(found[0]).length === 4)
    .map((found) => Number(found![1]));
  const length = normed ? 3 : 2;
  const plan: number[] = [];
  for (const [at, index] of convolutions.entries()) {
    plan.push(shapes.size(`features.${index}.weight`, 0));
    const next = convolutions[at + 1] ?? index + length + 1;
    if (next === index + length + 1) plan.push(0);
    else if (next !== index + length) return null;
  }
  return plan;
}
