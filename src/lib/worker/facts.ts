import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { isDict, type Value } from '#lib/checkpoint/value.ts';
import { escape, label, summary } from '#lib/inspect/repr.ts';

/** Facts that are shown at most; a checkpoint may hold thousands of numbers. */
const MAX_FACTS = 24;

/** The plain values at the top of a checkpoint and one level below: epoch, metrics, versions. */
export function factsOf({ root, metadata }: Checkpoint): { label: string; value: string }[] {
  const facts: { label: string; value: string }[] = [];
  const add = (name: string, value: Value) =>
    facts.push({ label: name, value: typeof value === 'string' ? escape(value) : summary(value) });
  for (const [key, value] of isDict(root) ? root.entries() : []) {
    if (isScalar(value)) add(label(key), value);
    else if (isDict(value) && value.size <= MAX_FACTS) {
      for (const [inner, item] of value.entries()) {
        if (isScalar(item)) add(`${label(key)}.${label(inner)}`, item);
      }
    }
  }
  for (const [key, value] of metadata) facts.push({ label: key, value: escape(value) });
  return facts.slice(0, MAX_FACTS);
}

function isScalar(value: Value): boolean {
  return value !== null && typeof value !== 'object';
}
