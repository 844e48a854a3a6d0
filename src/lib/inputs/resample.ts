/**
 * Scaling pictures as Pillow does it, so that a model sees the numbers that it saw in PyTorch: a
 * canvas would smooth in its own way, and no two browsers alike. Rows are scaled first, then
 * columns; in between and at the end, numbers are bytes. Filters widen when a picture shrinks
 * (antialiasing), their weights are fixed-point numbers of 22 bits, as Pillow's are for bytes.
 */

/** Bytes of a picture, row by row, channels last. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array<ArrayBuffer> | Uint8ClampedArray<ArrayBuffer>;
}

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic';

interface Filter {
  /** Reach to either side, in pixels of the larger of the two pictures. */
  readonly support: number;
  weight(distance: number): number;
}

/** A triangle, and Catmull-Rom's cubic (Keys, 1981, with a = −0.5). */
const filters: Record<Exclude<Interpolation, 'nearest'>, Filter> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
};

/** Bits behind the point of a weight: 32, less 8 for a byte and 2 for sums beyond one. */
const FRACTION_BITS = 22;
const ONE = 1 << FRACTION_BITS;

/** A picture of another size, equal to Pillow's `Image.resize` bit for bit. */
export function resize(
  pixels: Pixels,
  { width, height }: { width: number; height: number },
  interpolation: Interpolation,
): Pixels {
  if (!(width >= 1 && height >= 1)) {
    throw new RangeError(`image: cannot be scaled to ${width} × ${height} pixels`);
  }
  if (interpolation === 'nearest') return pickNearest(pixels, width, height);
  const filter = filters[interpolation];
  const wide = width === pixels.width ? pixels : scaleRows(pixels, width, filter);
  if (height === wide.height) return wide;
  return transpose(scaleRows(transpose(wide), height, filter));
}

/** For one output pixel: the first input pixel that it takes from, and the weights from there on. */
interface Taps {
  readonly first: number;
  readonly weights: Int32Array;
}

function tapsOf(from: number, to: number, { support, weight }: Filter): Taps[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  return Array.from({ length: to }, (_, at) => {
    const centre = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const exact = Array.from({ length: end - first }, (_, offset) =>
      weight((offset + first - centre + 0.5) * (1 / stretch)),
    );
    const sum = exact.reduce((total, value) => total + value, 0);
    return { first, weights: Int32Array.from(exact, (value) => fixedPoint(value / sum)) };
  });
}

function fixedPoint(value: number): number {
  return Math.trunc(value * ONE + (value < 0 ? -0.5 : 0.5));
}

function scaleRows(pixels: Pixels, width: number, filter: Filter): Pixels {
  const { channels, height, data } = pixels;
  const taps = tapsOf(pixels.width, width, filter);
  const out = new Uint8ClampedArray(width * height * channels);
  let target = 0;
  for (let y = 0; y < height; y++) {
    const row = y * pixels.width * channels;
    for (const { first, weights } of taps) {
      const start = row + first * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = ONE / 2;
        for (let tap = 0, at = start + channel; tap < weights.length; tap++, at += channels) {
          sum += data[at]! * weights[tap]!;
        }
        out[target++] = sum >> FRACTION_BITS;
      }
    }
  }
  return { width, height, channels, data: out };
}

/** Rows become columns. */
function transpose({ width, height, channels, data }: Pixels): Pixels {
  const out = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (x * height + y) * channels;
      for (let channel = 0; channel < channels; channel++)
        out[to + channel] = data[from + channel]!;
    }
  }
  return { width: height, height: width, channels, data: out };
}

function pickNearest(pixels: Pixels, width: number, height: number): Pixels {
  const { channels, data } = pixels;
  const columns = nearest(pixels.width, width);
  const rows = nearest(pixels.height, height);
  const out = new Uint8ClampedArray(width * height * channels);
  let target = 0;
  for (const y of rows) {
    for (const x of columns) {
      const from = (y * pixels.width + x) * channels;
      for (let channel = 0; channel < channels; channel++) out[target++] = data[from + channel]!;
    }
  }
  return { width, height, channels, data: out };
}

/** Pillow adds up the steps, so their rounding adds up as well. */
function nearest(from: number, to: number): Int32Array {
  const step = from / to;
  const picked = new Int32Array(to);
  for (let at = 0, place = step * 0.5; at < to; at++, place += step) {
    picked[at] = Math.min(from - 1, Math.trunc(place));
  }
  return picked;
}

/** A window of a picture; what lies outside of it is black, as torchvision's CenterCrop pads. */
export function crop(
  pixels: Pixels,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
): Pixels {
  const { channels, data } = pixels;
  const out = new Uint8ClampedArray(width * height * channels);
  const [from, to] = [Math.max(0, left), Math.min(pixels.width, left + width)];
  if (from < to) {
    for (let y = Math.max(0, top); y < Math.min(pixels.height, top + height); y++) {
      const row = data.subarray(
        (y * pixels.width + from) * channels,
        (y * pixels.width + to) * channels,
      );
      out.set(row, ((y - top) * width + from - left) * channels);
    }
  }
  return { width, height, channels, data: out };
}
