/** Data sets of pictures, whose training examples can be changed anew for every epoch. */
import { DataError } from './choices.ts';
import type { Augmentation, Dataset } from './dataset.ts';

export interface PictureDataset extends Dataset {
  /** Its training examples changed so where `read` is given a seed, and the recipe that says it. */
  augmentedBy(augmentation: Augmentation): Pick<Dataset, 'train' | 'recipe'>;
}

/**
 * The data with training examples that are augmented where `read` is given a seed; held-out examples
 * never are. Throws a FindingError where there are no pictures.
 */
export function withAugmentation(dataset: Dataset, augmentation: Augmentation | null): Dataset {
  if (!augmentation) return dataset;
  checkAugmentation(augmentation);
  if ('augmentedBy' in dataset) {
    return { ...dataset, ...(dataset as PictureDataset).augmentedBy(augmentation) };
  }
  throw new DataError(
    `${dataset.name} cannot be augmented: its inputs are no pictures but ${dataset.input.dtype} [${dataset.input.shape.join(', ')}]`,
    'Train without augmentation.',
  );
}

function checkAugmentation({ cropPadding, jitter }: Augmentation): void {
  const wrong =
    Number.isInteger(cropPadding) && cropPadding >= 0
      ? Object.entries(jitter).find(([, amount]) => !(Number.isFinite(amount) && amount >= 0))
      : ['crop padding', cropPadding];
  if (!wrong) return;
  throw new DataError(
    `augmentation by a ${wrong[0]} of ${wrong[1]} makes no sense`,
    'Pad by whole pixels, and jitter by 0 or more.',
  );
}
