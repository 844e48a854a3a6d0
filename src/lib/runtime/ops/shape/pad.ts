import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { along, border, join, narrow, spread } from './blocks.ts';
import { inLayout } from './permute.ts';

/** Axis by axis; constants around up to four axes in one go. Negative pads cut. */
export const pad: OpFunction<'pad'> = ([x], { pad, mode, value }) => {
  const pads = inLayout(x, pad);
  const isPlain = mode === 'constant' && pads.flat().every((count) => count >= 0);
  if (isPlain && x.tensor.rank <= 4) {
    const given = pads.map(([before, after]): [number, number] => [before, after]);
    return { ...x, tensor: tf.pad(x.tensor, given, value) };
  }
  const tensor = pads.reduce((whole, [before, after], axis) => {
    const part = cut(whole, axis, -before, -after);
    const [left, right] = [Math.max(0, before), Math.max(0, after)];
    if (left === 0 && right === 0) return part;
    if (mode === 'constant') return border(part, axis, left, right, value);
    return extend(part, axis, left, right, mode);
  }, x.tensor);
  return { ...x, tensor };
};

function cut(x: tf.Tensor, axis: number, before: number, after: number): tf.Tensor {
  const [left, right] = [Math.max(0, before), Math.max(0, after)];
  return narrow(x, axis, left, x.shape[axis]! - left - right);
}

/** Elements of the axis itself before and behind it. */
function extend(
  x: tf.Tensor,
  axis: number,
  before: number,
  after: number,
  mode: 'reflect' | 'replicate' | 'circular',
): tf.Tensor {
  const size = x.shape[axis]!;
  const part = (start: number, count: number): tf.Tensor => narrow(x, axis, start, count);
  const sides = {
    reflect: () => [reversed(part(1, before), axis), reversed(part(size - 1 - after, after), axis)],
    replicate: () => [spread(part(0, 1), axis, before), spread(part(size - 1, 1), axis, after)],
    circular: () => [part(size - before, before), part(0, after)],
  }[mode];
  const [left, right] = sides();
  const parts = [before > 0 && left!, x, after > 0 && right!];
  return join(
    parts.filter((item) => item !== false),
    axis,
  );
}

function reversed(x: tf.Tensor, axis: number): tf.Tensor {
  return along(x, axis, (block) => tf.reverse(block, 1));
}

export const flip: OpFunction<'flip'> = ([x], { dims }) =>
  standard(dims.reduce((input, dim) => reversed(input, dim), toStandard(x)));

/** The end of the axis comes before its start. */
export const roll: OpFunction<'roll'> = ([x], { shifts, dims }) => {
  const rolled = dims.reduce((input, dim, at) => {
    const size = input.shape[dim]!;
    const shift = ((shifts[at]! % size) + size) % size;
    if (shift === 0 || size === 0) return input;
    return join(
      [narrow(input, dim, size - shift, shift), narrow(input, dim, 0, size - shift)],
      dim,
    );
  }, toStandard(x));
  return standard(rolled);
};
