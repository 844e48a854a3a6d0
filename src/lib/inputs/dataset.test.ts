import { describe, expect, it } from 'vitest';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, list, type Value } from '#lib/checkpoint/value.ts';
import { gatherExamples, readDataset, selectExamples } from './dataset.ts';

function array(dtype: Dtype, shape: number[], values?: number[]): Tensor {
  const all = values ?? Array.from({ length: numel(shape) }, (_, at) => at);
  const buffer =
    dtype === 'int64'
      ? BigInt64Array.from(all, BigInt).buffer
      : dtype === 'uint8'
        ? Uint8Array.from(all).buffer
        : Float32Array.from(all).buffer;
  return tensorFromBytes(new Uint8Array(buffer), dtype, shape);
}

const x = array('float32', [4, 2]);
const y = array('int64', [4], [0, 2, 1, 0]);
const read = (entries: Record<string, Value>) => readDataset(dict(entries), 'a.npz');

describe('names', () => {
  it.each([
    ['train_images', 'train_labels', 'test_images', 'test_labels'],
    ['x_train', 'y_train', 'x_test', 'y_test'],
    ['X_train', 'Y_train', 'X_val', 'Y_val'],
    ['X', 'y', 'valid_x', 'valid_y'],
    ['inputs', 'targets', 'val_inputs', 'val_targets'],
    ['data', 'target', 'test_data', 'test_target'],
  ])('%s, %s, %s, %s', async (inputs, labels, testInputs, testLabels) => {
    const held = array('float32', [1, 2], [7, 8]);
    const data = await read({
      other: list(),
      [inputs]: x,
      [labels]: y,
      [testInputs]: held,
      [testLabels]: array('int64', [1], [3]),
    });
    expect([data.train.count, data.test?.count, data.classes]).toEqual([4, 1, 4]);
    expect([...data.train.labels]).toEqual([0, 2, 1, 0]);
    expect([...data.test!.inputs]).toEqual([7, 8]);
  });

  it('makes pairs of one purpose only', async () => {
    const data = await read({ images: x, labels: y, test_images: x, val_labels: y });
    expect(data.test).toBeNull();
  });
});

describe('pictures', () => {
  it('of one byte are scaled, grey ones get their channel', async () => {
    const data = await read({
      x: array('uint8', [2, 1, 2], [0, 255, 51, 102]),
      y: array('int64', [2]),
    });
    expect(data).toMatchObject({ exampleShape: [1, 1, 2], scaling: 'uint8 / 255' });
    expect([...data.train.inputs]).toEqual([0, 1, 51 / 255, 102 / 255].map(Math.fround));
  });

  it('with their channels last are turned', async () => {
    const shape = [2, 5, 6, 3];
    const data = await read({ x: array('uint8', shape), y: array('int64', [2]) });
    expect(data.exampleShape).toEqual([3, 5, 6]);
    // Element (n, h, w, c) is its own number modulo 256.
    const at = ([n, h, w, c]: [number, number, number, number]) => ((n * 5 + h) * 6 + w) * 3 + c;
    for (const place of [
      [0, 0, 0, 0],
      [0, 4, 5, 2],
      [1, 2, 3, 1],
    ] as [number, number, number, number][]) {
      const [n, h, w, c] = place;
      const found = data.train.inputs[((n * 3 + c) * 5 + h) * 6 + w];
      expect(found).toBe(Math.fround((at(place) % 256) / 255));
    }
  });

  it('with their channels first stay', async () => {
    const data = await read({ x: array('uint8', [1, 3, 8, 8]), y: array('int64', [1], [0]) });
    expect(data.exampleShape).toEqual([3, 8, 8]);
  });
});

describe('refusals', () => {
  it.each<[string, Record<string, Value>, string]>([
    ['nothing', {}, 'no inputs and labels found among no arrays'],
    ['no labels', { x }, 'no inputs and labels found among "x"'],
    ['too few labels', { x, y: array('int64', [3]) }, 'y is int64 [3], expected one class index'],
    ['one-hot labels', { x, y: array('int64', [4, 2]) }, 'y is int64 [4, 2]'],
    ['float labels', { x, y: array('float32', [4]) }, 'y is float32 [4]'],
    [
      'a negative class',
      { x, y: array('int64', [4], [0, -100, 1, 0]) },
      'y holds a negative class',
    ],
    ['no examples', { x: array('float32', [0, 2]), y: array('int64', [0]) }, 'holds no examples'],
    ['a scalar', { x: array('float32', [], [1]), y }, 'x [] holds no examples'],
    [
      'complex inputs',
      { x: { ...array('float32', [4, 2]), dtype: 'complex64' }, y },
      'x is complex64',
    ],
    [
      'held-out examples of another shape',
      { x, y, test_x: array('float32', [2, 3]), test_y: array('int64', [2]) },
      'test_x is float32 [N, 3], x is float32 [N, 2]',
    ],
    [
      'held-out examples of another scale',
      { x, y, test_x: array('uint8', [2, 2]), test_y: array('int64', [2]) },
      'test_x is uint8 [N, 2], x is float32 [N, 2]',
    ],
    ['too many', { x: { ...x, shape: [4, 2 ** 28], strides: [0, 0] }, y }, 'is larger than'],
  ])('%s', async (_, entries, message) => {
    await expect(read(entries)).rejects.toMatchObject({
      finding: { code: 'data-unsuitable', message: expect.stringContaining(message) as string },
    });
  });
});

describe('examples', () => {
  it('are gathered by number, from a part of a part, too', async () => {
    const { train } = await read({ x, y });
    const part = selectExamples(train, Uint32Array.of(3, 1, 0));
    expect(part.inputs).toBe(train.inputs);
    const gathered = gatherExamples(part, [1, 0]);
    expect([[...gathered.inputs], [...gathered.labels]]).toEqual([
      [2, 3, 6, 7],
      [2, 0],
    ]);
    const again = gatherExamples(selectExamples(part, Uint32Array.of(2)), [0]);
    expect([...again.inputs]).toEqual([0, 1]);
    expect(() => gatherExamples(part, [3])).toThrow('data: no example 3 of 3');
    expect(() => gatherExamples(part, [-1])).toThrow('data: no example -1 of 3');
  });
});
