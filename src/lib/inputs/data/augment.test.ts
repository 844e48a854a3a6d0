import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayOf, npzFile } from '../../../../tests/fixtures/data.ts';
import { augment, drawAugmentation } from './augment.ts';
import type { Augmentation } from './dataset.ts';
import { readData } from './read_data.ts';
import { withAugmentation } from './with_augmentation.ts';

const none: Augmentation = {
  ...{ horizontalFlip: false, verticalFlip: false, cropPadding: 0 },
  jitter: { brightness: 0, contrast: 0, saturation: 0 },
};
const all: Augmentation = {
  ...{ horizontalFlip: true, verticalFlip: true, cropPadding: 2 },
  jitter: { brightness: 0.4, contrast: 0.3, saturation: 2 },
};

describe('what is drawn', () => {
  it('depends on the seed and the example alone, and lies in torchvision’s ranges', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(1e6), (seed, index) => {
        const drawn = drawAugmentation(all, seed, index);
        expect(drawAugmentation(all, seed, index)).toEqual(drawn);
        for (const at of [drawn.top, drawn.left]) expect([0, 1, 2, 3, 4]).toContain(at);
        const factors = new Map(drawn.jitter);
        expect(factors.size).toBe(3);
        expect(Math.abs(factors.get('brightness')! - 1)).toBeLessThanOrEqual(0.4);
        expect(Math.abs(factors.get('contrast')! - 1)).toBeLessThanOrEqual(0.3);
        expect(factors.get('saturation')).toBeGreaterThanOrEqual(0);
        expect(factors.get('saturation')).toBeLessThanOrEqual(3);
        const flips = drawAugmentation({ ...none, horizontalFlip: true }, seed, index);
        expect(flips).toEqual({ ...drawn, verticalFlip: false, top: 0, left: 0, jitter: [] });
      }),
    );
  });

  it('is as likely one way as the other', () => {
    const drawn = Array.from({ length: 4000 }, (_, index) => drawAugmentation(all, 7, index));
    const share = (of: (one: (typeof drawn)[0]) => boolean) => drawn.filter(of).length / 4000;
    // Four standard deviations of a share among 4,000.
    expect(Math.abs(share((it) => it.horizontalFlip) - 0.5)).toBeLessThan(0.032);
    expect(Math.abs(share((it) => it.horizontalFlip !== it.verticalFlip) - 0.5)).toBeLessThan(
      0.032,
    );
    for (let at = 0; at < 5; at++) {
      expect(Math.abs(share((it) => it.top === at) - 0.2)).toBeLessThan(0.026);
      expect(Math.abs(share((it) => it.jitter[0]![0] === 'saturation') - 1 / 3)).toBeLessThan(0.03);
    }
    const next = Array.from({ length: 100 }, (_, seed) => drawAugmentation(all, seed, 7));
    expect(new Set(next.map((it) => JSON.stringify(it))).size).toBe(100);
  });
});

it('crops at a corner keep the pixels that are inside', () => {
  const picture = {
    shape: [1, 2, 3] as [number, number, number],
    values: Float32Array.of(1, 2, 3, 4, 5, 6),
  };
  const drawn = { horizontalFlip: true, verticalFlip: true, top: 1, left: 3, jitter: [] };
  augment(picture, 2, drawn, 1);
  // Row −1 is padding and row 0 begins with its second pixel; then both are flipped.
  expect([...picture.values]).toEqual([0, 3, 2, 0, 0, 0]);
  augment(picture, 9, { ...drawn, top: 0 }, 1);
  expect([...picture.values]).toEqual([0, 0, 0, 0, 0, 0]);
});

describe('data', () => {
  const x = arrayOf('uint8', [4, 3, 5, 5]);
  const y = arrayOf('int64', [4]);
  const of = async (entries: Parameters<typeof npzFile>[1]) =>
    (await readData([await npzFile('a.npz', entries)], {}, {})).dataset;

  it('of pictures is augmented where a seed is given, in training alone', async () => {
    const data = withAugmentation(await of({ x, y, test_x: x, test_y: y }), all);
    const plain = await data.train.read([2, 3]);
    const first = await data.train.read([2, 3], { augment: { seed: 1 } });
    expect(first.inputs).not.toEqual(plain.inputs);
    expect(first.targets).toEqual(plain.targets);
    expect(await data.train.read([2, 3], { augment: { seed: 1 } })).toEqual(first);
    const [, own] = [0, 1].map((at) => first.inputs.subarray(at * 75, (at + 1) * 75));
    expect((await data.train.read([3], { augment: { seed: 1 } })).inputs).toEqual(own);
    expect((await data.train.read([2, 3], { augment: { seed: 2 } })).inputs).not.toEqual(
      first.inputs,
    );
    const held = await data.held!.read([2, 3], { augment: { seed: 1 } });
    expect(held.inputs).toEqual(plain.inputs);
    for (const value of first.inputs) expect(value >= 0 && value <= 1).toBe(true);
  });

  it('of other kinds refuses, but for nothing', async () => {
    const rows = await of({ x: arrayOf('float32', [4, 2]), y });
    expect(withAugmentation(rows, null)).toBe(rows);
    expect(() => withAugmentation(rows, none)).toThrow(
      'data: a.npz cannot be augmented: its inputs are no pictures but float32 [2]',
    );
    const floats = await of({ x: arrayOf('float32', [4, 3, 5, 5]), y });
    expect(withAugmentation(floats, { ...all, jitter: none.jitter }).train.count).toBe(4);
    expect(() => withAugmentation(floats, all)).toThrow(
      'x is float32 and does not say what is white',
    );
  });

  it.each([
    [{ cropPadding: 1.5 }, 'a crop padding of 1.5'],
    [{ jitter: { ...none.jitter, contrast: -1 } }, 'a contrast of -1'],
  ])('refuses %j', async (change, message) => {
    const data = await of({ x, y });
    expect(() => withAugmentation(data, { ...none, ...change })).toThrow(message);
  });
});
