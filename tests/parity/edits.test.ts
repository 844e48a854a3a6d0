/** Edits, judged by PyTorch: the same done in Python gives the same contents. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { parseLiteral } from '#lib/architecture/literal.ts';
import { applyEdits } from '#lib/edit/apply.ts';
import type { Edit } from '#lib/edit/edits.ts';
import { roundTo, type RoundedDtype } from '#lib/edit/rounding.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { runPython } from '../python.ts';
import { open } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-edits-'));
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

describe('cast', async () => {
  const place = join(folder, 'cast');
  const counted = new Map<string, { overflowed: number; underflowed: number }>();
  mkdirSync(place);
  for (const from of sources) {
    const elements = elementsOf(from);
    writeFileSync(join(place, from), elements);
    for (const to of targets) {
      const { bytes, ...losses } = roundTo(elements, from, to);
      writeFileSync(join(place, `${from}.${to}`), bytes);
      counted.set(`${from}.${to}`, losses);
    }
  }
  const lines = (await runPython('tests/judge/edits.py', ['cast', place])).trim().split('\n');
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
});

/** By the name of what Python makes of it: the file that is edited, and how. */
const b = { other: 1, in: null };
const c = { other: 2, in: null };
const cases: Record<string, readonly [file: string, ...edits: Edit[]]> = {
  rename: ['training', { kind: 'rename', in: null, rules: [{ kind: 'strip', prefix: 'module.' }] }],
  drop: ['training', { kind: 'drop', names: ['optimizer.*', 'epoch'] }],
  keep: ['training', { kind: 'keep', names: ['views.*'] }],
  half: ['training', { kind: 'cast', names: ['*'], to: 'float16' }],
  float8: ['training', { kind: 'cast', names: ['*'], to: 'float8_e5m2' }],
  compact: ['training', { kind: 'compact', names: ['*'] }],
  extract: ['training', { kind: 'extract', path: ["'model'"] }],
  set: [
    'training',
    { kind: 'set', path: ["'epoch'"], value: '4' },
    { kind: 'set', path: ["'note'"], value: "['x', (1, 2.5)]" },
  ],
  put: ['training', { kind: 'put', path: ["'extra'"], other: 3, from: ["'double'"] }],
  average: [
    'a',
    { kind: 'merge', in: null, how: { kind: 'weighted', weights: [0.5, 0.5] }, others: [b] },
  ],
  weighted: [
    'a',
    {
      kind: 'merge',
      in: null,
      how: { kind: 'weighted', weights: [0.2, 0.3, 0.5] },
      others: [b, c],
    },
  ],
  ema: ['a', { kind: 'merge', in: null, how: { kind: 'ema', decay: 0.9 }, others: [b, c] }],
  task: ['a', { kind: 'merge', in: null, how: { kind: 'task', scales: [0.7] }, others: [b, c] }],
  slerp: ['a', { kind: 'merge', in: null, how: { kind: 'slerp', t: 0.3 }, others: [b] }],
  lora: ['lora', { kind: 'lora', in: null, other: 4, scaling: 16 / 3 }],
};

describe('edited and saved', async () => {
  const place = join(folder, 'edits');
  mkdirSync(place);
  const made = JSON.parse(await runPython('tests/judge/edits.py', ['make', place])) as string[];
  const names = ['b', 'c', 'a', 'adapter'];
  const opened = await Promise.all(names.map((name) => open(join(place, `${name}.pt`))));
  const others = new Map<number, Checkpoint>(opened.map((it, at) => [at + 1, it]));
  const problems = new Map<string, string[]>();
  for (const [name, [file, ...edits]] of Object.entries(cases)) {
    const checkpoint = await open(join(place, `${file}.pt`));
    const edited = applyEdits(checkpoint, edits, { others, literal: parseLiteral });
    const errors = edited.steps.flatMap(({ findings }) =>
      findings.filter((it) => it.severity === 'error'),
    );
    problems.set(
      name,
      errors.map(({ message }) => message),
    );
    const sink = memorySink();
    await torch.write!(edited.root, sink, { stem: 'edited', metadata: new Map() });
    writeFileSync(join(place, `${name}.got.pt`), sink.bytes());
  }
  const lines = (await runPython('tests/judge/edits.py', ['compare', place])).trim().split('\n');
  const judged = lines.map((line) => JSON.parse(line) as { name: string; difference: unknown });

  it.each(judged)('$name is what Python makes of it', ({ name, difference }) => {
    expect(problems.get(name)).toEqual([]);
    expect(difference).toBeNull();
  });

  it('is every edit', () => {
    expect(judged.map(({ name }) => name).toSorted()).toEqual(Object.keys(cases).toSorted());
    expect(made.toSorted()).toEqual(Object.keys(cases).toSorted());
  });
});
