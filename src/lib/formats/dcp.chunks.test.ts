import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { contiguousStrides, numel, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { chunkedStorage, coverProblem, type Block } from './dcp.chunks.ts';

/** Cuts a box along an axis again and again: each step says which block, which axis, where. */
function cut(shape: number[], steps: readonly (readonly [number, number, number])[]): Block[] {
  const blocks: Block[] = [{ offsets: shape.map(() => 0), sizes: shape }];
  for (const [which, axis, where] of steps) {
    const [{ offsets, sizes }] = blocks.splice(which % blocks.length, 1) as [Block];
    const at = axis % shape.length;
    const head = where % (sizes[at]! + 1);
    blocks.push(
      { offsets, sizes: sizes.with(at, head) },
      { offsets: offsets.with(at, offsets[at]! + head), sizes: sizes.with(at, sizes[at]! - head) },
    );
  }
  return blocks;
}

const step = fc.tuple(fc.nat(50), fc.nat(3), fc.nat(9));
const tilings = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
    fc.array(step, { maxLength: 8 }),
  )
  .map(([shape, steps]) => ({ shape, blocks: cut(shape, steps) }));

describe('coverProblem', () => {
  it('takes every way of cutting a tensor', () => {
    fc.assert(fc.property(tilings, ({ shape, blocks }) => coverProblem(shape, blocks) === null));
  });

  it('finds a block that is missing, there twice or shifted', () => {
    fc.assert(
      fc.property(tilings, fc.nat(), fc.nat(), ({ shape, blocks }, which, axis) => {
        const filled = blocks.filter(({ sizes }) => numel(sizes) > 0);
        const block = filled[which % filled.length]!;
        const others = filled.filter((other) => other !== block);
        const at = axis % shape.length;
        const shifted = { ...block, offsets: block.offsets.with(at, block.offsets[at]! + 1) };
        for (const wrong of [others, [...filled, block], [...others, shifted]]) {
          expect(coverProblem(shape, wrong)).toMatch(/hole or overlap|lies outside/);
        }
      }),
    );
  });

  it('finds a hole and an overlap of the same size', () => {
    const blocks = [0, 0, 4].map((offset) => ({ offsets: [offset], sizes: [2] }));
    expect(coverProblem([6], blocks)).toBe('the chunks leave a hole or overlap');
  });

  it('has no chunk for a tensor without elements, and one for a scalar', () => {
    expect(coverProblem([0, 3], [])).toBeNull();
    expect(coverProblem([], [{ offsets: [], sizes: [] }])).toBeNull();
    expect(coverProblem([], [])).toMatch('hole');
  });

  it('refuses blocks of another rank, and cuts along too many axes', () => {
    expect(coverProblem([2, 2], [{ offsets: [0], sizes: [4] }])).toMatch('lies outside');
    const shape = new Array<number>(20).fill(2);
    const half = { offsets: shape.map(() => 0), sizes: shape.map(() => 1) };
    expect(coverProblem(shape, [half])).toBe('it is cut along 20 axes');
  });
});

describe('chunkedStorage', () => {
  it('gives each range of bytes as the whole tensor has it', async () => {
    await fc.assert(
      fc.asyncProperty(tilings, fc.nat(), fc.nat(), fc.boolean(), async (tiling, a, b, turned) => {
        const { shape, blocks } = tiling;
        const bytes = Uint8Array.from({ length: numel(shape) * 2 }, (_, index) => index % 251);
        const whole = tensorFromBytes(bytes, 'int16', shape);
        const chunks = blocks.map(({ offsets, sizes }) => ({
          offsets,
          sizes,
          open: async () => {
            const strides = contiguousStrides(shape);
            const offset = offsets.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
            const part = { ...whole, shape: sizes, offset };
            // Chunks may keep the strides of what they were cut from, or be contiguous.
            return turned ? part : tensorFromBytes(await readTensor(part), 'int16', sizes);
          },
        }));
        const storage = chunkedStorage('key', 'int16', shape, chunks);
        expect(storage.byteLength).toBe(bytes.length);
        const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y);
        expect([...(await storage.read(start!, end!))]).toEqual([...bytes.subarray(start, end)]);
      }),
    );
  });
});
