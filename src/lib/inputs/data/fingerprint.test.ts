import { expect, it } from 'vitest';
import { fileOf } from '../../../../tests/fixtures/data.ts';
import { fingerprintOf } from './fingerprint.ts';

const large = () => Uint8Array.from({ length: 2 ** 20 }, (_, at) => at % 251);
const a = fileOf('a.npy', 'one');
const b = fileOf('b.npy', large());

it('is the same for the same files in any order, and another for others', async () => {
  const same = await fingerprintOf([a, b]);
  expect(same).toMatch(/^[0-9a-f]{64}$/);
  expect(await fingerprintOf([b, a])).toBe(same);
  expect(await fingerprintOf([fileOf('b.npy', large()), fileOf('a.npy', 'one')])).toBe(same);
  const first = large();
  first[0] = 7;
  const last = large();
  last[2 ** 20 - 1] = 7;
  const others = await Promise.all([
    fingerprintOf([a]),
    fingerprintOf([a, fileOf('c.npy', large())]),
    fingerprintOf([fileOf('a.npy', 'two'), b]),
    fingerprintOf([a, fileOf('b.npy', large(), ' ')]),
    fingerprintOf([a, fileOf('b.npy', first)]),
    fingerprintOf([a, fileOf('b.npy', last)]),
  ]);
  expect(new Set([same, ...others]).size).toBe(7);
});

it('looks at a few of many files, and at the sizes of all', async () => {
  const many = Array.from({ length: 300 }, (_, at) => fileOf(`${at}.png`, 'x'.repeat(at)));
  const same = await fingerprintOf(many);
  expect(await fingerprintOf(many.with(7, fileOf('7.png', 'x')))).not.toBe(same);
});
