/** Which arrays of a file are inputs and which are targets, by the names that people give them. */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { ArraysWish } from './choices.ts';
import { purposeOf, type Purpose } from './purpose.ts';

/** Words for inputs, then for targets, as tutorials and exporters use them; the first comes first. */
const INPUTS = ['images', 'image', 'imgs', 'inputs', 'input', 'x', 'features', 'samples', 'data'];
const TARGETS = ['labels', 'label', 'targets', 'target', 'y', 'classes', 'class', 'outputs'];
/** Words that say nothing: `train_set_x`, `x_data`. */
const EMPTY = ['set', 'arr', 'array', 'data'];

export interface Named {
  readonly name: string;
  /** Path of the file that it is in. */
  readonly file: string;
  readonly tensor: Tensor;
}
export interface Pair {
  readonly inputs: Named;
  readonly targets: Named;
}

/**
 * What is wished, else what the names say; null where they say nothing. `heldFiles` are those that
 * are wished to be held out.
 */
export function pairsOf(
  arrays: readonly Named[],
  wish: ArraysWish,
  heldFiles: readonly string[] = [],
): { train: Pair | null; held: Pair | null } {
  const named = (name: string | null | undefined) => arrays.find((array) => array.name === name);
  const apart = arrays.filter(({ file }) => heldFiles.includes(file));
  const rest = arrays.filter((array) => !apart.includes(array));
  const train = completed(
    named(wish.inputs),
    named(wish.targets),
    pairOf(rest, ['train', null]) ?? onlyTwo(rest),
  );
  if (wish.heldInputs === null || wish.heldTargets === null) return { train, held: null };
  const held = completed(
    named(wish.heldInputs),
    named(wish.heldTargets),
    apart.length > 0
      ? (pairOf(apart, ['held', 'test', null, 'train']) ?? onlyTwo(apart))
      : pairOf(rest, ['held', 'test']),
  );
  const isSame = held && train && (held.inputs === train.inputs || held.targets === train.targets);
  return { train, held: isSame ? null : held };
}

/** A pair of what is wished, and for the rest of what is guessed. */
function completed(inputs?: Named, targets?: Named, guess?: Pair | null): Pair | null {
  const pair = { inputs: inputs ?? guess?.inputs, targets: targets ?? guess?.targets };
  return pair.inputs && pair.targets ? { inputs: pair.inputs, targets: pair.targets } : null;
}

/** The first pair of one purpose: `train_images` and `train_labels`, `x_train` and `y_train`. */
function pairOf(arrays: readonly Named[], purposes: readonly (Purpose | null)[]): Pair | null {
  for (const purpose of purposes) {
    const own = arrays
      .filter(({ name }) => purposeOf(name).purpose === purpose)
      // What stands before a slash, a file or a group, may say what for, but not what it is.
      .map((array) => ({ array, rest: purposeOf(array.name.replace(/^.*\//, '')).rest }));
    const find = (bases: readonly string[]) =>
      bases
        .map((base) => own.find(({ rest }) => isBase(rest, base))?.array)
        .find((array) => array !== undefined);
    const inputs = find(INPUTS);
    const targets = find(TARGETS);
    if (inputs && targets) return { inputs, targets };
  }
  return null;
}

/** Whether a name's words come to one: `['set', 'x']` to `x`, `['data']` to `data`. */
function isBase(words: readonly string[], base: string): boolean {
  const telling = words.filter((word) => !EMPTY.includes(word));
  const [word] = telling.length > 0 ? telling : words;
  return word === base && telling.length <= 1;
}

/** Two arrays of as many rows, the second of which has no more numbers a row: `torch.save((x, y))`. */
function onlyTwo(arrays: readonly Named[]): Pair | null {
  const [inputs, targets] = arrays;
  if (!inputs || !targets || arrays.length !== 2) return null;
  const isPair =
    inputs.tensor.shape[0] === targets.tensor.shape[0] &&
    inputs.tensor.shape.length >= targets.tensor.shape.length;
  return isPair ? { inputs, targets } : null;
}
