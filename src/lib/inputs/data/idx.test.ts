import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileOf, idxBytes } from '../../../../tests/fixtures/data.ts';
import type { DataFile } from './given.ts';
import { readData } from './read_data.ts';

const images = idxBytes(0x08, [3, 2, 2], [0, 255, 51, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
const labels = idxBytes(0x08, [3], [2, 0, 1]);
const held = idxBytes(0x08, [1, 2, 2], [9, 9, 9, 9]);
const heldLabels = idxBytes(0x08, [1], [4]);
const four = [
  fileOf('t10k-images-idx3-ubyte', held),
  fileOf('t10k-labels-idx1-ubyte', heldLabels),
  fileOf('train-images-idx3-ubyte', images),
  fileOf('train-labels-idx1-ubyte', labels),
];
const two = (first: Uint8Array<ArrayBuffer>, second: Uint8Array<ArrayBuffer> = labels) => [
  fileOf('train-images-idx3-ubyte', first),
  fileOf('train-labels-idx1-ubyte', second),
];

describe('MNIST’s files', () => {
  it('are training and test examples', async () => {
    const { dataset, facts } = await readData(four, {}, {});
    expect(facts).toMatchObject({
      ...{ kind: 'idx', train: 3, held: 1, classCounts: [1, 1, 1, 0, 0] },
      input: { dtype: 'float32', shape: [1, 2, 2] },
      recipe: {
        train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
        held: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
      },
    });
    const { inputs, targets } = await dataset.train.read([1, 0]);
    expect([...inputs]).toEqual(
      [2, 3, 4, 5, 0, 255, 51, 1].map((pixel) => Math.fround(pixel / 255)),
    );
    expect([...targets]).toEqual([0, 2]);
    expect([...(await dataset.held!.read([0])).targets]).toEqual([4]);
  });

  it('may be two, gzipped, with dots in their names, and normalised', async () => {
    const files = [
      fileOf('emnist/x.images.idx3-ubyte.gz', gzipSync(images)),
      fileOf('emnist/x.labels.idx1-ubyte.gz', gzipSync(labels)),
    ];
    const { dataset } = await readData(files, { idx: { mean: 0.1307, std: 0.3081 } }, {});
    const [first] = (await dataset.train.read([0])).inputs;
    expect(first).toBe(Math.fround(Math.fround(-0.1307) / Math.fround(0.3081)));
    expect([dataset.held, dataset.name]).toEqual([null, 'emnist']);
    expect(dataset.notes).toEqual(['pixels become (pixel / 255 − 0.1307) / 0.3081']);
  });

  it('may have labels of other integers', async () => {
    const wide = idxBytes(0x0c, [3], [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 7]);
    const { dataset } = await readData(two(images, wide), {}, {});
    expect([...dataset.train.classes!]).toEqual([1, 256, 7]);
  });
});

describe('refusals', () => {
  it.each<[string, DataFile[], string]>([
    [
      'a header that is cut',
      two(Uint8Array.of(0, 0, 8)),
      'the file ends at byte 3, within the header',
    ],
    ['a header without its sizes', two(Uint8Array.of(0, 0, 8, 3, 0, 0)), 'the file ends at byte 6'],
    [
      'elements that are cut',
      two(images.subarray(0, 20)),
      '4 bytes follow the header, uint8 [3, 2, 2] takes 12',
    ],
    ['bytes behind', two(Uint8Array.of(...images, 1)), '13 bytes follow the header'],
    ['another file', two(new TextEncoder().encode('<html>')), 'it begins with the bytes 60, 104'],
    ['an unknown dtype', two(idxBytes(0x0a, [3], [])), 'the code 10 stands for no dtype'],
    ['no axes', two(idxBytes(0x08, [], [])), 'the array has 0 axes'],
    ['255 axes', two(idxBytes(0x08, Array<number>(255).fill(1), [1])), 'the array has 255 axes'],
    [
      'huge sizes',
      two(idxBytes(0x08, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [])),
      'more than any file',
    ],
    ['a large size', two(idxBytes(0x08, [2 ** 32 - 1, 28, 28], [])), '0 bytes follow the header'],
    [
      'floats for pixels',
      two(idxBytes(0x0d, [3, 1, 1], Array<number>(12).fill(0))),
      'is float32 [3, 1, 1], expected grey pictures of bytes',
    ],
    [
      'fewer labels',
      two(images, idxBytes(0x08, [2], [1, 2])),
      'has 3 images, train-labels-idx1-ubyte 2 labels',
    ],
    ['images alone', two(images).slice(0, 1), '1 files of images and 0 of labels'],
    ['three files', four.slice(1), '0 files of images and 1 of labels'],
    [
      'sizes that differ',
      [...two(idxBytes(0x08, [3, 1, 1], [1, 2, 3])), ...four.slice(0, 2)],
      'has pictures of [2, 2], train-images-idx3-ubyte of [1, 1]',
    ],
    [
      'a gzip that is none',
      [fileOf('a-idx3-ubyte.gz', images)],
      'it does not unpack after 0 bytes',
    ],
    [
      'a gzip that is cut',
      [fileOf('a-idx3-ubyte.gz', gzipSync(images).subarray(0, 15))],
      'it does not unpack',
    ],
    [
      'a gzip bomb',
      [fileOf('a-idx3-ubyte.gz', gzipSync(Buffer.concat([images, Buffer.alloc(1e8)])))],
      'it unpacks to more than the 28 bytes',
    ],
  ])('%s', async (_, files, message) => {
    await expect(readData(files, {}, {})).rejects.toMatchObject({
      finding: { code: 'data-unsuitable', message: expect.stringContaining(message) as string },
    });
  });

  it('a std of 0', async () => {
    await expect(readData(four, { idx: { std: 0 } }, {})).rejects.toThrow(
      'by a mean of 0 and a std of 0',
    );
  });

  it('of damaged headers are sentences', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(27), fc.nat(255), async (at, byte) => {
        const damaged = images.with(at, byte);
        const read = readData(two(damaged), {}, {}).then(
          () => 'read',
          (error: unknown) => (error as Error).name,
        );
        expect(await read).toBe(at < 16 && byte !== images[at] ? 'DataError' : 'read');
      }),
    );
  });
});
