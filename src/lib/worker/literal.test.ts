import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { literalOf } from './literal.ts';

const floats = (numbers: number[], shape: number[]) =>
  tensorFromBytes(new Uint8Array(Float32Array.from(numbers).buffer), 'float32', shape);

describe('a tensor as Python', () => {
  it('has its rows below one another', async () => {
    expect(await literalOf(floats([1, 0.1, -0, NaN], [2, 2]))).toBe(
      'torch.tensor([[1.0, 0.1],\n              [-0.0, torch.nan]], dtype=torch.float32)',
    );
    expect(await literalOf(floats([1, 2], [2, 1, 1]))).toBe(
      'torch.tensor([[[1.0]],\n\n              [[2.0]]], dtype=torch.float32)',
    );
    expect(await literalOf(floats([-Infinity], []))).toBe(
      'torch.tensor(-torch.inf, dtype=torch.float32)',
    );
    expect(await literalOf(floats([], [0, 3]))).toBe('torch.empty((0, 3), dtype=torch.float32)');
  });

  it('keeps the signs of complex zeros', async () => {
    const bytes = new Uint8Array(Float64Array.of(1e-5, -0, -Infinity, 2e20).buffer);
    expect(await literalOf(tensorFromBytes(bytes, 'complex128', [2]))).toBe(
      'torch.tensor([complex(1e-05, -0.0), complex(-torch.inf, 2e+20)], dtype=torch.complex128)',
    );
  });

  it('is refused where it would be too long, or no tensor', async () => {
    await expect(literalOf(floats(new Array<number>(10_001).fill(0), [10_001]))).rejects.toThrow(
      'copy: 10,001 elements are more than 10,000',
    );
    const packed = tensorFromBytes(new Uint8Array(2), 'quint4x2', [2]);
    await expect(literalOf(packed)).rejects.toThrow(
      'copy: torch.tensor makes no tensor of quint4x2',
    );
  });
});
