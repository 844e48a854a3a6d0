/** The ops that can be worked out on the host, by the families of `torch/ops/`. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Op, Ops } from '../../graph.ts';
import type { HostValue } from '../host.ts';
import { elementwise } from './elementwise.ts';
import { matrix } from './matrix.ts';
import { picking } from './picking.ts';
import { reduce } from './reduce.ts';
import { shape } from './shape.ts';

/**
 * Gives the numbers of an op's result in row-major order, as a new array or as an input's own; they
 * are rounded to the result's dtype afterwards.
 */
export type HostFunction<K extends Op = Op> = (
  inputs: readonly (HostValue | null)[],
  attrs: Readonly<Ops[K]['attrs']>,
  result: { readonly shape: readonly number[]; readonly dtype: Dtype },
) => Float64Array;

export type HostFunctions = { readonly [K in Op]?: HostFunction<K> };

const functions = new Map<string, HostFunction<never>>(
  [elementwise, matrix, picking, reduce, shape].flatMap((table) => Object.entries(table)),
);

export function hostFunction<K extends Op>(op: K): HostFunction<K> | undefined {
  return functions.get(op) as HostFunction<K> | undefined;
}
