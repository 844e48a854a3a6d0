/** Some examples as the model sees them in training, and words for what it is to give for each. */
import type { Batch, Dataset, TargetSpec } from './dataset.ts';

/** The examples at `indices`, augmented as in training by a seed, or as they are by null. */
export function preview(
  dataset: Dataset,
  indices: ArrayLike<number>,
  augmentationSeed: number | null,
  signal?: AbortSignal,
): Promise<Batch> {
  return dataset.train.read(indices, {
    ...(augmentationSeed !== null && { augment: { seed: augmentationSeed } }),
    ...(signal && { signal }),
  });
}

/** Places of a target that are written out. */
const MAX_PLACES = 8;

/** The target of one example of a batch: `cat`, `3.5`, `price 3.5, rooms 2`, `4, 17, 8, …`. */
export function describeTarget(target: TargetSpec, { targets, count }: Batch, at: number): string {
  const size = targets.length / count;
  const own = Array.from(targets.subarray(at * size, at * size + Math.min(size, MAX_PLACES)));
  const texts = own.map((value, place) => {
    switch (target.kind) {
      case 'class':
        return target.classes[value] ?? String(value);
      case 'tokens':
        return String(value);
      case 'numbers':
        return target.names.length === size && size > 1
          ? `${target.names[place]} ${shortest(value)}`
          : shortest(value);
      default:
        return target satisfies never;
    }
  });
  return [...texts, ...(size > MAX_PLACES ? ['…'] : [])].join(', ');
}

/** A float32 with the digits that tell it from its neighbours. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}
