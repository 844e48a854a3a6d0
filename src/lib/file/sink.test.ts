import { describe, expect, it } from 'vitest';
import { countedSink, memorySink, pieceSink } from './sink.ts';

const MiB = 2 ** 20;

describe('pieceSink', () => {
  it('sends pieces of one size, whatever the writes, and the rest when flushed', async () => {
    const target = memorySink();
    const sizes: number[] = [];
    const sink = pieceSink(async (piece) => {
      sizes.push(piece.byteLength / MiB);
      await target.write(piece);
      piece.fill(255); // the memory is gone, or another's
      return new ArrayBuffer(piece.buffer.byteLength);
    });
    const bytes = Uint8Array.from({ length: 9.5 * MiB }, (_, index) => index * 7);
    await sink.write(bytes.subarray(0, 3));
    await sink.write(bytes.subarray(3, 9 * MiB));
    expect(sizes).toEqual([4, 4]);
    await sink.write(bytes.subarray(9 * MiB));
    await sink.write(new Uint8Array());
    await sink.flush();
    await sink.flush();
    expect(sizes).toEqual([4, 4, 1.5]);
    expect(Buffer.compare(target.bytes(), bytes)).toBe(0);
  });

  it('throws what sending threw', async () => {
    const sink = pieceSink(() => Promise.reject(new Error('the disk is full')));
    await sink.write(new Uint8Array(10));
    await expect(sink.flush()).rejects.toThrow('the disk is full');
  });
});

it('countedSink tells how much has gone through', async () => {
  const told: number[] = [];
  const sink = countedSink(memorySink(), (bytes) => told.push(bytes));
  await sink.write(new Uint8Array(3));
  await sink.write(new Uint8Array(4));
  expect(told).toEqual([3, 7]);
});
