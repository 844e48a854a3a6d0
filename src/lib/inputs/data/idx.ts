/**
 * MNIST's files as a data set: images and labels in IDX, of training and of test. Pixels become
 * (pixel / 255 − mean) / std.
 */
import { listed } from '#lib/formats/folder.files.ts';
import { augmentable, openExamples, type ArrayExamples } from './array_examples.ts';
import type { Named } from './arrays.names.ts';
import { targetSpecOf } from './arrays.targets.ts';
import { DataError, type DataChoices } from './choices.ts';
import type { Dataset } from './dataset.ts';
import type { Given, Reading } from './given.ts';
import { openIdx } from './idx.file.ts';
import { byPurpose } from './purpose.ts';
import { openRows } from './rows.ts';

const FORM =
  'Expected: MNIST’s four files, train-images-idx3-ubyte and so on, or two of them, gzipped or not.';

interface Pair {
  readonly images: Named;
  readonly labels: Named;
}

/** Throws a FindingError that names the file. */
export async function readIdx(given: Given): Promise<Reading> {
  const { files, signal } = given;
  const arrays: Named[] = [];
  for (const file of files) {
    arrays.push({ name: file.path, file: file.path, tensor: await openIdx(file, signal) });
  }
  const choices: DataChoices = {
    kind: 'idx',
    arrays: arrays.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape })),
  };
  try {
    return { dataset: await makeDataset(given, arrays), choices };
  } catch (error) {
    throw error instanceof DataError ? error.with(choices) : error;
  }
}

async function makeDataset(
  { name, files, wish, fingerprint, signal }: Given,
  arrays: readonly Named[],
): Promise<Dataset> {
  const isHeld = (path: string) => wish.held?.includes(path) ?? false;
  const named = byPurpose(
    arrays.filter((it) => !isHeld(it.name)),
    (array) => array.name,
  );
  const wished = arrays.filter((it) => isHeld(it.name));
  const train = pairOf(named.train);
  const held = wished.length > 0 ? wished : named.held;
  const heldPair = held.length > 0 ? pairOf(held) : null;
  const images = heldPair ? [train.images, heldPair.images] : [train.images];
  const shape = inputShape(images);
  const labels = heldPair ? [train.labels, heldPair.labels] : [train.labels];
  const target = await targetSpecOf(labels, shape, {}, signal);
  const { mean = 0, std = 1 } = wish.idx ?? {};
  checkStatistics(mean, std);
  const input = { dtype: 'float32', shape } as const;
  const open = async (pair: Pair): Promise<ArrayExamples> => ({
    ...{ input, target, white: 1 },
    inputs: await openRows(pair.images.tensor, pair.images.name, signal),
    targets: await openRows(pair.labels.tensor, pair.labels.name, signal),
    plain(values) {
      for (let at = 0; at < values.length; at++) values[at]! /= 255;
      return values;
    },
    finish: normaliser(mean, std),
  });
  const names = (pair: Pair) => ({ images: pair.images.name, labels: pair.labels.name });
  const parts = await open(train);
  const unused = named.unused.map((it) => it.name);
  return augmentable(
    {
      name,
      input,
      target,
      train: await openExamples(parts, signal),
      held: heldPair && (await openExamples(await open(heldPair), signal)),
      recipe: {
        ...{ kind: 'idx', files: files.map(({ path }) => path), mean, std },
        train: names(train),
        held: heldPair && names(heldPair),
      },
      notes: [
        mean === 0 && std === 1
          ? 'pixels are divided by 255, as ToTensor does'
          : `pixels become (pixel / 255 − ${mean}) / ${std}`,
        ...(unused.length > 0 ? [`left out: ${listed(unused)}`] : []),
      ],
      fingerprint,
    },
    parts,
  );
}

/** Images have an axis for each side of a picture, labels have the one of the examples. */
function pairOf(arrays: readonly Named[]): Pair {
  const images = arrays.filter(({ tensor }) => tensor.shape.length > 1);
  const labels = arrays.filter(({ tensor }) => tensor.shape.length === 1);
  const [image] = images;
  const [label] = labels;
  if (!image || !label || images.length + labels.length > 2) {
    throw new DataError(
      `${images.length} files of images and ${labels.length} of labels do not make a pair: ${listed(arrays.map((it) => it.name))}`,
      FORM,
    );
  }
  const [count, labelCount] = [image.tensor.shape[0]!, label.tensor.shape[0]!];
  if (count !== labelCount || count === 0) {
    throw new DataError(
      `${image.name} has ${count} images, ${label.name} ${labelCount} labels`,
      FORM,
    );
  }
  return { images: image, labels: label };
}

/** (N, H, W) has one channel, (N, H, W, C) is refused: nobody writes such files. */
function inputShape(images: readonly Named[]): number[] {
  const [first] = images as [Named];
  const sides = first.tensor.shape.slice(1);
  for (const { name, tensor } of images) {
    if (tensor.dtype !== 'uint8' || tensor.shape.length > 3) {
      throw new DataError(
        `${name} is ${tensor.dtype} [${tensor.shape.join(', ')}], expected grey pictures of bytes`,
        'Save other arrays with numpy.savez.',
      );
    }
    if (tensor.shape.slice(1).join() !== sides.join()) {
      throw new DataError(
        `${name} has pictures of [${tensor.shape.slice(1).join(', ')}], ${first.name} of [${sides.join(', ')}]`,
        'Bring files of one data set.',
      );
    }
  }
  return sides.length === 2 ? [1, ...sides] : sides;
}

function checkStatistics(mean: number, std: number): void {
  if (Number.isFinite(mean) && Number.isFinite(std) && std !== 0) return;
  throw new DataError(
    `pixels cannot be normalised by a mean of ${mean} and a std of ${std}`,
    'MNIST’s are 0.1307 and 0.3081; 0 and 1 leave them as they are.',
  );
}

/** torchvision's Normalize. */
function normaliser(mean: number, std: number): (values: Float32Array) => void {
  const [offset, scale] = [Math.fround(mean), Math.fround(std)];
  return (values) => {
    for (let at = 0; at < values.length; at++) {
      values[at] = Math.fround(values[at]! - offset) / scale;
    }
  };
}
