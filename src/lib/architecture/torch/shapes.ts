/** Shapes of results, with the complaints that PyTorch would have. */
import { raised, Refusal } from '../python/errors.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { shapeText } from './tensor.ts';

/** PyTorch's own limit. */
const maxRank = 64;

export function checkRank(rank: number, what: string): void {
  if (rank <= maxRank) return;
  throw new Refusal(
    'python-budget',
    `${what}: ${rank} dimensions, at most ${maxRank} are possible`,
  );
}

/** The shape that `x + y` has. */
export function broadcast(a: readonly number[], b: readonly number[], what: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) {
      throw raised(
        'RuntimeError',
        `${what}: shapes ${shapeText(a)} and ${shapeText(b)} do not fit together`,
      );
    }
    return left === 1 ? right : left;
  });
}

/** The target of `view`, with its -1 filled in. */
export function inferShape(from: readonly number[], to: readonly number[], what: string): number[] {
  checkRank(to.length, what);
  const total = numel(from);
  const open = to.indexOf(-1);
  const problem = (): Error =>
    raised(
      'RuntimeError',
      `${what}: shape ${shapeText(to)} is invalid for an input of ${total} elements (${shapeText(from)})`,
    );
  if (to.some((size) => size < -1) || open !== to.lastIndexOf(-1)) throw problem();
  const known = numel(to.filter((size) => size !== -1));
  if (open < 0) {
    if (known !== total) throw problem();
    return [...to];
  }
  if (known === 0 || total % known !== 0) throw problem();
  return to.map((size) => (size === -1 ? total / known : size));
}

/** An axis counted from the front. */
export function normalizeDim(dim: number, rank: number, what: string): number {
  const size = Math.max(1, rank);
  if (dim < -size || dim >= size) {
    throw raised('IndexError', `${what}: dimension ${dim} is out of range for a ${rank}-d tensor`);
  }
  return dim < 0 ? dim + size : dim;
}

/** A list for each axis behind the channels. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** The size of each axis after a convolution or pooling. */
export function windowed(
  size: readonly number[],
  { kernel, stride, padding, dilation }: Window,
  what: string,
  ceil = false,
): number[] {
  return size.map((input, axis) => {
    const [step, pad] = [stride[axis]!, padding[axis]!];
    const extent = dilation[axis]! * (kernel[axis]! - 1) + 1;
    const room = input + 2 * pad - extent;
    let output = (ceil ? Math.ceil(room / step) : Math.floor(room / step)) + 1;
    // With ceil_mode, the last window must start within the input or the padding before it.
    if (ceil && (output - 1) * step >= input + pad) output--;
    if ((room < 0 && !ceil) || output < 1) {
      throw raised(
        'RuntimeError',
        `${what}: a kernel of ${extent} does not fit an input of ${input} with padding ${pad}`,
      );
    }
    return output;
  });
}
