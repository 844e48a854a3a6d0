import { isTensor, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { pythonKey } from './repr.ts';

/** The parts of a value in order, each with how Python reaches it from the whole: `['a']`, `[0]`. */
export function partsOf(
  value: Value,
): { key: Value; step: string; value: Value; attribute?: true }[] {
  if (value === null || typeof value !== 'object') return [];
  switch (value.kind) {
    case 'dict': {
      const entries = [...value.entries()].map(([key, item]) => ({
        key,
        step: `[${pythonKey(key)}]`,
        value: item,
      }));
      const attributes = partsOf(value.attributes).map((part) => ({
        ...part,
        step: `.${String(part.key)}`,
        attribute: true as const,
      }));
      return [...entries, ...attributes];
    }
    case 'list':
    case 'tuple':
    case 'set':
      return value.items.map((item, index) => ({
        key: BigInt(index),
        step: `[${index}]`,
        value: item,
      }));
    case 'call': {
      const parts = [
        { key: 'callable', step: '.callable', value: value.callable },
        { key: 'args', step: '.args', value: value.args },
      ];
      if (value.state !== undefined)
        parts.push({ key: 'state', step: '.state', value: value.state });
      const items = value.appended?.map((item, index) => ({
        key: BigInt(index),
        step: `[${index}]`,
        value: item,
      }));
      const entries = value.entries?.map(([key, item]) => ({
        key,
        step: `[${pythonKey(key)}]`,
        value: item,
      }));
      return [...parts, ...(items ?? []), ...(entries ?? [])];
    }
    case 'persistent':
      return [{ key: 'id', step: '.id', value: value.id }];
    case 'tensor':
    case 'bytes':
    case 'complex':
    case 'global':
      return [];
    default:
      return value satisfies never;
  }
}

/** Every tensor of a tree with its first path; what stands in it twice is given once. */
export function* tensorsIn(root: Value): Generator<{ path: string; tensor: Tensor }> {
  const seen = new Set<ObjectValue>();
  const work: { path: string; value: Value }[] = [{ path: '', value: root }];
  while (work.length > 0) {
    const { path, value } = work.pop()!;
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    if (isTensor(value)) yield { path, tensor: value };
    const parts = partsOf(value);
    for (let index = parts.length - 1; index >= 0; index--) {
      const part = parts[index]!;
      work.push({ path: path + part.step, value: part.value });
    }
  }
}
