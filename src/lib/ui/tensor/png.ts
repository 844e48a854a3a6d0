/** Pictures of a tensor as one PNG: the maps of a page beside one another, as they are coloured. */
import type { Bars } from '#lib/worker/protocol.ts';
import type { DrawnMap } from '../drawn_maps.ts';

/** Small maps are enlarged to about this many pixels a side, by whole numbers. */
const smallest = 96;
/** Between maps. */
const gap = 4;
/** Canvases of more pixels a side fail in some browsers. */
const largest = 8192;
const bar = { width: 2, height: 240, colour: '#0a6b61' };

/** The maps in rows, about as wide as high in all. */
export async function mapsPng(maps: readonly DrawnMap[]): Promise<Blob> {
  const [{ width, height } = { width: 1, height: 1 }] = maps;
  const across = Math.max(1, Math.round(Math.sqrt((maps.length * height) / width)));
  const down = Math.ceil(maps.length / across);
  const room = Math.floor(largest / Math.max(across * (width + gap), down * (height + gap)));
  const zoom = Math.max(1, Math.min(room, Math.ceil(smallest / Math.max(width, height))));
  const [cell, line] = [width * zoom + gap, height * zoom + gap];
  const canvas = new OffscreenCanvas(across * cell - gap, down * line - gap);
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = false;
  for (const [at, map] of maps.entries()) {
    const pixels = new ImageData(map.pixels, width, height);
    const drawn = await createImageBitmap(pixels);
    const [x, y] = [(at % across) * cell, Math.floor(at / across) * line];
    context.drawImage(drawn, x, y, width * zoom, height * zoom);
    drawn.close();
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

/** The bars of a single axis, from `low` to `high`. */
export async function barsPng(
  { low, high }: Bars,
  span: { low: number; high: number },
): Promise<Blob> {
  const canvas = new OffscreenCanvas(low.length * bar.width, bar.height);
  const context = contextOf(canvas);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = bar.colour;
  const y = (value: number) => bar.height * (1 - (value - span.low) / (span.high - span.low || 1));
  for (const [at, least] of low.entries()) {
    const top = y(Math.max(0, high[at]!));
    const bottom = y(Math.min(0, least));
    if (Number.isFinite(bottom - top)) {
      context.fillRect(at * bar.width, top, bar.width, Math.max(1, bottom - top));
    }
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('png: the browser gives no canvas to draw on');
  return context;
}
