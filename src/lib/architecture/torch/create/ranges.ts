/** `arange`, `linspace` and their like, as PyTorch rounds them. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { raised } from '../../python/errors.ts';
import type { PyValue } from '../../python/object.ts';
import { hostTensor } from '../emit.ts';
import { demandOperand } from '../functional/operands.ts';
import { isInteger } from '../promotion.ts';
import { PyTensor } from '../tensor.ts';
import { checkShape, type Creator, type CreatorCall } from './creator.ts';

interface Bound {
  readonly value: number;
  readonly isFloat: boolean;
}

function bound(value: PyValue, name: string): Bound {
  const given = demandOperand(value, name);
  if (given instanceof PyTensor) return { value: given.item, isFloat: !isInteger(given.dtype) };
  return { value: given.value, isFloat: given.kind === 'float' };
}

/** `arange(end)`, `arange(start, end)`, `arange(start, end, step)`. */
function arange(call: CreatorCall): PyTensor {
  const { rest } = call;
  const named = (name: string): PyValue => call.given.value(name);
  const [first, second, third] =
    rest.length === 1 && named('end') === null ? [null, rest[0]!, null] : rest;
  const start = bound(first ?? named('start') ?? 0n, 'arange');
  const end = bound(second ?? named('end'), 'arange: end');
  const step = bound(third ?? named('step') ?? 1n, 'arange');
  if (rest.length > 3) throw raised('TypeError', `arange: ${rest.length} numbers, at most 3 fit`);
  if (!(Math.abs(step.value) > 0) || !Number.isFinite(end.value - start.value)) {
    throw raised('RuntimeError', `arange: from ${start.value} to ${end.value} by ${step.value}`);
  }
  const count = Math.ceil((end.value - start.value) / step.value);
  if (count < 0) {
    throw raised('RuntimeError', 'arange: the bounds do not fit the sign of the step');
  }
  checkShape('arange', [count]);
  const isFloat = [start, end, step].some((item) => item.isFloat);
  const dtype = call.dtype ?? (isFloat ? 'float32' : 'int64');
  return hostTensor(call.owner, 'torch.arange', [count], dtype, () =>
    Float64Array.from({ length: count }, (_, at) => start.value + at * step.value),
  );
}

/** Rounded to float32 in between, if the result is. */
function rounder(dtype: Dtype): (value: number) => number {
  return dtype === 'float32' ? Math.fround : (value) => value;
}

/** `steps` numbers from start to end. PyTorch counts from both ends towards the middle. */
function linear(start: number, end: number, steps: number, dtype: Dtype): Float64Array {
  const round = rounder(dtype);
  const step = round((round(end) - round(start)) / (steps - 1));
  const middle = Math.floor(steps / 2);
  const values = Float64Array.from({ length: steps }, (_, at) => {
    if (steps === 1) return start;
    return at < middle ? start + step * at : end - step * (steps - at - 1);
  });
  return isInteger(dtype) ? values.map(Math.trunc) : values.map(round);
}

function spaced(call: CreatorCall, compute: (values: Float64Array) => Float64Array): PyTensor {
  const { given, owner, name } = call;
  const [start, end] = ['start', 'end'].map((bounds) => bound(given.value(bounds), name).value);
  const steps = given.size('steps');
  checkShape(name, [steps]);
  const dtype = call.dtype ?? 'float32';
  return hostTensor(owner, `torch.${name}`, [steps], dtype, () =>
    compute(linear(start!, end!, steps, dtype)),
  );
}

export const creators: Readonly<Record<string, Creator>> = {
  arange: { signature: '*args, start=None, end=None, step=None', make: arange },
  linspace: {
    signature: 'start, end, steps',
    make: (call) => spaced(call, (values) => values),
  },
  logspace: {
    signature: 'start, end, steps, base=10.0',
    make(call) {
      const base = call.given.float('base');
      return spaced(call, (values) => values.map((value) => base ** value));
    },
  },
};
