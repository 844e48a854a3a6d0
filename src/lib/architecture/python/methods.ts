/** Methods of str, list, tuple, dict, set, int and float. */
import { collect, fill } from './collect.ts';
import { PyDict, PyList, PySet, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { formatTemplate } from './template.ts';
import { NativeFunction, type NativeBody } from './functions.ts';
import { indexOf, integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { typeName, type PyValue } from './object.ts';
import { equal, iterate, repr } from './operators.ts';
import { sorted } from './sorting.ts';
import type { Bound } from './signature.ts';

export interface MethodTable {
  get(name: string): NativeFunction | undefined;
}

type Method<T> = (self: T, bound: Bound, interpreter: Interpreter) => PyValue;

/** Methods by name; `signatures` leaves `self` out. Made when the first one is looked up. */
function methodTable<T extends PyValue>(
  methods: Readonly<Record<string, readonly [signature: string, body: Method<T>]>>,
): MethodTable {
  let table: Map<string, NativeFunction> | undefined;
  return {
    get(name) {
      table ??= new Map(
        Object.entries(methods).map(([key, [signature, body]]) => {
          const call: NativeBody = (interpreter, bound) => {
            const self = bound.values.get('self') as T;
            if (typeof self === 'string') interpreter.step(self.length / 256);
            return body(self, bound, interpreter);
          };
          const all = ['self', ...(signature.includes('/') ? [] : ['/']), signature];
          return [key, new NativeFunction(key, all.filter(Boolean).join(', '), call)];
        }),
      );
      return table.get(name);
    },
  };
}

function text(bound: Bound, name: string): string {
  const value = bound.values.get(name)!;
  if (typeof value === 'string') return value;
  throw raised('TypeError', `a str is needed, not ${typeName(value)}`);
}

/** Whitespace, or the characters given. */
function strip(self: string, characters: PyValue, start: boolean, end: boolean): string {
  if (characters !== null && typeof characters !== 'string') {
    throw raised('TypeError', 'strip() needs a str');
  }
  const set = characters === null ? null : new Set(characters);
  const drops = (character: string): boolean => (set ? set.has(character) : /\s/.test(character));
  const all = [...self];
  let from = 0;
  let to = all.length;
  while (start && from < to && drops(all[from]!)) from++;
  while (end && to > from && drops(all[to - 1]!)) to--;
  return all.slice(from, to).join('');
}

function affix(self: string, value: PyValue, test: (part: string) => boolean): boolean {
  const parts = value instanceof PyTuple ? value.items : [value];
  return parts.some((part) => {
    if (typeof part !== 'string') throw raised('TypeError', 'a str or a tuple of str is needed');
    return test(part);
  });
}

export const stringMethods = methodTable<string>({
  join: [
    'iterable, /',
    (self, { values }, interpreter) => {
      const parts = collect(interpreter, values.get('iterable')!).map((part) => {
        if (typeof part === 'string') return part;
        throw raised('TypeError', `join() needs str items, not ${typeName(part)}`);
      });
      interpreter.allocate(parts.reduce((sum, part) => sum + part.length + self.length, 0));
      return parts.join(self);
    },
  ],
  split: [
    'sep=None, maxsplit=-1',
    (self, { values }, interpreter) => {
      if (values.get('maxsplit') !== -1n && typeof values.get('maxsplit') !== 'object') {
        if (BigInt(values.get('maxsplit') as bigint) >= 0n) {
          throw unsupported('split() with maxsplit is not supported');
        }
      }
      interpreter.allocate(self.length + 1);
      if (values.get('sep') === null) return new PyList(self.split(/\s+/).filter(Boolean));
      const separator = text({ values } as Bound, 'sep');
      if (separator === '') throw raised('ValueError', 'split() with an empty separator');
      return new PyList(self.split(separator));
    },
  ],
  format: [
    '*args, **keywords',
    (self, bound, interpreter) => formatTemplate(interpreter, self, bound),
  ],
  startswith: [
    'prefix, /',
    (self, { values }) => affix(self, values.get('prefix')!, (p) => self.startsWith(p)),
  ],
  endswith: [
    'suffix, /',
    (self, { values }) => affix(self, values.get('suffix')!, (p) => self.endsWith(p)),
  ],
  lower: ['', (self, _, interpreter) => counted(interpreter, self.toLowerCase())],
  upper: ['', (self, _, interpreter) => counted(interpreter, self.toUpperCase())],
  strip: [
    'chars=None, /',
    (self, { values }, i) => counted(i, strip(self, values.get('chars')!, true, true)),
  ],
  lstrip: [
    'chars=None, /',
    (self, { values }, i) => counted(i, strip(self, values.get('chars')!, true, false)),
  ],
  rstrip: [
    'chars=None, /',
    (self, { values }, i) => counted(i, strip(self, values.get('chars')!, false, true)),
  ],
  isdigit: ['', (self) => /^\p{Nd}+$/u.test(self)],
  replace: [
    'old, new, /',
    (self, bound, interpreter) => {
      const [from, to] = [text(bound, 'old'), text(bound, 'new')];
      if (from === '') throw unsupported('replace() of an empty str');
      const parts = self.split(from);
      interpreter.allocate(self.length + parts.length * to.length);
      return parts.join(to);
    },
  ],
  count: [
    'sub, /',
    (self, bound, interpreter) => {
      const part = text(bound, 'sub');
      if (part === '') throw unsupported('count() of an empty str');
      interpreter.allocate(self.length);
      return BigInt(self.split(part).length - 1);
    },
  ],
});

function counted(interpreter: Interpreter, value: string): string {
  interpreter.allocate(value.length);
  return value;
}

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
      self.items.splice(0, self.items.length, ...result);
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
  copy: [
    '',
    (self, _, interpreter) => {
      interpreter.allocate(self.size);
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

export const setMethods = methodTable<PySet>({
  add: [
    'item, /',
    (self, { values }, interpreter) => {
      interpreter.allocate(1);
      self.add(values.get('item')!);
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
      for (const item of iterate(interpreter, values.get('iterable')!)) {
        interpreter.allocate(1);
        self.add(item);
      }
      return null;
    },
  ],
});
