/** What arrays are targets for: classes, one or many, or numbers. One pass tells what they hold. */
import { dtypes, itemsize } from '#lib/checkpoint/dtype.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Named } from './arrays.names.ts';
import { DataError, type ArraysWish } from './choices.ts';
import type { TargetSpec } from './dataset.ts';
import { integers } from './rows.ts';

/** What torch's losses leave out by default (`ignore_index`). */
export const IGNORED = -100;
/** Classes that are listed by name; published vocabularies have no more words. */
const MAX_CLASSES = 2 ** 18;
/** Numbers of a vector that have a name each. */
const MAX_NAMES = 4096;

/**
 * Guesses what targets of training and held-out examples are: integers are classes, floats are
 * numbers; zeros and ones of several columns are numbers too (`one-hot`, several labels), unless
 * there is one for each place of the input. Throws a FindingError where they cannot be what is wished.
 */
export async function targetSpecOf(
  arrays: readonly Named[],
  inputShape: readonly number[],
  wish: ArraysWish,
  signal?: AbortSignal,
): Promise<TargetSpec> {
  const { tensor, name } = arrays[0]!;
  const shape = tensor.shape.slice(1);
  const { kind } = dtypes[tensor.dtype];
  if (kind !== 'int' && kind !== 'bool' && kind !== 'float') {
    throw new DataError(`${name} is ${tensor.dtype}, expected real numbers`, ADVICE);
  }
  const isNumbers = wish.targetsAs ? wish.targetsAs === 'numbers' : kind === 'float';
  if (isNumbers) return numbers(name, shape);
  let largest = -1;
  for (const array of arrays) {
    largest = Math.max(largest, await largestClass(array, signal));
  }
  const isFlags = shape.length === 1 && shape[0]! > 1 && largest <= 1;
  if (!wish.targetsAs && isFlags && !isPlaces(shape, inputShape)) return numbers(name, shape);
  if (largest >= MAX_CLASSES) {
    throw new DataError(
      `${name} holds the class ${largest}, at most ${MAX_CLASSES} are counted`,
      'If these are amounts, not classes, use them as numbers.',
    );
  }
  return {
    kind: 'class',
    classes: Array.from({ length: largest + 1 }, (_, index) => String(index)),
    // Keras keeps labels as (N, 1).
    shape: shape.length === 1 && shape[0] === 1 ? [] : shape,
  };
}

const ADVICE = 'Expected: integer classes of shape (N,), or numbers, saved with numpy.savez.';

function numbers(name: string, shape: readonly number[]): TargetSpec {
  const [count = 1] = shape;
  const isNamed = shape.length === 1 && count > 1 && count <= MAX_NAMES;
  const names = isNamed ? Array.from({ length: count }, (_, at) => `${name}[${at}]`) : [name];
  return { kind: 'numbers', names, shape };
}

/** Whether there is a target for each place of an input: (T,) for (T,), (H, W) for (C, H, W). */
function isPlaces(shape: readonly number[], input: readonly number[]): boolean {
  const places = input.slice(-shape.length);
  return places.length === shape.length && places.every((side, axis) => side === shape[axis]);
}

/** The largest class index. Throws for what is none: a negative number, but for `IGNORED`. */
async function largestClass({ tensor, name }: Named, signal?: AbortSignal): Promise<number> {
  let largest = -1;
  for await (const bytes of tensorChunks(tensor, signal)) {
    for (const value of integers(bytes, { name, dtype: tensor.dtype })) {
      if (value > largest) largest = value;
      else if (value < 0 && value !== IGNORED) {
        throw new DataError(
          `${name} holds ${value}, expected classes from 0 on, or ${IGNORED} for none`,
          'Number the classes from 0 on, or use the numbers as they are.',
        );
      }
    }
  }
  return largest;
}

/** Bytes that are looked at to guess how pictures are scaled. */
const HEAD = 2 ** 20;

/** The largest number among the first elements of an array. */
export async function largestOfHead(tensor: Tensor, signal?: AbortSignal): Promise<number> {
  const row = numel(tensor.shape.slice(1)) * itemsize(tensor.dtype);
  const count = Math.min(tensor.shape[0]!, Math.max(1, Math.floor(HEAD / Math.max(1, row))));
  let largest = -Infinity;
  const head = { ...tensor, shape: tensor.shape.with(0, count) };
  for await (const bytes of tensorChunks(head, signal)) {
    for (const value of toFloat32(bytes, tensor.dtype)) largest = Math.max(largest, value);
  }
  return largest;
}
