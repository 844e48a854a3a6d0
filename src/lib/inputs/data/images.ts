/**
 * Pictures in class folders as a data set. A picture is decoded when a batch asks for it, prepared by
 * the recipe and, in training, augmented; some prepared ones stay in memory.
 */
import {
  brightest,
  decodePicture,
  finishValues,
  pictureBytes,
  pictureValues,
  plainRecipe,
  plainValues,
  recipes,
  type ImageRecipe,
} from '../image.ts';
import type { Pixels } from '../resample.ts';
import { augment, drawAugmentation } from './augment.ts';
import { DataError, type DataChoices } from './choices.ts';
import type { Augmentation, DataRecipe, Examples } from './dataset.ts';
import { checkIndices } from './examples.ts';
import type { DataMember, DataTools, Given, Reading } from './given.ts';
import { imageFolders, type ClassFolder } from './image_folders.ts';
import type { PictureDataset } from './with_augmentation.ts';

/** Pictures that are looked at to guess a recipe. */
const LOOKED_AT = 8;
/** Sides up to which pictures of one size are taken as they are: CIFAR, tiny ImageNet. */
const SMALL = 96;
/** Bytes of prepared pictures that stay in memory: some hundreds of ImageNet's size. */
const CACHED = 2 ** 27;
/** Pictures that are decoded at the same time. */
const AT_ONCE = 4;

/** Throws a FindingError that names the folder or the picture. */
export async function readImages(given: Given): Promise<Reading> {
  const { train, held, notes } = imageFolders(given.files);
  const decode = decoder(given.tools);
  const looked = await Promise.all(some(train.pictures, LOOKED_AT).map(decode));
  const choices: DataChoices = {
    kind: 'images',
    sizes: looked.map(({ height, width }) => [height, width] as const),
  };
  const picture = given.wish.images?.picture ?? guessRecipe(looked);
  const store = new PictureStore(decode, picture);
  const first = await store.read(train.pictures[0]!);
  const shape = [first.channels, first.height, first.width];
  const of = (folder: ClassFolder, augmentation: Augmentation | null) =>
    examplesOf(folder, store, shape, augmentation);
  const recipe: DataRecipe & { kind: 'images' } = {
    kind: 'images',
    files: given.sources,
    folders: { train: train.folder, held: held?.folder ?? null },
    ...{ picture, augmentation: null },
  };
  const dataset: PictureDataset = {
    name: given.name,
    input: { dtype: 'float32', shape },
    target: { kind: 'class', classes: train.classes, shape: [] },
    train: of(train, null),
    held: held && of(held, null),
    recipe,
    notes,
    fingerprint: given.fingerprint,
    augmentedBy: (augmentation: Augmentation) => ({
      train: of(train, augmentation),
      recipe: { ...recipe, augmentation },
    }),
  };
  return { dataset, choices };
}

/** Up to `count` of many, evenly from the first on. */
function some<T>(all: readonly T[], count: number): T[] {
  const every = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, at) => at % every === 0).slice(0, count);
}

/** Small pictures of one size stay as they are; photographs get what ImageNet's weights take. */
function guessRecipe(looked: readonly Pixels[]): ImageRecipe {
  const [{ height, width }] = looked as [Pixels];
  const isOneSize = looked.every((other) => other.height === height && other.width === width);
  if (!isOneSize || Math.max(height, width) > SMALL) return recipes.imagenet;
  return { ...plainRecipe([3, height, width]), resize: null, crop: null };
}

type Decode = (member: DataMember) => Promise<Pixels>;

function decoder({ decodePicture: decode = decodePicture }: DataTools): Decode {
  return async ({ path, open }) => {
    const file = await open();
    try {
      return await decode(file);
    } catch (error) {
      throw unfit(path, error);
    }
  };
}

function unfit(path: string, error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return new DataError(
    `${path}: ${error.message.replace(/^image: /, '')}`,
    'Repair the picture or take it out, and bring the folder again.',
  );
}

/** Prepared pictures, the last ones in memory. */
class PictureStore {
  readonly recipe: ImageRecipe;
  readonly #decode: Decode;
  /** By use: those that were not asked for longest come first. */
  readonly #kept = new Map<DataMember, Pixels>();
  #bytes = 0;

  constructor(decode: Decode, recipe: ImageRecipe) {
    this.#decode = decode;
    this.recipe = recipe;
  }

  async read(member: DataMember): Promise<Pixels> {
    const kept = this.#kept.get(member);
    if (kept) {
      this.#kept.delete(member);
      this.#kept.set(member, kept);
      return kept;
    }
    const decoded = await this.#decode(member);
    try {
      return this.#keep(member, pictureBytes(decoded, this.recipe));
    } catch (error) {
      throw unfit(member.path, error);
    }
  }

  #keep(member: DataMember, pixels: Pixels): Pixels {
    if (this.#kept.has(member)) return pixels;
    this.#kept.set(member, pixels);
    this.#bytes += pixels.data.byteLength;
    for (const [oldest, { data }] of this.#kept) {
      if (this.#bytes <= CACHED) break;
      this.#kept.delete(oldest);
      this.#bytes -= data.byteLength;
    }
    return pixels;
  }
}

function examplesOf(
  { pictures, labels }: ClassFolder,
  store: PictureStore,
  shape: readonly number[],
  augmentation: Augmentation | null,
): Examples {
  const { recipe } = store;
  const size = shape.reduce((product, side) => product * side);
  /** Values of a picture, augmented where there is a seed. */
  const valuesOf = (pixels: Pixels, index: number, seed: number | undefined) => {
    if (!augmentation || seed === undefined) return pictureValues(pixels, recipe).values;
    const plain = plainValues(pixels, recipe);
    const drawn = drawAugmentation(augmentation, seed, index);
    augment(plain, augmentation.cropPadding, drawn, brightest(recipe));
    finishValues(plain, recipe);
    return plain.values;
  };
  return {
    count: pictures.length,
    classes: labels,
    async read(indices, { augment: by, signal } = {}) {
      checkIndices(indices, pictures.length);
      const inputs = new Float32Array(indices.length * size);
      const fill = async (at: number) => {
        const member = pictures[indices[at]!]!;
        const pixels = await store.read(member);
        checkSize(member, pixels, shape);
        inputs.set(valuesOf(pixels, indices[at]!, by?.seed), at * size);
      };
      for (let start = 0; start < indices.length; start += AT_ONCE) {
        signal?.throwIfAborted();
        const end = Math.min(start + AT_ONCE, indices.length);
        await Promise.all(Array.from({ length: end - start }, (_, at) => fill(start + at)));
      }
      const targets = Int32Array.from(indices, (index) => labels[index]!);
      return { count: indices.length, inputs, targets };
    },
  };
}

function checkSize({ path }: DataMember, pixels: Pixels, shape: readonly number[]): void {
  const own = [pixels.channels, pixels.height, pixels.width];
  if (own.every((side, axis) => side === shape[axis])) return;
  throw new DataError(
    `${path} becomes [${own.join(', ')}], the first picture [${shape.join(', ')}]`,
    'Choose a size that every picture is scaled or cropped to.',
  );
}
