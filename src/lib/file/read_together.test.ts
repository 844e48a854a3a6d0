import { expect, it } from 'vitest';
import { readTogether } from './read_together.ts';

const KB = 2 ** 10;

/** Bytes that tell where they stand, and what was read of them. */
function setUp() {
  const reads: [start: number, end: number][] = [];
  const byte = (at: number) => (at * 7 + (at >> 8)) & 255;
  const bytesOf = (start: number, end: number) =>
    Uint8Array.from({ length: end - start }, (_, at) => byte(start + at));
  const read = readTogether((start, end) => {
    reads.push([start, end]);
    return start < 9_000_000 ? Promise.resolve(bytesOf(start, end)) : Promise.reject(Error('gone'));
  });
  return { reads, read, bytesOf };
}

it('makes short reads that are asked for at once together, where they are near', async () => {
  const { reads, read, bytesOf } = setUp();
  const ranges = [
    [900, 950],
    [0, 100],
    [20, 60],
    [100, 900],
    [800 * KB, 801 * KB],
    [10 * KB, 11 * KB],
  ] as const;
  const all = await Promise.all(ranges.map(([start, end]) => read(start, end)));
  expect(all).toEqual(ranges.map(([start, end]) => bytesOf(start, end)));
  expect(reads).toEqual([
    [0, 11 * KB],
    [800 * KB, 801 * KB],
  ]);
  expect(new Set(all.map(({ buffer }) => buffer)).size).toBe(ranges.length);
});

it('keeps what is read at once small, and leaves long reads alone', async () => {
  const { reads, read } = setUp();
  const starts = Array.from({ length: 20 }, (_, at) => at * 60 * KB);
  await Promise.all([read(0, 100 * KB), ...starts.map((start) => read(start, start + 60 * KB))]);
  expect(reads[0]).toEqual([0, 100 * KB]);
  expect(reads.slice(1)).toEqual([
    [0, 480 * KB],
    [480 * KB, 960 * KB],
    [960 * KB, 1200 * KB],
  ]);
});

it('reads anew what is asked for later, and tells each that it failed', async () => {
  const { reads, read } = setUp();
  await read(0, 10);
  await read(0, 10);
  expect(reads).toHaveLength(2);
  const failed = await Promise.allSettled([read(9_000_000, 9_000_001), read(9_000_005, 9_000_006)]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(reads).toHaveLength(3);
});
