import source from './convnext.py?raw';
import { Customs } from './customs.ts';
import { int, ints, type Family, type Hints, type Proposal, type Shapes } from './family.ts';

/** By depths of the third stage and the first width. */
const NAMES: Readonly<Record<string, string>> = {
  '9 96': 'Tiny',
  '27 96': 'Small',
  '27 128': 'Base',
  '27 192': 'Large',
};

export const convnext: Family = {
  name: 'convnext',
  source,
  propose: (shapes, hints) => [...torchvision(shapes), ...timm(shapes, hints)],
};

function torchvision(shapes: Shapes): Proposal[] {
  if (!shapes.has('features.1.0.layer_scale', 'features.0.0.weight', 'classifier.2.weight'))
    return [];
  const widths: number[] = [];
  const depths: number[] = [];
  for (let at = 1; shapes.has(`features.${at}.0.layer_scale`); at += 2) {
    widths.push(shapes.size(`features.${at}.0.layer_scale`, 0));
    depths.push(shapes.count(`features.${at}.`));
  }
  const channels = shapes.size('features.0.0.weight', 1);
  const num_classes = shapes.size('classifier.2.weight', 0);
  return [
    {
      title: titleOf(widths, depths),
      model: 'ConvNeXt',
      args: { widths: ints(widths), depths: ints(depths), ...int({ channels, num_classes }) },
    },
  ];
}

function timm(shapes: Shapes, hints: Hints): Proposal[] {
  if (!shapes.has('stem.0.weight', 'stages.0.blocks.0.gamma', 'head.fc.weight')) return [];
  const stages = Array.from({ length: shapes.count('stages.') }, (_, at) => `stages.${at}.blocks.`);
  const widths = stages.map((stage) => shapes.size(`${stage}0.gamma`, 0));
  const depths = stages.map((stage) => shapes.count(stage));
  const custom = new Customs(hints);
  return [
    {
      title: `${titleOf(widths, depths)} (timm)`,
      model: 'TimmConvNeXt',
      args: {
        widths: ints(widths),
        depths: ints(depths),
        convolved: shapes.of('stages.0.blocks.0.mlp.fc1.weight').length === 4,
        eps: custom.number('eps', ['norm_eps'], 1e-6, 'eps 1e-6 in LayerNorm'),
        ...int({
          channels: shapes.size('stem.0.weight', 1),
          num_classes: shapes.size('head.fc.weight', 0),
        }),
      },
      ...custom.reading,
    },
  ];
}

function titleOf(widths: readonly number[], depths: readonly number[]): string {
  const name = NAMES[`${depths[2]} ${widths[0]}`];
  return name ? `ConvNeXt ${name}` : 'ConvNeXt';
}
