import { describe, expect, it } from 'vitest';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import {
  contiguousStrides,
  metaStorage,
  tensorFromBytes,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import { layoutOf } from './layout.ts';

/** Views of one storage of float32. */
const storage = tensorFromBytes(new Uint8Array(400), 'float32', [100]);
function view(shape: number[], offset = 0, strides = contiguousStrides(shape)): Tensor {
  return { ...storage, shape, strides, offset };
}
const own = (count: number, dtype: Dtype = 'float32') =>
  tensorFromBytes(new Uint8Array(count * 4), dtype, [count]);

describe('layoutOf', () => {
  it('says nothing of tensors with storages of their own', () => {
    const plain = { tiedWith: null, overlaps: null, sharesWith: null, expanded: false };
    expect(layoutOf([own(3), own(0)])).toEqual([
      { ...plain, empty: false, meta: false, saving: 0, stored: 12 },
      { ...plain, empty: true, meta: false, saving: 0, stored: 0 },
    ]);
  });

  it('knows tied tensors, whatever the strides of axes of one element', () => {
    const [a, b, c] = layoutOf([view([100]), view([100]), view([100, 1], 0, [1, 7])]);
    expect(a).toMatchObject({ tiedWith: 1, overlaps: 2, stored: 200, saving: 0 });
    expect(b).toMatchObject({ tiedWith: 0, overlaps: 2, stored: 0 });
    expect(c).toMatchObject({ tiedWith: null, overlaps: 0, sharesWith: 0, stored: 200 });
    const [d, e] = layoutOf([view([100, 1], 0, [1, 1]), view([100, 1], 0, [1, 7])]);
    expect([d!.tiedWith, e!.tiedWith]).toEqual([1, 0]);
  });

  it('keeps parts of a flat buffer apart', () => {
    const parts = layoutOf([view([5, 10]), view([50], 50)]);
    expect(parts).toMatchObject([
      { overlaps: null, sharesWith: 1, saving: 0, stored: 200 },
      { overlaps: null, sharesWith: 0, saving: 0, stored: 200 },
    ]);
  });

  it('keeps interleaved columns apart, and finds columns that meet', () => {
    const even = view([10, 5], 0, [10, 2]);
    const odd = view([10, 5], 1, [10, 2]);
    expect(layoutOf([even, odd]).map(({ overlaps }) => overlaps)).toEqual([null, null]);
    const third = view([10, 2], 1, [10, 3]); // columns 1 and 4
    expect(layoutOf([even, odd, third]).map(({ overlaps }) => overlaps)).toEqual([2, 2, 1]);
  });

  it('takes a transposed view as a whole', () => {
    const layouts = layoutOf([view([10, 10]), view([10, 10], 0, [1, 10])]);
    expect(layouts).toMatchObject([
      { overlaps: 1, tiedWith: null, stored: 200 },
      { overlaps: 0, tiedWith: null, stored: 200 },
    ]);
  });

  it('compares elements of different sizes by bytes', () => {
    const halves: Tensor = { ...view([10], 20), dtype: 'float16' }; // bytes 40 to 60
    const meets = layoutOf([view([5], 14), halves]); // bytes 56 to 76
    const apart = layoutOf([view([5], 15), halves]);
    expect(meets.map(({ overlaps }) => overlaps)).toEqual([1, 0]);
    expect(apart.map(({ overlaps }) => overlaps)).toEqual([null, null]);
  });

  it('names a view that drags its storage along, and what compacting saves', () => {
    expect(layoutOf([view([3], 40)])).toMatchObject([{ saving: 388, stored: 400 }]);
    expect(layoutOf([view([3], 40), view([3], 40), view([7], 0)])).toMatchObject([
      { saving: 360, stored: 372 },
      { saving: 360, stored: 0 },
      { saving: 360, stored: 28 },
    ]);
    expect(layoutOf([view([0], 9)])).toMatchObject([{ empty: true, saving: 400, tiedWith: null }]);
  });

  it('never claims that an expanded tensor would become smaller', () => {
    const one = tensorFromBytes(new Uint8Array(4), 'float32', [1]);
    const expanded: Tensor = { ...one, shape: [1000, 1000], strides: [0, 0] };
    expect(layoutOf([expanded])).toMatchObject([{ expanded: true, saving: 0, stored: 4 }]);
    // Ten rows of the first ten elements: its 400 bytes, compacted, are as many as are stored.
    expect(layoutOf([view([10, 10], 0, [0, 1])])).toMatchObject([{ expanded: true, saving: 0 }]);
    const meets = layoutOf([view([10, 10], 0, [0, 1]), view([10], 9)]);
    expect(meets.map(({ overlaps }) => overlaps)).toEqual([1, 0]);
    const apart = layoutOf([view([10, 10], 0, [0, 1]), view([10], 10)]);
    expect(apart.map(({ overlaps }) => overlaps)).toEqual([null, null]);
  });

  it('takes nothing of a file for shapes alone', () => {
    const meta = { ...own(5), storage: metaStorage(20) };
    expect(layoutOf([meta])).toMatchObject([{ meta: true, stored: 0, saving: 0 }]);
  });

  it('adds up to the storages, and finds what a check of every byte finds', () => {
    const random = generator(7);
    for (let round = 0; round < 300; round++) {
      const views = Array.from({ length: 2 + random(4) }, () => {
        const shape = Array.from({ length: random(4) }, () => 1 + random(4));
        const strides = shape.map(() => random(9));
        const reach = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
        return view(shape, random(100 - reach), strides);
      });
      const layouts = layoutOf(views);
      expect(layouts.reduce((sum, { stored }) => sum + stored, 0)).toBeCloseTo(400, 6);
      const touched = views.map(elementsOf);
      layouts.forEach(({ overlaps, tiedWith }, at) => {
        const meets = (other: number) => !touched[at]!.isDisjointFrom(touched[other]!);
        const others = views.keys().filter((other) => other !== at && meets(other));
        if (overlaps !== null) expect(meets(overlaps)).toBe(true);
        if (tiedWith !== null) expect(touched[tiedWith]).toEqual(touched[at]);
        expect(overlaps !== null || tiedWith !== null).toBe([...others].length > 0);
      });
    }
  });

  it('stays quick for twenty thousand columns of one matrix', () => {
    const wide = tensorFromBytes(new Uint8Array(4 * 2 ** 20), 'float32', [2 ** 20]);
    const columns = Array.from({ length: 20_000 }, (_, at): Tensor => {
      return { ...wide, shape: [50], strides: [20_000], offset: at };
    });
    const started = performance.now();
    expect(layoutOf(columns).every(({ overlaps }) => overlaps === null)).toBe(true);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

/** Elements of the storage that a view touches, one by one. */
function elementsOf({ shape, strides, offset }: Tensor): Set<number> {
  let places = [offset];
  shape.forEach((size, axis) => {
    places = places.flatMap((at) =>
      Array.from({ length: size }, (_, i) => at + i * strides[axis]!),
    );
  });
  return new Set(places);
}

/** Whole numbers below a bound, always the same ones. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
