/** `x[…]`, `x[…] = y`, and `for row in x`. */
import { unsupported } from '../python/errors.ts';
import type { PyValue } from '../python/object.ts';
import type { PyTensor } from './tensor.ts';

export function getItem(_: PyTensor, __: PyValue): PyValue {
  throw unsupported('indexing a tensor is not supported');
}

export function setItem(_: PyTensor, __: PyValue, ___: PyValue): void {
  throw unsupported('assigning to a part of a tensor is not supported');
}

export function iterate(_: PyTensor): Iterable<PyValue> {
  throw unsupported('iterating over a tensor is not supported');
}
