import { expect, test } from 'vitest';
import { Crc32 } from './crc32.ts';
import { summedSource } from './range_sums.ts';
import { bytesSource } from './source.ts';

const bytes = Uint8Array.from({ length: 50_000 }, (_, at) => (at * at) >> 3);
const expected = new Crc32();
await expected.add(bytes.slice());

test.each<[string, [number, number][], read: number]>([
  ['nothing', [], 50_000],
  ['all of it', [[0, 50_000]], 0],
  [
    'parts in any order',
    [
      [30_000, 50_000],
      [0, 10_000],
    ],
    20_000,
  ],
  [
    'small heads',
    [
      [0, 512],
      [8, 20_000],
      [20_000, 20_030],
    ],
    8 + 30_000,
  ],
  [
    'what overlaps: the larger counts',
    [
      [0, 5000],
      [4990, 40_000],
    ],
    4990 + 10_000,
  ],
  [
    'twice',
    [
      [5000, 10_000],
      [5000, 10_000],
    ],
    45_000,
  ],
])('sums the whole, with %s read before', async (_, ranges, read) => {
  let count = 0;
  const inner = bytesSource(bytes);
  const source = summedSource({
    ...inner,
    read: (start, end) => ((count += end - start), inner.read(start, end)),
  });
  for (const [start, end] of ranges) {
    expect(await source.read(start, end)).toEqual(bytes.subarray(start, end));
  }
  count = 0;
  const { value, length } = await source.whole();
  expect([value, length, count]).toEqual([expected.value, 50_000, read]);
});
