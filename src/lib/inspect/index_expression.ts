/** PyTorch's basic indexing, written as in Python: what stands between the brackets of `t[0, :, 3:7]`. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Quantization, Tensor } from '#lib/checkpoint/tensor.ts';

type Item = number | Slice | '...' | 'None';

/** A bound that is left out is null. */
interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number;
}

/**
 * The view that `tensor[text]` is in PyTorch: integers, slices with positive steps, one `...`, and
 * `None`; with or without the brackets; no text is the whole tensor. Nothing is read. Where one
 * channel of a tensor quantized by channel is picked, its integers are left without their meaning.
 * Throws a FindingError for what PyTorch refuses, in its words, and for what is no basic index.
 */
export function indexTensor(tensor: Tensor, text: string): Tensor {
  const { shape: sizes, strides: steps } = tensor;
  const shape: number[] = [];
  const strides: number[] = [];
  let { offset, quantization } = tensor;
  let axis = 0;
  for (const item of inFull(parse(text), sizes.length)) {
    const [size, stride] = [sizes[axis] ?? 1, steps[axis] ?? 1];
    if (item === 'None') {
      shape.push(1);
      strides.push(size * stride);
      continue;
    }
    if (typeof item === 'number') {
      const at = item < 0 ? item + size : item;
      if (at < 0 || at >= size) {
        throw refuse(`index ${item} is out of bounds for dimension ${axis} with size ${size}`);
      }
      offset += at * stride;
      if (isAlong(tensor.quantization, axis)) quantization = undefined;
    } else {
      if (item.step === 0) throw refuse('slice step cannot be zero');
      if (item.step < 0) throw refuse('step must be greater than zero');
      const start = bound(item.start ?? 0, size);
      const stop = Math.max(start, bound(item.stop ?? size, size));
      const length = Math.ceil((stop - start) / item.step);
      if (isAlong(tensor.quantization, axis)) {
        const { scales, zeroPoints } = tensor.quantization;
        const part = (channels: Tensor): Tensor => ({
          ...channels,
          shape: [length],
          strides: [channels.strides[0]! * item.step],
          offset: channels.offset + start * channels.strides[0]!,
        });
        quantization = {
          ...tensor.quantization,
          ...{ scales: part(scales), zeroPoints: part(zeroPoints), axis: shape.length },
        };
      }
      offset += start * stride;
      shape.push(length);
      strides.push(stride * item.step);
    }
    axis++;
  }
  const { quantization: _, state: __, ...rest } = tensor;
  return {
    ...rest,
    ...(quantization && { quantization }),
    shape,
    strides,
    offset,
    parameter: false,
  };
}

function isAlong(
  quantization: Quantization | undefined,
  axis: number,
): quantization is Extract<Quantization, { axis: number }> {
  return quantization !== undefined && 'axis' in quantization && quantization.axis === axis;
}

/** Where a bound of a slice lies in an axis: from its end where it is negative, and cut. */
function bound(at: number, size: number): number {
  return Math.min(size, Math.max(0, at < 0 ? at + size : at));
}

const whole: Slice = { start: null, stop: null, step: 1 };

/** With all axes that `...`, or the end, leaves out. */
function inFull(items: Item[], rank: number): Exclude<Item, '...'>[] {
  const given = items.filter((item) => item !== '...' && item !== 'None');
  if (given.length > rank) throw refuse(`too many indices for tensor of dimension ${rank}`);
  const rest = new Array<Slice>(rank - given.length).fill(whole);
  const open = items.includes('...') ? items : [...items, '...' as const];
  return open.flatMap((item) => (item === '...' ? rest : [item]));
}

function parse(text: string): Item[] {
  const inner = text
    .trim()
    .replace(/^\[([^]*)\]$/, '$1')
    .trim();
  if (inner === '') return [];
  const items = inner
    .replace(/,$/, '')
    .split(',')
    .map((part) => parseItem(part.trim()));
  if (items.filter((item) => item === '...').length > 1) {
    throw refuse("an index can only have a single ellipsis ('...')");
  }
  return items;
}

function parseItem(part: string): Item {
  if (part === '...' || part === 'None') return part;
  if (!part.includes(':')) return integer(part);
  const bounds = part.split(':').map((it) => it.trim());
  if (bounds.length > 3) throw unknown(part);
  const [start = null, stop = null, step = null] = bounds.map((it) =>
    it === '' || it === 'None' ? null : integer(it),
  );
  return { start, stop, step: step ?? 1 };
}

function integer(text: string): number {
  if (!/^[+-]?\d+(_\d+)*$/.test(text)) throw unknown(text);
  return Number(text.replaceAll('_', ''));
}

function unknown(part: string): FindingError {
  return refuse(`"${part}" is no integer, slice, ... or None`);
}

function refuse(message: string): FindingError {
  return new FindingError({
    code: 'index-invalid',
    message: `index: ${message}`,
    advice: 'Write an index as in PyTorch, such as [0, :, 3:7] or [..., -1].',
  });
}
