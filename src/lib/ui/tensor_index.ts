/** Parts of a tensor that is shown, named as PyTorch indexes the whole that it was taken from. */
import type { TensorSlice } from '#lib/worker/protocol.ts';

/** How what is shown lies in a whole tensor. */
export type Lie = Pick<TensorSlice, 'shape' | 'whole' | 'origin' | 'steps'>;

/** Places along an axis, from one up to another. */
export type Extent = readonly [start: number, end: number];

/** Of a tensor that is shown as a whole. */
export function lieOfWhole(shape: readonly number[]): Lie {
  return {
    ...{ shape: [...shape], whole: shape },
    origin: shape.map(() => 0),
    steps: shape.map((_, axis) => ({ axis, by: 1 })),
  };
}

/**
 * `[3, :, 2:4]`, of an extent along each axis of what is shown. As in PyTorch, whole axes at the end
 * are left out; of all of the tensor nothing remains.
 */
export function indexText({ whole, origin, steps }: Lie, extents: readonly Extent[]): string {
  const parts = origin.map(String);
  for (const [at, step] of steps.entries()) {
    const [start, end] = extents[at]!;
    // The first place is where the origin is; the step of a single one may be of any axis.
    if (!step || (start === 0 && end === 1)) continue;
    const { axis, by } = step;
    const first = origin[axis]! + start * by;
    const last = origin[axis]! + (end - 1) * by;
    if (first === last) parts[axis] = String(first);
    else if (by === 1 && end - start === whole[axis]) parts[axis] = ':';
    else parts[axis] = `${first}:${last + 1}${by === 1 ? '' : `:${by}`}`;
  }
  while (parts.at(-1) === ':') parts.pop();
  return parts.length > 0 ? `[${parts.join(', ')}]` : '';
}
