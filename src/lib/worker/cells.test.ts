import { describe, expect, it } from 'vitest';
import { contiguousStrides, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { indexTensor } from '#lib/inspect/index_expression.ts';
import { boxOf, cellsOf, describeSlice } from './cells.ts';

const shape = [3, 4, 5];
const values = Float32Array.from({ length: 60 }, (_, at) => at);
const whole = tensorFromBytes(new Uint8Array(values.buffer), 'float32', shape);

describe('cells', () => {
  it('are the exact texts of a box of a view', async () => {
    const slice = indexTensor(whole, '1, ::2');
    expect(await cellsOf(boxOf(slice, [1, 2], [1, 3]))).toEqual(['32.0', '33.0', '34.0']);
    expect(await cellsOf(boxOf(slice, [0, 0], [2, 1]))).toEqual(['20.0', '30.0']);
    expect(await cellsOf(boxOf(indexTensor(whole, '2, 3, 4'), [], []))).toEqual(['59.0']);
  });

  it('are none beyond the tensor, nor more than a page shows', async () => {
    expect(() => boxOf(whole, [0, 0, 4], [1, 1, 2])).toThrow('[0, 0, 4] + [1, 1, 2]');
    expect(() => boxOf(whole, [0, 0], [1, 1])).toThrow(RangeError);
    const zeros = { ...whole, shape: [400, 400], strides: [0, 0] };
    await expect(cellsOf(zeros)).rejects.toThrow('cells: 160000 are more than 100000');
  });
});

describe('a slice', () => {
  /** The places of all elements, by what `describeSlice` says, as values of the whole tensor. */
  function valuesBy(index: string, tensor = whole) {
    const { origin, steps, shape: sizes } = describeSlice(tensor, indexTensor(tensor, index));
    const strides = contiguousStrides(tensor.shape);
    let places = [origin];
    for (const [axis, size] of sizes.entries()) {
      places = places.flatMap((place) =>
        Array.from({ length: size }, (_, at) => {
          const step = steps[axis];
          return step ? place.with(step.axis, place[step.axis]! + at * step.by) : place;
        }),
      );
    }
    return places.map((place) => place.reduce((sum, at, axis) => sum + at * strides[axis]!, 0));
  }

  it.each(['', '1', '1, ::2', ':, 3:, 1::3', '..., 2', '2:3, 1:2, 4:5', 'None, 0, 1:', '-1, -1'])(
    'knows the place of each element of [%s]',
    async (index) => {
      const cells = await cellsOf(indexTensor(whole, index));
      expect(valuesBy(index)).toEqual(cells.map(Number));
    },
  );

  it('knows them in a transposed tensor', async () => {
    const turned = { ...whole, shape: [5, 3, 4], strides: [1, 20, 5] };
    const cells = await cellsOf(indexTensor(turned, '1:3, ::2, 3'));
    const places = valuesBy('1:3, ::2, 3', turned);
    const all = (await cellsOf(turned)).map(Number);
    expect(places.map((place) => all[place])).toEqual(cells.map(Number));
  });

  it('names the axis of a single row', () => {
    expect(describeSlice(whole, indexTensor(whole, '1, 2:3, :'))).toMatchObject({
      origin: [1, 2, 0],
      steps: [
        { axis: 1, by: 1 },
        { axis: 2, by: 1 },
      ],
    });
  });
});
