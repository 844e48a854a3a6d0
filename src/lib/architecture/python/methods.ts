/** Methods of list, tuple, dict, set, int and float; those of str are in `string_methods.ts`. */
import { collect, fill, unordered } from './collect.ts';
import { PyDict, PyList, PySet, PyTuple } from './collections.ts';
import { raised } from './errors.ts';
import { indexOf, integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { type PyValue } from './object.ts';
import { binary, equal, repr } from './operators.ts';
import { sorted } from './sorting.ts';
import type { Bound } from './signature.ts';
import { methodTable, type Method } from './method_table.ts';

export const intMethods = methodTable<bigint | boolean>({
  bit_length: [
    '',
    (self) => {
      const magnitude = BigInt(self) < 0n ? -BigInt(self) : BigInt(self);
      return magnitude === 0n ? 0n : BigInt(magnitude.toString(2).length);
    },
  ],
});

export const floatMethods = methodTable<number>({
  is_integer: ['', (self) => Number.isInteger(self)],
});

function position(interpreter: Interpreter, items: readonly PyValue[], value: PyValue): bigint {
  interpreter.step(items.length);
  const found = items.findIndex((item) => equal(interpreter, item, value));
  if (found < 0) throw raised('ValueError', `${repr(interpreter, value)} is not in the list`);
  return BigInt(found);
}

/** Shifting items costs by the length of the list. */
function shift(interpreter: Interpreter, items: readonly PyValue[]): void {
  interpreter.step(1 + items.length / 256);
}

export const listMethods = methodTable<PyList>({
  append: [
    'object, /',
    (self, { values }, interpreter) => {
      interpreter.allocate(1);
      self.items.push(values.get('object')!);
      return null;
    },
  ],
  extend: [
    'iterable, /',
    (self, { values }, interpreter) => {
      for (const item of collect(interpreter, values.get('iterable')!)) self.items.push(item);
      return null;
    },
  ],
  insert: [
    'index, object, /',
    (self, { values }, interpreter) => {
      interpreter.allocate(1);
      shift(interpreter, self.items);
      const given = integer(values.get('index')!, 'the index');
      const size = BigInt(self.items.length);
      const at = given < 0n ? given + size : given;
      self.items.splice(Number(at < 0n ? 0n : at > size ? size : at), 0, values.get('object')!);
      return null;
    },
  ],
  pop: [
    'index=-1, /',
    (self, { values }, interpreter) => {
      shift(interpreter, self.items);
      const key = values.get('index')!;
      return self.items.splice(indexOf(key, self.items.length, 'list'), 1)[0]!;
    },
  ],
  index: ['value, /', (self, { values }, i) => position(i, self.items, values.get('value')!)],
  count: [
    'value, /',
    (self, { values }, interpreter) => {
      interpreter.step(self.items.length);
      const same = self.items.filter((item) => equal(interpreter, item, values.get('value')!));
      return BigInt(same.length);
    },
  ],
  remove: [
    'value, /',
    (self, { values }, interpreter) => {
      self.items.splice(Number(position(interpreter, self.items, values.get('value')!)), 1);
      return null;
    },
  ],
  reverse: [
    '',
    (self, _, interpreter) => {
      interpreter.step(self.items.length);
      self.items.reverse();
      return null;
    },
  ],
  copy: [
    '',
    (self, _, interpreter) => {
      interpreter.allocate(self.items.length);
      return new PyList(self.items);
    },
  ],
  clear: [
    '',
    (self) => {
      self.items.length = 0;
      return null;
    },
  ],
  sort: [
    '*, key=None, reverse=False',
    (self, { values }, interpreter) => {
      const result = sorted(interpreter, self.items, values.get('key')!, values.get('reverse')!);
      self.items.length = 0;
      for (const item of result) self.items.push(item);
      return null;
    },
  ],
});

export const tupleMethods = methodTable<PyTuple>({
  index: ['value, /', (self, { values }, i) => position(i, self.items, values.get('value')!)],
  count: [
    'value, /',
    (self, { values }, interpreter) => {
      interpreter.step(self.items.length);
      const same = self.items.filter((item) => equal(interpreter, item, values.get('value')!));
      return BigInt(same.length);
    },
  ],
  numel: [
    '',
    (self) => self.items.reduce<bigint>((product, item) => product * integer(item, 'a size'), 1n),
  ],
});

/** A view of a dict, as a list that is walked once or many times. */
function view(interpreter: Interpreter, items: PyValue[]): PyList {
  interpreter.allocate(items.length);
  return new PyList(items);
}

export const dictMethods = methodTable<PyDict>({
  keys: ['', (self, _, interpreter) => view(interpreter, self.keys())],
  values: ['', (self, _, interpreter) => view(interpreter, self.values())],
  items: [
    '',
    (self, _, interpreter) =>
      view(
        interpreter,
        self.entries().map((entry) => new PyTuple(entry)),
      ),
  ],
  get: [
    'key, default=None, /',
    (self, { values }) => self.get(values.get('key')!) ?? values.get('default')!,
  ],
  pop: [
    'key, *default',
    (self, { values, rest }, interpreter) => {
      const value = self.get(values.get('key')!) ?? rest[0];
      if (value === undefined) {
        throw raised('KeyError', `no key ${repr(interpreter, values.get('key')!)}`);
      }
      self.delete(values.get('key')!);
      return value;
    },
  ],
  setdefault: [
    'key, default=None, /',
    (self, { values }, interpreter) => {
      const key = values.get('key')!;
      if (!self.has(key)) self.setItem(interpreter, key, values.get('default')!);
      return self.get(key)!;
    },
  ],
  update: [
    'source=None, /, **keywords',
    (self, { values, keywords }, interpreter) => {
      fill(interpreter, self, values.get('source')!, keywords);
      return null;
    },
  ],
  popitem: [
    'last=True',
    (self, { values }, interpreter) => {
      const entries = self.entries();
      interpreter.step(entries.length);
      const entry = values.get('last') === false ? entries[0] : entries.at(-1);
      if (!entry) throw raised('KeyError', 'popitem() of an empty dict');
      self.delete(entry[0]);
      return new PyTuple(entry);
    },
  ],
  move_to_end: [
    'key, last=True',
    (self, { values }, interpreter) => {
      const key = values.get('key')!;
      const value = self.getItem(interpreter, key);
      const others = self.entries().filter(([other]) => !equal(interpreter, other, key));
      interpreter.step(others.length);
      self.clear();
      const moved: [PyValue, PyValue] = [key, value];
      for (const [k, v] of values.get('last') === false ? [moved, ...others] : [...others, moved]) {
        self.set(k, v);
      }
      return null;
    },
  ],
  copy: [
    '',
    (self, _, interpreter) => {
      interpreter.allocate(2 * self.size); // keys and values
      return new PyDict(self.entries(), self.typeName);
    },
  ],
  clear: [
    '',
    (self) => {
      self.clear();
      return null;
    },
  ],
});

/** A set method that takes any number of iterables. */
function combine(
  name: string,
  operator: '|' | '&' | '-',
): Readonly<Record<string, readonly [string, Method<PySet>]>> {
  const body: Method<PySet> = (self, { rest }, interpreter) =>
    rest.reduce<PyValue>(
      (result, other) =>
        binary(interpreter, operator, result, new PySet(unordered(interpreter, other))),
      self.copy(interpreter),
    );
  return { [name]: ['*others', body] };
}

function otherSet(interpreter: Interpreter, { values }: Bound): PySet {
  return new PySet(unordered(interpreter, values.get('other')!));
}

export const setMethods = methodTable<PySet>({
  add: [
    'item, /',
    (self, { values }, interpreter) => {
      interpreter.allocate(1);
      self.add(values.get('item')!);
      return null;
    },
  ],
  ...combine('union', '|'),
  ...combine('intersection', '&'),
  ...combine('difference', '-'),
  issubset: ['other, /', (self, bound, i) => self.isWithin(i, otherSet(i, bound))],
  issuperset: ['other, /', (self, bound, i) => otherSet(i, bound).isWithin(i, self)],
  isdisjoint: [
    'other, /',
    (self, bound, i) => !self.unordered(i).some((item) => otherSet(i, bound).has(item)),
  ],
  copy: ['', (self, _, interpreter) => self.copy(interpreter)],
  remove: [
    'item, /',
    (self, { values }, interpreter) => {
      if (self.discard(values.get('item')!)) return null;
      throw raised('KeyError', repr(interpreter, values.get('item')!));
    },
  ],
  clear: [
    '',
    (self) => {
      self.clear();
      return null;
    },
  ],
  discard: [
    'item, /',
    (self, { values }) => {
      self.discard(values.get('item')!);
      return null;
    },
  ],
  update: [
    'iterable, /',
    (self, { values }, interpreter) => {
      for (const item of unordered(interpreter, values.get('iterable')!)) {
        interpreter.allocate(1);
        self.add(item);
      }
      return null;
    },
  ],
});
