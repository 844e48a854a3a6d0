/** How an input looks: pictures as pictures, anything else as rows of grey. */
export interface Drawn {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** The ends of the range that black and white stand for. */
  lowest: string;
  highest: string;
}

/** Wider strips than this are folded into rows. */
const widestStrip = 64;

export function picture(values: Float32Array | Int32Array, shape: readonly number[]): Drawn {
  const { width, height, channels } = layout(values.length, shape);
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  // Stored pictures lie in 0 to 1: a dark one stays dark.
  const start = low >= 0 && high <= 1 ? 0 : low;
  const span = low >= 0 && high <= 1 ? 1 : high - low || 1;
  const pixels = new Uint8ClampedArray(width * height * 4);
  const plane = width * height;
  for (let index = 0; index < plane; index++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = values[index + (channels === 3 ? channel * plane : 0)] ?? start;
      pixels[index * 4 + channel] = ((value - start) / span) * 255;
    }
    pixels[index * 4 + 3] = index < values.length ? 255 : 0;
  }
  return { width, height, pixels, lowest: short(low), highest: short(high) };
}

function layout(
  count: number,
  shape: readonly number[],
): { width: number; height: number; channels: 1 | 3 } {
  const [channels, height, width] = shape;
  if (shape.length === 3 && (channels === 1 || channels === 3) && height && width) {
    return { width, height, channels };
  }
  if (shape.length === 2 && shape[0] && shape[1]) {
    return { width: shape[1], height: shape[0], channels: 1 };
  }
  const columns = Math.max(1, Math.min(widestStrip, count));
  return { width: columns, height: Math.max(1, Math.ceil(count / columns)), channels: 1 };
}

function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '–';
}
