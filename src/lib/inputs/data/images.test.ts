import { describe, expect, it } from 'vitest';
import { decodePpm, fileOf, ppmOf } from '../../../../tests/fixtures/data.ts';
import { zipOf, type Member } from '../../../../tests/fixtures/zip.ts';
import { plainRecipe, prepareImage, recipes, type ImageRecipe } from '../image.ts';
import type { DataFile } from './given.ts';
import { readData } from './read_data.ts';
import { withAugmentation } from './with_augmentation.ts';

const picture = (path: string, seed = 0, width = 6, height = 5) =>
  fileOf(path, ppmOf(width, height, seed));
const read = (files: DataFile[], recipe?: ImageRecipe, decodePicture = decodePpm) =>
  readData(files, recipe ? { images: { picture: recipe } } : {}, { decodePicture });
const recipeOf = ({ dataset: { recipe } }: Awaited<ReturnType<typeof readData>>) => {
  if (recipe.kind !== 'images') throw new Error(recipe.kind);
  return recipe;
};

describe('folders', () => {
  const classesOf = async (...paths: string[]) => {
    const reading = await read(paths.map((path) => picture(path)));
    const { dataset } = reading;
    return {
      classes: dataset.target.kind === 'class' && dataset.target.classes,
      ...recipeOf(reading).folders,
      labels: [...dataset.train.classes!],
      held: dataset.held && [...dataset.held.classes!],
      notes: dataset.notes,
    };
  };

  it('are classes, in Python’s order', async () => {
    const found = await classesOf('b/1.png', 'a/2.jpg', 'Z/x.JPEG', 'ä/1.bmp', 'a/1.webp');
    expect(found).toMatchObject({ classes: ['Z', 'a', 'b', 'ä'], train: '', held: null });
    expect(found.labels).toEqual([0, 1, 1, 2, 3]);
  });

  it('lie in one folder, or in train and val', async () => {
    expect(await classesOf('pets/cat/1.png', 'pets/dog/1.png')).toMatchObject({
      ...{ classes: ['cat', 'dog'], train: 'pets', held: null },
    });
    expect(
      await classesOf('a/pets/train/cat/1.png', 'a/pets/train/dog/1.png', 'a/pets/valid/dog/2.png'),
    ).toMatchObject({
      ...{ classes: ['cat', 'dog'], train: 'a/pets/train', labels: [0, 1], held: [1] },
      notes: ['valid has no pictures of cat'],
    });
    const three = ['train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'val/b/1.png', 'test/a/1.png'];
    expect(await classesOf(...three)).toMatchObject({
      ...{ train: 'train', held: [0, 1], notes: ['left out: test'] },
    });
    expect(await classesOf('train/a/1.png', 'train/b/1.png', 'test/1.png')).toMatchObject({
      ...{ held: null, notes: ['left out: test'] },
    });
  });

  it('leave out what lies beside them, what is hidden, and what browsers do not decode', async () => {
    const files = ['d/a/1.png', 'd/b/1.png', 'd/cover.png', 'd/a/.x.png', '__MACOSX/a/1.png'];
    const found = await classesOf(...files, 'd/a/readme.md', 'd/b/2.tif');
    expect(found).toMatchObject({ classes: ['a', 'b'], labels: [0, 1] });
    expect(found.notes).toEqual([
      'left out: 1 pictures outside of the class folders',
      'left out, as browsers do not decode them: d/b/2.tif',
      'left out: d/a/readme.md',
    ]);
  });

  it('may be one alone', async () => {
    expect(await classesOf('pets/cat/1.png', 'pets/cat/2.png')).toMatchObject({
      ...{ classes: ['cat'], train: 'pets', labels: [0, 0] },
    });
  });

  it.each([
    [['1.png', '2.png'], 'no folders say the classes of 2 pictures: 1.png, 2.png'],
    [['val/a/1.png', 'test/b/1.png'], 'there is no folder train beside val, test'],
    [['train/1.png', 'val/a/1.png'], 'the folder train holds no folders of classes'],
    [['train/a/1.png', 'val/b/1.png'], 'val has folders that train lacks: b'],
  ])('%j are refused', async (paths, message) => {
    await expect(classesOf(...paths)).rejects.toThrow(`data: ${message}`);
  });
});

describe('pictures', () => {
  it('of one small size stay as they are', async () => {
    const reading = await read([picture('a/1.png', 1), picture('b/1.png', 2)]);
    expect(reading.facts).toMatchObject({
      ...{ kind: 'images', train: 2, classCounts: [1, 1] },
      input: { dtype: 'float32', shape: [3, 5, 6] },
      choices: {
        sizes: [
          [5, 6],
          [5, 6],
        ],
      },
    });
    const pixels = await decodePpm(new Blob([ppmOf(6, 5, 2)]));
    const { inputs, targets } = await reading.dataset.train.read([1]);
    const plane = (channel: number) =>
      Array.from({ length: 30 }, (_, at) => Math.fround(pixels.data[3 * at + channel]! / 255));
    expect([...inputs]).toEqual([0, 1, 2].flatMap(plane));
    expect([...targets]).toEqual([1]);
  });

  it('are prepared by the recipe, those of several sizes by ImageNet’s', async () => {
    const files = [picture('a/1.png', 1, 300, 20), picture('b/1.png', 2, 10, 40)];
    const photos = await read(files);
    expect(recipeOf(photos).picture).toEqual(recipes.imagenet);
    expect(photos.dataset.input.shape).toEqual([3, 224, 224]);
    const wish = plainRecipe([1, 8, 8]);
    const { dataset } = await read(files, wish);
    const { inputs } = await dataset.train.read([1, 0, 1]);
    const expected = await Promise.all(
      [1, 0, 1].map(async (at) => prepareImage(await decodePpm(files[at]!.file), wish).values),
    );
    expect([...inputs]).toEqual(expected.flatMap((values) => [...values]));
  });

  it('are decoded when they are asked for, and once while they stay in memory', async () => {
    let decoded = 0;
    const counting = (blob: Blob) => {
      decoded++;
      return decodePpm(blob);
    };
    const files = Array.from({ length: 40 }, (_, at) => picture(`${at % 2}/${at}.png`, at));
    const { dataset } = await read(files, plainRecipe([3, 5, 6]), counting);
    expect(decoded).toBe(8 + 1);
    decoded = 0;
    await dataset.train.read([30, 31]);
    const again = await dataset.train.read([30, 31]);
    expect(decoded).toBe(2);
    expect(again.inputs).toEqual((await dataset.train.read([30, 31])).inputs);
  });

  it.each<[string, Partial<ImageRecipe>]>([
    ['ranges', { range: '-1..1', mean: [0.1, 0.2, 0.3], std: [2, 3, 4] }],
    ['bytes', { range: '0..255', channels: 'BGR', mean: [127.5], std: [128] }],
    ['light on dark', { channels: 'L', invert: true }],
  ])('that are augmented by nothing are those that are not: %s', async (_, change) => {
    const recipe = { ...plainRecipe([3, 5, 6]), crop: null, resize: null, ...change };
    const { dataset } = await read([picture('a/1.png', 1), picture('b/1.png', 2)], recipe);
    const plain = await dataset.train.read([0, 1]);
    const jitter = { brightness: 0, contrast: 0, saturation: 0 };
    const flips = { horizontalFlip: true, verticalFlip: false };
    const none = withAugmentation(dataset, {
      ...flips,
      horizontalFlip: false,
      cropPadding: 0,
      jitter,
    });
    expect(await none.train.read([0, 1], { augment: { seed: 5 } })).toEqual(plain);
    const flipped = withAugmentation(dataset, { ...flips, cropPadding: 0, jitter });
    expect(flipped.recipe).toMatchObject({ augmentation: flips });
    const rows = (values: ArrayLike<number>) =>
      Array.from({ length: values.length / 6 }, (_, row) =>
        Array.from({ length: 6 }, (_, at) => values[6 * row + at]!),
      );
    const turned = rows(plain.inputs).map((row) => row.toReversed());
    const half = turned.length / 2;
    const seen = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const { inputs } = await flipped.train.read([0, 1], { augment: { seed } });
      for (const at of [0, 1]) {
        const own = rows(inputs).slice(at * half, (at + 1) * half);
        const isTurned = own[0]![0] === turned[at * half]![0];
        expect(own).toEqual(
          (isTurned ? turned : rows(plain.inputs)).slice(at * half, (at + 1) * half),
        );
        seen.add(2 * at + Number(isTurned));
      }
    }
    expect(seen.size).toBe(4);
  });

  it.each<[string, DataFile[], string, ImageRecipe?]>([
    [
      'no picture',
      [fileOf('a/1.png', 'x'), picture('b/1.png')],
      'a/1.png: this file is no picture',
    ],
    [
      'other sizes',
      [picture('a/1.png'), picture('b/1.png', 0, 7)],
      'b/1.png becomes [3, 5, 7], the first picture [3, 5, 6]',
      { ...plainRecipe([3, 5, 6]), resize: null, crop: null },
    ],
    [
      'a recipe for nothing',
      [picture('a/1.png')],
      'a/1.png: std is 0',
      { ...recipes.imagenet, std: [0] },
    ],
  ])('that are %s are refused by name', async (_, files, message, recipe) => {
    const reading = read(files, recipe).then(({ dataset }) => dataset.train.read([0, 1]));
    await expect(reading).rejects.toThrow(`data: ${message}`);
  });
});

describe('a zip', () => {
  const member = (name: string, seed = 0): Member => ({
    name,
    bytes: ppmOf(6, 5, seed),
    deflated: true,
  });
  const zip = (...members: Member[]) => [fileOf('pets.zip', zipOf(members))];

  it('is read as its folder', async () => {
    const files = zip(
      member('pets/dog/1.png', 1),
      member('pets/cat/1.png', 2),
      member('__MACOSX/pets/cat/._1.png'),
    );
    const reading = await read(files);
    expect(reading.facts).toMatchObject({ name: 'pets.zip', train: 2, notes: [] });
    expect(recipeOf(reading)).toMatchObject({ files: ['pets.zip'], folders: { train: 'pets' } });
    const loose = await read([picture('pets/dog/1.png', 1), picture('pets/cat/1.png', 2)]);
    expect(await reading.dataset.train.read([0, 1])).toEqual(
      await loose.dataset.train.read([0, 1]),
    );
    expect(recipeOf(loose).files).toEqual(['pets']);
  });

  it('may hold any kind of data', async () => {
    const bytes = new TextEncoder().encode('a,y\n1,2\n3,4');
    const { facts } = await read([fileOf('a.zip', zipOf([{ name: 'a.csv', bytes }]))]);
    expect(facts).toMatchObject({ kind: 'table', train: 2 });
  });

  const inside = member('a/1.png');
  it.each<[string, DataFile[], string]>([
    [
      'that leads out',
      zip(inside, member('../../b/1.png')),
      'pets.zip holds the path "../../b/1.png", which leads out of it',
    ],
    ['that leads out of Windows', zip(inside, member('..\\b\\1.png')), 'which leads out of it'],
    [
      'from the root',
      zip(inside, member('/etc/b/1.png')),
      'pets.zip holds the path "/etc/b/1.png"',
    ],
    ['that is none', [fileOf('pets.zip', 'nothing')], 'pets.zip does not unpack'],
    [
      'that is cut',
      [fileOf('pets.zip', zipOf([inside]).subarray(0, 90))],
      'pets.zip does not unpack',
    ],
    [
      'without data',
      zip({ name: 'a.exe', bytes: new Uint8Array(3) }),
      'no data among 1 files: a.exe',
    ],
    ['of a wrong sum or size', zip({ ...inside, size: 5 }), 'a/1.png in pets.zip does not unpack'],
    [
      'of a bomb',
      zip({ name: 'a/1.png', bytes: new Uint8Array(2 ** 28 + 1), deflated: true }),
      'a/1.png in pets.zip unpacks to more than 268435456 bytes',
    ],
  ])('%s is refused', async (_, files, message) => {
    await expect(read(files)).rejects.toMatchObject({
      finding: { code: 'data-unsuitable', message: expect.stringContaining(message) as string },
    });
  });
});
