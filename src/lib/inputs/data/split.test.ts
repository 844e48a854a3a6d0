import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch, Dataset, Examples } from './dataset.ts';
import { selectExamples } from './examples.ts';
import { describeTarget, preview } from './preview.ts';
import { splitData, splitIndices } from './split.ts';

/** Examples whose input is their number. */
function numbered(count: number, classes: readonly number[] | null): Examples {
  return {
    count,
    classes: classes && Int32Array.from(classes),
    read: (indices, { augment } = {}) =>
      Promise.resolve<Batch>({
        count: indices.length,
        inputs: Float32Array.from(indices, (index) => index + (augment ? augment.seed / 10 : 0)),
        targets: Int32Array.from(indices, (index) => classes?.[index] ?? 0),
      }),
  };
}

function dataOf(
  count: number,
  classes: readonly number[] | null,
  part: Partial<Dataset> = {},
): Dataset {
  return {
    name: 'data',
    input: { dtype: 'float32', shape: [] },
    target: { kind: 'class', classes: ['cat', 'dog'], shape: [] },
    train: numbered(count, classes),
    held: null,
    recipe: {
      kind: 'arrays',
      files: [],
      train: { inputs: 'x', targets: 'y' },
      held: null,
      ...{ divide: 1, channelsLast: false, addChannel: false },
    },
    notes: [],
    fingerprint: '',
    ...part,
  };
}

const text = (block: number, stride: number): Dataset['recipe'] => ({
  ...{ kind: 'text', files: [], held: [], characters: null },
  ...{ block, stride },
});
const settings = { validationShare: 0.2, stratified: false, seed: 3 };

describe('a split', () => {
  it('puts each example into one part, by the seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.nat(),
        (count, validationShare, seed) => {
          const data = dataOf(count, null);
          const wish = { validationShare, seed, stratified: false };
          const { train, validation } = splitIndices(data, wish);
          expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
          const size = Math.min(count - 1, Math.max(1, Math.round(count * validationShare)));
          expect(validation.length).toBe(size);
          expect(splitIndices(data, wish)).toEqual({ train, validation });
        },
      ),
    );
    const data = dataOf(100, null);
    const other = splitIndices(data, { ...settings, seed: 4 });
    expect(other.validation).not.toEqual(splitIndices(data, settings).validation);
  });

  it('by class takes the same share of each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 8, maxLength: 120 }),
        fc.nat(),
        (classes, seed) => {
          const counts = (of: ArrayLike<number>) =>
            [0, 1, 2, 3].map(
              (label) => Array.from(of).filter((index) => classes[index] === label).length,
            );
          const all = counts([...classes.keys()]);
          fc.pre(all.some((count) => count > 1));
          const data = dataOf(classes.length, classes);
          const { train, validation } = splitIndices(data, {
            validationShare: 0.25,
            stratified: true,
            seed,
          });
          expect(train.length + validation.length).toBe(classes.length);
          for (const [label, count] of counts(validation).entries()) {
            expect(
              Math.abs(count - all[label]! * (Math.round(classes.length / 4) / classes.length)),
            ).toBeLessThan(1.01);
            if (all[label]! > 0) expect(count).toBeLessThan(all[label]!);
          }
        },
      ),
    );
    const even = dataOf(
      100,
      Array.from({ length: 100 }, (_, at) => (at % 10 === 0 ? 1 : 0)),
    );
    const { validation } = splitIndices(even, { ...settings, stratified: true });
    expect([...validation].filter((index) => index % 10 === 0)).toHaveLength(2);
    expect(validation).toHaveLength(20);
  });

  it('of text is its end, and shares no token with the rest', () => {
    fc.assert(
      fc.property(
        ...(([40, 12, 12] as const).map((max) => fc.integer({ min: 1, max })) as [
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
        ]),
        (more, block, stride) => {
          const count = more + 3 * block + 2;
          const data = dataOf(count, null, { recipe: text(block, stride) });
          const { train, validation } = splitIndices(data, settings);
          expect(validation.at(-1)).toBe(count - 1);
          const end = Math.max(...train) * stride + block + 1;
          expect(end).toBeLessThanOrEqual(validation[0]! * stride);
          expect(end + stride).toBeGreaterThan(validation[0]! * stride);
        },
      ),
    );
    const short = dataOf(5, null, { recipe: text(100, 10) });
    expect(() => splitIndices(short, settings)).toThrow('none is left before the last 1');
  });

  it('is what the data holds out where no share is wished', () => {
    const held = numbered(2, null);
    const data = dataOf(5, null, { held });
    const { train, validation } = splitData(data, { ...settings, validationShare: 0 });
    expect([train, validation]).toEqual([data.train, held]);
    const own = splitData(data, settings);
    expect([own.train.count, own.validation.count]).toEqual([4, 1]);
  });

  it.each<[string, Dataset, object, string]>([
    ['no held-out examples', dataOf(5, null), { validationShare: 0 }, 'data holds out no examples'],
    ['a share of all', dataOf(5, null), { validationShare: 1 }, 'the share for validation is 1'],
    ['one example', dataOf(1, null), {}, 'data has one example'],
    ['no classes', dataOf(5, null), { stratified: true }, 'cannot be split by class'],
    [
      'one of each class',
      dataOf(2, [0, 1]),
      { stratified: true },
      'none of the 2 classes has an example to spare',
    ],
  ])('is refused for %s', (_, data, wish, message) => {
    expect(() => splitData(data, { ...settings, ...wish })).toThrow(message);
  });
});

describe('a part of the examples', () => {
  it('has numbers of its own, also as a part of a part', async () => {
    const part = selectExamples(numbered(5, [0, 1, 2, 3, 4]), Uint32Array.of(4, 2, 0));
    expect([part.count, ...part.classes!]).toEqual([3, 4, 2, 0]);
    expect([...(await part.read([2, 0])).inputs]).toEqual([0, 4]);
    const again = selectExamples(part, Uint32Array.of(1));
    expect([...(await again.read([0, 0])).inputs]).toEqual([2, 2]);
    await expect(part.read([3])).rejects.toThrow('data: there is no example 3 of 3');
    expect(() => selectExamples(part, Uint32Array.of(3))).toThrow('no example 3 of 3');
  });
});

describe('a preview', () => {
  const data = dataOf(4, [0, 1, 0, 1]);
  it('is what the model sees, augmented or not', async () => {
    expect([...(await preview(data, [3, 1], null)).inputs]).toEqual([3, 1]);
    expect([...(await preview(data, [3], 5)).inputs]).toEqual([3.5]);
  });

  it('says what the model is to give', async () => {
    const batch = await preview(data, [3, 0], null);
    expect([0, 1].map((at) => describeTarget(data.target, batch, at))).toEqual(['dog', 'cat']);
    const targets = Float32Array.of(0.1, 2, 30, 4e9);
    const pair: Batch = { count: 2, inputs: new Float32Array(2), targets };
    const names = ['a', 'b'];
    expect(describeTarget({ kind: 'numbers', names, shape: [2] }, pair, 1)).toBe(
      'a 30, b 4000000000',
    );
    const one = { ...pair, count: 4 };
    expect(describeTarget({ kind: 'numbers', names: ['a'], shape: [1] }, one, 0)).toBe('0.1');
    const ids: Batch = {
      count: 1,
      inputs: new Int32Array(9),
      targets: Int32Array.from(Array(9).keys()),
    };
    expect(describeTarget({ kind: 'tokens', vocabulary: 9, shape: [9] }, ids, 0)).toBe(
      '0, 1, 2, 3, 4, 5, 6, 7, …',
    );
  });
});
