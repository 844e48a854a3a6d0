import { isScalar, isTensor, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { summary } from '../repr.ts';
import { partCount, partsOf, type Part } from '../walk.ts';

export interface NamedTensor {
  /** The keys from the root, joined by dots: `model.conv1.weight`, `optimizer.state.0.exp_avg`. */
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * The tensors of a tree by their full names, in the order of the file. A tensor that stands in it
 * under two names is there twice, a container that does once. Names are distinct: of two equal ones
 * the second ends with ` (2)`.
 */
export function namedTensors(root: Value): NamedTensor[] {
  const found: NamedTensor[] = [];
  const counts = new Map<string, number>();
  const seen = new Set<ObjectValue>();
  const open: { name: string; parts: Iterator<Part> }[] = [];
  const visit = (name: string, value: Value) => {
    if (isScalar(value)) return;
    if (isTensor(value)) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      found.push({ name: count > 1 ? `${name} (${count})` : name, tensor: value });
    }
    if (partCount(value) === 0 || seen.has(value)) return;
    seen.add(value);
    open.push({ name, parts: partsOf(value) });
  };
  visit('', root);
  while (open.length > 0) {
    const { name, parts } = open.at(-1)!;
    const next = parts.next();
    if (next.done) open.pop();
    else visit(joined(name, next.value.key), next.value.value);
  }
  return found;
}

function joined(name: string, key: Value): string {
  const text = typeof key === 'string' ? key : summary(key);
  return name === '' ? text : `${name}.${text}`;
}
