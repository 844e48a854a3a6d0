/** Matrix products on the host, in doubles. */
import type { HostValue } from '../host.ts';
import type { HostFunctions } from './index.ts';
import { rowMajor, walkStrided } from './strides.ts';

export const matrix: HostFunctions = {
  matmul: ([a, b], _, result) => {
    const [x, y] = [a!, b!];
    const batch = Math.max(x.shape.length, y.shape.length) - 2;
    const letters = (value: HostValue, own: readonly string[]): string[] => {
      const axes = value.shape.length === 1 ? own.slice(-1) : own;
      const count = value.shape.length - axes.length;
      const names = Array.from({ length: count }, (_, at) => `batch ${batch - count + at}`);
      return [...names, ...axes];
    };
    const left = letters(x, ['row', 'inner']);
    const right = y.shape.length === 1 ? ['inner'] : letters(y, ['inner', 'column']);
    const batches = Array.from({ length: Math.max(0, batch) }, (_, at) => `batch ${at}`);
    const rows = x.shape.length > 1 ? ['row'] : [];
    const columns = y.shape.length > 1 ? ['column'] : [];
    return contract([x, y], [left, right], [...batches, ...rows, ...columns], result.shape);
  },
  einsum: (inputs, { equation }, result) => {
    const [operands, output] = equation.split('->') as [string, string];
    const letters = operands.split(',').map((text) => [...text]);
    return contract(inputs as readonly HostValue[], letters, [...output], result.shape);
  },
};

/** Sums of products over every letter that the result lacks; an axis of size 1 is broadcast. */
function contract(
  values: readonly HostValue[],
  letters: readonly (readonly string[])[],
  output: readonly string[],
  shape: readonly number[],
): Float64Array {
  const sizes = new Map(output.map((letter, axis) => [letter, shape[axis]!]));
  values.forEach((value, at) =>
    letters[at]!.forEach((letter, axis) =>
      sizes.set(letter, Math.max(sizes.get(letter) ?? 1, value.shape[axis]!)),
    ),
  );
  const summed = [...sizes.keys()].filter((letter) => !output.includes(letter));
  const lengths = summed.map((letter) => sizes.get(letter)!);
  const factors = values.map((value, at) => {
    const strides = rowMajor(value.shape);
    const stepsOf = (axes: readonly string[]): number[] =>
      axes.map((letter) => {
        const axis = letters[at]!.indexOf(letter);
        return axis < 0 || value.shape[axis] === 1 ? 0 : strides[axis]!;
      });
    return {
      data: value.data,
      start: placesOf(shape, stepsOf(output)),
      step: placesOf(lengths, stepsOf(summed)),
    };
  });
  const result = new Float64Array(shape.reduce((product, size) => product * size, 1));
  const terms = lengths.reduce((product, size) => product * size, 1);
  return result.map((_, place) => {
    let sum = 0;
    for (let term = 0; term < terms; term++) {
      let product = 1;
      for (const { data, start, step } of factors) product *= data[start[place]! + step[term]!]!;
      sum += product;
    }
    return sum;
  });
}

/** Where the elements of a strided view lie. */
function placesOf(shape: readonly number[], strides: readonly number[]): Float64Array {
  const places = new Float64Array(shape.reduce((product, size) => product * size, 1));
  walkStrided(shape, strides, 0, (at, from) => {
    places[at] = from;
  });
  return places;
}
