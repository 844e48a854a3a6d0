/**
 * A picture file as a model's input: scaled to cover the model's size, cut at the centre, as
 * numbers from 0 to 1 in (C, H, W). One channel is the luma of torchvision's Grayscale
 * (0.299 R + 0.587 G + 0.114 B).
 */
export async function imageInput(
  image: Blob,
  shape: readonly number[],
  { invert = false }: { invert?: boolean } = {},
): Promise<Float32Array<ArrayBuffer>> {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || !height || !width || (channels !== 1 && channels !== 3)) {
    throw new RangeError(
      `image: the model takes [${shape.join(', ')}], a picture gives [1 or 3, height, width]`,
    );
  }
  const rgba = await pixels(image, width, height);
  const values = new Float32Array(channels * height * width);
  const plane = height * width;
  for (let at = 0; at < plane; at++) {
    const [red, green, blue] = rgba.subarray(4 * at, 4 * at + 3) as unknown as number[];
    const colours =
      channels === 3 ? [red!, green!, blue!] : [0.299 * red! + 0.587 * green! + 0.114 * blue!];
    colours.forEach((colour, channel) => {
      values[channel * plane + at] = invert ? 1 - colour / 255 : colour / 255;
    });
  }
  return values;
}

/** Draws the picture over black at the wanted size; `resizeQuality: high` averages when shrinking. */
async function pixels(image: Blob, width: number, height: number): Promise<Uint8ClampedArray> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(image);
  } catch {
    throw new RangeError('image: this file is no picture that the browser can read');
  }
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const size = { width: bitmap.width * scale, height: bitmap.height * scale };
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.fillStyle = 'black';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  const x = (width - size.width) / 2;
  const y = (height - size.height) / 2;
  context.drawImage(bitmap, x, y, size.width, size.height);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}
