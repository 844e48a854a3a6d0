/** `eye`, and indices of triangles. */
import type { PyTensor } from '../tensor.ts';
import { hostTensor } from '../emit.ts';
import { checkShape, type Creator, type CreatorCall } from './creator.ts';

function eye({ owner, given, dtype }: CreatorCall): PyTensor {
  const rows = given.size('n');
  const columns = given.value('m') === null ? rows : given.size('m');
  checkShape('eye', [rows, columns]);
  return hostTensor(owner, 'torch.eye', [rows, columns], dtype ?? 'float32', () => {
    const values = new Float64Array(rows * columns);
    for (let at = 0; at < Math.min(rows, columns); at++) values[at * columns + at] = 1;
    return values;
  });
}

/** Row and column of each element of a triangle, row by row. */
function triangle(isIn: (row: number, column: number, offset: number) => boolean): Creator {
  return {
    signature: 'row, col, offset=0',
    make({ owner, name, given, dtype }) {
      const [rows, columns, offset] = [given.size('row'), given.size('col'), given.int('offset')];
      checkShape(name, [rows, columns]);
      const places: [number, number][] = [];
      owner.session.interpreter.allocate(rows * columns);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          if (isIn(row, column, offset)) places.push([row, column]);
        }
      }
      const shape = [2, places.length];
      return hostTensor(owner, `torch.${name}`, shape, dtype ?? 'int64', () =>
        Float64Array.from([0, 1].flatMap((axis) => places.map((place) => place[axis]!))),
      );
    },
  };
}

export const creators: Readonly<Record<string, Creator>> = {
  eye: { signature: 'n, m=None', make: eye },
  tril_indices: triangle((row, column, offset) => column <= row + offset),
  triu_indices: triangle((row, column, offset) => column >= row + offset),
};
