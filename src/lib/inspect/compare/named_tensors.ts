import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { summary } from '../repr.ts';
import { tensorsAt } from '../walk.ts';

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
  const counts = new Map<string, number>();
  return Array.from(
    tensorsAt(root, '', (above, { key }) => joined(above, key)),
    ({ at: name, tensor }) => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return { name: count > 1 ? `${name} (${count})` : name, tensor };
    },
  );
}

function joined(name: string, key: Value): string {
  const text = typeof key === 'string' ? key : summary(key);
  return name === '' ? text : `${name}.${text}`;
}
