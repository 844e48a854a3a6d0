import { last, standard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { product, type Sizes } from './blocks.ts';

/** Where the axes of (N, C, H, W) lie in (N, H, W, C). */
const lastPlaces = [0, 3, 1, 2];

/**
 * Output axis i is input axis dims[i]. Turning a channels-last image to (N, H, W, C), and such a
 * tensor back to (N, C, H, W), moves nothing.
 */
export const permute: OpFunction<'permute'> = ([x], { dims }) => {
  if (x.layout === 'standard' && dims.join() === lastPlaces.join()) return last(x.tensor);
  return standard(
    permuted(x.tensor, x.layout === 'last' ? dims.map((dim) => lastPlaces[dim]!) : dims),
  );
};

/** tfjs's transposes go up to this rank. */
const maxTransposeRank = 6;

/** A transpose of any rank: neighbours that stay together move as one axis. */
export function permuted(x: tf.Tensor, dims: Sizes): tf.Tensor {
  const shape = dims.map((dim) => x.shape[dim]!);
  const moved = dims.filter((dim) => x.shape[dim] !== 1);
  const groups: number[][] = [];
  for (const dim of moved) {
    const group = groups.at(-1);
    if (group && isNext(x.shape, group.at(-1)!, dim)) group.push(dim);
    else groups.push([dim]);
  }
  if (groups.length <= 1) return tf.reshape(x, shape);
  const order = groups.map((_, at) => at).sort((a, b) => groups[a]![0]! - groups[b]![0]!);
  const sizes = order.map((at) => product(groups[at]!.map((dim) => x.shape[dim]!)));
  const places = groups.map((_, at) => order.indexOf(at));
  return tf.reshape(turned(tf.reshape(x, sizes), places), shape);
}

/** True where only axes of size 1 lie between two. */
function isNext(shape: Sizes, dim: number, next: number): boolean {
  return next > dim && shape.slice(dim + 1, next).every((size) => size === 1);
}

/** Beyond tfjs's rank, the axes come to the front one after the other. */
function turned(x: tf.Tensor, dims: Sizes): tf.Tensor {
  if (dims.length <= maxTransposeRank) return tf.transpose(x, [...dims]);
  let order = dims.map((_, axis) => axis);
  let result = x;
  dims.forEach((dim, at) => {
    const from = order.indexOf(dim);
    const size = (places: Sizes) => product(places.map((place) => x.shape[place]!));
    const parts = [order.slice(0, at), order.slice(at, from), [dim], order.slice(from + 1)];
    const blocks = tf.reshape(result, parts.map(size));
    result = tf.transpose(blocks, [0, 2, 1, 3]);
    order = [...parts[0]!, dim, ...parts[1]!, ...parts[3]!];
  });
  return tf.reshape(
    result,
    order.map((axis) => x.shape[axis]!),
  );
}

/** An axis of torch's order as it lies in an activation. */
export function placeOf({ layout }: Pick<Activation, 'layout'>, dim: number): number {
  return layout === 'last' ? lastPlaces[dim]! : dim;
}

/** One entry for each axis, in the order of an activation's axes. */
export function inLayout<T>({ layout }: Pick<Activation, 'layout'>, entries: readonly T[]): T[] {
  const result: T[] = [];
  entries.forEach((entry, dim) => (result[layout === 'last' ? lastPlaces[dim]! : dim] = entry));
  return result;
}
