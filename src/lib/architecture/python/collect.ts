/** From iterables to arrays and dicts, with every item counted. */
import { PyDict, PyList, PyRange, PySet, PyTuple } from './collections.ts';
import { raised } from './errors.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { iterate } from './operators.ts';

/** The items of an iterable, counted. */
export function collect(interpreter: Interpreter, value: PyValue): PyValue[] {
  const size = value instanceof PyRange ? value.count : BigInt(knownLength(value));
  interpreter.allocate(size);
  const items: PyValue[] = [];
  for (const item of iterate(interpreter, value)) {
    if (size === 0n) interpreter.allocate(1);
    items.push(item);
  }
  return items;
}

/** The items for a use in which their order does not matter, so that a set may give them. */
export function unordered(interpreter: Interpreter, value: PyValue): PyValue[] {
  return value instanceof PySet ? value.unordered(interpreter) : collect(interpreter, value);
}

/** How many items there will be, where that is known beforehand. */
function knownLength(value: PyValue): number {
  return value instanceof PyList || value instanceof PyTuple ? value.items.length : 0;
}

/** `dict.update`. */
export function fill(
  interpreter: Interpreter,
  target: PyDict,
  source: PyValue,
  keywords: Map<string, PyValue>,
): void {
  if (source instanceof PyDict) {
    interpreter.allocate(source.size);
    for (const [key, value] of source.entries()) target.set(key, value);
  } else if (source !== null) {
    for (const item of iterate(interpreter, source)) {
      const [key, value, ...more] = collect(interpreter, item);
      if (key === undefined || value === undefined || more.length > 0) {
        throw raised('ValueError', 'a dict is made of pairs');
      }
      interpreter.allocate(1);
      target.set(key, value);
    }
  }
  for (const [key, value] of keywords) target.set(key, value);
}
