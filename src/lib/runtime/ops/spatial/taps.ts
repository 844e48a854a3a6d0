/**
 * Which elements of an axis each place of a resampled axis is made of, and with which weights
 * (torch's UpSample.h and UpSampleKernel.cpp).
 */
import type { Ops } from '#lib/architecture/graph.ts';

export interface Taps {
  /** For each place its elements and their weights. */
  readonly places: readonly (readonly (readonly [index: number, weight: number])[])[];
}

export interface Resampling {
  readonly mode: Exclude<Ops['interpolate']['attrs']['mode'], 'area'>;
  readonly alignCorners: boolean;
  readonly antialias: boolean;
  /** The factor that was given instead of the size. */
  readonly factor: number | null;
}

export function tapsOf(size: number, places: number, resampling: Resampling): Taps {
  const { mode, alignCorners, antialias, factor } = resampling;
  const given = factor !== null && factor > 0 ? 1 / factor : size / places;
  const scale = alignCorners ? (places > 1 ? (size - 1) / (places - 1) : 0) : given;
  const all = (tap: (place: number) => (readonly [number, number])[]) => ({
    places: Array.from({ length: places }, (_, place) => tap(place)),
  });
  switch (mode) {
    case 'nearest':
    case 'nearest-exact':
      return all((place) => [[nearest(place, Math.fround(given), mode, size), 1]]);
    case 'linear':
    case 'bilinear':
    case 'trilinear':
      return all((place) => {
        if (antialias) return smooth(place, scale, size, 1, triangle);
        const at = alignCorners ? place * scale : Math.max(0, (place + 0.5) * scale - 0.5);
        const index = Math.min(Math.floor(at), size - 1);
        const share = at - index;
        return [
          [index, 1 - share],
          [Math.min(index + 1, size - 1), share],
        ];
      });
    case 'bicubic':
      return all((place) => {
        if (antialias) return smooth(place, scale, size, 2, (x) => cubic(x, -0.5));
        const at = alignCorners ? place * scale : (place + 0.5) * scale - 0.5;
        const index = Math.floor(at);
        return [-1, 0, 1, 2].map((step) => [
          Math.min(Math.max(index + step, 0), size - 1),
          cubic(at - index - step, -0.75),
        ]);
      });
    default:
      return mode satisfies never;
  }
}

/** torch works this out in float32, which decides where a product is a whole number. */
function nearest(
  place: number,
  scale: number,
  mode: 'nearest' | 'nearest-exact',
  size: number,
): number {
  const at = mode === 'nearest' ? place : place + 0.5;
  return Math.min(Math.floor(Math.fround(at * scale)), size - 1);
}

/** Antialiased: a filter as wide as a place of the output, where that is wider than an element. */
function smooth(
  place: number,
  scale: number,
  size: number,
  reach: number,
  filter: (x: number) => number,
): (readonly [number, number])[] {
  const stretch = Math.max(1, scale);
  const center = scale * (place + 0.5);
  const first = Math.max(Math.trunc(center - reach * stretch + 0.5), 0);
  const end = Math.min(Math.trunc(center + reach * stretch + 0.5), size);
  const weights = Array.from({ length: end - first }, (_, at) =>
    filter((at + first - center + 0.5) / stretch),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight, at) => [first + at, weight / total]);
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

/** Keys' cubic convolution with the free parameter `a`. */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}
