import { afterEach, describe, expect, it, vi } from 'vitest';

const text = (string: string) => new TextEncoder().encode(string);
const noise = Uint8Array.from({ length: 600_000 }, (_, index) => (index * 2654435761) >>> 13);

/** The module anew, as what was lent to it stays lent. */
async function load() {
  vi.resetModules();
  return import('./crc32.ts');
}
afterEach(() => vi.resetModules());

describe('crc32', () => {
  it('gives the check value of the standard, however the bytes are cut', async () => {
    const { crc32, Crc32, joinCrc32 } = await load();
    const bytes = text('123456789');
    expect(await crc32(bytes)).toBe(0xcbf43926);
    for (let cut = 0; cut <= 9; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)] as const;
      const sum = new Crc32();
      for (const piece of pieces) await sum.add(piece);
      expect(sum).toMatchObject({ value: 0xcbf43926, length: 9 });
      const [one, two] = [await crc32(pieces[0]), await crc32(pieces[1])];
      expect(joinCrc32(one, two, 9 - cut)).toBe(0xcbf43926);
    }
  });

  it('joins sums over lengths beyond 32 bits', async () => {
    const { crc32, Crc32 } = await load();
    // CRC-32 of 2³³ + 9 bytes: zeros, then the digits; the zeros joined by doubling.
    const zeros = new Crc32();
    zeros.append(await crc32(new Uint8Array(2 ** 20)), 2 ** 20);
    while (zeros.length < 2 ** 33) zeros.append(zeros.value, zeros.length);
    const step = new Crc32();
    const block = await crc32(new Uint8Array(2 ** 20));
    for (let at = 0; at < 2 ** 33; at += 2 ** 20) step.append(block, 2 ** 20);
    expect(zeros.value).toBe(step.value);
    await zeros.add(text('123456789'));
    await step.add(text('123456789'));
    expect(zeros.value).toBe(step.value);
  });
});

describe('crc32Fresh', () => {
  it('sends large arrays to the thread that was lent, and remembers the sum', async () => {
    const { crc32, crc32Fresh, lendSumThread } = await load();
    const expected = await crc32(noise.slice());
    const sent: number[] = [];
    lendSumThread(async (buffer) => {
      sent.push(buffer.byteLength);
      const moved = buffer.transfer();
      return { buffer: moved, crc: await crc32(new Uint8Array(moved)) };
    });
    const given = noise.slice();
    const { bytes, crc } = await crc32Fresh(given);
    expect(given.byteLength).toBe(0);
    expect(bytes).toEqual(noise);
    expect(crc).toBe(expected);
    bytes[0]! ^= 1; // against the rule: shows that the sum is not made again
    expect(await crc32(bytes)).toBe(expected);
    expect(sent).toEqual([noise.length]);
  });

  it('keeps small arrays and parts of larger ones', async () => {
    const { crc32, crc32Fresh, lendSumThread } = await load();
    lendSumThread(() => Promise.reject(new Error('sent')));
    const small = text('123456789');
    expect(await crc32Fresh(small)).toEqual({ bytes: small, crc: 0xcbf43926 });
    const part = noise.subarray(0, noise.length - 1);
    expect((await crc32Fresh(part)).crc).toBe(await crc32(part.slice()));
  });
});
