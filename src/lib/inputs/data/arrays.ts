/**
 * Arrays as a data set: inputs and targets out of .npz, .npy, .pt and .safetensors. Integers of a
 * few axes are ids and stay integers, everything else becomes float32. Bytes of pictures are divided
 * by 255; their channels come to the front, as torch has them. What is guessed can be wished else.
 */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { listed } from '#lib/formats/folder.files.ts';
import { namedTensors, openForUse } from '../open_for_use.ts';
import { pairsOf, type Named, type Pair } from './arrays.names.ts';
import { largestOfHead, targetSpecOf } from './arrays.targets.ts';
import { DataError, type ArraysWish, type DataChoices } from './choices.ts';
import { augmentable, openExamples, type ArrayExamples } from './array_examples.ts';
import type { ArraySpec, DataRecipe, Dataset, TargetSpec } from './dataset.ts';
import type { DataMember, Given, Reading } from './given.ts';
import { openRows } from './rows.ts';

type Layout = Pick<DataRecipe & { kind: 'arrays' }, 'divide' | 'channelsLast' | 'addChannel'>;

/** Throws a FindingError that says which array is missing or does not fit. */
export async function readArrays(given: Given): Promise<Reading> {
  const { files, wish, signal } = given;
  const arrays = await openArrays(files, signal);
  const choices: DataChoices = {
    kind: 'arrays',
    arrays: arrays.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape })),
  };
  try {
    return { dataset: await makeDataset(given, arrays, wish.arrays ?? {}), choices };
  } catch (error) {
    throw error instanceof DataError ? error.with(choices) : error;
  }
}

/** Every array of the files, by the names that recipes have them under. */
async function openArrays(files: readonly DataMember[], signal?: AbortSignal): Promise<Named[]> {
  const arrays: Named[] = [];
  const stem = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, '');
  const single = (path: string) => /\.npy$/i.test(path);
  const isOne = files.filter(({ path }) => !single(path)).length === 1;
  for (const { path, open } of files) {
    const root = await openForUse(await open(), signal);
    if (isTensor(root)) arrays.push({ name: stem(path), file: path, tensor: root });
    else {
      const prefix = isOne ? '' : `${stem(path)}/`;
      for (const [key, tensor] of namedTensors(root)) {
        arrays.push({ name: prefix + key, file: path, tensor });
      }
    }
  }
  return arrays;
}

async function makeDataset(
  { name, files, wish: { held: heldFiles }, fingerprint, signal }: Given,
  arrays: readonly Named[],
  wish: ArraysWish,
): Promise<Dataset> {
  checkNames(arrays, wish);
  const pairs = pairsOf(arrays, wish, heldFiles);
  const { train, held } = pairs;
  if (!train) {
    throw new DataError(
      `${name}: no inputs and targets found among ${listed(arrays.map((it) => JSON.stringify(it.name))) || 'no arrays'}`,
      'Choose which arrays they are, or name them train_images and train_labels, or inputs and targets.',
    );
  }
  const isHeldWished = heldFiles ?? wish.heldInputs ?? wish.heldTargets;
  if (isHeldWished && !held && wish.heldInputs !== null) {
    throw new DataError(
      `${name}: no inputs and targets found for what is to be held out`,
      'Choose both of these arrays, other ones than those for training.',
    );
  }
  for (const pair of [train, held]) if (pair) checkPair(pair);
  if (held) checkAlike(train, held);
  const layout = await layoutOf(train.inputs, wish, signal);
  const input = inputSpec(train.inputs, layout, wish);
  const targets = held ? [train.targets, held.targets] : [train.targets];
  const target = await targetSpecOf(targets, input.shape, wish, signal);
  const open = async ({ inputs, targets }: Pair) => ({
    ...{ input, target, white: layout.divide === 255 ? 1 : null },
    inputs: await openRows(inputs.tensor, inputs.name, signal),
    targets: await openRows(targets.tensor, targets.name, signal),
    plain: plainOf(layout, inputs.tensor.shape.slice(1)),
  });
  const names = (pair: Pair) => ({ inputs: pair.inputs.name, targets: pair.targets.name });
  const parts = await open(train);
  const dataset: Dataset = {
    name,
    input,
    target,
    train: await openExamples(parts, signal),
    held: held && (await openExamples(await open(held), signal)),
    recipe: {
      kind: 'arrays',
      files: files.map(({ path }) => path),
      train: names(train),
      held: held && names(held),
      ...layout,
    },
    notes: notesOf(train, layout, input, target),
    fingerprint,
  };
  return augmentable(dataset, parts);
}

function checkNames(arrays: readonly Named[], wish: ArraysWish): void {
  for (const part of ['inputs', 'targets', 'heldInputs', 'heldTargets'] as const) {
    const name = wish[part];
    if (name == null || arrays.some((array) => array.name === name)) continue;
    throw new DataError(
      `there is no array ${JSON.stringify(name)} among ${listed(arrays.map((it) => JSON.stringify(it.name)))}`,
      'Choose one of those that there are.',
    );
  }
}

const form = ({ dtype, shape }: Named['tensor']) => `${dtype} [${shape.join(', ')}]`;
const row = ({ dtype, shape }: Named['tensor']) => `${dtype} [N, ${shape.slice(1).join(', ')}]`;

function checkPair({ inputs, targets }: Pair): void {
  const count = inputs.tensor.shape[0] ?? 0;
  if (count === 0) {
    throw new DataError(
      `${inputs.name} [${inputs.tensor.shape.join(', ')}] holds no examples`,
      FORM,
    );
  }
  if (targets.tensor.shape[0] !== count) {
    throw new DataError(
      `${targets.name} is ${form(targets.tensor)}, expected a target for each of the ${count} inputs`,
      FORM,
    );
  }
  if (!['float', 'int', 'bool'].includes(dtypes[inputs.tensor.dtype].kind)) {
    throw new DataError(`${inputs.name} is ${inputs.tensor.dtype}, expected real numbers`, FORM);
  }
}

const FORM = 'Expected: inputs of shape (N, …) and as many targets, saved with numpy.savez.';

/** What is held out must be stored as what is trained on, or it would be scaled differently. */
function checkAlike(train: Pair, held: Pair): void {
  for (const part of ['inputs', 'targets'] as const) {
    const [own, other] = [train[part], held[part]];
    if (row(own.tensor) === row(other.tensor)) continue;
    throw new DataError(
      `${other.name} is ${row(other.tensor)}, ${own.name} is ${row(own.tensor)}`,
      'Save both with the same dtype and the same shape of an example.',
    );
  }
}

/** Bytes of three or four axes are pictures; so are floats of one or three channels behind a square. */
async function layoutOf(
  { tensor }: Named,
  wish: ArraysWish,
  signal?: AbortSignal,
): Promise<Layout> {
  const [first = 0, second = 0, third = 0] = tensor.shape.slice(1);
  const rank = tensor.shape.length - 1;
  const isBytes = tensor.dtype === 'uint8';
  const isSquare = first === second && first >= 8 && (third === 1 || third === 3);
  const isFloat = dtypes[tensor.dtype].kind === 'float';
  const channelsLast =
    wish.channelsLast ??
    (rank === 3 && third <= 4 && first > 4 && second > 4 && (isBytes || (isFloat && isSquare)));
  const addChannel = wish.addChannel ?? (isBytes && rank === 2);
  if ((channelsLast && rank !== 3) || (addChannel && rank !== 2)) {
    throw new DataError(
      `inputs of shape [${tensor.shape.join(', ')}] have no ${channelsLast ? 'channels behind height and width' : 'height and width alone'}`,
      'Leave their axes as they are.',
    );
  }
  const divide = wish.divide ?? (isBytes && (await largestOfHead(tensor, signal)) > 1 ? 255 : 1);
  if (!(Number.isFinite(divide) && divide !== 0)) {
    throw new DataError(`inputs cannot be divided by ${divide}`, 'Choose 1, or 255 for pictures.');
  }
  return { divide, channelsLast, addChannel };
}

/** Integers of at most one axis an example are ids; bytes, and what is to be divided, are numbers. */
function inputSpec({ tensor }: Named, layout: Layout, wish: ArraysWish): ArraySpec {
  const [first = 0, second = 0, third = 0, ...rest] = tensor.shape.slice(1);
  const shape = layout.channelsLast
    ? [third, first, second, ...rest]
    : layout.addChannel
      ? [1, first, second]
      : tensor.shape.slice(1);
  const isIds =
    /^u?int(16|32|64)$/.test(tensor.dtype) && tensor.shape.length <= 2 && layout.divide === 1;
  return { dtype: wish.inputsAs ?? (isIds ? 'int64' : 'float32'), shape };
}

function notesOf({ inputs }: Pair, layout: Layout, input: ArraySpec, target: TargetSpec): string[] {
  const { divide, channelsLast, addChannel } = layout;
  return [
    divide === 1
      ? `${inputs.name} is ${inputs.tensor.dtype}, taken as ${input.dtype}`
      : `${inputs.name} is ${inputs.tensor.dtype}, divided by ${divide}`,
    ...(channelsLast ? ['(N, H, W, C) is turned to (N, C, H, W)'] : []),
    ...(addChannel ? ['(N, H, W) has a channel put before: (N, 1, H, W)'] : []),
    ...(target.kind === 'class' && target.shape.length > 0
      ? [`a class for each of the places [${target.shape.join(', ')}]`]
      : []),
  ];
}

function plainOf(
  { divide, channelsLast }: Layout,
  shape: readonly number[],
): ArrayExamples['plain'] {
  return (values) => {
    if (divide !== 1) for (let at = 0; at < values.length; at++) values[at]! /= divide;
    return channelsLast ? channelsFirst(values, shape[2]!, numel(shape)) : values;
  };
}

/** (N, pixels, C) as (N, C, pixels); `size` is pixels · C. */
function channelsFirst(
  values: Float32Array<ArrayBuffer>,
  channels: number,
  size: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  const pixels = size / channels;
  for (let start = 0; start < values.length; start += size) {
    for (let channel = 0; channel < channels; channel++) {
      let to = start + channel * pixels;
      for (let from = start + channel; from < start + size; from += channels) {
        out[to++] = values[from]!;
      }
    }
  }
  return out;
}
