/**
 * Changes of pictures in training, as torchvision makes them on float tensors of (C, H, W): flips,
 * a crop out of the padded picture, and jitter of brightness, contrast and saturation. Every change
 * is in place, each step rounded to float32 as torch rounds it. What is drawn comes from a seed and
 * the number of the example alone, so that a picture does not depend on the others of its batch.
 */
import { uniform } from '../random.ts';
import type { ImageValues } from '../image.ts';
import type { Augmentation } from './dataset.ts';

/** What is drawn for one picture. */
export interface Drawn {
  readonly horizontalFlip: boolean;
  readonly verticalFlip: boolean;
  /** Where the crop begins in the padded picture. */
  readonly top: number;
  readonly left: number;
  /** Factors of the jitter, in the order in which they are applied. */
  readonly jitter: readonly (readonly [name: keyof Augmentation['jitter'], factor: number])[];
}

/**
 * Draws a change. Everything is drawn whether it is wished or not, so that the flips of a seed stay
 * when jitter is added.
 */
export function drawAugmentation(
  { horizontalFlip, verticalFlip, cropPadding, jitter }: Augmentation,
  seed: number,
  index: number,
): Drawn {
  const draw = uniform(mixed(seed, index));
  const flips = [draw() < 0.5, draw() < 0.5] as const;
  const [top, left] = [draw(), draw()].map((unit) => Math.floor(unit * (2 * cropPadding + 1)));
  const factors = (['brightness', 'contrast', 'saturation'] as const).map((name) => {
    const least = Math.max(0, 1 - jitter[name]);
    return { name, factor: least + draw() * (1 + jitter[name] - least), place: draw() };
  });
  return {
    horizontalFlip: horizontalFlip && flips[0],
    verticalFlip: verticalFlip && flips[1],
    top: top!,
    left: left!,
    jitter: factors
      .filter(({ name }) => jitter[name] > 0)
      .sort((a, b) => a.place - b.place)
      .map(({ name, factor }) => [name, factor]),
  };
}

/** 32 bits in which every bit of both numbers counts (the finisher of Murmur's hash). */
function mixed(seed: number, index: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

/** Applies what was drawn to values from 0 (black) to `bound` (white). */
export function augment(picture: ImageValues, padding: number, drawn: Drawn, bound: number): void {
  const { top, left } = drawn;
  if (top !== padding || left !== padding) shift(picture, top - padding, left - padding);
  if (drawn.horizontalFlip) flipHorizontally(picture);
  if (drawn.verticalFlip) flipVertically(picture);
  for (const [name, factor] of drawn.jitter) adjust[name](picture, factor, bound);
}

/** `torchvision.transforms.functional.hflip`. */
export function flipHorizontally({ shape, values }: ImageValues): void {
  const [, , width] = shape;
  for (let row = 0; row < values.length; row += width) values.subarray(row, row + width).reverse();
}

/** `torchvision.transforms.functional.vflip`. */
export function flipVertically({ shape, values }: ImageValues): void {
  const [channels, height, width] = shape;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < Math.floor(height / 2); row++) {
      const [upper, lower] = [row, height - 1 - row].map((y) => (channel * height + y) * width) as [
        number,
        number,
      ];
      const kept = values.slice(upper, upper + width);
      values.copyWithin(upper, lower, lower + width);
      values.set(kept, lower);
    }
  }
}

/** The window of the same size that begins `down` and `right` of the picture's corner; outside is 0. */
export function shift({ shape, values }: ImageValues, down: number, right: number): void {
  const [channels, height, width] = shape;
  const before = values.slice();
  values.fill(0);
  const [from, to] = [Math.max(0, right), Math.min(width, width + right)];
  if (from >= to) return;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
      const row = (channel * height + y) * width;
      const target = (channel * height + y - down) * width;
      values.set(before.subarray(row + from, row + to), target + from - right);
    }
  }
}

/** `adjust_brightness`, `adjust_contrast` and `adjust_saturation` of torchvision's functional. */
export const adjust: Readonly<
  Record<
    keyof Augmentation['jitter'],
    (picture: ImageValues, factor: number, bound: number) => void
  >
> = {
  brightness: ({ values }, factor, bound) => blend(values, () => 0, factor, bound),
  contrast(picture, factor, bound) {
    const grey = picture.shape[0] === 3 ? greyOf(picture) : picture.values;
    const mean = Math.fround(grey.reduce((sum, value) => sum + value, 0) / grey.length);
    blend(picture.values, () => mean, factor, bound);
  },
  saturation(picture, factor, bound) {
    if (picture.shape[0] !== 3) return;
    const grey = greyOf(picture);
    blend(picture.values, (at) => grey[at % grey.length]!, factor, bound);
  },
};

/** torchvision's `_blend`: factor · value + (1 − factor) · other, from 0 to `bound`. */
function blend(
  values: Float32Array,
  other: (at: number) => number,
  factor: number,
  bound: number,
): void {
  const [own, rest] = [Math.fround(factor), Math.fround(1 - factor)];
  for (let at = 0; at < values.length; at++) {
    const sum = Math.fround(Math.fround(own * values[at]!) + Math.fround(rest * other(at)));
    values[at] = Math.min(bound, Math.max(0, sum));
  }
}

/** `rgb_to_grayscale`: 0.2989 R + 0.587 G + 0.114 B. */
function greyOf({ shape, values }: ImageValues): Float32Array {
  const plane = shape[1] * shape[2];
  const [red, green, blue] = [0.2989, 0.587, 0.114].map(Math.fround) as [number, number, number];
  return Float32Array.from({ length: plane }, (_, at) => {
    const two = Math.fround(red * values[at]!) + Math.fround(green * values[plane + at]!);
    return Math.fround(two) + Math.fround(blue * values[2 * plane + at]!);
  });
}
