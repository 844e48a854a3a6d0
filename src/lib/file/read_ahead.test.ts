import { describe, expect, it } from 'vitest';
import { ReadAhead, type Range } from './read_ahead.ts';

const MiB = 2 ** 20;

/** A source that answers when told to, and what was asked of it. */
function slow() {
  const asked: { start: number; end: number; answer: () => void; fail: (error: Error) => void }[] =
    [];
  const given: Uint8Array[] = [];
  const source: Range['source'] = {
    fresh: true,
    read: (start, end) =>
      new Promise((resolve, reject) => {
        const answer = () => {
          const bytes = new Uint8Array(end - start).fill(start);
          given.push(bytes);
          resolve(bytes);
        };
        asked.push({ start, end, answer, fail: reject });
      }),
  };
  return { source, asked, given };
}

describe('ReadAhead', () => {
  it('asks for the next pieces before the first one has come, and gives them in order', async () => {
    const { source, asked } = slow();
    const ranges = [5, 9, 7].map((start) => ({ source, start, end: start + 2 }));
    const reading = new ReadAhead(ranges);
    const first = reading.next(2).next();
    expect(asked.map(({ start }) => start)).toEqual([5, 9, 7]);
    for (const { answer } of asked.toReversed()) answer();
    expect([...(await first).value!]).toEqual([5, 5]);
    const rest = await Array.fromAsync(reading.next(), (piece) => [...piece]);
    expect(rest).toEqual([
      [9, 9],
      [7, 7],
    ]);
  });

  it('has no more than 32 MiB and 256 reads under way, and asks for short ones in portions', async () => {
    const { source, asked } = slow();
    const large = new ReadAhead([{ source, start: 0, end: 100 * MiB }]).next();
    void large.next();
    expect(asked.map(({ start, end }) => (end - start) / MiB)).toEqual([8, 8, 8, 8]);
    asked.length = 0;
    void new ReadAhead([{ source, start: 0, end: 100 * MiB }], undefined, 2).next().next();
    expect(asked.length, 'of two streams').toBe(2);
    asked.length = 0;
    const small = Array.from({ length: 400 }, (_, start) => ({ source, start, end: start + 1 }));
    const pieces = new ReadAhead(small).next();
    for (let taken = 1; taken <= 128; taken++) {
      const piece = pieces.next();
      expect(asked.length).toBe(256);
      asked[taken - 1]!.answer();
      await piece;
    }
    void pieces.next();
    expect(asked.length).toBe(384);
    asked.length = 0;
    const huge = { source, start: 0, end: 8 * MiB };
    const more = new ReadAhead([huge, huge, huge, huge, huge]).next();
    const first = more.next();
    expect(asked.length).toBe(4);
    asked[0]!.answer();
    await first;
    void more.next();
    expect(asked.length).toBe(5);
  });

  it('gives the memory of a piece back when the next one is asked for', async () => {
    const { source, asked, given } = slow();
    const pieces = new ReadAhead([
      { source, start: 0, end: 1 },
      { source, start: 1, end: 2 },
    ]).next();
    const first = pieces.next();
    for (const { answer } of asked) answer();
    await first;
    expect(given.map(({ byteLength }) => byteLength)).toEqual([1, 1]);
    await pieces.next();
    expect(given.map(({ byteLength }) => byteLength)).toEqual([0, 1]);
    await pieces.next();
    expect(given.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
  });

  it('leaves arrays alone that are not fresh', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const source = {
      read: (start: number, end: number) => Promise.resolve(bytes.subarray(start, end)),
    };
    const pieces = new ReadAhead([{ source, start: 0, end: 3 }]).next();
    expect(await Array.fromAsync(pieces)).toEqual([bytes]);
    expect(bytes.length).toBe(3);
  });

  it('throws what a read threw when its turn comes, and stops when aborted', async () => {
    const { source, asked } = slow();
    const pieces = new ReadAhead([
      { source, start: 0, end: 1 },
      { source, start: 1, end: 2 },
    ]).next();
    const first = pieces.next();
    asked[1]!.fail(new Error('the disk is gone'));
    asked[0]!.answer();
    await first;
    await expect(pieces.next()).rejects.toThrow('the disk is gone');

    const controller = new AbortController();
    const aborted = new ReadAhead([{ source, start: 0, end: 1 }], controller.signal).next();
    controller.abort();
    await expect(aborted.next()).rejects.toThrow('aborted');
  });
});
