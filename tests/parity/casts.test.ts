/** Casting, judged by PyTorch: bit by bit as `Tensor.to`, and what is lost is counted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { roundTo, type RoundedDtype } from '#lib/edit/rounding.ts';
import { runPython } from '../python.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-casts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const targets: readonly RoundedDtype[] = [
  ...(['float64', 'float32', 'float16', 'bfloat16'] as const),
  ...(['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz'] as const),
];
const integers = 'int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool'.split(' ') as Dtype[];
const sources: readonly Dtype[] = [...targets, 'float8_e8m0fnu', ...integers];

/** Bits that come out of a seed (xorshift32). */
function* words(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

/** Numbers at random with those about which rounding could be wrong. */
const RANDOM = 1_000_000;

/** Every pattern of at most 16 bits; else random ones, half of them near a tie of a narrower dtype. */
function elementsOf(dtype: Dtype): Uint8Array<ArrayBuffer> {
  const size = itemsize(dtype);
  if (dtype === 'bool') return Uint8Array.of(0, 1, 1, 0, 1);
  if (size === 1) return Uint8Array.from({ length: 256 }, (_, pattern) => pattern);
  if (size === 2) {
    return new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, pattern) => pattern).buffer);
  }
  const random = words(7);
  const next = () => random.next().value as number;
  if (dtype === 'float32' || dtype === 'float64') {
    const floats = Uint32Array.from(
      { length: dtype === 'float32' ? RANDOM : RANDOM / 4 },
      (_, at) => {
        const word = next();
        // About the middle between two neighbours that differ in bit 10, 13, 16, 20 or 21.
        const bit = [10, 13, 16, 20, 21][at % 5]!;
        const near = ((word >>> bit) << bit) + 2 ** (bit - 1) + ((next() % 3) - 1);
        return at % 2 === 0 ? word : near;
      },
    );
    if (dtype === 'float32') return new Uint8Array(floats.buffer);
    const doubles = Float64Array.from(new Float32Array(floats.buffer), (value, at) => {
      const noise = ((next() % 3) - 1) * 2 ** -40;
      return at % 3 === 0 ? value : value * (1 + noise);
    });
    const bits = new BigUint64Array(doubles.buffer);
    for (let at = 0; at < bits.length; at += 5) bits[at] = (BigInt(next()) << 32n) | BigInt(next());
    return new Uint8Array(doubles.buffer);
  }
  const count = 20_000;
  const out = Uint32Array.from({ length: (count * size) / 4 }, () => next() >>> (next() % 32));
  return new Uint8Array(out.buffer);
}

const counted = new Map<string, { overflowed: number; underflowed: number }>();
for (const from of sources) {
  const elements = elementsOf(from);
  writeFileSync(join(folder, from), elements);
  for (const to of targets) {
    const { bytes, ...losses } = roundTo(elements, from, to);
    writeFileSync(join(folder, `${from}.${to}`), bytes);
    counted.set(`${from}.${to}`, losses);
  }
}
const lines = (await runPython('tests/judge/edits.py', ['cast', folder])).trim().split('\n');
const judged = lines.map(
  (line) =>
    JSON.parse(line) as Record<'from' | 'to', Dtype> &
      Record<'count' | 'wrong' | 'overflowed' | 'underflowed', number> & { first: unknown },
);

it.each(judged)('$from to $to: $count elements as torch has them', (one) => {
  const { from, to, wrong, first, overflowed, underflowed } = one;
  expect({ wrong, first }).toEqual({ wrong: 0, first: null });
  expect(counted.get(`${from}.${to}`)).toEqual({ overflowed, underflowed });
});

it('is every pair', () => expect(judged).toHaveLength(sources.length * targets.length));
