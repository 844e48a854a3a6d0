/** Methods of str, list, tuple, dict, set, int and float. */
import { collect, fill, unordered } from './collect.ts';
import { PyDict, PyList, PySet, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { formatTemplate } from './template.ts';
import { NativeFunction, type NativeBody } from './functions.ts';
import { indexOf, integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { typeName, type PyValue } from './object.ts';
import { binary, equal, repr } from './operators.ts';
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
  split: ['sep=None, maxsplit=-1', (self, bound, i) => split(i, self, bound, false)],
  rsplit: ['sep=None, maxsplit=-1', (self, bound, i) => split(i, self, bound, true)],
  partition: ['sep, /', (self, bound) => partition(self, text(bound, 'sep'), false)],
  rpartition: ['sep, /', (self, bound) => partition(self, text(bound, 'sep'), true)],
  splitlines: [
    '',
    (self, _, interpreter) => {
      interpreter.allocate(self.length + 1);
      return new PyList(
        self.split(/\r\n|[\n\r]/).filter((line, at, all) => line !== '' || at + 1 < all.length),
      );
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
  isalpha: ['', (self) => /^\p{L}+$/u.test(self)],
  isalnum: ['', (self) => /^[\p{L}\p{Nd}]+$/u.test(self)],
  isidentifier: ['', (self) => /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(self)],
  isspace: ['', (self) => /^\s+$/.test(self)],
  isupper: ['', (self) => /\p{Lu}/u.test(self) && !/\p{Ll}/u.test(self)],
  islower: ['', (self) => /\p{Ll}/u.test(self) && !/\p{Lu}/u.test(self)],
  capitalize: [
    '',
    (self, _, i) => counted(i, self.slice(0, 1).toUpperCase() + self.slice(1).toLowerCase()),
  ],
  title: [
    '',
    (self, _, i) =>
      counted(
        i,
        self.replace(/\p{L}+/gu, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase()),
      ),
  ],
  removeprefix: [
    'prefix, /',
    (self, bound, i) => {
      const prefix = text(bound, 'prefix');
      return counted(i, self.startsWith(prefix) ? self.slice(prefix.length) : self);
    },
  ],
  removesuffix: [
    'suffix, /',
    (self, bound, i) => {
      const suffix = text(bound, 'suffix');
      const isThere = suffix !== '' && self.endsWith(suffix);
      return counted(i, isThere ? self.slice(0, -suffix.length) : self);
    },
  ],
  find: ['sub, /', (self, bound, i) => place(i, self, self.indexOf(text(bound, 'sub')))],
  rfind: ['sub, /', (self, bound, i) => place(i, self, self.lastIndexOf(text(bound, 'sub')))],
  index: [
    'sub, /',
    (self, bound, i) => {
      const at = place(i, self, self.indexOf(text(bound, 'sub')));
      if (at < 0n) throw raised('ValueError', 'substring not found');
      return at;
    },
  ],
  zfill: [
    'width, /',
    (self, { values }, i) => {
      const missing = widen(i, self, values.get('width')!);
      const sign = /^[+-]/.exec(self)?.[0] ?? '';
      return `${sign}${'0'.repeat(missing)}${self.slice(sign.length)}`;
    },
  ],
  ljust: [
    "width, fillchar=' ', /",
    (self, bound, i) =>
      self + text(bound, 'fillchar').repeat(widen(i, self, bound.values.get('width')!)),
  ],
  rjust: [
    "width, fillchar=' ', /",
    (self, bound, i) =>
      text(bound, 'fillchar').repeat(widen(i, self, bound.values.get('width')!)) + self,
  ],
  replace: [
    'old, new, count=-1, /',
    (self, bound, interpreter) => {
      if (bound.values.get('count') !== -1n) throw unsupported('replace() with a count');
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

/** `split` and `rsplit`; with maxsplit, the rest stays whole. */
function split(interpreter: Interpreter, self: string, bound: Bound, fromEnd: boolean): PyValue {
  const given = integer(bound.values.get('maxsplit')!, 'maxsplit');
  const most = given < 0n ? Infinity : Number(given);
  const separator = bound.values.get('sep') === null ? null : text(bound, 'sep');
  if (separator === '') throw raised('ValueError', 'split() with an empty separator');
  interpreter.allocate(self.length + 1);
  const parts = separator === null ? self.split(/\s+/).filter(Boolean) : self.split(separator);
  if (parts.length - 1 <= most) return new PyList(parts);
  if (separator === null) throw unsupported('split() at whitespace with maxsplit');
  const cut = fromEnd ? parts.length - most : most;
  const [first, last] = [parts.slice(0, cut), parts.slice(cut)];
  return fromEnd
    ? new PyList([first.join(separator), ...last])
    : new PyList([...first, last.join(separator)]);
}

function partition(self: string, separator: string, fromEnd: boolean): PyValue {
  if (separator === '') throw raised('ValueError', 'partition() with an empty separator');
  const at = fromEnd ? self.lastIndexOf(separator) : self.indexOf(separator);
  if (at < 0) return new PyTuple(fromEnd ? ['', '', self] : [self, '', '']);
  return new PyTuple([self.slice(0, at), separator, self.slice(at + separator.length)]);
}

/** An index of JavaScript's, which counts UTF-16 units, as Python counts characters. */
function place(interpreter: Interpreter, self: string, at: number): bigint {
  interpreter.step(self.length / 64);
  return at < 0 ? -1n : BigInt([...self.slice(0, at)].length);
}

/** How many characters are missing to a width. */
function widen(interpreter: Interpreter, self: string, width: PyValue): number {
  const given = integer(width, 'the width');
  interpreter.allocate(given > 0n ? given : 0n);
  return Math.max(0, Number(given) - [...self].length);
}

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
