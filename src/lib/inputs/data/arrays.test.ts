import { closeSync, mkdtempSync, openAsBlob, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contiguousStrides, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { arrayFile, npy } from '#lib/formats/npy.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { arrayOf, deflatedNpz, npzFile, writtenFile } from '../../../../tests/fixtures/data.ts';
import type { ArraysWish } from './choices.ts';
import { readData } from './read_data.ts';

const x = arrayOf('float32', [4, 2]);
const y = arrayOf('int64', [4], [0, 2, 1, 0]);

async function read(entries: Record<string, Value>, arrays: ArraysWish = {}) {
  return readData([await npzFile('a.npz', entries)], { arrays }, {});
}
async function first(entries: Record<string, Value>, arrays: ArraysWish = {}) {
  const { dataset } = await read(entries, arrays);
  const { inputs, targets } = await dataset.train.read([0]);
  return { dataset, inputs: [...inputs], targets: [...targets] };
}

describe('names', () => {
  it.each([
    ['train_images', 'train_labels', 'test_images', 'test_labels'],
    ['x_train', 'y_train', 'x_test', 'y_test'],
    ['X_train', 'Y_train', 'X_val', 'Y_val'],
    ['Xtrain', 'Ytrain', 'Xvalid', 'Yvalid'],
    ['trainX', 'trainY', 'testX', 'testY'],
    ['X', 'y', 'valid_x', 'valid_y'],
    ['inputs', 'targets', 'val_inputs', 'val_targets'],
    ['data', 'target', 'test_data', 'test_target'],
    ['train_set_x', 'train_set_y', 'test_set_x', 'test_set_y'],
    ['x_data', 'y_data', 'dev/x', 'dev/y'],
  ])('%s, %s, %s, %s', async (inputs, targets, heldInputs, heldTargets) => {
    const { dataset, facts } = await read({
      other: arrayOf('float32', [3]),
      [inputs]: x,
      [targets]: y,
      [heldInputs]: arrayOf('float32', [1, 2], [7, 8]),
      [heldTargets]: arrayOf('int64', [1], [3]),
    });
    expect(dataset.recipe).toMatchObject({
      train: { inputs, targets },
      held: { inputs: heldInputs, targets: heldTargets },
    });
    expect(facts).toMatchObject({ train: 4, held: 1, classCounts: [2, 1, 1, 0] });
    expect([...dataset.train.classes!]).toEqual([0, 2, 1, 0]);
    const { inputs: values, targets: classes } = await dataset.held!.read([0]);
    expect([[...values], [...classes]]).toEqual([[7, 8], [3]]);
  });

  it('make pairs of one purpose only, validation before test', async () => {
    const { dataset } = await read({ images: x, labels: y, test_images: x, val_labels: y });
    expect(dataset.held).toBeNull();
    const all = { x, y, test_x: x, test_y: y, val_x: x, val_y: y };
    const { dataset: other } = await read(all);
    expect(other.recipe).toMatchObject({ held: { inputs: 'val_x', targets: 'val_y' } });
  });

  it('are those that are wished', async () => {
    const { dataset } = await read(
      { x, y, a: arrayOf('float32', [4, 3]), b: arrayOf('float32', [4]) },
      { inputs: 'a', targets: 'b' },
    );
    expect(dataset).toMatchObject({
      input: { dtype: 'float32', shape: [3] },
      target: { kind: 'numbers', names: ['b'], shape: [] },
      recipe: { train: { inputs: 'a', targets: 'b' }, held: null },
    });
    const without = { heldInputs: null };
    const { dataset: unheld } = await read({ x, y, test_x: x, test_y: y }, without);
    expect(unheld.held).toBeNull();
  });
});

describe('files', () => {
  const files = async (...made: (readonly [string, Parameters<typeof writtenFile>[1], Value])[]) =>
    readData(await Promise.all(made.map((one) => writtenFile(...one))), {}, {});

  it('of one array each go by their names', async () => {
    const { dataset, facts } = await files(
      ['set/x_train.npy', npy, x],
      ['set/y_train.npy', npy, y],
    );
    expect([dataset.name, facts.train]).toEqual(['set', 4]);
    expect(dataset.recipe).toMatchObject({
      files: ['set/x_train.npy', 'set/y_train.npy'],
      train: { inputs: 'x_train', targets: 'y_train' },
    });
  });

  it('of torch hold dicts in dicts, or a pair', async () => {
    const { dataset } = await files([
      'a.pt',
      torch,
      dict({ train: dict({ x, y }), other: list() }),
    ]);
    expect(dataset.recipe).toMatchObject({ train: { inputs: 'train.x', targets: 'train.y' } });
    const { dataset: pair } = await files(['a.pt', torch, tuple(x, y)]);
    expect(pair.recipe).toMatchObject({ train: { inputs: '0', targets: '1' } });
  });

  it('of several dicts have their names before', async () => {
    const { dataset } = await files(
      ['train.safetensors', safetensors, dict({ x, y })],
      ['test.safetensors', safetensors, dict({ x, y })],
    );
    expect(dataset.recipe).toMatchObject({
      train: { inputs: 'train/x', targets: 'train/y' },
      held: { inputs: 'test/x', targets: 'test/y' },
    });
    expect([dataset.train.count, dataset.held!.count]).toEqual([4, 4]);
  });

  it('are held out where it is wished', async () => {
    const pair = dict({ x, y });
    const made = [
      await writtenFile('one.safetensors', safetensors, pair),
      await writtenFile('two.safetensors', safetensors, pair),
    ];
    const { dataset } = await readData(made, { held: ['one.safetensors'] }, {});
    expect(dataset.recipe).toMatchObject({
      train: { inputs: 'two/x', targets: 'two/y' },
      held: { inputs: 'one/x', targets: 'one/y' },
    });
    const other = readData(made, { held: ['three.pt'] }, {});
    await expect(other).rejects.toThrow('no inputs and targets found for what is to be held out');
  });

  it('may be compressed', async () => {
    const { dataset } = await readData([await deflatedNpz('a.npz', { x, y })], {}, {});
    expect([...(await dataset.train.read([3, 1])).inputs]).toEqual([6, 7, 2, 3]);
  });
});

describe('pictures', () => {
  it('of one byte are scaled, grey ones get their channel', async () => {
    const { dataset, inputs } = await first({
      x: arrayOf('uint8', [1, 1, 4], [0, 255, 51, 102]),
      y: arrayOf('int64', [1]),
    });
    expect(dataset.input).toEqual({ dtype: 'float32', shape: [1, 1, 4] });
    expect(dataset.recipe).toMatchObject({ divide: 255, addChannel: true, channelsLast: false });
    expect(inputs).toEqual([0, 1, 51 / 255, 102 / 255].map(Math.fround));
  });

  it('of zeros and ones are not scaled', async () => {
    const { inputs } = await first({
      x: arrayOf('uint8', [1, 4], [0, 1, 1, 0]),
      y: arrayOf('int64', [1]),
    });
    expect(inputs).toEqual([0, 1, 1, 0]);
  });

  it.each([
    ['uint8', [2, 5, 6, 3], [3, 5, 6], 255],
    ['float32', [2, 9, 9, 3], [3, 9, 9], 1],
  ] as const)(
    'of %s %j with their channels last are turned',
    async (dtype, shape, turned, divide) => {
      const numbers = numel(shape);
      const values = Array.from({ length: numbers }, (_, at) => at % 256);
      const { dataset } = await read({
        x: arrayOf(dtype, [...shape], values),
        y: arrayOf('int64', [2]),
      });
      expect(dataset.input.shape).toEqual(turned);
      const { inputs } = await dataset.train.read([1, 0]);
      const [count, height, width, channels] = shape;
      for (let n = 0; n < count; n++) {
        for (let h = 0; h < height; h++) {
          for (let w = 0; w < width; w++) {
            for (let c = 0; c < channels; c++) {
              const stored = values[((n * height + h) * width + w) * channels + c]!;
              const found = inputs[(((1 - n) * channels + c) * height + h) * width + w];
              expect(found).toBe(Math.fround(stored / divide));
            }
          }
        }
      }
    },
  );

  it('with their channels first stay, and so does what looks like none', async () => {
    const shapeOf = async (tensor: Tensor, wish: ArraysWish = {}) =>
      (await read({ x: tensor, y: arrayOf('int64', [1]) }, wish)).dataset.input.shape;
    expect(await shapeOf(arrayOf('uint8', [1, 3, 8, 8]))).toEqual([3, 8, 8]);
    expect(await shapeOf(arrayOf('float32', [1, 9, 12, 3]))).toEqual([9, 12, 3]);
    const turned = { channelsLast: true };
    expect(await shapeOf(arrayOf('float32', [1, 9, 12, 3]), turned)).toEqual([3, 9, 12]);
    expect(await shapeOf(arrayOf('float32', [1, 8, 8]))).toEqual([8, 8]);
    expect(await shapeOf(arrayOf('float32', [1, 8, 8]), { addChannel: true })).toEqual([1, 8, 8]);
  });
});

describe('inputs', () => {
  it('that are integers of one axis stay integers', async () => {
    const { dataset, inputs } = await first({
      x: arrayOf('int64', [4, 2], [5, -6, 0, 0, 0, 0, 0, 0]),
      y,
    });
    expect([dataset.input, inputs]).toEqual([{ dtype: 'int64', shape: [2] }, [5, -6]]);
    const floats = await first({ x: arrayOf('int64', [4, 2]), y }, { inputsAs: 'float32' });
    expect(floats.dataset.input.dtype).toBe('float32');
    const wide = await read({ x: arrayOf('int64', [4, 1], [0, 2 ** 40, 0, 0]), y });
    await expect(wide.dataset.train.read([1])).rejects.toThrow(
      'data: x is int64, expected integers: 1099511627776 does not fit in 32 bits',
    );
  });
});

describe('targets', () => {
  const target = async (tensor: Tensor, wish: ArraysWish = {}) => {
    const inputs = arrayOf('float32', [tensor.shape[0]!, 2]);
    const { dataset, targets } = await first({ x: inputs, y: tensor }, wish);
    return { ...dataset.target, targets, classes: dataset.train.classes };
  };

  it('that are integers are classes, of a column too, and of places', async () => {
    expect(await target(arrayOf('uint8', [2, 1], [3, 1]))).toMatchObject({
      kind: 'class',
      shape: [],
      classes: Int32Array.of(3, 1),
      targets: [3],
    });
    expect(await target(arrayOf('int64', [2, 3], [0, 5, -100, 1, 1, 1]))).toMatchObject({
      kind: 'class',
      shape: [3],
      classes: null,
      targets: [0, 5, -100],
    });
    expect(await target(arrayOf('int64', [2, 2], [0, 1, 1, 1]))).toMatchObject({
      kind: 'class',
      shape: [2],
    });
  });

  it('that are zeros and ones of several columns are numbers', async () => {
    expect(await target(arrayOf('int64', [2, 3], [0, 1, 0, 1, 0, 0]))).toMatchObject({
      kind: 'numbers',
      names: ['y[0]', 'y[1]', 'y[2]'],
      targets: [0, 1, 0],
    });
  });

  it('that are floats are numbers', async () => {
    expect(await target(arrayOf('float64', [2, 1], [0.1, 0.5]))).toMatchObject({
      kind: 'numbers',
      names: ['y'],
      shape: [1],
      targets: [Math.fround(0.1)],
    });
  });

  it('are what is wished, where they can be', async () => {
    const floats = arrayOf('float32', [2], [1, 3]);
    expect(await target(floats, { targetsAs: 'class' })).toMatchObject({
      kind: 'class',
      targets: [1],
    });
    expect(await target(arrayOf('int64', [2]), { targetsAs: 'numbers' })).toMatchObject({
      kind: 'numbers',
    });
    await expect(target(arrayOf('float32', [2], [1, 0.5]), { targetsAs: 'class' })).rejects.toThrow(
      'data: y is float32, expected integers: 0.5 is no whole number',
    );
  });
});

describe('refusals', () => {
  it.each<[string, Record<string, Value>, string, ArraysWish?]>([
    ['no targets', { x }, 'no inputs and targets found among "x"'],
    [
      'too few targets',
      { x, y: arrayOf('int64', [3]) },
      'y is int64 [3], expected a target for each of the 4 inputs',
    ],
    [
      'a negative class',
      { x, y: arrayOf('int64', [4], [0, -1, 1, 0]) },
      'y holds -1, expected classes from 0 on',
    ],
    [
      'far too many classes',
      { x, y: arrayOf('int64', [4], [0, 300000, 1, 0]) },
      'y holds the class 300000',
    ],
    [
      'no examples',
      { x: arrayOf('float32', [0, 2]), y: arrayOf('int64', [0]) },
      'x [0, 2] holds no examples',
    ],
    ['a scalar', { x: arrayOf('float32', [], [1]), y }, 'x [] holds no examples'],
    [
      'complex inputs',
      { x: { ...arrayOf('float32', [8, 2]), dtype: 'complex64', shape: [4, 2] }, y },
      'x is complex64',
    ],
    [
      'held-out examples of another shape',
      { x, y, test_x: arrayOf('float32', [2, 3]), test_y: arrayOf('int64', [2]) },
      'test_x is float32 [N, 3], x is float32 [N, 2]',
    ],
    [
      'held-out examples of another dtype',
      { x, y, test_x: arrayOf('uint8', [2, 2]), test_y: arrayOf('int64', [2]) },
      'test_x is uint8 [N, 2], x is float32 [N, 2]',
    ],
    [
      'a wish for what is not there',
      { x, y },
      'there is no array "z" among "x", "y"',
      { inputs: 'z' },
    ],
    [
      'held-out inputs alone',
      { x, y, z: x },
      'found for what is to be held out',
      { heldInputs: 'z' },
    ],
    ['a wish for channels', { x, y }, 'have no channels behind', { channelsLast: true }],
    ['a wish for a division by zero', { x, y }, 'cannot be divided by 0', { divide: 0 }],
  ])('%s', async (_, entries, message, wish) => {
    await expect(read(entries, wish)).rejects.toMatchObject({
      finding: { code: 'data-unsuitable', message: expect.stringContaining(message) as string },
      choices: { kind: 'arrays', arrays: Object.keys(entries).map((name) => ({ name })) },
    });
  });

  it('an index that is none', async () => {
    const { dataset } = await read({ x, y });
    await expect(dataset.train.read([0, 4])).rejects.toThrow('data: there is no example 4 of 4');
  });

  it('files of no kind', async () => {
    await expect(readData([], {}, {})).rejects.toThrow('data: no data among 0 files: nothing');
  });
});

describe('an array larger than memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightroom-arrays-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** An array of zeros but for its last row, which takes no room on the disk. */
  async function sparse(
    name: string,
    shape: [rows: number, width: number],
    last: Float32Array<ArrayBuffer>,
  ) {
    const tensor = { ...arrayOf('float32', [1]), shape, strides: contiguousStrides(shape) };
    const { size, chunks } = arrayFile(tensor, name);
    const { value: header } = await chunks.next();
    const path = join(folder, name);
    const file = openSync(path, 'w');
    writeSync(file, header!);
    writeSync(file, last, 0, last.byteLength, size - last.byteLength);
    closeSync(file);
    return { path: name, file: Object.assign(await openAsBlob(path), { name }) };
  }

  it('is read batch by batch', async () => {
    const rows = 100_000;
    const last = new Float32Array(10_000).fill(7);
    const labels = await writtenFile('y_train.npy', npy, arrayOf('int64', [rows]));
    const inputs = await sparse('x_train.npy', [rows, 10_000], last);
    expect(inputs.file.size).toBeGreaterThan(4e9 - 1);
    const before = process.memoryUsage().arrayBuffers;
    const { dataset } = await readData([inputs, labels], { arrays: { targetsAs: 'numbers' } }, {});
    const batch = await dataset.train.read([5, rows - 1, 70_000]);
    expect(batch.inputs).toEqual(
      Float32Array.of(...last.map(() => 0), ...last, ...last.map(() => 0)),
    );
    expect([...batch.targets]).toEqual([5, rows - 1, 70_000]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 25);
  });
});
