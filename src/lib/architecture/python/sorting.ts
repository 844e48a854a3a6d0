/** `sorted` and `list.sort`. */
import { call } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { compare, truth } from './operators.ts';

/** A stable sort by `key`, as Python's; `reverse` keeps equal items in their order. */
export function sorted(
  interpreter: Interpreter,
  items: readonly PyValue[],
  key: PyValue,
  reverse: PyValue,
): PyValue[] {
  interpreter.allocate(items.length);
  const keyed = items.map((item) => ({
    item,
    key: key === null ? item : call(interpreter, key, { positional: [item], keywords: new Map() }),
  }));
  const less = (a: PyValue, b: PyValue): boolean => {
    interpreter.step();
    return truth(interpreter, compare(interpreter, '<', a, b));
  };
  const sign = truth(interpreter, reverse) ? -1 : 1;
  keyed.sort((a, b) => (less(a.key, b.key) ? -sign : less(b.key, a.key) ? sign : 0));
  return keyed.map(({ item }) => item);
}
