/**
 * Examples that are rows of two arrays. Inputs of float32 go through two steps, so that pictures can
 * be augmented between them: `plain` gives them their axes and scale, `finish` normalises.
 */
import { augment, drawAugmentation } from './augment.ts';
import { DataError } from './choices.ts';
import type { ArraySpec, Augmentation, Dataset, Examples, TargetSpec } from './dataset.ts';
import { checkIndices } from './examples.ts';
import { floatRows, integerRows, type Rows } from './rows.ts';
import type { PictureDataset } from './with_augmentation.ts';

export interface ArrayExamples {
  readonly inputs: Rows;
  readonly targets: Rows;
  readonly input: ArraySpec;
  readonly target: TargetSpec;
  /** Stored numbers of several examples, scaled and with their axes in torch's order. */
  plain(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
  /** The last step, in place. */
  finish?(values: Float32Array): void;
  /** White among plain values, where black is 0; null where nobody knows. */
  readonly white: number | null;
}

/** Reads the classes, where each example has one; inputs are read when they are asked for. */
export async function openExamples(parts: ArrayExamples, signal?: AbortSignal): Promise<Examples> {
  const { inputs, targets, target } = parts;
  if (target.kind !== 'class' || targets.size !== 1) return examplesOf(parts, null);
  const all = Uint32Array.from({ length: inputs.count }, (_, index) => index);
  return examplesOf(parts, await integerRows(targets, all, signal));
}

function examplesOf(
  parts: ArrayExamples,
  classes: Int32Array | null,
  augmentation?: Augmentation,
): Examples {
  const { inputs, targets, input, target } = parts;
  return {
    count: inputs.count,
    classes,
    async read(indices, { signal, augment: by } = {}) {
      checkIndices(indices, inputs.count);
      const targetRows = target.kind === 'numbers' ? floatRows : integerRows;
      const values = targetRows(targets, indices, signal);
      if (input.dtype === 'int64') {
        const ids = await integerRows(inputs, indices, signal);
        return { count: indices.length, inputs: ids, targets: await values };
      }
      const plain = parts.plain(await floatRows(inputs, indices, signal));
      if (by && augmentation) change(plain, parts, augmentation, by.seed, indices);
      parts.finish?.(plain);
      return { count: indices.length, inputs: plain, targets: await values };
    },
  };
}

function change(
  plain: Float32Array<ArrayBuffer>,
  { input, white }: ArrayExamples,
  augmentation: Augmentation,
  seed: number,
  indices: ArrayLike<number>,
): void {
  const shape = input.shape as [number, number, number];
  const size = plain.length / indices.length;
  for (let at = 0; at < indices.length; at++) {
    const values = plain.subarray(at * size, (at + 1) * size);
    const drawn = drawAugmentation(augmentation, seed, indices[at]!);
    augment({ shape, values }, augmentation.cropPadding, drawn, white ?? 1);
  }
}

/** The data set, and where its inputs are pictures, the way to augment them. */
export function augmentable(dataset: Dataset, train: ArrayExamples): Dataset | PictureDataset {
  const { dtype, shape } = dataset.input;
  const isPictures = dtype === 'float32' && shape.length === 3 && [1, 3].includes(shape[0]!);
  if (!isPictures) return dataset;
  return {
    ...dataset,
    augmentedBy(augmentation) {
      const isJittered = Object.values(augmentation.jitter).some((amount) => amount > 0);
      if (isJittered && train.white === null) {
        throw new DataError(
          `${train.inputs.name} is ${train.inputs.dtype} and does not say what is white: its brightness cannot be changed`,
          'Leave the jitter out, or save pictures as uint8.',
        );
      }
      return {
        recipe: dataset.recipe,
        train: examplesOf(train, dataset.train.classes, augmentation),
      };
    },
  };
}
