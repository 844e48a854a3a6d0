import { Dict, type Call, type ObjectValue, type Value } from './value.ts';

export interface Rewriting {
  /** Replaces an object before its parts are visited; the parts of what it returns are. */
  before?(value: ObjectValue): Value;
  /** Replaces an object after its parts were rewritten. */
  after?(value: ObjectValue): Value;
}

/**
 * Copies a graph of values, replacing objects on the way. What was shared stays shared, in the
 * copy too; cycles are kept (inside of a cycle, an object that is still being rewritten stands for
 * itself, without `after`). Keeps its own stack, so depth is no limit; visits in the order in which
 * Python would pickle. The input is not changed; tensors and bytes are not copied.
 */
export function rewrite(root: Value, { before, after }: Rewriting): Value {
  const done = new Map<ObjectValue, Value>();
  const work: (() => void)[] = [];
  let result: Value = null;

  const visit = (value: Value, put: (value: Value) => void): void => {
    if (value === null || typeof value !== 'object') return put(value);
    const known = done.get(value);
    if (known !== undefined) return put(known);
    const replaced = before ? before(value) : value;
    if (replaced === null || typeof replaced !== 'object') {
      done.set(value, replaced);
      return put(replaced);
    }
    const { copy, parts } = unfold(replaced, visit);
    done.set(value, copy);
    work.push(() => {
      const final = after ? after(copy) : copy;
      done.set(value, final);
      put(final);
    });
    for (let index = parts.length - 1; index >= 0; index--) work.push(parts[index]!);
  };

  visit(root, (value) => (result = value));
  while (work.length > 0) work.pop()!();
  return result;
}

type Visit = (value: Value, put: (value: Value) => void) => void;

/** An empty copy of an object, and the steps that fill it in order. */
function unfold(value: ObjectValue, visit: Visit): { copy: ObjectValue; parts: (() => void)[] } {
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'set': {
      const items: Value[] = [];
      const parts = value.items.map((item, index) => () => visit(item, (v) => (items[index] = v)));
      return { copy: { ...value, items }, parts };
    }
    case 'dict': {
      const copy = new Dict([], value.type);
      const parts = pairParts([...value.entries()], visit, (key, v) => copy.set(key, v));
      parts.push(() => visit(value.attributes, (v) => (copy.attributes = v)));
      return { copy, parts };
    }
    case 'call': {
      const { appended, entries, state } = value;
      const copy: { -readonly [K in keyof Call]: Call[K] } = { ...value };
      const parts = [
        () => visit(value.callable, (v) => (copy.callable = v)),
        () => visit(value.args, (v) => (copy.args = v)),
      ];
      if (appended) {
        const items: Value[] = (copy.appended = []);
        parts.push(...appended.map((item, index) => () => visit(item, (v) => (items[index] = v))));
      }
      if (entries) {
        const pairs: [Value, Value][] = (copy.entries = []);
        for (const part of pairParts(entries, visit, (key, v) => pairs.push([key, v]))) {
          parts.push(part);
        }
      }
      if (state !== undefined) parts.push(() => visit(state, (v) => (copy.state = v)));
      return { copy, parts };
    }
    case 'persistent': {
      const copy = { ...value };
      return { copy, parts: [() => visit(value.id, (v) => (copy.id = v))] };
    }
    case 'bytes':
    case 'complex':
    case 'global':
    case 'tensor':
      return { copy: value, parts: [] };
    default:
      return value satisfies never;
  }
}

/** Two steps for each entry: first the key, then the value, then the pair is handed over. */
function pairParts(
  entries: readonly [Value, Value][],
  visit: Visit,
  put: (key: Value, value: Value) => void,
): (() => void)[] {
  const parts: (() => void)[] = [];
  for (const [key, value] of entries) {
    let newKey: Value = null;
    parts.push(() => visit(key, (v) => (newKey = v)));
    parts.push(() => visit(value, (v) => put(newKey, v)));
  }
  return parts;
}
