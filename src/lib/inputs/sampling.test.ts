import { describe, expect, it } from 'vitest';
import { padded, paddedLength, write } from './generation.ts';
import { choices, pick, sampler, type Sampling } from './sampling.ts';

const logits = Float32Array.of(1.5, -0.25, 3, 0.5, 3, -2, 2.25, 0);
const plain: Sampling = { temperature: 1, topK: null, topP: null };

function dense(sampling: Partial<Sampling>): number[] {
  const out = new Array<number>(logits.length).fill(0);
  for (const { id, probability } of choices(logits, { ...plain, ...sampling })) {
    out[id] = probability;
  }
  return out;
}

/** From PyTorch 2.13: topk as nanoGPT cuts it, top-p as transformers' TopPLogitsWarper does. */
describe('probabilities are PyTorch’s', () => {
  it.each<[number, number | null, number | null, number[]]>([
    [
      1,
      null,
      null,
      [0.0776677, 0.0134966, 0.3480827, 0.0285724, 0.3480827, 0.0023454, 0.1644226, 0.01733],
    ],
    [
      0.5,
      null,
      null,
      [0.0218012, 0.0006583, 0.4378892, 0.0029505, 0.4378892, 1.99e-5, 0.0977063, 0.0010854],
    ],
    [2, 3, null, [0, 0, 0.3721222, 0, 0.3721222, 0, 0.2557556, 0]],
    [1, 1, null, [0, 0, 0.5, 0, 0.5, 0, 0, 0]],
    [1, null, 0.5, [0, 0, 0.5, 0, 0.5, 0, 0, 0]],
    [1.3, null, 0.9, [0.1043335, 0, 0.3307751, 0.048345, 0.3307751, 0, 0.1857712, 0]],
    [0.8, 4, 0.8, [0, 0, 0.4181291, 0, 0.4181291, 0, 0.1637417, 0]],
    [1, 100, 0.01, [0, 0, 1, 0, 0, 0, 0, 0]],
    [0, null, null, [0, 0, 1, 0, 0, 0, 0, 0]],
  ])('temperature %d, top-k %s, top-p %s', (temperature, topK, topP, expected) => {
    const found = dense({ temperature, topK, topP });
    found.forEach((value, id) => expect(value).toBeCloseTo(expected[id]!, 6));
  });
});

describe('choosing', () => {
  it('follows the probabilities, and the seed', () => {
    const count = 20_000;
    const draw = (seed: number) => {
      const choose = sampler(plain, seed);
      return Array.from({ length: count }, () => choose(logits));
    };
    const drawn = draw(3);
    expect(draw(3)).toEqual(drawn);
    expect(draw(4)).not.toEqual(drawn);
    dense({}).forEach((probability, id) => {
      const share = drawn.filter((other) => other === id).length / count;
      // Four standard deviations of a binomial share.
      const deviation = Math.sqrt((probability * (1 - probability)) / count);
      expect(Math.abs(share - probability)).toBeLessThan(4 * deviation);
    });
  });

  it('never leaves the line, and passes over what is impossible', () => {
    expect(pick([{ id: 7, probability: 0.999 }], 0.9999)).toBe(7);
    expect(choices(Float32Array.of(-Infinity, 0), plain)).toEqual([{ id: 1, probability: 1 }]);
  });

  it.each<[string, Float32Array, Partial<Sampling>, string]>([
    ['NaN', Float32Array.of(0, NaN), {}, 'sampling: logit 1 is NaN'],
    ['infinity', Float32Array.of(Infinity), {}, 'sampling: logit 0 is Infinity'],
    ['nothing', Float32Array.of(-Infinity), {}, 'sampling: every logit is -Infinity'],
    ['a negative temperature', logits, { temperature: -1 }, 'sampling: the temperature is -1'],
  ])('refuses %s', (_, values, sampling, message) => {
    expect(() => choices(values, { ...plain, ...sampling })).toThrow(message);
  });
});

describe('writing', () => {
  async function written(change: Partial<Parameters<typeof write>[0]>) {
    const seen: number[][] = [];
    const tokens: number[] = [];
    const writing = {
      prompt: [5, 6],
      count: 4,
      window: 3,
      endings: [],
      logits: (ids: readonly number[]) => {
        seen.push([...ids]);
        return Promise.resolve(Float32Array.of(ids.length));
      },
      choose: ([length]: Float32Array) => seen.length * 10 + length!,
      ...change,
    };
    for await (const token of write(writing)) tokens.push(token);
    return { seen, tokens };
  }

  it('slides its window', async () => {
    const { seen, tokens } = await written({});
    expect(tokens).toEqual([12, 23, 33, 43]);
    expect(seen).toEqual([
      [5, 6],
      [5, 6, 12],
      [6, 12, 23],
      [12, 23, 33],
    ]);
  });

  it('ends with an ending, and after nothing', async () => {
    expect((await written({ endings: [23] })).tokens).toEqual([12, 23]);
    expect((await written({ count: 0 })).tokens).toEqual([]);
    await expect(written({ prompt: [] })).rejects.toThrow('generation: the prompt is empty');
  });

  it('is filled up to few lengths', () => {
    const lengths = [1, 16, 17, 33, 100, 128];
    expect(lengths.map((length) => paddedLength(length, 128))).toEqual([16, 16, 32, 64, 128, 128]);
    expect([paddedLength(3, 8), paddedLength(70, 100)]).toEqual([8, 100]);
    expect(padded([3, 4], 4)).toEqual([3, 4, 0, 0]);
  });
});
