/** What every kind of examples has: numbers that are checked, and parts of them. */
import { DataError } from './choices.ts';
import type { Examples } from './dataset.ts';

/** Throws a FindingError for the first index that is no example's. */
export function checkIndices(indices: ArrayLike<number>, count: number): void {
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at]!;
    if (!(Number.isInteger(index) && index >= 0 && index < count)) {
      throw new DataError(
        `there is no example ${index} of ${count}`,
        'Choose one of those that there are.',
      );
    }
  }
}

/** Some examples as a set of their own, in the order of `chosen`; they are read as before. */
export function selectExamples(examples: Examples, chosen: Uint32Array): Examples {
  checkIndices(chosen, examples.count);
  const { classes } = examples;
  return {
    count: chosen.length,
    classes: classes && Int32Array.from(chosen, (index) => classes[index]!),
    read: async (indices, options) => {
      checkIndices(indices, chosen.length);
      return examples.read(
        Array.from(indices, (index) => chosen[index]!),
        options,
      );
    },
  };
}
