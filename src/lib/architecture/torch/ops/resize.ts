/** Resampling to a size by a rule. */
import { raised } from '../../python/errors.ts';
import type { Ops } from '../../graph.ts';
import { demandFloat, emit } from '../emit.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

export type Interpolation = Ops['interpolate']['attrs']['mode'];

/** How many axes behind the channels each rule is for. */
const ranks: Readonly<Record<Interpolation, readonly number[]>> = {
  nearest: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  trilinear: [3],
};

export interface Resizing {
  readonly mode: Interpolation;
  /** null where it was not given. */
  readonly alignCorners: boolean | null;
  readonly antialias: boolean;
}

/** To `size`, where the positions follow from `scales` instead of from the sizes, if not null. */
export function interpolate(
  x: PyTensor,
  size: readonly number[],
  scales: readonly (number | null)[],
  { mode, alignCorners, antialias }: Resizing,
): PyTensor {
  demandFloat('interpolate', x);
  const rank = x.shape.length - 2;
  if (!ranks[mode].includes(rank)) {
    throw raised(
      'NotImplementedError',
      `interpolate: mode "${mode}" takes ${ranks[mode].map((axes) => axes + 2).join('-d, ')}-d inputs, not ${shapeText(x.shape)}`,
    );
  }
  if (size.some((length) => length < 1)) {
    throw raised('RuntimeError', `interpolate: the output would have the size ${shapeText(size)}`);
  }
  if (alignCorners !== null && ['nearest', 'nearest-exact', 'area'].includes(mode)) {
    throw raised('ValueError', `interpolate: align_corners is not for mode "${mode}"`);
  }
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic') {
    throw raised('ValueError', `interpolate: antialias is not for mode "${mode}"`);
  }
  const attrs = { mode, align_corners: alignCorners ?? false, scales, antialias };
  return emit('interpolate', [x], attrs, [...x.shape.slice(0, 2), ...size], x.dtype);
}
