/** Which dtype arithmetic between tensors and numbers has (torch.result_type). */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { unsupported } from '../python/errors.ts';
import { PyTensor } from './tensor.ts';

/** A Python number as an operand: only its kind counts. */
export type NumberKind = 'bool' | 'int' | 'float';

const order = { bool: 0, int: 1, float: 2 } as const;

function kindOf(dtype: Dtype): NumberKind {
  const { kind } = dtypes[dtype];
  if (kind === 'bool' || kind === 'int' || kind === 'float') return kind;
  throw unsupported(`arithmetic with ${dtype} is not supported`);
}

/** The common dtype of tensors of one rank class; the wider one where the kinds are equal. */
function promote(a: Dtype, b: Dtype): Dtype {
  if (a === b) return a;
  const [x, y] = [kindOf(a), kindOf(b)];
  if (x !== y) return order[x] > order[y] ? a : b;
  const pair = [a, b].sort().join();
  if (x === 'int' && pair.includes('uint')) {
    const other = a === 'uint8' ? b : a;
    return other === 'int8' ? 'int16' : other;
  }
  if (pair === 'bfloat16,float16') return 'float32';
  return dtypes[a].size >= dtypes[b].size ? a : b;
}

/**
 * Tensors with axes decide; tensors without any count only where they are of a higher kind, and
 * Python's numbers only where they are of a higher kind still.
 */
export function resultType(operands: readonly (PyTensor | NumberKind)[]): Dtype {
  const tensors = operands.filter((operand) => operand instanceof PyTensor);
  const reduce = (some: readonly PyTensor[]): Dtype | null =>
    some.length === 0 ? null : some.map(({ dtype }) => dtype).reduce(promote);
  const withAxes = reduce(tensors.filter(({ shape }) => shape.length > 0));
  const without = reduce(tensors.filter(({ shape }) => shape.length === 0));
  let result = withAxes ?? without;
  if (withAxes && without && order[kindOf(without)] > order[kindOf(withAxes)]) result = without;
  const kinds = operands.filter((operand) => typeof operand === 'string');
  const kind = kinds.reduce<NumberKind>((a, b) => (order[a] > order[b] ? a : b), 'bool');
  if (result && order[kind] <= order[kindOf(result)]) return result;
  return { bool: 'bool', int: 'int64', float: 'float32' }[kind] as Dtype;
}

/** True for what sqrt, exp and their like turn to float32 first. */
export function isInteger(dtype: Dtype): boolean {
  return kindOf(dtype) !== 'float';
}
