/**
 * Batches of every kind of data, against what csv, NumPy, PyTorch and the lines of torchvision's
 * sources give for the same files: standardised columns, MNIST's files, arrays, the order of pictures
 * in class folders, ids of characters, and each change of an augmented picture; and against the
 * scripts that the recipes are exported as.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pythonData } from '#lib/export/data.ts';
import { augment, drawAugmentation } from '#lib/inputs/data/augment.ts';
import type { DataWish } from '#lib/inputs/data/choices.ts';
import type { Augmentation, Batch, Dataset, Examples } from '#lib/inputs/data/dataset.ts';
import type { DataFile } from '#lib/inputs/data/given.ts';
import { readData } from '#lib/inputs/data/read_data.ts';
import { normal, permutation } from '#lib/inputs/random.ts';
import { decodePpm, fileOf } from '../fixtures/data.ts';
import { runPython } from '../python.ts';
import { relativeError } from './lab.ts';

interface Numbers {
  readonly inputs: number[];
  readonly targets: number[];
}
interface Judged {
  readonly table: {
    readonly mean: number[];
    readonly std: number[];
    readonly categories: string[];
    readonly classes: string[];
    readonly train: Numbers;
    readonly held: Numbers;
  };
  readonly idx: { readonly train: Numbers; readonly t10k: Numbers };
  readonly arrays: Readonly<Record<'pictures.npz' | 'numbers.npz' | 'ids.pt', Numbers>>;
  readonly pictures: { readonly classes: string[]; readonly samples: [number, number][] };
  readonly text: {
    readonly characters: string[];
    readonly inputs: number[][];
    readonly targets: number[][];
  };
  readonly augmented: number[][];
}

const all: Augmentation = {
  ...{ horizontalFlip: true, verticalFlip: true, cropPadding: 3 },
  jitter: { brightness: 0.6, contrast: 0.8, saturation: 1.2 },
};
/** Pictures with noise beyond black and white, grey and in colours, of either range. */
const changes = Array.from({ length: 60 }, (_, index) => {
  const shape: [number, number, number] = [index % 3 === 0 ? 1 : 3, 5 + (index % 4), 7];
  const bound = index % 2 === 0 ? 1 : 255;
  const values = normal(shape[0] * shape[1] * shape[2], index).map((value) =>
    Math.min(bound, Math.abs(value) * 0.5 * bound),
  );
  const padding = index % 4;
  const drawn = drawAugmentation({ ...all, cropPadding: padding }, 11, index);
  return { shape, values: [...values], padding, bound, drawn };
});

const folder = mkdtempSync(join(tmpdir(), 'weightroom-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
const judged = JSON.parse(
  await runPython('tests/judge/data.py', [folder], { input: JSON.stringify(changes) }),
) as Judged;

function files(...names: string[]): DataFile[] {
  return names.map((name) => fileOf(name, new Uint8Array(readFileSync(join(folder, name)))));
}
const read = async (names: string[], wish: DataWish = {}) =>
  (await readData(files(...names), wish, {})).dataset;

const idxFiles = [
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
];

/** Every example of some, as they come in a shuffled order, put back into theirs. */
async function everything(examples: Examples): Promise<Numbers> {
  const order = permutation(examples.count, 1);
  const { inputs, targets } = await examples.read(order);
  return { inputs: sorted(inputs, order), targets: sorted(targets, order) };
}

function sorted(values: Batch['inputs'], order: Uint32Array): number[] {
  const size = values.length / order.length;
  const out = new Array<number>(values.length);
  for (const [at, index] of order.entries()) {
    for (let place = 0; place < size; place++) {
      out[index * size + place] = values[at * size + place]!;
    }
  }
  return out;
}

describe('data', () => {
  it('of tables is standardised and encoded', async () => {
    const { mean, std, categories, classes, ...parts } = judged.table;
    const { train, held, recipe, target } = await read(['train.csv', 'test.csv']);
    if (recipe.kind !== 'table') throw new Error(recipe.kind);
    const numbers = recipe.features.flatMap(({ as }) => (as.kind === 'numbers' ? [as] : []));
    for (const [at, own] of numbers.entries()) {
      expect(relativeError([own.mean!, own.std!], [mean[at]!, std[at]!])).toBeLessThan(1e-12);
    }
    expect(recipe.features[3]).toMatchObject({ as: { kind: 'one_hot', categories } });
    expect(target).toMatchObject({ kind: 'class', classes });
    for (const [examples, expected] of [
      [train, parts.train],
      [held!, parts.held],
    ] as const) {
      const own = await everything(examples);
      expect(own.targets).toEqual(expected.targets);
      expect(own.inputs).toHaveLength(expected.inputs.length);
      // Numbers about 1e6 lose six digits to their mean, which Python adds up in another order.
      expect(relativeError(own.inputs, expected.inputs)).toBeLessThan(1e-7);
    }
  });

  it('of MNIST’s files is normalised', async () => {
    const dataset = await read(idxFiles, { idx: { mean: 0.1307, std: 0.3081 } });
    expect(dataset.input.shape).toEqual([1, 7, 5]);
    expect(await everything(dataset.train)).toEqual(judged.idx.train);
    expect(await everything(dataset.held!)).toEqual(judged.idx.t10k);
  });

  it.each([
    ['pictures.npz', { dtype: 'float32', shape: [3, 8, 9] }, { kind: 'class', shape: [] }],
    ['numbers.npz', { dtype: 'float32', shape: [4] }, { kind: 'numbers', shape: [2] }],
    ['ids.pt', { dtype: 'int64', shape: [5] }, { kind: 'class', shape: [5] }],
  ] as const)('of arrays in %s', async (name, input, target) => {
    const dataset = await read([name]);
    expect(dataset).toMatchObject({ input, target });
    expect(await everything(dataset.train)).toEqual(judged.arrays[name]);
  });

  it('of pictures has ImageFolder’s classes and order', async () => {
    const paths = readdirSync(join(folder, 'pictures'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    const order = permutation(paths.length, 2);
    const shuffled = files(...Array.from(order, (at) => paths[at]!));
    const { dataset } = await readData(shuffled, {}, { decodePicture: decodePpm });
    expect(dataset.target).toMatchObject({ kind: 'class', classes: judged.pictures.classes });
    const { inputs, targets } = await everything(dataset.train);
    const samples = targets.map((label, at) => {
      const [red, green] = inputs.slice(3 * at).map((value) => Math.round(255 * value));
      return [256 * red! + green!, label];
    });
    expect(samples.length).toBeGreaterThan(100);
    expect(samples).toEqual(judged.pictures.samples);
  });

  it('of text has the characters and windows of training scripts', async () => {
    const { characters, inputs, targets } = judged.text;
    const { train, recipe } = await read(['text.txt'], { text: { block: 16, stride: 5 } });
    expect(recipe).toMatchObject({ characters });
    expect(await everything(train)).toEqual({ inputs: inputs.flat(), targets: targets.flat() });
  });

  it('of pictures is augmented', () => {
    let jittered = 0;
    for (const [at, { shape, values, padding, bound, drawn }] of changes.entries()) {
      const picture = { shape, values: Float32Array.from(values) };
      const plain = { ...picture, values: picture.values.slice() };
      augment(plain, padding, { ...drawn, jitter: [] }, bound);
      augment(picture, padding, drawn, bound);
      if (relativeError(picture.values, plain.values) > 1e-3) jittered++;
      // A mean of float32 is rounded in another order; everything else is the same arithmetic.
      expect(relativeError(picture.values, judged.augmented[at]!), `${at}`).toBeLessThan(1e-6);
    }
    expect(jittered).toBeGreaterThan(50);
  });

  it('is the same for the exported script', async () => {
    const names = {
      table: ['train.csv', 'test.csv'],
      idx: idxFiles,
      pictures: ['pictures.npz'],
      numbers: ['numbers.npz'],
      ids: ['ids.pt'],
      text: ['text.txt'],
    };
    const datasets = new Map<string, Dataset>();
    for (const [name, of] of Object.entries(names)) {
      const dataset = await read(of, { idx: { mean: 0.1307, std: 0.3081 } });
      const facts = { ...dataset, augmentation: null, tokenizer: null };
      writeFileSync(join(folder, `${name}.py`), pythonData(facts).text);
      datasets.set(name, dataset);
    }
    const given = JSON.parse(
      await runPython('tests/judge/data.py', [folder, ...datasets.keys()]),
    ) as Record<string, [Numbers, Numbers]>;
    for (const [name, { train, held }] of datasets) {
      for (const [at, examples] of [train, held ?? train].entries()) {
        expect(await everything(examples), name).toEqual(given[name]![at]);
      }
    }
  });
});
