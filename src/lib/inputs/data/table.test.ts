import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileOf } from '../../../../tests/fixtures/data.ts';
import type { TableWish } from './choices.ts';
import type { DataFile } from './given.ts';
import { readData } from './read_data.ts';
import { readTable } from './table.ts';

const csv = (path: string, ...lines: string[]) => fileOf(path, lines.join('\n'));
const read = (files: DataFile[], table: TableWish = {}) => readData(files, { table }, {});

const flowers = csv(
  'flowers.csv',
  'Id,width,colour,species',
  '1,1.5,red,iris',
  '2,2.5,blue,rose',
  '3,0.5,red,iris',
  '4,3.5,"pale, white",rose',
);

describe('a table', () => {
  it('is guessed: the class last, words as one-hot, what counts rows left out', async () => {
    const { dataset, facts } = await read([flowers]);
    expect(facts).toMatchObject({
      ...{ kind: 'table', train: 4, held: null, classCounts: [2, 2] },
      input: { dtype: 'float32', shape: [4] },
      target: { kind: 'class', classes: ['iris', 'rose'], shape: [] },
      choices: {
        columns: [
          { name: 'Id', guess: 'numbers', distinct: 4, missing: 0, role: null },
          { name: 'width', guess: 'numbers', role: 'feature' },
          {
            name: 'colour',
            guess: 'categories',
            distinct: 3,
            samples: ['red', 'blue', 'pale, white'],
          },
          { name: 'species', guess: 'categories', distinct: 2, role: 'target' },
        ],
      },
      recipe: { separator: ',', header: true, files: ['flowers.csv'], held: [] },
      notes: ['left out: Id, which numbers the rows', 'standardised by the 4 training rows: width'],
    });
    const { inputs, targets } = await dataset.train.read([3, 0]);
    const std = Math.sqrt(1.25);
    expect([...inputs]).toEqual([1.5 / std, 0, 1, 0, -0.5 / std, 0, 0, 1].map(Math.fround));
    expect([...targets]).toEqual([1, 0]);
  });

  it('has a target of that name anywhere; numbers are amounts unless they are few', async () => {
    const prices = ['label,a', ...Array.from({ length: 30 }, (_, at) => `${at * 1.5},${at}`)];
    const { dataset } = await read([csv('a.csv', ...prices)]);
    expect(dataset.target).toEqual({ kind: 'numbers', names: ['label'], shape: [1] });
    const classes = ['a,y', ...Array.from({ length: 30 }, (_, at) => `${at},${at % 11}`)];
    const { dataset: few } = await read([csv('a.csv', ...classes)]);
    expect(few.target).toMatchObject({
      classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
    });
  });

  it('is what is wished', async () => {
    const wish: TableWish = {
      features: ['width', 'Id'],
      targets: ['Id'],
      as: { width: 'categories' },
    };
    await expect(read([flowers], wish)).rejects.toThrow('data: Id is a feature and a target');
    const { dataset } = await read([flowers], {
      ...wish,
      features: ['width'],
      standardise: ['Id'],
    });
    expect(dataset.recipe).toMatchObject({
      features: [
        { name: 'width', as: { kind: 'one_hot', categories: ['0.5', '1.5', '2.5', '3.5'] } },
      ],
      targets: [{ name: 'Id', as: { kind: 'numbers', mean: 2.5, std: Math.sqrt(1.25) } }],
    });
    const { inputs, targets } = await dataset.train.read([0]);
    expect([...inputs, ...targets]).toEqual([0, 1, 0, 0, Math.fround(-1.5 / Math.sqrt(1.25))]);
    const plain = await read([flowers], { targets: ['width', 'Id'], standardise: false });
    expect(plain.dataset.target).toMatchObject({ names: ['width', 'Id'], shape: [2] });
    expect([...(await plain.dataset.train.read([1])).targets]).toEqual([2.5, 2]);
  });

  it('holds out files that are named for it, with the statistics of training', async () => {
    const { dataset } = await read(
      [
        csv('train_1.csv', 'a,b', '0,1', '2,3'),
        csv('train_2.csv', 'b;a'.replace(';', ','), '5,4'),
        csv('test.csv', 'b,a', '7,6'),
      ],
      { targets: ['b'] },
    );
    expect([dataset.train.count, dataset.held!.count]).toEqual([3, 1]);
    const std = Math.sqrt(8 / 3);
    const { inputs, targets } = await dataset.train.read([2, 0]);
    expect([...inputs, ...targets]).toEqual([2 / std, -2 / std, 5, 1].map(Math.fround));
    const held = await dataset.held!.read([0]);
    expect([...held.inputs, ...held.targets]).toEqual([Math.fround(4 / std), 7]);
    const named = await readData(
      [csv('one.csv', 'a,b', '1,2'), csv('two.csv', 'a,b', '3,4')],
      { held: ['one.csv'] },
      {},
    );
    expect(named.dataset.recipe).toMatchObject({ files: ['two.csv'], held: ['one.csv'] });
  });

  it('leaves out a test table without the target, as competitions have it', async () => {
    const { dataset } = await read([
      csv('train.csv', 'a,y', '1,2', '3,4'),
      csv('test.csv', 'a', '1'),
    ]);
    expect([dataset.held, dataset.notes.at(-1)]).toEqual([null, 'left out: test.csv']);
  });

  it('leaves out features with gaps, and names that are many', async () => {
    const rows = Array.from(
      { length: 80 },
      (_, at) => `${at === 5 ? '' : at},name ${at},${at},${at / 4}`,
    );
    const { dataset } = await read([csv('a.csv', 'age,name,b,y', ...rows)]);
    expect(dataset.input.shape).toEqual([1]);
    expect(dataset.notes.slice(0, 2)).toEqual([
      'left out: age, which has no value in row 7, 1 of 80 in all',
      'left out: name, which has 80 different words',
    ]);
  });

  it('without a header has columns by number; one without a name counts rows', async () => {
    const { dataset } = await read([csv('a.tsv', '5\t1\t0.5', '6\t2\t0.25')]);
    expect(dataset.recipe).toMatchObject({
      ...{ separator: '\t', header: false },
      features: [{ name: 'column 1' }, { name: 'column 2' }],
    });
    const { dataset: pandas } = await read([csv('a.csv', ',a,a', '0,3,0.5', '1,4,0.25')]);
    expect(pandas.recipe).toMatchObject({ features: [{ name: 'a' }], targets: [{ name: 'a.1' }] });
  });

  it('of equal numbers is not divided by zero', async () => {
    const { dataset } = await read([csv('a.csv', 'a,y', '7,0.5', '7,1.5')]);
    expect([...(await dataset.train.read([0, 1])).inputs]).toEqual([0, 0]);
  });
});

describe('rows from the disk', () => {
  const word = fc.stringMatching(/^[a-zäß€😀 ,"]{0,6}$/u);
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  it('are those in memory, whatever the cells', async () => {
    const row = fc.tuple(fc.integer(), word, fc.double({ noNaN: true, noDefaultInfinity: true }));
    const breaks = fc.constantFrom('\n', '\r\n', '\r', '\n\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        breaks,
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 10 }),
        async (rows, end, isMarked, picked) => {
          const lines = rows.map(([a, b, c]) => `${a},${quoted(`w${b}`)},${c}`);
          const text = (isMarked ? '\uFEFF' : '') + ['a,b,y', ...lines].join(end);
          const given = {
            ...{ name: 'a', tools: {}, fingerprint: '', sources: [] },
            files: [{ path: 'a.csv', open: () => Promise.resolve(fileOf('a.csv', text).file) }],
            wish: { table: { features: ['a', 'b'], as: { y: 'numbers' } } } as const,
          };
          const indices = picked.map((at) => at % rows.length);
          const memory = await (await readTable(given)).dataset.train.read(indices);
          const disk = await (await readTable(given, 0)).dataset.train.read(indices);
          expect(disk).toEqual(memory);
          expect([...memory.targets]).toEqual(
            indices.map((at) => Math.fround(Number(String(rows[at]![2])))),
          );
        },
      ),
    );
  });

  it('of several pieces of a file are found', async () => {
    const long = 'x'.repeat(1000);
    const lines = Array.from({ length: 20_000 }, (_, at) => `${at},"${long}\n${at % 7}",${at % 3}`);
    const file = csv('a.csv', 'a,b,y', ...lines);
    expect(file.file.size).toBeGreaterThan(2 * 2 ** 23);
    const { dataset, facts } = await readData([file], { table: { standardise: false } }, {});
    expect(facts).toMatchObject({
      train: 20_000,
      input: { shape: [8] },
      classCounts: [6667, 6667, 6666],
    });
    expect([...(await dataset.train.read([19_999])).inputs]).toEqual(
      [19_999, 1, 0, 0, 0, 0, 0, 0].with(1, 0).with(1 + (19_999 % 7), 1),
    );
  });
});

describe('refusals', () => {
  it.each<[string, DataFile[], string, TableWish?]>([
    [
      'a ragged row',
      [csv('a.csv', 'a,b', '1,2', '3')],
      'a.csv: row 3 has 1 cells, the first has 2',
    ],
    ['a long row', [csv('a.csv', 'a,b', '1,2,3')], 'a.csv: row 2 has 3 cells'],
    ['nothing', [csv('a.csv', '')], 'a.csv holds no rows'],
    ['a header alone', [csv('a.csv', 'a,b')], 'a.csv holds no rows'],
    [
      'an open quote',
      [csv('a.csv', 'a,b', '1,"2', '3,4')],
      'a.csv: row 2 is no CSV: the quote at character 3 does not end',
    ],
    [
      'a quote open for long',
      [csv('a.csv', 'a,b', `1,"${'2\n'.repeat(2 ** 20)}`)],
      'row 2 takes more than 1048576 bytes',
    ],
    [
      'text behind a quote',
      [csv('a.csv', 'a,b', '1,"2"3')],
      'a.csv: row 2 is no CSV: "3" follows a quoted cell',
    ],
    [
      'bytes that are no text',
      [fileOf('a.csv', 'a,b\n1,', Uint8Array.of(255, 254))],
      'a.csv: row 2 is not UTF-8',
    ],
    [
      'UTF-16',
      [
        fileOf(
          'a.csv',
          Uint8Array.from('a,b\n1,2\n'.split('').flatMap((c) => [c.charCodeAt(0), 0])),
        ),
      ],
      'a.csv: row 1 holds bytes of 0',
    ],
    ['one column', [csv('a.csv', 'a', '1')], 'of 1 columns, 0 are features and 1 are targets'],
    [
      'a gap in the target',
      [csv('a.csv', 'a,y', '1,2', '3,NaN')],
      'row 3, y has no value but "NaN", as 1 of 2 rows',
    ],
    [
      'a gap where it is wished',
      [csv('a.csv', 'a,y', ',2', '3,1.5')],
      'row 2, a has no value but ""',
      { features: ['a'] },
    ],
    [
      'a word where numbers are wished',
      [csv('a.csv', 'a,y', '1,2', 'red,3')],
      'row 3, a is "red", no number',
      { as: { a: 'numbers' } },
    ],
    [
      'a column that is not there',
      [flowers],
      'there is no column "x" among "Id", "width"',
      { features: ['x'] },
    ],
    [
      'two targets of which one is a class',
      [flowers],
      'species is one of 2 targets',
      { targets: ['width', 'species'] },
    ],
    [
      'held-out rows of a new category',
      [csv('train.csv', 'a,y', 'x,0.5', 'z,1.5'), csv('val.csv', 'a,y', 'q,1')],
      'row 2, a is "q", none of the 2 categories of the training rows: x, z',
    ],
    [
      'held-out rows with a gap',
      [csv('train.csv', 'a,y', '1,0.5', '2,1.5'), csv('val.csv', 'a,y', '?,1')],
      'row 2, a has no value but "?"',
    ],
    [
      'held-out rows without a column',
      [csv('train.csv', 'a,y', '1,0.5'), csv('val.csv', 'b,y', '3,1')],
      'val.csv has no column a',
    ],
    [
      'training files of other columns',
      [csv('1.csv', 'a,y', '1,0.5'), csv('2.csv', 'b,y', '3,1')],
      '2.csv has a column b, which the first file lacks',
    ],
  ])('%s', async (_, files, message, wish) => {
    await expect(read(files, wish)).rejects.toMatchObject({
      finding: { code: 'data-unsuitable', message: expect.stringContaining(message) as string },
    });
  });

  it('too many categories', async () => {
    const rows = Array.from({ length: 5000 }, (_, at) => `${at},w${at}`);
    await expect(read([csv('a.csv', 'a,y', ...rows)])).rejects.toThrow(
      'y has more than 4096 different cells',
    );
  });
});
