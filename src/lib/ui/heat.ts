/** Colours of numbers: black is zero, green above and orange below it, lighter towards the scale's end. */

type Colour = readonly [number, number, number];

const ZERO: Colour = [10, 13, 14];
const ABOVE: readonly Colour[] = [ZERO, [45, 160, 146], [232, 255, 250]];
const BELOW: readonly Colour[] = [ZERO, [203, 112, 40], [255, 243, 230]];
/** What is no number stands out. */
const NAN: Colour = [255, 60, 160];

/** The pixels of numbers; `scale` is the largest size that a colour stands for. */
export function heat(values: ArrayLike<number>, scale: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (let at = 0; at < values.length; at++) {
    const [red, green, blue] = colourOf(values[at]!, scale);
    pixels[4 * at] = red;
    pixels[4 * at + 1] = green;
    pixels[4 * at + 2] = blue;
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}

/** Three maps as one picture: red, green and blue are grey at zero, and brighter above it. */
export function colours(
  channels: readonly ArrayLike<number>[],
  scale: number,
): Uint8ClampedArray<ArrayBuffer> {
  const [first] = channels;
  const pixels = new Uint8ClampedArray((first?.length ?? 0) * 4).fill(255);
  for (const [channel, values] of channels.entries()) {
    for (let at = 0; at < values.length; at++) {
      pixels[4 * at + channel] = 127.5 * (1 + (scale > 0 ? values[at]! / scale : 0));
    }
  }
  for (let at = 0; at < pixels.length / 4; at++) {
    if (channels.some((values) => Number.isNaN(values[at]))) pixels.set(NAN, 4 * at);
  }
  return pixels;
}

function colourOf(value: number, scale: number): Colour {
  if (Number.isNaN(value)) return NAN;
  const colours = value < 0 ? BELOW : ABOVE;
  const share = scale > 0 ? Math.min(1, Math.abs(value) / scale) : 0;
  const place = share * (colours.length - 1);
  const first = Math.min(Math.floor(place), colours.length - 2);
  const [from, to] = [colours[first]!, colours[first + 1]!];
  const mixed = (channel: 0 | 1 | 2) =>
    from[channel] + (to[channel] - from[channel]) * (place - first);
  return [mixed(0), mixed(1), mixed(2)];
}

/** The largest size of the finite numbers. */
export function scaleOf(values: ArrayLike<number>): number {
  let scale = 0;
  for (let at = 0; at < values.length; at++) {
    const size = Math.abs(values[at]!);
    if (size > scale && size < Infinity) scale = size;
  }
  return scale;
}
