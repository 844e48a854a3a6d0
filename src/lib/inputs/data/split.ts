/**
 * Examples for training and others to validate on: the ones that the data holds out itself, or a
 * share of the training examples. Which ones is drawn from the seed; of text it is the end, because
 * windows out of the middle would share their tokens with others.
 */
import { permutation } from '../random.ts';
import { DataError } from './choices.ts';
import type { Dataset, Examples } from './dataset.ts';
import { selectExamples } from './examples.ts';

export interface SplitSettings {
  /** Share of the training examples that is split off; 0 takes what the data holds out itself. */
  readonly validationShare: number;
  /** The same share of every class. */
  readonly stratified: boolean;
  readonly seed: number;
}

export interface SplitIndices {
  /** Both in ascending order. */
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/** Throws a FindingError where the data does not have what is wished. */
export function splitData(
  dataset: Dataset,
  settings: SplitSettings,
): { train: Examples; validation: Examples } {
  const { train, held, name } = dataset;
  if (settings.validationShare === 0) {
    if (held) return { train, validation: held };
    throw new DataError(
      `${name} holds out no examples, and none are to be split off`,
      'Choose a share for validation, or add files that are named for it (test, val).',
    );
  }
  const { train: rest, validation } = splitIndices(dataset, settings);
  return {
    train: selectExamples(train, rest),
    validation: selectExamples(train, validation),
  };
}

/** Which of the training examples `splitData` takes for what; the share is not 0. */
export function splitIndices(dataset: Dataset, settings: SplitSettings): SplitIndices {
  const { count, classes } = dataset.train;
  const { validationShare: share, stratified, seed } = settings;
  if (!(share > 0 && share < 1)) {
    throw new DataError(
      `the share for validation is ${share}, expected more than 0 and less than 1`,
      'Choose 0.1 or 0.2.',
    );
  }
  if (count < 2) {
    throw new DataError(
      `${dataset.name} has one example, none is left for validation`,
      'Bring more examples, or some that are held out.',
    );
  }
  const size = Math.min(count - 1, Math.max(1, Math.round(count * share)));
  if (dataset.recipe.kind === 'text') return splitEnd(count, size, dataset.recipe);
  if (!stratified) return divide(count, permutation(count, seed).subarray(0, size));
  if (!classes) {
    throw new DataError(
      `${dataset.name} cannot be split by class: its examples have no one class`,
      'Split without regard to classes.',
    );
  }
  return divide(count, stratum(classes, size, seed));
}

function divide(count: number, chosen: Uint32Array): SplitIndices {
  const isChosen = new Uint8Array(count);
  for (const index of chosen) isChosen[index] = 1;
  const all = Uint32Array.from({ length: count }, (_, index) => index);
  return {
    train: all.filter((index) => !isChosen[index]),
    validation: all.filter((index) => isChosen[index]),
  };
}

/**
 * The end of a text. Examples before it that reach into it, with their tokens or the next one, are
 * in neither part.
 */
function splitEnd(
  count: number,
  size: number,
  { block, stride }: { block: number; stride: number },
): SplitIndices {
  const first = count - size;
  const before = Math.max(0, Math.floor((first * stride - block - 1) / stride) + 1);
  if (before === 0) {
    throw new DataError(
      `of ${count} windows of ${block} tokens, none is left before the last ${size}`,
      'Choose shorter windows or a smaller share, or bring more text.',
    );
  }
  const range = (start: number, end: number) =>
    Uint32Array.from({ length: end - start }, (_, at) => start + at);
  return { train: range(0, before), validation: range(first, count) };
}

/**
 * `size` examples, of each class the same share: the whole part of it, and one more of the classes
 * whose shares are cut by most. A class always keeps one example for training.
 */
function stratum(classes: Int32Array, size: number, seed: number): Uint32Array {
  const members = new Map<number, number[]>();
  for (const index of permutation(classes.length, seed)) {
    const label = classes[index]!;
    const own = members.get(label);
    if (own) own.push(index);
    else members.set(label, [index]);
  }
  const share = size / classes.length;
  const groups = [...members]
    .sort(([a], [b]) => a - b)
    .map(([, own]) => {
      const whole = Math.min(own.length - 1, Math.floor(own.length * share));
      return { own, taken: whole, cut: own.length * share - whole };
    });
  let left = size - groups.reduce((sum, { taken }) => sum + taken, 0);
  for (const group of groups.toSorted((a, b) => b.cut - a.cut)) {
    if (left === 0) break;
    if (group.taken >= group.own.length - 1) continue;
    group.taken++;
    left--;
  }
  const chosen = Uint32Array.from(groups.flatMap(({ own, taken }) => own.slice(0, taken)));
  if (chosen.length > 0) return chosen;
  throw new DataError(
    `none of the ${groups.length} classes has an example to spare for validation`,
    'Split without regard to classes, or bring more examples of each.',
  );
}
