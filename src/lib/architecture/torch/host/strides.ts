/** Walking over elements of arrays that are laid out row by row. */

/** Elements between neighbours along each axis. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Strides of an operand of `shape` when it is broadcast to `target`. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = rowMajor(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => {
    const at = axis - missing;
    return at < 0 || shape[at] === 1 ? 0 : own[at]!;
  });
}

/** Calls `visit` for each element of `shape` in order, with where it lies by other strides. */
export function walkStrided(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  visit: (at: number, from: number) => void,
): void {
  const rank = shape.length;
  const count = shape.reduce((product, size) => product * size, 1);
  const place = new Array<number>(rank).fill(0);
  let from = offset;
  for (let at = 0; at < count; at++) {
    visit(at, from);
    for (let axis = rank - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
}

/** The elements of a strided view, one after the other. */
export function gatherStrided(
  data: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Float64Array {
  const result = new Float64Array(shape.reduce((product, size) => product * size, 1));
  walkStrided(shape, strides, offset, (at, from) => {
    result[at] = data[from]!;
  });
  return result;
}
