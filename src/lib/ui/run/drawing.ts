/** From strokes on a canvas to a picture like those of MNIST: centred, with a margin. */

/** MNIST fits a digit into 20 of its 28 pixels. */
const inkShare = 20 / 28;
/** Fainter than this is no ink. */
const faintest = 16;

/** Bounds of the ink in RGBA pixels; null where there is none. */
export function inkBounds(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
): { left: number; top: number; right: number; bottom: number } | null {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((pixels[(y * width + x) * 4] ?? 0) < faintest) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return right > left ? { left, top, right, bottom } : null;
}

/** The canvas as a PNG; `centred` moves and scales the ink as MNIST does. Null without ink. */
export async function drawnImage(
  canvas: HTMLCanvasElement,
  centred: boolean,
): Promise<Blob | null> {
  const { width, height } = canvas;
  const source = canvas.getContext('2d');
  const ink = source && inkBounds(source.getImageData(0, 0, width, height).data, width, height);
  if (!ink) return null;
  const target = document.createElement('canvas');
  target.width = width;
  target.height = height;
  const context = target.getContext('2d');
  if (!context) return null;
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  if (centred) {
    const inkWidth = ink.right - ink.left;
    const inkHeight = ink.bottom - ink.top;
    const scale = (inkShare * width) / Math.max(inkWidth, inkHeight);
    const [toWidth, toHeight] = [inkWidth * scale, inkHeight * scale];
    const [toX, toY] = [(width - toWidth) / 2, (height - toHeight) / 2];
    context.drawImage(canvas, ink.left, ink.top, inkWidth, inkHeight, toX, toY, toWidth, toHeight);
  } else {
    context.drawImage(canvas, 0, 0);
  }
  return new Promise((resolve) => target.toBlob(resolve, 'image/png'));
}
