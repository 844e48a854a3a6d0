import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileOf } from '../../../../tests/fixtures/data.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { integerRows, rangeRows } from './rows.ts';
import { readData } from './read_data.ts';
import { splitData } from './split.ts';
import { TokenWriter } from './text.tokens.ts';

const read = (text: string, block?: number, stride?: number) =>
  readData(
    [fileOf('a.txt', text)],
    { text: { ...(block && { block }), ...(stride && { stride }) } },
    {},
  );

describe('text', () => {
  it('is windows of characters, each followed by the next', async () => {
    const { dataset, facts } = await read('hello world', 4);
    expect(facts).toMatchObject({
      ...{ kind: 'text', train: 2, held: null, classCounts: null },
      input: { dtype: 'int64', shape: [4] },
      target: { kind: 'tokens', vocabulary: 8, shape: [4] },
      choices: { kind: 'text', tokens: 11, characters: [' ', 'd', 'e', 'h', 'l', 'o', 'r', 'w'] },
      recipe: { block: 4, stride: 4 },
    });
    const { inputs, targets } = await dataset.train.read([1, 0]);
    const spell = (ids: ArrayLike<number>) =>
      Array.from(ids, (id) =>
        facts.choices.kind === 'text' ? facts.choices.characters![id] : '',
      ).join('');
    expect([spell(inputs), spell(targets)]).toEqual(['o wohell', ' worello']);
  });

  it('is read as it was written, whatever the windows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 2, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        async (text, block, stride) => {
          const points = [...text.replace(/\r\n?/g, '\n')];
          fc.pre(points.length > block);
          const { dataset } = await read(text, block, stride);
          if (dataset.recipe.kind !== 'text') throw new Error(dataset.recipe.kind);
          const { characters } = dataset.recipe;
          const windows = Math.floor((points.length - block - 1) / stride) + 1;
          expect(dataset.train.count).toBe(windows);
          const all = Array.from({ length: windows }, (_, at) => windows - 1 - at);
          const { inputs, targets } = await dataset.train.read(all);
          const expected = (shift: number) =>
            all.flatMap((at) => points.slice(at * stride + shift, at * stride + shift + block));
          expect(Array.from(inputs, (id) => characters![id])).toEqual(expected(0));
          expect(Array.from(targets, (id) => characters![id])).toEqual(expected(1));
        },
      ),
    );
  });

  it('of several files is one behind the other; what is named for it is held out', async () => {
    const files = [fileOf('1.txt', 'ab'), fileOf('2.txt', 'ca'), fileOf('val.txt', 'cab')];
    const { dataset } = await readData(files, { text: { block: 2, stride: 1 } }, {});
    expect([...(await dataset.train.read([0, 1])).targets]).toEqual([1, 2, 2, 0]);
    expect([...(await dataset.held!.read([0])).inputs]).toEqual([2, 0]);
    expect(dataset.recipe).toMatchObject({ files: ['1.txt', '2.txt'], held: ['val.txt'] });
  });

  it('has breaks as Python has them, also at the borders of pieces', async () => {
    const { dataset } = await read('a\r\nb\rc\n', 5);
    expect(dataset.recipe).toMatchObject({ characters: ['\n', 'a', 'b', 'c'] });
    const long = '\r\n'.repeat(100_000);
    const { facts } = await read(`x${long}`, 5);
    expect(facts.choices).toMatchObject({ tokens: 100_001, characters: ['\n', 'x'] });
    const { facts: shifted } = await read(long, 5);
    expect(shifted.choices).toMatchObject({ tokens: 100_000 });
    expect((await read('a\r', 1)).facts.choices).toMatchObject({ characters: ['\n', 'a'] });
  });

  it('is as long as the text allows, where nothing is wished', async () => {
    expect((await read('ab'.repeat(1000))).dataset.input.shape).toEqual([64]);
    expect((await read('ab'.repeat(50))).dataset.input.shape).toEqual([9]);
    expect((await read('ab')).dataset.input.shape).toEqual([1]);
  });

  it('is split at its end', async () => {
    const { dataset } = await read('abcdefghij'.repeat(10), 5);
    const wish = { validationShare: 0.2, stratified: false, seed: 0 };
    const { train, validation } = splitData(dataset, wish);
    expect([dataset.train.count, train.count, validation.count]).toEqual([19, 14, 4]);
    expect([...(await validation.read([0])).inputs]).toEqual([5, 6, 7, 8, 9]);
  });

  it('goes through a tokenizer', async () => {
    const tokenizer: Tokenizer = {
      ...{ title: '70000 words', size: 70_000, endings: [] },
      encode: (text) => text.split(' ').map(Number),
      decode: String,
    };
    const files = [fileOf('a.txt', '5 69999 0 300')];
    const { dataset } = await readData(files, { text: { block: 3 } }, { tokenizer });
    const { inputs, targets } = await dataset.train.read([0]);
    expect([[...inputs], [...targets]]).toEqual([
      [5, 69_999, 0],
      [69_999, 0, 300],
    ]);
    expect(dataset).toMatchObject({ target: { vocabulary: 70_000 }, recipe: { characters: null } });
    const wrong = readData([fileOf('a.txt', '70000 1')], {}, { tokenizer });
    await expect(wrong).rejects.toThrow(
      'data: the tokenizer gives the id 70000, its ids are below 70000',
    );
  });
});

it.each([200, 60_000, 70_000])(
  'tokens of %i are the same in memory and in Blobs',
  async (vocabulary) => {
    const ids = Array.from({ length: 300_000 }, (_, at) => (at * 7919) % vocabulary);
    const read = await Promise.all(
      [2 ** 28, 0].map(async (kept) => {
        const writer = new TokenWriter(vocabulary, kept);
        for (let turn = 0; turn < 15; turn++) writer.add(turn < 14 ? ids : [1, 2, 3]);
        const { count, tensor } = await writer.finish();
        expect(count).toBe(14 * 300_000 + 3);
        const rows = rangeRows({ ...tensor, shape: [count - 4, 5], strides: [1, 1] }, 'tokens');
        return [...(await integerRows(rows, [0, 299_998, count - 5, 7]))];
      }),
    );
    expect(read[0]).toEqual(read[1]);
    expect(read[0]!.slice(0, 5)).toEqual(ids.slice(0, 5));
  },
);

describe('refusals', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ['no text', () => read(''), 'a.txt holds no text'],
    [
      'too little text',
      () => read('abc', 3),
      'a.txt holds 3 tokens, a window of 3 and the next one takes 4',
    ],
    ['half a window', () => read('abc', 1.5), 'the block is 1.5'],
    [
      'a stride of nothing',
      () => readData([fileOf('a.txt', 'abc')], { text: { stride: 0 } }, {}),
      'the stride is 0',
    ],
    [
      'Latin-1',
      () => readData([fileOf('a.txt', Uint8Array.of(97, 252, 98))], {}, {}),
      'a.txt is not UTF-8',
    ],
    [
      'a character that training lacks',
      () => readData([fileOf('a.txt', 'abcabc'), fileOf('test.txt', 'abé')], {}, {}),
      'test.txt: "é" is none of the 3 characters',
    ],
  ])('%s', async (_, reading, message) => {
    await expect(reading()).rejects.toMatchObject({
      finding: { code: 'data-unsuitable', message: expect.stringContaining(message) as string },
    });
  });
});
