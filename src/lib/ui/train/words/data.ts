/** What the form says of the data: where it comes from, how it is read, what is held out. */
import type { Augmentation, DataFacts, ImageRecipe, RunSettings } from '#lib/worker/protocol.ts';
import { formatCount, formatPercent, formatShape, plural } from '../../format.ts';
import type { ColumnFacts } from '../columns.ts';
import { shortNumber } from '../options.ts';
import { listed } from './listed.ts';

type Recipe<K extends DataFacts['recipe']['kind']> = Extract<DataFacts['recipe'], { kind: K }>;

type ArrayFacts = Extract<DataFacts['choices'], { arrays: unknown }>['arrays'][number];

export const words = {
  title: 'Data',
  bring:
    'Drop or choose what to train on: `.npz .npy .pt .safetensors`, a table as `.csv`, MNIST’s files, a folder or `.zip` of pictures in a folder for each class, or `.txt` for a language model.',
  settings: 'How the data is read',
  /** `4,000 to train, 1,000 held out`. */
  counts: ({ train, held }: DataFacts) =>
    `${formatCount(train)} to train, ${held === null ? 'none' : formatCount(held)} held out`,
  /** `float32 [1, 28, 28] to 10 classes`. */
  shapes: ({ input, target }: DataFacts) =>
    `${input.dtype} ${formatShape(input.shape)} to ${targetText(target)}`,

  arrays: {
    title: 'Arrays',
    summary: ({ train, divide, channelsLast }: Recipe<'arrays'>) =>
      listed(
        `${train.inputs} to ${train.targets}`,
        divide !== 1 && `÷ ${shortNumber(divide)}`,
        channelsLast && 'channels last',
      ),
    choice: ({ name, dtype, shape }: ArrayFacts) => `${name}  ${dtype} ${formatShape(shape)}`,
    inputs: 'Inputs',
    targets: 'Targets',
    heldInputs: 'Held-out inputs',
    heldTargets: 'Held-out targets',
    targetsAre: 'Targets are',
    kinds: { class: 'classes', numbers: 'numbers' },
    divide: 'Divide inputs by',
    channelsLast: 'Channels are last: (N, H, W, C)',
    addChannel: 'Put a channel before (H, W)',
  },

  columns: {
    title: 'Columns',
    summary: (features: number, targets: readonly string[]) =>
      `${plural(features, 'feature')} to ${targets.join(', ')}`,
    column: 'Column',
    role: 'Role',
    as: 'As',
    standardised: 'Std.',
    standardisedTitle: '(x − mean) / std, by the training rows',
    about: ({ samples, distinct, missing }: ColumnFacts) =>
      [
        distinct !== null && `${formatCount(distinct)} different`,
        missing > 0 && `${formatCount(missing)} missing`,
        samples.slice(0, 4).join(', '),
      ]
        .filter(Boolean)
        .join(' · '),
    roles: { feature: 'feature', target: 'target', unused: 'unused' },
    kinds: { numbers: 'numbers', categories: 'categories' },
    roleOf: (name: string) => `Role of ${name}`,
    kindOf: (name: string) => `Kind of ${name}`,
    standardise: (name: string) => `Standardise ${name}`,
  },

  pixels: {
    title: 'Pixels',
    summary: ({ mean, std }: Recipe<'idx'>) =>
      `(pixel / 255 − ${shortNumber(mean)}) / ${shortNumber(std)}`,
    mnist: 'MNIST’s 0.1307, 0.3081',
    plain: '0 to 1',
  },

  pictures: {
    title: 'Pictures',
    /** `shorter side to 256, crop 224, RGB, mean 0.485, 0.456, 0.406`. */
    summary: ({ resize, crop, channels, mean, std, range }: ImageRecipe) => {
      const isPlain = mean.every((it) => it === 0) && std.every((it) => it === 1);
      return listed(
        resize?.side === 'stretch' && `${resize.height} × ${resize.width}`,
        resize && resize.side !== 'stretch' && `${resize.side} side to ${resize.size}`,
        crop &&
          `crop ${crop.height === crop.width ? crop.height : `${crop.height} × ${crop.width}`}`,
        channels === 'L' ? 'grey' : channels,
        isPlain ? range.replace('..', ' to ') : `mean ${mean.map(shortNumber).join(', ')}`,
      );
    },
  },

  text: {
    title: 'Text',
    summary: ({ characters, block }: Recipe<'text'>, tokens: number) =>
      `${formatCount(tokens)} ${characters ? 'characters' : 'tokens'}, blocks of ${block}`,
    block: 'Block, in tokens',
    stride: 'One begins every',
    characters: (count: number) => `${plural(count, 'character')}:`,
  },

  augment: {
    title: 'Augment',
    summary: (augmentation: Augmentation | null) => {
      if (!augmentation) return 'none';
      const { horizontalFlip, verticalFlip, cropPadding, jitter } = augmentation;
      return listed(
        horizontalFlip && 'flip',
        verticalFlip && 'vertical flip',
        cropPadding > 0 && `crop after ${cropPadding} px`,
        Object.values(jitter).some((it) => it > 0) && 'jitter',
      );
    },
    horizontal: 'Flip left and right',
    vertical: 'Flip up and down',
    crop: 'Crop after padding, px',
    jitter: (what: string) => `${what} ±`,
  },

  validation: {
    title: 'Validation',
    summary: ({ data }: RunSettings, { held, classCounts }: DataFacts) => {
      const { validationShare, stratified } = data;
      if (validationShare === 0) {
        return held === null ? 'none' : `the data’s own ${formatCount(held)}`;
      }
      const share = `${formatPercent(validationShare, 0)} of training`;
      return stratified && classCounts ? `${share}, the same of each class` : share;
    },
    on: 'Validate on',
    from: (held: number) => ({
      own: `the data’s own (${formatCount(held)})`,
      share: 'a share of training',
    }),
    share: 'Share, in %',
    stratified: 'The same share of every class (stratified)',
  },

  classes: {
    title: 'Classes',
    summary: (count: number, least: number, most: number) =>
      `${plural(count, 'class', 'classes')}, ` +
      (least === most
        ? `${formatCount(most)} each`
        : `${formatCount(least)} to ${formatCount(most)}`),
    list: 'Training examples of each class',
    examplesOf: (name: string) => `Examples of ${name}`,
  },
} as const;

/** `10 classes`, `2 numbers`, `the next of 65 tokens`. */
function targetText(target: DataFacts['target']): string {
  switch (target.kind) {
    case 'class':
      return plural(target.classes.length, 'class', 'classes');
    case 'tokens':
      return `the next of ${formatCount(target.vocabulary)} tokens`;
    case 'numbers': {
      const { names, shape } = target;
      if (names.length > 0 && names.length <= 3) return names.join(', ');
      return plural(
        Math.max(
          1,
          shape.reduce((a, b) => a * b, 1),
        ),
        'number',
      );
    }
    default:
      return target satisfies never;
  }
}
