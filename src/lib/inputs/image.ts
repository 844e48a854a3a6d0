/**
 * A picture as a model's input, by a recipe: what a torchvision preset does, step by step, each
 * step editable. The numbers are those of PyTorch: the picture is decoded by the browser, and
 * everything after that is computed here, in bytes as Pillow does and then in float32 as torch.
 *
 * Two decisions. A picture is turned upright by its EXIF orientation, as `ImageOps.exif_transpose`
 * does: people drop what they see. Colours are taken as they are stored, as Pillow takes them,
 * without conversion by an embedded profile; what is transparent is black.
 */
import { crop, resize, type Interpolation, type Pixels } from './resample.ts';

export interface ImageRecipe {
  /**
   * `shorter`: that side gets the size, the other follows (torchvision's Resize with one number);
   * `longer`: the picture fits into the size; `stretch`: height and width as given.
   */
  readonly resize:
    | { readonly side: 'shorter' | 'longer'; readonly size: number }
    | { readonly side: 'stretch'; readonly height: number; readonly width: number }
    | null;
  readonly interpolation: Interpolation;
  /** Cut out of the centre. */
  readonly crop: { readonly height: number; readonly width: number } | null;
  /** `L` is grey, by Pillow's `convert('L')`. */
  readonly channels: 'RGB' | 'BGR' | 'L';
  /** What black and white become, before normalising. */
  readonly range: '0..1' | '0..255' | '-1..1';
  /** Taken off each channel, then divided by; one number serves all channels. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Dark on light becomes light on dark. */
  readonly invert?: boolean;
}

/** Values of one input, (C, H, W) in row-major order. */
export interface ImageValues {
  readonly shape: [number, number, number];
  readonly values: Float32Array<ArrayBuffer>;
}

/** Larger pictures are refused before they are decoded into several copies in memory. */
const MAX_PIXELS = 2 ** 27;

/** The statistics of ImageNet that torchvision's weights were trained with. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** What published weights were evaluated with, by the names that torchvision's users know. */
export const recipes = {
  /** `ImageClassification(crop_size=224)`: ResNet, VGG and most of `IMAGENET1K_V1`. */
  imagenet: recipe({ shorter: 256, crop: 224, ...IMAGENET }),
  /** `resize_size=232`: most of `IMAGENET1K_V2`. */
  imagenetV2: recipe({ shorter: 232, crop: 224, ...IMAGENET }),
  /** Inception and EfficientNet of timm and TensorFlow's descent. */
  inception: recipe({ shorter: 342, crop: 299, mean: [0.5], std: [0.5] }),
  /** CLIP's towers. */
  clip: recipe({
    shorter: 224,
    crop: 224,
    interpolation: 'bicubic',
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  }),
  /** MTCNN of facenet-pytorch: any size, (x − 127.5) / 128. */
  mtcnn: { ...recipe({ mean: [127.5], std: [128] }), range: '0..255' },
} satisfies Record<string, ImageRecipe>;

function recipe(parts: {
  shorter?: number;
  crop?: number;
  interpolation?: Interpolation;
  mean: readonly number[];
  std: readonly number[];
}): ImageRecipe {
  return {
    resize: parts.shorter ? { side: 'shorter', size: parts.shorter } : null,
    interpolation: parts.interpolation ?? 'bilinear',
    crop: parts.crop ? { height: parts.crop, width: parts.crop } : null,
    channels: 'RGB',
    range: '0..1',
    mean: parts.mean,
    std: parts.std,
  };
}

/** A recipe for a model that takes (C, H, W) and of which nothing else is known: plain 0 to 1. */
export function plainRecipe(shape: readonly number[]): ImageRecipe {
  const [channels, height, width] = shape as [number, number, number];
  return {
    ...recipe({ mean: [0], std: [1] }),
    resize:
      height === width ? { side: 'shorter', size: height } : { side: 'stretch', height, width },
    crop: height === width ? { height, width } : null,
    channels: channels === 1 ? 'L' : 'RGB',
  };
}

/** Decodes a picture file and prepares it. Throws a RangeError that says what does not fit. */
export async function imageInput(image: Blob, recipe: ImageRecipe): Promise<ImageValues> {
  return prepareImage(await decodePicture(image), recipe);
}

/** The recipe's steps on RGB bytes. */
export function prepareImage(rgb: Pixels, recipe: ImageRecipe): ImageValues {
  return pictureValues(pictureBytes(rgb, recipe), recipe);
}

/** The steps from bytes on: to numbers as the model takes them. */
export function pictureValues(pixels: Pixels, recipe: ImageRecipe): ImageValues {
  return planes(pixels, recipe.channels === 'BGR', (channel) => byteTable(recipe, channel));
}

/** The steps up to bytes: grey where it is wished, scaled, cropped. Channels are R, G, B still. */
export function pictureBytes(rgb: Pixels, recipe: ImageRecipe): Pixels {
  checkRecipe(recipe);
  const coloured = recipe.channels === 'L' ? luma(rgb) : rgb;
  const scaled = resize(coloured, targetSize(coloured, recipe), recipe.interpolation);
  return recipe.crop ? centreCrop(scaled, recipe.crop) : scaled;
}

/** Bytes as numbers from 0 to `brightest`, before they are normalised: what pictures are changed as. */
export function plainValues(pixels: Pixels, recipe: ImageRecipe): ImageValues {
  return planes(pixels, false, () => plainTable(recipe));
}

/** White among plain values. */
export function brightest({ range }: ImageRecipe): number {
  return range === '0..255' ? 255 : 1;
}

/** Plain values as the model takes them: in range and order, each channel normalised. In place. */
export function finishValues({ shape, values }: ImageValues, recipe: ImageRecipe): void {
  const [channels, height, width] = shape;
  const plane = height * width;
  if (recipe.channels === 'BGR') {
    const red = values.slice(0, plane);
    values.copyWithin(0, 2 * plane, 3 * plane);
    values.set(red, 2 * plane);
  }
  for (let channel = 0; channel < channels; channel++) {
    const finish = finisher(recipe, channel);
    for (let at = channel * plane; at < (channel + 1) * plane; at++)
      values[at] = finish(values[at]!);
  }
}

function checkRecipe({ channels, mean, std, resize, crop }: ImageRecipe): void {
  const count = channels === 'L' ? 1 : 3;
  for (const [name, numbers] of Object.entries({ mean, std })) {
    if (numbers.length !== 1 && numbers.length !== count) {
      throw new RangeError(
        `image: ${name} has ${numbers.length} numbers, one or ${count} are needed for ${channels}`,
      );
    }
    if (!numbers.every(Number.isFinite)) throw new RangeError(`image: ${name} is no number`);
  }
  if (std.includes(0)) throw new RangeError('image: std is 0, dividing by it gives no number');
  const sizes = [...Object.values(resize ?? {}), ...Object.values(crop ?? {})].filter(
    (size) => typeof size === 'number',
  );
  const odd = sizes.find((size) => !Number.isInteger(size) || size < 1 || size ** 2 > MAX_PIXELS);
  if (odd !== undefined) throw new RangeError(`image: a side of ${odd} pixels cannot be made`);
}

/** As torchvision's Resize computes it: the other side is cut off, not rounded. */
function targetSize({ width, height }: Pixels, { resize }: ImageRecipe) {
  if (!resize) return { width, height };
  if (resize.side === 'stretch') return { width: resize.width, height: resize.height };
  const isShorter = resize.side === 'shorter';
  const reference = isShorter ? Math.min(width, height) : Math.max(width, height);
  const follow = (side: number) =>
    side === reference ? resize.size : Math.max(1, Math.trunc((resize.size * side) / reference));
  const size = { width: follow(width), height: follow(height) };
  if (size.width * size.height > MAX_PIXELS) {
    throw new RangeError(`image: ${size.width} × ${size.height} pixels are too many`);
  }
  return size;
}

function centreCrop(pixels: Pixels, { height, width }: { height: number; width: number }): Pixels {
  const left = roundHalfEven((pixels.width - width) / 2);
  const top = roundHalfEven((pixels.height - height) / 2);
  return crop(pixels, { left, top, width, height });
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Pillow's `convert('L')`: 0.299 R + 0.587 G + 0.114 B in fixed point. */
function luma({ width, height, data }: Pixels): Pixels {
  const out = new Uint8ClampedArray(width * height);
  for (let at = 0; at < out.length; at++) {
    const [red, green, blue] = [data[3 * at]!, data[3 * at + 1]!, data[3 * at + 2]!];
    out[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: out };
}

/** Channels one behind the other, each byte replaced by what the channel's table has for it. */
function planes(
  { width, height, channels, data }: Pixels,
  isTurned: boolean,
  tableOf: (channel: number) => Float32Array,
): ImageValues {
  const plane = width * height;
  const values = new Float32Array(channels * plane);
  for (let channel = 0; channel < channels; channel++) {
    const table = tableOf(channel);
    const source = isTurned ? channels - 1 - channel : channel;
    for (let at = 0; at < plane; at++) {
      values[channel * plane + at] = table[data[at * channels + source]!]!;
    }
  }
  return { shape: [channels, height, width], values };
}

/** What each of the 256 bytes becomes in a channel of the output. */
function byteTable(recipe: ImageRecipe, channel: number): Float32Array {
  return plainTable(recipe).map(finisher(recipe, channel));
}

function plainTable({ range, invert }: ImageRecipe): Float32Array {
  return Float32Array.from({ length: 256 }, (_, index) => {
    const byte = invert ? 255 - index : index;
    return range === '0..255' ? byte : byte / 255;
  });
}

/** From a plain value to a channel of the output, each step rounded as ToTensor and Normalize round. */
function finisher({ range, mean, std }: ImageRecipe, channel: number): (plain: number) => number {
  const offset = Math.fround(mean[mean.length === 1 ? 0 : channel]!);
  const scale = Math.fround(std[std.length === 1 ? 0 : channel]!);
  return (plain) => {
    const ranged = range === '-1..1' ? Math.fround(Math.fround(plain * 2) - 1) : plain;
    return Math.fround(Math.fround(ranged - offset) / scale);
  };
}

/** A picture file as RGB bytes, by the browser. Throws a RangeError for what it cannot read. */
export async function decodePicture(image: Blob): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(image, {
      colorSpaceConversion: 'none',
      imageOrientation: 'from-image',
    });
  } catch {
    throw new RangeError('image: this file is no picture that the browser can read');
  }
  const { width, height } = bitmap;
  try {
    if (width * height > MAX_PIXELS) {
      throw new RangeError(
        `image: ${width} × ${height} pixels are too many, at most ${MAX_PIXELS}`,
      );
    }
    const context = new OffscreenCanvas(width, height).getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    return withoutAlpha(context.getImageData(0, 0, width, height));
  } finally {
    bitmap.close();
  }
}

function withoutAlpha({ width, height, data }: ImageData): Pixels {
  const out = new Uint8ClampedArray(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    out[to] = data[from]!;
    out[to + 1] = data[from + 1]!;
    out[to + 2] = data[from + 2]!;
  }
  return { width, height, channels: 3, data: out };
}
