/** Python's list, tuple, dict, set, range, slice and iterators. Their methods are in `methods.ts`. */
import { collect } from './collect.ts';
import { raised, Refusal, unsupported } from './errors.ts';
import { maxKeyCharacters } from './limits.ts';
import type { Interpreter } from './interpreter.ts';
import { BoundMethod } from './functions.ts';
import { PyObject, Placeholder, typeName, type BinaryOperator, type PyValue } from './object.ts';
import { equal, repr } from './operators.ts';
import { dictMethods, listMethods, setMethods, tupleMethods } from './methods.ts';
import { indexOf, sliceIndices } from './indexing.ts';

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
  readonly typeName = 'list';
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
    if (key instanceof PySlice) throw unsupported('assignment to a slice of a list');
    interpreter.step();
    this.items[indexOf(key, this.items.length, 'list')] = value;
  }
  override deleteItem(_interpreter: Interpreter, key: PyValue): void {
    if (key instanceof PySlice) throw unsupported('deletion of a slice of a list');
    this.items.splice(indexOf(key, this.items.length, 'list'), 1);
  }
  override repr(interpreter: Interpreter): string {
    return `[${joinReprs(interpreter, this.items)}]`;
  }
}

export class PyTuple extends Sequence {
  readonly typeName: 'tuple' | 'torch.Size';
  constructor(items: Iterable<PyValue>, type: PyTuple['typeName'] = 'tuple') {
    super(items);
    this.typeName = type;
  }
  protected override like(items: PyValue[]): PyValue {
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
  readonly typeName: 'dict' | 'OrderedDict';
  readonly #entries = new Map<string | PyObject, [PyValue, PyValue]>();

  constructor(
    entries: Iterable<readonly [PyValue, PyValue]> = [],
    type: PyDict['typeName'] = 'dict',
  ) {
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
    return this.typeName === 'dict' ? text : `OrderedDict(${this.size ? text : ''})`;
  }
}

export class PySet extends PyObject {
  readonly typeName = 'set';
  readonly #entries = new Map<string | PyObject, PyValue>();
  constructor(items: Iterable<PyValue>) {
    super();
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
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
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
    if (key instanceof PySlice) throw unsupported('a slice of a range');
    return this.start + BigInt(indexOf(key, count, 'range')) * this.stride;
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
  next(): PyValue | undefined {
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
  if (key instanceof PyList || key instanceof PyDict || key instanceof PySet) {
    throw raised('TypeError', `unhashable type: "${typeName(key)}"`);
  }
  if (key instanceof PyTuple) {
    const tokens = key.items.map((item) => hash(item, spent));
    if (!tokens.every((token) => typeof token === 'string')) {
      throw unsupported('a tuple of objects as a key');
    }
    return `t${tokens.map((token) => `${token.length}:${token}`).join('')}`;
  }
  return key;
}
