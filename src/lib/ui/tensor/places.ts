/** Where the cells of a grid lie in their tensor. */
import type { TensorSlice } from '#lib/worker/protocol.ts';
import { fold } from './cells.svelte.ts';

/** The index before the last two axes of the grid that stands in place `plane`. */
export function leadingIndex(shape: readonly number[], plane: number): number[] {
  let left = plane;
  return shape.slice(0, -2).reduceRight<number[]>((index, size) => {
    index.unshift(left % size);
    left = Math.floor(left / size);
    return index;
  }, []);
}

/** Index of a cell in the whole tensor. */
export function fullIndex(
  { shape, origin, steps }: Pick<TensorSlice, 'shape' | 'origin' | 'steps'>,
  leading: readonly number[],
  { row, column }: { row: number; column: number },
): number[] {
  const inSlice =
    shape.length === 0
      ? []
      : shape.length === 1
        ? [row * fold + column]
        : [...leading, row, column];
  const index = [...origin];
  for (const [axis, at] of inSlice.entries()) {
    const step = steps[axis];
    if (step) index[step.axis]! += at * step.by;
  }
  return index;
}

/** Names of row or column `at` of a grid: its index in the whole tensor. */
export function headText(
  { shape, origin, steps }: Pick<TensorSlice, 'shape' | 'origin' | 'steps'>,
  along: 'rows' | 'columns',
  at: number,
): string {
  if (shape.length === 0) return '';
  if (shape.length === 1) {
    const { axis, by } = steps[0] ?? { axis: 0, by: 1 };
    const distance = (along === 'rows' ? at * fold : at) * by;
    return along === 'rows' ? String((origin[axis] ?? 0) + distance) : `+${distance}`;
  }
  const step = steps.at(along === 'rows' ? -2 : -1);
  return String(step ? (origin[step.axis] ?? 0) + at * step.by : at);
}

/** `[0, 3]` */
export function indexText(index: readonly number[]): string {
  return `[${index.join(', ')}]`;
}
