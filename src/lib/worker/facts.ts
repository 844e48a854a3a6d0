import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { isDict, isScalar, type Value } from '#lib/checkpoint/value.ts';
import { label, plain, summary } from '#lib/inspect/repr.ts';

/** Facts that are shown at most; a checkpoint may hold thousands of numbers. */
const MAX_FACTS = 24;

/** The container's facts, and the plain values at the top and one level below: epoch, metrics. */
export function factsOf({ root, metadata }: Checkpoint): { label: string; value: string }[] {
  const facts = [...metadata].map(([key, value]) => ({ label: label(key), value: plain(value) }));
  const found: typeof facts = [];
  for (const [name, value] of plainValues(root)) {
    if (found.length + facts.length >= MAX_FACTS) break;
    found.push({ label: name, value: typeof value === 'string' ? plain(value) : summary(value) });
  }
  return [...found, ...facts].slice(0, MAX_FACTS);
}

function* plainValues(root: Value): Generator<[string, Value]> {
  if (!isDict(root)) return;
  for (const [key, value] of root.entries()) {
    if (isDict(value) && value.size <= MAX_FACTS) {
      for (const [inner, item] of value.entries()) {
        if (isPlain(item)) yield [`${label(key)}.${label(inner)}`, item];
      }
    } else if (isPlain(value)) yield [label(key), value];
  }
}

function isPlain(value: Value): boolean {
  return value !== null && isScalar(value);
}
