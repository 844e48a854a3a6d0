/** Functions of `torch` as Python sees them: a signature in Python's words, what it does, and what `*args` held. */
import { NativeFunction } from '../python/functions.ts';
import type { PyValue } from '../python/object.ts';
import type { Bound } from '../python/signature.ts';
import { Given } from './arguments.ts';
import type { PyTensor } from './tensor.ts';

export type Function = readonly [
  signature: string,
  body: (given: Given, rest: readonly PyValue[]) => PyValue,
];

/** A method of tensors: a signature without `self`, what it does, and what `*args` held. */
export type Method = readonly [
  signature: string,
  body: (self: PyTensor, given: Given, rest: readonly PyValue[]) => PyValue,
];
export type Methods = Readonly<Record<string, Method>>;

/** Functions by name. */
export type Functions = Readonly<Record<string, Function>>;

/** Wraps functions by name; `prefix` is for messages (`torch.nn.functional`). */
export function natives(prefix: string, functions: Functions): Map<string, PyValue> {
  const entries = Object.entries(functions).map(([name, [signature, body]]) => {
    const run = (_: unknown, { values, rest }: Bound): PyValue =>
      body(new Given(name, values), rest);
    return [name, new NativeFunction(`${prefix}${name}`, signature, run)] as const;
  });
  return new Map(entries);
}

/** The result, or with `inplace=True` the input changed to it. */
export function maybeInPlace(given: Given, x: PyTensor, result: PyTensor): PyTensor {
  if (!given.bool('inplace')) return result;
  x.become(result);
  return x;
}
