/** Python's list, tuple, dict, set, range, slice and iterators. Their methods are in `methods.ts`. */
import { collect } from './collect.ts';
import { raised, Refusal, unsupported } from './errors.ts';
import { maxKeyCharacters } from './limits.ts';
import type { Interpreter } from './interpreter.ts';
import { BoundMethod } from './functions.ts';
import {
  PyObject,
  Placeholder,
  typeName,
  type BinaryOperator,
  type Comparison,
  type PyValue,
} from './object.ts';
import { equal, repr } from './operators.ts';
import { dictMethods, listMethods, setMethods, tupleMethods } from './methods.ts';
import { indexOf, sliceBounds, sliceIndices, sliceStart } from './indexing.ts';

abstract class Sequence extends PyObject {
  readonly items: PyValue[];
  constructor(items: Iterable<PyValue>) {
    super();
    this.items = [...items];
  }
  protected abstract like(items: PyValue[]): PyValue;

  override length(): number {
    return this.items.length;
  }
  override iterate(): Iterable<PyValue> {
    return this.items;
  }
  override contains(interpreter: Interpreter, value: PyValue): boolean {
    return this.items.some((item) => {
      interpreter.step();
      return equal(interpreter, item, value);
    });
  }
  override getItem(interpreter: Interpreter, key: PyValue): PyValue {
    if (key instanceof PySlice) {
      const indices = sliceIndices(key, this.items.length);
      interpreter.allocate(indices.length);
      return this.like(indices.map((index) => this.items[index]!));
    }
    return this.items[indexOf(key, this.items.length, this.typeName)]!;
  }
  override binary(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined {
    if (operator === '*' && (typeof other === 'bigint' || typeof other === 'boolean')) {
      const count = BigInt(other) < 0n ? 0n : BigInt(other);
      interpreter.allocate(BigInt(this.items.length) * count);
      const items: PyValue[] = [];
      for (let round = 0n; round < count && this.items.length > 0; round++) {
        for (const item of this.items) items.push(item);
      }
      return this.like(items);
    }
    if (operator !== '+' || reflected || !(other instanceof Sequence)) return undefined;
    if (other instanceof PyList !== this instanceof PyList) return undefined;
    interpreter.allocate(this.items.length + other.items.length);
    return this.like([...this.items, ...other.items]);
  }
}

export class PyList extends Sequence {
  readonly typeName: string;
  constructor(items: Iterable<PyValue>, type = 'list') {
    super(items);
    this.typeName = type;
  }
  protected override like(items: PyValue[]): PyValue {
    return new PyList(items);
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const method = listMethods.get(name);
    return method && new BoundMethod(this, method);
  }
  override inplace(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
  ): PyValue | undefined {
    if (operator !== '+' || !(other instanceof PyObject) || !other.iterate) return undefined;
    for (const item of collect(interpreter, other)) this.items.push(item);
    return this;
  }
  override setItem(interpreter: Interpreter, key: PyValue, value: PyValue): void {
    if (key instanceof PySlice) {
      const values = collect(interpreter, value);
      interpreter.step(this.items.length / 16);
      this.#replace(key, values);
      return;
    }
    interpreter.step();
    this.items[indexOf(key, this.items.length, 'list')] = value;
  }
  /** `items[a:b] = values`; with a step, as many values as there are places. */
  #replace(key: PySlice, values: readonly PyValue[]): void {
    const places = sliceIndices(key, this.items.length);
    if (key.stride !== null && key.stride !== 1n) {
      if (places.length !== values.length) {
        throw raised(
          'ValueError',
          `${values.length} values for ${places.length} places of a slice`,
        );
      }
      places.forEach((place, at) => (this.items[place] = values[at]!));
      return;
    }
    // An empty slice is a place between items.
    const [start] = places;
    const rest = this.items.splice(start ?? sliceStart(key, this.items.length));
    for (const item of values) this.items.push(item);
    for (const item of rest.slice(places.length)) this.items.push(item);
  }
  override deleteItem(interpreter: Interpreter, key: PyValue): void {
    interpreter.step(1 + this.items.length / 256);
    if (key instanceof PySlice) {
      const gone = new Set(sliceIndices(key, this.items.length));
      const kept = this.items.filter((_, at) => !gone.has(at));
      this.items.length = 0;
      for (const item of kept) this.items.push(item);
      return;
    }
    this.items.splice(indexOf(key, this.items.length, 'list'), 1);
  }
  override repr(interpreter: Interpreter): string {
    return `[${joinReprs(interpreter, this.items)}]`;
  }
}

export class PyTuple extends Sequence {
  readonly typeName: string;
  constructor(items: Iterable<PyValue>, type = 'tuple') {
    super(items);
    this.typeName = type;
  }
  protected override like(items: PyValue[]): PyValue {
    return new PyTuple(items, this.typeName === 'torch.Size' ? this.typeName : 'tuple');
  }
  /** A tuple of the same class with other items. */
  with(items: readonly PyValue[]): PyTuple {
    return new PyTuple(items, this.typeName);
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const method = tupleMethods.get(name);
    if (method && (name !== 'numel' || this.typeName === 'torch.Size')) {
      return new BoundMethod(this, method);
    }
    return undefined;
  }
  override repr(interpreter: Interpreter): string {
    const inner = joinReprs(interpreter, this.items);
    if (this.typeName === 'torch.Size') return `torch.Size([${inner}])`;
    return this.items.length === 1 ? `(${inner},)` : `(${inner})`;
  }
}

/** Insertion-ordered, with Python's key equality; also OrderedDict. */
export class PyDict extends PyObject {
  readonly typeName: string;
  readonly #entries = new Map<string | PyObject, [PyValue, PyValue]>();

  constructor(entries: Iterable<readonly [PyValue, PyValue]> = [], type = 'dict') {
    super();
    this.typeName = type;
    for (const [key, value] of entries) this.set(key, value);
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: PyValue): PyValue | undefined {
    return this.#entries.get(hash(key))?.[1];
  }
  has(key: PyValue): boolean {
    return this.#entries.has(hash(key));
  }
  set(key: PyValue, value: PyValue): void {
    const token = hash(key);
    const entry = this.#entries.get(token);
    if (entry) entry[1] = value;
    else this.#entries.set(token, [key, value]);
  }
  delete(key: PyValue): boolean {
    return this.#entries.delete(hash(key));
  }
  clear(): void {
    this.#entries.clear();
  }
  /** A snapshot, so that code may change the dict while it walks. */
  entries(): [PyValue, PyValue][] {
    return [...this.#entries.values()].map(([key, value]) => [key, value]);
  }
  keys(): PyValue[] {
    return [...this.#entries.values()].map(([key]) => key);
  }
  values(): PyValue[] {
    return [...this.#entries.values()].map(([, value]) => value);
  }

  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const method = dictMethods.get(name);
    return method && new BoundMethod(this, method);
  }
  override length(): number {
    return this.size;
  }
  override iterate(interpreter: Interpreter): Iterable<PyValue> {
    interpreter.step(this.size);
    return this.keys();
  }
  override contains(_interpreter: Interpreter, key: PyValue): boolean {
    return this.has(key);
  }
  override getItem(interpreter: Interpreter, key: PyValue): PyValue {
    const value = this.get(key);
    if (value === undefined) throw raised('KeyError', `no key ${repr(interpreter, key)}`);
    return value;
  }
  override setItem(interpreter: Interpreter, key: PyValue, value: PyValue): void {
    interpreter.allocate(1);
    this.set(key, value);
  }
  override deleteItem(interpreter: Interpreter, key: PyValue): void {
    if (!this.delete(key)) throw raised('KeyError', `no key ${repr(interpreter, key)}`);
  }
  override binary(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined {
    if (operator !== '|' || reflected || !(other instanceof PyDict)) return undefined;
    interpreter.allocate(this.size + other.size);
    return new PyDict([...this.entries(), ...other.entries()], this.typeName);
  }
  override repr(interpreter: Interpreter): string {
    const inner = this.entries().map(
      ([key, value]) => `${repr(interpreter, key)}: ${repr(interpreter, value)}`,
    );
    const text = `{${inner.join(', ')}}`;
    interpreter.allocate(text.length);
    return this.typeName === 'dict' ? text : `${this.typeName}(${this.size ? text : ''})`;
  }
}

/** `object.__dict__`: a dict that reads and writes an object's own attributes. */
export class NamespaceDict extends PyDict {
  readonly #names: Map<string, PyValue>;
  constructor(names: Map<string, PyValue>) {
    super();
    this.#names = names;
  }
  override get size(): number {
    return this.#names.size;
  }
  override get(key: PyValue): PyValue | undefined {
    return typeof key === 'string' ? this.#names.get(key) : undefined;
  }
  override has(key: PyValue): boolean {
    return typeof key === 'string' && this.#names.has(key);
  }
  override set(key: PyValue, value: PyValue): void {
    if (typeof key !== 'string') {
      throw raised('TypeError', `an attribute name must be a str, not ${typeName(key)}`);
    }
    this.#names.set(key, value);
  }
  override delete(key: PyValue): boolean {
    return typeof key === 'string' && this.#names.delete(key);
  }
  override clear(): void {
    this.#names.clear();
  }
  override entries(): [PyValue, PyValue][] {
    return [...this.#names];
  }
  override keys(): PyValue[] {
    return [...this.#names.keys()];
  }
  override values(): PyValue[] {
    return [...this.#names.values()];
  }
}

export class PySet extends PyObject {
  readonly typeName: 'set' | 'frozenset';
  readonly #entries = new Map<string | PyObject, PyValue>();
  constructor(items: Iterable<PyValue>, type: PySet['typeName'] = 'set') {
    super();
    this.typeName = type;
    for (const item of items) this.add(item);
  }
  add(item: PyValue): void {
    const token = hash(item);
    if (!this.#entries.has(token)) this.#entries.set(token, item);
  }
  discard(item: PyValue): boolean {
    return this.#entries.delete(hash(item));
  }
  has(item: PyValue): boolean {
    return this.#entries.has(hash(item));
  }
  clear(): void {
    this.#entries.clear();
  }
  /** The items in no particular order, for what does not depend on one. */
  unordered(interpreter: Interpreter): PyValue[] {
    interpreter.allocate(this.#entries.size);
    return [...this.#entries.values()];
  }
  copy(interpreter: Interpreter): PySet {
    return new PySet(this.unordered(interpreter), this.typeName);
  }
  isWithin(interpreter: Interpreter, other: PySet): boolean {
    return this.unordered(interpreter).every((item) => other.has(item));
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    if (this.typeName === 'frozenset' && /^(add|discard|remove|update|clear)$/.test(name)) {
      return undefined;
    }
    const method = setMethods.get(name);
    return method && new BoundMethod(this, method);
  }
  override length(): number {
    return this.#entries.size;
  }
  override contains(_interpreter: Interpreter, item: PyValue): boolean {
    return this.has(item);
  }
  /** CPython's order of a set depends on hashes; a model that depends on it is refused. */
  override iterate(): Iterable<PyValue> {
    if (this.#entries.size > 1) {
      throw unsupported('the order of a set is not defined; iterating over one');
    }
    return [...this.#entries.values()];
  }
  override binary(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined {
    if (reflected || !(other instanceof PySet)) return undefined;
    const [mine, theirs] = [this.unordered(interpreter), other.unordered(interpreter)];
    switch (operator) {
      case '|':
        return new PySet([...mine, ...theirs], this.typeName);
      case '&':
        return new PySet(
          mine.filter((item) => other.has(item)),
          this.typeName,
        );
      case '-':
        return new PySet(
          mine.filter((item) => !other.has(item)),
          this.typeName,
        );
      case '^': {
        const once = [...mine.filter((i) => !other.has(i)), ...theirs.filter((i) => !this.has(i))];
        return new PySet(once, this.typeName);
      }
      default:
        return undefined;
    }
  }
  override compare(
    interpreter: Interpreter,
    operator: Comparison,
    other: PyValue,
  ): PyValue | undefined {
    if (!(other instanceof PySet)) return undefined;
    const sizes = this.length() - other.length();
    switch (operator) {
      case '==':
        return sizes === 0 && this.isWithin(interpreter, other);
      case '!=':
        return sizes !== 0 || !this.isWithin(interpreter, other);
      case '<=':
        return this.isWithin(interpreter, other);
      case '<':
        return sizes < 0 && this.isWithin(interpreter, other);
      case '>=':
        return other.isWithin(interpreter, this);
      case '>':
        return sizes > 0 && other.isWithin(interpreter, this);
      default:
        return operator satisfies never;
    }
  }
}

export class PyRange extends PyObject {
  readonly typeName = 'range';
  readonly start: bigint;
  readonly stop: bigint;
  readonly stride: bigint;
  constructor(start: bigint, stop: bigint, stride: bigint) {
    super();
    if (stride === 0n) throw raised('ValueError', 'range() with a step of 0');
    this.start = start;
    this.stop = stop;
    this.stride = stride;
  }
  get count(): bigint {
    const { start, stop, stride } = this;
    const distance = stride > 0n ? stop - start + stride - 1n : start - stop - stride - 1n;
    const count = distance / (stride > 0n ? stride : -stride);
    return count > 0n ? count : 0n;
  }
  override length(): number {
    return Number(this.count);
  }
  override *iterate(): Iterable<PyValue> {
    const { count } = this;
    for (let index = 0n; index < count; index++) yield this.start + index * this.stride;
  }
  override contains(_interpreter: Interpreter, value: PyValue): boolean {
    if (typeof value !== 'bigint') return false;
    const offset = value - this.start;
    return (
      offset % this.stride === 0n && offset / this.stride >= 0n && offset / this.stride < this.count
    );
  }
  override getItem(_interpreter: Interpreter, key: PyValue): PyValue {
    const count = Number(this.count);
    if (key instanceof PySlice) return this.#slice(key, count);
    return this.start + BigInt(indexOf(key, count, 'range')) * this.stride;
  }
  #slice(key: PySlice, count: number): PyRange {
    if (count > Number.MAX_SAFE_INTEGER) throw unsupported('a slice of a range of this length');
    const { start, stop, stride } = sliceBounds(key, count);
    const at = (place: bigint): bigint => this.start + place * this.stride;
    return new PyRange(at(start), at(stop), stride * this.stride);
  }
  override compare(
    _interpreter: Interpreter,
    operator: Comparison,
    other: PyValue,
  ): PyValue | undefined {
    if (!(other instanceof PyRange) || (operator !== '==' && operator !== '!=')) return undefined;
    const isSame =
      this.count === other.count &&
      (this.count === 0n ||
        (this.start === other.start && (this.count === 1n || this.stride === other.stride)));
    return isSame === (operator === '==');
  }
  override repr(): string {
    const step = this.stride === 1n ? '' : `, ${this.stride}`;
    return `range(${this.start}, ${this.stop}${step})`;
  }
}

export class PySlice extends PyObject {
  readonly typeName = 'slice';
  readonly start: PyValue;
  readonly stop: PyValue;
  readonly stride: PyValue;
  constructor(start: PyValue, stop: PyValue, stride: PyValue) {
    super();
    this.start = start;
    this.stop = stop;
    this.stride = stride;
  }
}

/** What `iter`, `zip`, `enumerate`, a generator expression … return: it is used up by walking it. */
export class PyIterator extends PyObject {
  readonly typeName: string;
  readonly #iterator: Iterator<PyValue>;
  constructor(items: Iterable<PyValue>, typeName = 'iterator') {
    super();
    this.typeName = typeName;
    this.#iterator = items[Symbol.iterator]();
  }
  /** The next item, or undefined at the end. */
  next(_interpreter?: Interpreter): PyValue | undefined {
    const { done, value } = this.#iterator.next();
    return done ? undefined : value;
  }
  override *iterate(): Iterable<PyValue> {
    for (let item = this.next(); item !== undefined; item = this.next()) yield item;
  }
}

function joinReprs(interpreter: Interpreter, items: readonly PyValue[]): string {
  interpreter.enter();
  try {
    const text = items.map((item) => repr(interpreter, item)).join(', ');
    interpreter.allocate(text.length);
    return text;
  } finally {
    interpreter.leave();
  }
}

/** A token that is equal for keys that Python holds equal; objects count by identity. */
function hash(key: PyValue, spent = { characters: 0 }): string | PyObject {
  spent.characters += typeof key === 'string' ? key.length : 1;
  if (spent.characters > maxKeyCharacters) {
    throw new Refusal('python-budget', `a key of more than ${maxKeyCharacters} characters`);
  }
  if (key === null) return 'None';
  switch (typeof key) {
    case 'string':
      return `s${key}`;
    case 'boolean':
      return key ? 'n1' : 'n0';
    case 'bigint':
      return `n${key}`;
    case 'number':
      return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`;
    case 'object':
      break;
    default:
      return key satisfies never;
  }
  if (key instanceof Placeholder) throw key.error;
  if (key instanceof PyList || key instanceof PyDict || typeName(key) === 'set') {
    throw raised('TypeError', `unhashable type: "${typeName(key)}"`);
  }
  const token = key.token?.() ?? key;
  if (token !== key) return hash(token, spent);
  if (key instanceof PyTuple) {
    const tokens = key.items.map((item) => hash(item, spent));
    if (!tokens.every((token) => typeof token === 'string')) {
      throw unsupported('a tuple of objects as a key');
    }
    return `t${tokens.map((token) => `${token.length}:${token}`).join('')}`;
  }
  return key;
}
