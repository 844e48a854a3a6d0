/** Pools over one, two or three axes. */
import { raised } from '../../python/errors.ts';
import { emit } from '../emit.ts';
import { windowed } from '../shapes.ts';
import type { PyTensor } from '../tensor.ts';
import { inBatches, type Rank } from './images.ts';

export interface MaxPool {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceil: boolean;
}

export function maxPool(rank: Rank, x: PyTensor, options: MaxPool): PyTensor {
  const op = `max_pool${rank}d` as const;
  return inBatches(op, x, rank, (input) => {
    demandPadding(op, options);
    const { kernel, stride, padding, dilation, ceil } = options;
    const size = windowed(input.shape.slice(2), options, op, ceil);
    const attrs = { kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil };
    return emit(op, [input], attrs, [...input.shape.slice(0, 2), ...size], x.dtype);
  });
}

export interface AvgPool {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceil: boolean;
  readonly countsPadding: boolean;
  /** What sums are divided by, instead of by the number of elements. */
  readonly divisor: number | null;
}

export function avgPool(rank: Rank, x: PyTensor, options: AvgPool): PyTensor {
  const op = `avg_pool${rank}d` as const;
  return inBatches(op, x, rank, (input) => {
    demandPadding(op, options);
    const { kernel, stride, padding, ceil, countsPadding, divisor } = options;
    if (divisor === 0) throw raised('RuntimeError', `${op}: divisor must be not zero`);
    const dilation = kernel.map(() => 1);
    const size = windowed(input.shape.slice(2), { ...options, dilation }, op, ceil);
    const attrs = {
      kernel_size: kernel,
      stride,
      padding,
      ceil_mode: ceil,
      count_include_pad: countsPadding,
      divisor_override: divisor,
    };
    return emit(op, [input], attrs, [...input.shape.slice(0, 2), ...size], x.dtype);
  });
}

/** `null` keeps the size of that axis. */
export function adaptivePool(
  kind: 'avg' | 'max',
  rank: Rank,
  x: PyTensor,
  size: readonly (number | null)[],
): PyTensor {
  const op = `adaptive_${kind}_pool${rank}d` as const;
  return inBatches(op, x, rank, (input) => {
    const output = size.map((length, axis) => length ?? input.shape[2 + axis]!);
    const shape = [...input.shape.slice(0, 2), ...output];
    return emit(op, [input], { output_size: output }, shape, x.dtype);
  });
}

function demandPadding(op: string, { kernel, padding }: Pick<MaxPool, 'kernel' | 'padding'>): void {
  if (padding.every((pad, axis) => pad <= kernel[axis]! / 2)) return;
  throw raised(
    'RuntimeError',
    `${op}: padding ${padding.join(', ')} is more than half of the kernel ${kernel.join(', ')}`,
  );
}
