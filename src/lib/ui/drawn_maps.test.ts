import { expect, test } from 'vitest';
import { drawnMaps, nameOf } from './drawn_maps.ts';
import { heat } from './heat.ts';
import { lieOfWhole } from './tensor_index.ts';

/** Two filters of three channels, 2 × 2; the second is ten times the first. */
const shape = [2, 3, 2, 2];
const channels = [
  [0, 1, -1, 2],
  [0, -1, 1, 2],
  [0, 0, 0, -2],
];
const maps = [1, 10].flatMap((factor, filter) =>
  channels.map((values, channel) => ({
    ...{ index: [filter, channel], width: 2, height: 2 },
    values: Float32Array.from(values, (value) => factor * value),
  })),
);
const axes = [2, 3] as const;
const all = [
  [0, 2],
  [0, 2],
] as const;

test('maps are drawn each by itself, in one scale or in that of each', () => {
  const drawn = drawnMaps(maps, { isColour: false, scale: 20 });
  expect(drawn).toHaveLength(6);
  expect(drawn[4]!.pixels).toEqual(heat(maps[4]!.values, 20));
  const own = drawnMaps(maps, { isColour: false, scale: null });
  expect(own[4]!.pixels).toEqual(own[1]!.pixels);
  expect(nameOf(drawn[4]!, lieOfWhole(shape), axes, all)).toBe('[1, 1]');
});

test('three channels are red, green and blue, grey at zero', () => {
  const colour = { isColour: true, scale: null };
  const [first, second] = drawnMaps(maps, colour);
  expect([...first!.pixels.subarray(0, 8)]).toEqual([128, 128, 128, 255, 191, 64, 128, 255]);
  expect([...first!.pixels.subarray(12)]).toEqual([255, 255, 0, 255]);
  // The channels of a filter share its scale.
  expect(second!.pixels).toEqual(first!.pixels);
  expect(drawnMaps(maps, { ...colour, scale: 20 })[0]!.pixels[4]).toBe(134);
  expect(nameOf(second!, lieOfWhole(shape), axes, all)).toBe('[1]');
  expect(
    nameOf(second!, lieOfWhole(shape), axes, [
      [0, 1],
      [1, 2],
    ]),
  ).toBe('[1, :, 0, 1]');
});

test('a pixel with a channel that is no number stands out', () => {
  const broken = maps.slice(0, 3).map((map) => ({ ...map, values: map.values.slice() }));
  broken[2]!.values[1] = NaN;
  const [drawn] = drawnMaps(broken, { isColour: true, scale: null });
  expect([...drawn!.pixels.subarray(4, 8)]).toEqual([255, 60, 160, 255]);
});
