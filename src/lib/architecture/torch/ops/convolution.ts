/** Convolutions and transposed convolutions over one, two or three axes. */
import { raised } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, named } from '../emit.ts';
import { windowed } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { inBatches, type Rank } from './images.ts';

export interface Convolution {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** x (N, C, …) or (C, …), weight (O, C / groups, k…), bias (O) */
export function convolution(
  rank: Rank,
  x: PyTensor,
  weight: PyTensor,
  bias: PyTensor | null,
  options: Convolution,
): PyTensor {
  const op = `conv${rank}d` as const;
  return inBatches(op, x, rank, (input) => {
    demandFloat(op, weight, bias);
    demandRank(op, weight, rank);
    const [n, channels, ...size] = input.shape;
    const [out, perGroup, ...kernel] = weight.shape;
    const { groups } = options;
    if (channels !== perGroup! * groups) {
      throw raised(
        'RuntimeError',
        `${op}: input has ${channels} channels, ${named('weight', weight)} takes ${perGroup! * groups}`,
      );
    }
    demandGroups(op, out!, groups);
    demandShape(op, 'bias', bias, [out!]);
    const output = windowed(size, { ...options, kernel }, op);
    return emit(op, [input, weight, bias], { ...options }, [n!, out!, ...output], x.dtype);
  });
}

export interface TransposedConvolution extends Convolution {
  readonly output_padding: readonly number[];
}

/** x (N, C, …) or (C, …), weight (C, O / groups, k…), bias (O) */
export function transposedConvolution(
  rank: Rank,
  x: PyTensor,
  weight: PyTensor,
  bias: PyTensor | null,
  options: TransposedConvolution,
): PyTensor {
  const op = `conv_transpose${rank}d` as const;
  return inBatches(op, x, rank, (input) => {
    demandFloat(op, weight, bias);
    demandRank(op, weight, rank);
    const [n, channels, ...size] = input.shape;
    const [taken, perGroup, ...kernel] = weight.shape;
    const { stride, padding, output_padding, dilation, groups } = options;
    if (channels !== taken) {
      throw raised(
        'RuntimeError',
        `${op}: input has ${channels} channels, ${named('weight', weight)} takes ${taken}`,
      );
    }
    demandGroups(op, channels!, groups);
    const out = perGroup! * groups;
    demandShape(op, 'bias', bias, [out]);
    const output = size.map((length, axis) => {
      const extra = output_padding[axis]!;
      if (extra >= Math.max(stride[axis]!, dilation[axis]!)) {
        throw raised(
          'RuntimeError',
          `${op}: output_padding ${extra} must be smaller than stride ${stride[axis]} or dilation ${dilation[axis]}`,
        );
      }
      const extent = dilation[axis]! * (kernel[axis]! - 1) + 1;
      return (length - 1) * stride[axis]! - 2 * padding[axis]! + extent + extra;
    });
    if (output.some((length) => length < 1)) {
      throw raised('RuntimeError', `${op}: the output would have the size ${shapeText(output)}`);
    }
    return emit(op, [input, weight, bias], { ...options }, [n!, out, ...output], x.dtype);
  });
}

function demandRank(op: string, weight: PyTensor, rank: Rank): void {
  if (weight.shape.length === rank + 2) return;
  throw raised(
    'RuntimeError',
    `${op}: ${named('weight', weight)} has shape ${shapeText(weight.shape)}, ${rank + 2} dimensions are needed`,
  );
}

function demandGroups(op: string, channels: number, groups: number): void {
  if (channels % groups === 0) return;
  throw raised('RuntimeError', `${op}: ${channels} channels do not divide into ${groups} groups`);
}
