/**
 * Images, sounds and volumes in the one form that tfjs's convolutions and pools are good at: planes
 * (N · D, H, W, C). A sound is a plane of height 1, a volume is a stack of D planes, and what
 * happens along its depth is put together of whole planes.
 */
import { last, standard, toLast, toStandard, type Activation } from '../../activation.ts';
import * as tf from '../../tf.ts';

export interface Planes {
  /** (N · D, H, W, C) */
  readonly planes: tf.Tensor4D;
  /** D */
  readonly depth: number;
}

export type Triple = readonly [depth: number, height: number, width: number];

/** A list of one entry for each axis as one of three; `missing` stands for the axes that are not. */
export function triple(sizes: readonly number[], missing: number): Triple {
  const [depth, height, width] = [missing, missing, missing, ...sizes].slice(-3);
  return [depth!, height!, width!];
}

/** x (N, C, …) with one, two or three axes behind the channels. */
export function toPlanes(x: Activation): Planes {
  const { shape } = x.tensor;
  if (shape.length === 4) return { planes: toLast(x), depth: 1 };
  const [batch, channels, ...size] = shape as [number, number, ...number[]];
  const [depth, height, width] = triple(size, 1);
  const flat = tf.reshape(toStandard(x), [batch, channels, -1]);
  const turned = tf.transpose(flat, [0, 2, 1]);
  return { planes: tf.reshape(turned, [batch * depth, height, width, channels]), depth };
}

/** Planes as (N, C, …) with `rank` axes in all. */
export function fromPlanes({ planes, depth }: Planes, rank: number): Activation {
  if (rank === 4) return last(planes);
  const [stacked, height, width, channels] = planes.shape;
  const batch = stacked / depth;
  const flat = tf.reshape(planes, [batch, depth * height * width, channels]);
  const turned = tf.transpose(flat, [0, 2, 1]);
  const size = rank === 3 ? [width] : [depth, height, width];
  return standard(tf.reshape(turned, [batch, channels, ...size]));
}

/** Applies a function of the middle axis of (N, D, …) to the planes' depth. */
export function alongDepth(
  { planes, depth }: Planes,
  apply: (x: tf.Tensor3D) => tf.Tensor3D,
): Planes {
  const [stacked, height, width, channels] = planes.shape;
  const stacks = tf.reshape(planes, [stacked / depth, depth, height * width * channels]);
  const result = apply(stacks as tf.Tensor3D);
  return {
    planes: tf.reshape(result, [-1, height, width, channels]),
    depth: result.shape[1],
  };
}
