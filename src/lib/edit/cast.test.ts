import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, type Value } from '#lib/checkpoint/value.ts';
import { applyEdits } from './apply.ts';
import { countCasts } from './cast_counts.ts';
import type { Edit } from './edits.ts';

const apply = (root: Value, ...edits: Edit[]) =>
  applyEdits({ root, metadata: new Map() }, edits, { others: new Map(), literal: (text) => text });
const cast = (names: string[], to: Dtype) => ({ kind: 'cast', names, to }) as const;

const floats = (...values: number[]): Tensor =>
  tensorFromBytes(new Uint8Array(Float32Array.from(values).buffer), 'float32', [values.length]);
const get = (root: Value, key: string) => (root as Dict).get(key) as Tensor;
const halves = async (tensor: Tensor) => {
  const bytes = await readTensor(tensor);
  return [...new Float16Array(bytes.slice().buffer)];
};
const findings = ({ steps }: ReturnType<typeof apply>) =>
  steps.flatMap((step) => step.findings.map(({ message }) => message));

describe('cast', () => {
  test('keeps tied tensors tied, views views and objects one', async () => {
    const whole = floats(1, 2, 3, 4, 5, 6);
    const turned: Tensor = { ...whole, shape: [3, 2], strides: [1, 3], offset: 0 };
    const root = dict({ a: whole, b: { ...whole }, again: whole, turned, other: floats(7) });
    const edited = apply(root, cast(['*'], 'float16'));
    const [a, b, again, view] = ['a', 'b', 'again', 'turned'].map((key) => get(edited.root, key));
    expect([a!.dtype, a!.storage.byteLength]).toEqual(['float16', 12]);
    expect(b!.storage).toBe(a!.storage);
    expect(again).toBe(a);
    expect(b).not.toBe(a);
    expect(view!.storage).toBe(a!.storage);
    expect(view!.strides).toEqual([1, 3]);
    expect(await halves(view!)).toEqual([1, 4, 2, 5, 3, 6]);
    expect(edited.steps[0]).toMatchObject({ changed: 5, findings: [] });
  });

  test('unties what only one name of fits', async () => {
    const tied = floats(1, 2);
    const edited = apply(dict({ a: tied, b: tied }), cast(['b'], 'float16'));
    expect(get(edited.root, 'a')).toBe(tied);
    expect(await halves(get(edited.root, 'b'))).toEqual([1, 2]);
  });

  test('leaves integers, and optimizers that are not named, alone', () => {
    const count = tensorFromBytes(new Uint8Array(8), 'int64', []);
    const state = dict({ exp_avg: floats(1) });
    const root = dict({
      model: dict({ weight: floats(1), num_batches_tracked: count }),
      optimizer: dict({
        state: new Dict([[0n, state]]),
        param_groups: list(dict({ params: list(0n) })),
      }),
    });
    const dtypesIn = (edited: Value) => {
      const at = (value: Value, key: Value) => (value as Dict).get(key)!;
      const model = at(edited, 'model');
      const moment = at(at(at(at(edited, 'optimizer'), 'state'), 0n), 'exp_avg') as Tensor;
      return [get(model, 'weight').dtype, get(model, 'num_batches_tracked').dtype, moment.dtype];
    };
    const dtypesAfter = (...names: string[]) => dtypesIn(apply(root, cast(names, 'bfloat16')).root);
    expect(dtypesAfter('*')).toEqual(['bfloat16', 'int64', 'float32']);
    expect(dtypesAfter('optimizer.*')).toEqual(['float32', 'int64', 'bfloat16']);
    expect(dtypesAfter('num_batches_tracked')).toEqual(['float32', 'bfloat16', 'float32']);
  });

  test('says what it cannot round', () => {
    const quantized: Tensor = {
      ...tensorFromBytes(new Uint8Array(2), 'qint8', [2]),
      quantization: { scheme: 'per_tensor_affine', scale: 1, zeroPoint: 0n },
    };
    const root = dict({ q: quantized, w: floats(1) });
    expect(findings(apply(root, cast(['*'], 'float16')))).toEqual([
      'cast: "q" stay as they are: they are complex, quantized or packed',
    ]);
    expect(findings(apply(root, cast(['q'], 'float16')))).toEqual([
      'cast: "q" is qint8, which is not rounded',
    ]);
    expect(findings(apply(root, cast(['w'], 'int8')))).toEqual([
      'cast: int8 is no floating-point dtype that weights are rounded to',
    ]);
    expect(findings(apply(root, cast(['v', 'w'], 'float16')))).toEqual([
      'cast: "v" fits no tensor',
    ]);
  });

  test('turns the signs of a negative view before it rounds', async () => {
    const view: Tensor = { ...floats(0, 1), neg: true };
    const edited = get(apply(dict({ view }), cast(['*'], 'float8_e4m3fnuz')).root, 'view');
    expect(edited.neg).toBeUndefined();
    expect([...(await readTensor(edited))]).toEqual([0, 0xc0]);
  });

  test('counts what is lost once, however it is read', async () => {
    const tensor = floats(1e6, 1, 1e-12, -1e6, 2, 1e-12);
    // The storage has a number that is in no tensor.
    const part: Tensor = { ...tensor, shape: [5] };
    const edited = apply(dict({ a: part, b: part, c: floats(1) }), cast(['*'], 'float16'));
    const { storage } = get(edited.root, 'a');
    const [count] = edited.casts;
    expect(count).toMatchObject({ names: ['a', 'b'], overflowed: 0, remaining: 5 });
    await storage.read(3, 7);
    expect(count).toMatchObject({ overflowed: 1, underflowed: 1, remaining: 2 });
    await storage.read(0, 12);
    await storage.read(0, 12);
    const counted = { overflowed: 2, underflowed: 1, remaining: 0 };
    expect(count).toMatchObject({ from: 'float32', to: 'float16', ...counted });
    const told: number[] = [];
    const all = await countCasts(edited, { progress: ({ bytes }) => told.push(bytes) });
    expect(all).toMatchObject([counted, { names: ['c'], overflowed: 0, remaining: 0 }]);
    expect(told).toEqual([2]);
  });

  test('counts only what is still in the tree', async () => {
    const root = dict({ a: floats(1e6), b: floats(1e6) });
    const edited = apply(root, cast(['*'], 'float16'), { kind: 'drop', names: ['a'] });
    expect(await countCasts(edited)).toMatchObject([{ names: ['b'], overflowed: 1 }]);
  });

  test('gives any range of a storage as a part of the whole, read by and by', async () => {
    const values = Float32Array.from({ length: 64 }, (_, at) => at / 3);
    const reads: [number, number][] = [];
    const bytes = new Uint8Array(values.buffer);
    const storage: Storage = {
      ...floats(...values).storage,
      sequential: true,
      fresh: true,
      async read(start, end) {
        await Promise.resolve();
        reads.push([start, end]);
        return bytes.slice(start, end);
      },
    };
    const tensor = { ...floats(...values), storage };
    const edited = get(apply(dict({ tensor }), cast(['*'], 'float16')).root, 'tensor');
    const whole = await edited.storage.read(0, 128);
    const range = fc.tuple(fc.nat(128), fc.nat(128));
    await fc.assert(
      fc.asyncProperty(range, async ([a, b]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(await edited.storage.read(start, end)).toEqual(whole.slice(start, end));
      }),
    );
    reads.length = 0;
    await Promise.all([edited.storage.read(0, 8), edited.storage.read(8, 16)]);
    expect(reads).toEqual([
      [0, 16],
      [16, 32],
    ]);
    expect(edited.storage.sequential).toBe(true);
  });
});

describe('compact and untie', () => {
  test('compact leaves the rest of the storage, and ties', async () => {
    const whole = floats(...Array.from({ length: 100 }, (_, at) => at));
    const column: Tensor = { ...whole, shape: [3], strides: [10], offset: 1, parameter: true };
    const root = dict({ column, tied: { ...column, parameter: false }, full: floats(1, 2) });
    const edited = apply(root, { kind: 'compact', names: ['*'] });
    const [one, two] = [get(edited.root, 'column'), get(edited.root, 'tied')];
    expect(edited.steps[0]!.changed).toBe(2);
    expect([one.storage.byteLength, one.strides, one.offset]).toEqual([12, [1], 0]);
    expect(two.storage).toBe(one.storage);
    expect([one.parameter, two.parameter]).toEqual([true, false]);
    expect([...new Float32Array((await readTensor(one)).slice().buffer)]).toEqual([1, 11, 21]);
    expect(get(edited.root, 'full')).toBe(root.get('full'));
  });

  test('untie parts what shares a storage, place by place', async () => {
    const tied = floats(1, 2);
    const root = dict({ a: tied, b: tied, c: floats(3) });
    const edited = apply(root, { kind: 'untie', names: ['b', 'c'] });
    expect(get(edited.root, 'a')).toBe(tied);
    const b = get(edited.root, 'b');
    expect(b.storage).not.toBe(tied.storage);
    expect(await readTensor(b)).toEqual(await readTensor(tied));
    expect(get(edited.root, 'c')).toBe(root.get('c'));
    expect(edited.steps[0]!.changed).toBe(1);
  });

  test('any range of any view is what the whole view has there', async () => {
    const whole = floats(...Array.from({ length: 120 }, (_, at) => at));
    const views: Tensor[] = [
      { ...whole, shape: [2, 3, 4], strides: [1, 2, 30], offset: 3 },
      { ...whole, shape: [4, 5], strides: [0, 7], offset: 0 },
      { ...whole, shape: [5, 1, 6], strides: [13, 99, 2], offset: 1 },
    ];
    const draw = fc.tuple(fc.constantFrom(...views), fc.nat(100), fc.nat(100));
    await fc.assert(
      fc.asyncProperty(draw, async ([view, a, b]) => {
        const edited = apply(dict({ view, whole }), { kind: 'untie', names: ['view'] });
        const { storage } = get(edited.root, 'view');
        const expected = await readTensor(view);
        const [start, end] = [a, b].map((it) => it % (expected.length + 1)).sort((x, y) => x - y);
        expect(await storage.read(start!, end!)).toEqual(expected.slice(start, end));
      }),
    );
  });
});
