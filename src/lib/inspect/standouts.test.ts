import { describe, expect, it } from 'vitest';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { standoutsOf, type Summarized } from './standouts.ts';
import { tensorSummary } from './tensor_statistics.ts';
import { countZeroRows } from './zero_rows.ts';

function tensorOf(values: readonly number[], shape = [values.length]): Tensor {
  return tensorFromBytes(new Uint8Array(Float32Array.from(values).buffer), 'float32', shape);
}

async function summarized(
  name: string,
  tensor: Tensor,
  more: Partial<Summarized> = {},
): Promise<Summarized> {
  const { dtype, shape } = tensor;
  const zeroRows = shape.length > 1 ? await countZeroRows(tensor) : null;
  const summary = await tensorSummary(tensor);
  return { name, dtype, shape, owner: null, expanded: false, summary, zeroRows, ...more };
}

/** Sentences by code, of one tensor. */
async function told(name: string, tensor: Tensor, more: Partial<Summarized> = {}) {
  const standouts = standoutsOf([await summarized(name, tensor, more)]);
  return standouts.map(({ code, message }) => `${code}: ${message}`);
}

const waves = (count: number, scale = 1) =>
  Array.from({ length: count }, (_, at) => Math.sin(at + 1) * scale);

describe('standouts', () => {
  it('name NaN and infinities', async () => {
    expect(await told('w', tensorOf([NaN, 1, NaN, 2]))).toEqual(['nan: 2 of 4 elements are NaN']);
    expect(await told('w', tensorOf([1, Infinity, 2]))).toEqual([
      'inf: 1 of 3 elements is infinite',
    ]);
    expect(await told('bias', tensorOf([0, -Infinity, 0, 0], [2, 2]))).toEqual([]); // for attention
    expect(await told('bias', tensorOf([0, -Infinity, 0, 1], [2, 2]))).toEqual([
      'inf: 1 of 4 elements is infinite',
    ]);
    expect(await told('attn.mask', tensorOf([0, 1, 0, 0], [2, 2]))).toEqual([]);
    expect(await told('attn.mask', tensorOf([0, NaN, 0, 0], [2, 2]))).toContain(
      'nan: 1 of 4 elements is NaN',
    );
  });

  it('say nothing of what fresh layers have', async () => {
    const zeros = tensorOf(new Array<number>(8).fill(0));
    const ones = tensorOf(new Array<number>(32).fill(1));
    expect(await told('fc.bias', zeros)).toEqual([]);
    expect(await told('bn.running_mean', zeros)).toEqual([]);
    expect(await told('bn2.weight', zeros)).toEqual([]);
    expect(await told('bn.running_var', ones)).toEqual([]);
    expect(await told('ln.weight', ones)).toEqual([]);
    expect(await told('fc.weight', tensorOf(waves(32), [4, 8]))).toEqual([]);
    const batches = tensorFromBytes(new Uint8Array(8), 'int64', []);
    expect(await told('bn.num_batches_tracked', batches)).toEqual([]);
    expect(
      await told('position_ids', tensorFromBytes(new Uint8Array(32), 'int64', [1, 4])),
    ).toEqual([]);
    expect(await told('none', tensorOf([], [0, 4]))).toEqual([]);
  });

  it('name layers of zeros, and dead rows', async () => {
    const zeros = tensorOf(new Array<number>(12).fill(0), [3, 4]);
    expect(await told('fc.weight', zeros)).toEqual(['zeros: all 12 elements are zero']);
    expect(await told('q.lora_B.weight', zeros)).toEqual([
      'zeros: all 12 elements are zero: the adapter changes nothing yet',
    ]);
    const dead = tensorOf([...waves(4), 0, 0, 0, 0, 0, -0, 0, 0], [3, 4]);
    expect(await told('fc.weight', dead)).toEqual([
      'zero-rows: 2 of 3 rows are all zeros: dead or pruned',
    ]);
    const filters = tensorOf([...waves(8), 0, 0, 0, 0], [3, 1, 2, 2]);
    expect(await told('conv.weight', filters)).toEqual([
      'zero-rows: 1 of 3 filters is all zeros: dead or pruned',
    ]);
    const token = standoutsOf([await summarized('cls_token', tensorOf([0, 0], [1, 2]))]);
    expect(token).toMatchObject([{ severity: 'info', message: 'all 2 elements are zero' }]);
    const padding = tensorOf([0, 0, 0, 0, ...waves(8)], [3, 4]);
    expect(await told('tok_emb.weight', padding)).toEqual([
      'zero-rows: 1 of 3 rows is all zeros, as one for padding is',
    ]);
  });

  it('name what no gradient has reached', async () => {
    const zeros = tensorOf(new Array<number>(4).fill(0));
    const owner = 'fc.bias';
    expect(await told('optimizer.state.0.exp_avg_sq', zeros, { owner })).toEqual([
      'no-gradient: all zeros: no gradient has reached fc.bias',
    ]);
    expect(await told('optimizer.state.0.exp_avg', zeros, { owner })).toEqual([]);
    expect(await told('optimizer.state.0.sum', zeros, { owner })).toEqual([]);
    expect(await told('optimizer.state.0.step', tensorOf([0], []), { owner })).toEqual([]);
  });

  it('name constants, but not of what an axis repeats', async () => {
    const same = tensorOf(new Array<number>(32).fill(0.5), [4, 8]);
    expect(await told('fc.weight', same)).toEqual(['constant: all 32 elements are 0.5']);
    expect(await told('fc.weight', same, { expanded: true })).toEqual([]);
    expect(await told('s', tensorOf([2, 2], [1, 2]))).toEqual([]);
  });

  it('name impossible and missing variances', async () => {
    expect(await told('bn.running_var', tensorOf([1, -0.5]))).toEqual([
      'variance: its least variance is -0.5, below zero',
    ]);
    expect(await told('bn.running_var', tensorOf([1, 0, 0]))).toEqual([
      'variance: 2 of 3 channels had no variance: what they take never changed',
    ]);
  });

  it('name what half precision has lost', async () => {
    const bits = Uint16Array.from({ length: 64 }, (_, at) => (at % 2 === 0 ? 0x0010 : 0x3c00 + at));
    const half = tensorFromBytes(new Uint8Array(bits.buffer), 'float16' as Dtype, [8, 8]);
    expect(await told('fc.weight', half)).toEqual([
      'denormal: 32 of 64 elements are below 6.1e-5, the least normal float16: they have lost digits',
    ]);
  });

  it('name the layer whose std is unlike that of its like', async () => {
    const layer = (at: number, scale: number, name = `blocks.${at}.fc1.weight`) =>
      summarized(name, tensorOf(waves(64, scale), [8, 8]));
    const scales = [1, 1.5, 0.8, 40, 1.1, 0.7];
    const layers = await Promise.all(scales.map((scale, at) => layer(at, scale)));
    const other = await layer(0, 90, 'head.weight');
    expect(standoutsOf([other, ...layers])).toEqual([
      {
        ...{ code: 'std', severity: 'warning', at: 4 },
        message: 'its std 28.6 is 36 times that of blocks.#.fc1.weight: 0.788, the median of 6',
      },
    ]);
    expect(standoutsOf([other, ...layers.slice(0, 4)])).toEqual([]);
    const shallow = await Promise.all([1, 1, 0.01, 1, 1].map((scale, at) => layer(at, scale)));
    expect(standoutsOf(shallow)[0]!.message).toContain('is 100 times below that of');
  });

  it('put the gravest first, and wait for what is not known', async () => {
    const list = [
      null,
      await summarized('a.weight', tensorOf(new Array<number>(4).fill(0), [2, 2])),
      await summarized('b.weight', tensorOf([NaN, 1, 2, 3], [2, 2])),
    ];
    expect(standoutsOf(list).map(({ code, at }) => [code, at])).toEqual([
      ['nan', 2],
      ['zeros', 1],
    ]);
  });
});
