/** Methods of str. */
import { collect } from './collect.ts';
import { PyList, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { formatTemplate } from './template.ts';
import { integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { typeName, type PyValue } from './object.ts';
import type { Bound } from './signature.ts';
import { methodTable } from './method_table.ts';

function text(bound: Bound, name: string): string {
  const value = bound.values.get(name)!;
  if (typeof value === 'string') return value;
  throw raised('TypeError', `a str is needed, not ${typeName(value)}`);
}

/** Whitespace, or the characters given. */
function strip(
  interpreter: Interpreter,
  self: string,
  characters: PyValue,
  start: boolean,
  end: boolean,
): string {
  interpreter.step(self.length / 4);
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
    (self, { values }, i) => counted(i, strip(i, self, values.get('chars')!, true, true)),
  ],
  lstrip: [
    'chars=None, /',
    (self, { values }, i) => counted(i, strip(i, self, values.get('chars')!, true, false)),
  ],
  rstrip: [
    'chars=None, /',
    (self, { values }, i) => counted(i, strip(i, self, values.get('chars')!, false, true)),
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
