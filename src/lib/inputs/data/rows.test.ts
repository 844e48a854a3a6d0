import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobSource, type Source } from '#lib/file/source.ts';
import { openPart } from '#lib/formats/index.ts';
import { isTensor, type Dict } from '#lib/checkpoint/value.ts';
import { arrayOf, deflatedNpz, npzFile } from '../../../../tests/fixtures/data.ts';
import { floatRows, openRows } from './rows.ts';

const onDisk = { kept: 0, keptAtNeed: 0 };

async function opened(source: Source) {
  const tensor = ((await openPart(source)).root as Dict).get('x');
  if (!isTensor(tensor)) throw new Error('no tensor x');
  return tensor;
}

describe('rows', () => {
  it('from the disk are those in memory', async () => {
    const shapes = fc.array(fc.nat(5), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(shapes, fc.array(fc.nat()), async ([count = 0, ...shape], picked) => {
        const tensor = arrayOf('int16', [count + 1, ...shape]);
        const kept = await openRows(tensor, 'x');
        const read = await openRows(tensor, 'x', undefined, { kept: -1, keptAtNeed: -1 });
        const indices = picked.map((index) => index % (count + 1));
        expect(await floatRows(read, indices)).toEqual(await floatRows(kept, indices));
      }),
      { numRuns: 100 },
    );
  });

  it('are ranges of the file', async () => {
    const { file } = await npzFile('a.npz', { x: arrayOf('float32', [1000, 1000]) });
    const source = blobSource(file);
    let bytes = 0;
    const counting = {
      ...source,
      read: (...range: Parameters<Source['read']>) => {
        bytes += range[1] - range[0];
        return source.read(...range);
      },
    };
    const rows = await openRows(await opened(counting), 'x', undefined, onDisk);
    bytes = 0;
    const values = await floatRows(rows, [900, 3, 4, 3]);
    expect([0, 1, 2, 3].map((row) => values[row * 1000 + 7])).toEqual([900_007, 3007, 4007, 3007]);
    expect(bytes).toBe(3 * 4000);
  });

  it('of a view are read by themselves, where each lies together', async () => {
    const every = { ...arrayOf('uint8', [10, 4]), shape: [5, 3], strides: [8, 1], offset: 1 };
    const rows = await openRows(every, 'x', undefined, onDisk);
    expect([...(await floatRows(rows, [4, 0, 1]))]).toEqual([33, 34, 35, 1, 2, 3, 9, 10, 11]);
  });

  it('that are compressed or do not lie together fit in memory or are refused', async () => {
    const { file } = await deflatedNpz('a.npz', { x: arrayOf('float32', [10, 10]) });
    const deflated = await opened(blobSource(file));
    await expect(openRows(deflated, 'x', undefined, onDisk)).rejects.toMatchObject({
      finding: {
        message: 'data: x takes 400 bytes, at most 0 fit in memory, and it is compressed',
        advice: expect.stringContaining('numpy.savez') as string,
      },
    });
    const rows = await openRows(deflated, 'x', undefined, { kept: 0, keptAtNeed: 400 });
    expect((await floatRows(rows, [9]))[0]).toBe(90);
    const turned = { ...arrayOf('uint8', [4, 4]), strides: [1, 4] };
    await expect(openRows(turned, 'x', undefined, onDisk)).rejects.toThrow(
      'it is not stored row by row',
    );
  });
});
