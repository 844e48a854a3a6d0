/** Maps as they are drawn: each as heat, or three that follow one another as red, green and blue. */
import type { Map2d } from '#lib/worker/protocol.ts';
import { colours, heat, scaleOf } from './heat.ts';
import { indexText, type Extent, type Lie } from './tensor_index.ts';

export interface DrawnMap {
  /** One, or the three channels. */
  readonly maps: readonly Map2d[];
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** Channels of a picture in colour. */
export const CHANNELS = 3;

/** `scale` is the size of the largest number, for all of them; null for that of each drawing. */
export function drawnMaps(
  maps: readonly Map2d[],
  { isColour, scale }: { isColour: boolean; scale: number | null },
): DrawnMap[] {
  const size = isColour ? CHANNELS : 1;
  const drawn: DrawnMap[] = [];
  for (let at = 0; at + size <= maps.length; at += size) {
    const together = maps.slice(at, at + size);
    const values = together.map((map) => map.values);
    const { width, height } = together[0]!;
    const largest = scale ?? Math.max(...values.map(scaleOf));
    const pixels = isColour ? colours(values, largest) : heat(values[0]!, largest);
    drawn.push({ maps: together, width, height, pixels });
  }
  return drawn;
}

/** Some rows and columns of a drawing, as an index of the whole tensor. */
export function nameOf(
  { maps }: DrawnMap,
  lie: Lie,
  [rowAxis, columnAxis]: readonly [row: number, column: number],
  [rows, columns]: readonly [rows: Extent, columns: Extent],
): string {
  const { index } = maps[0]!;
  const extents = lie.shape.map((_, axis): Extent => {
    if (axis === rowAxis) return rows;
    if (axis === columnAxis) return columns;
    const at = index[axis] ?? 0;
    return [at, at + (axis === index.length - 1 ? maps.length : 1)];
  });
  return indexText(lie, extents);
}
