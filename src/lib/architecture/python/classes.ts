/** Classes and their instances: `class` statements, method resolution, `super()`. */
import type { ExprNode } from 'py-ast';
import { NamespaceDict, PyTuple } from './collections.ts';
import { Raised, raised, unsupported } from './errors.ts';
import { BoundMethod, call, NativeFunction, PyFunction } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import {
  noArguments,
  notImplemented,
  PyObject,
  typeName,
  type BinaryOperator,
  type CallArguments,
  type Comparison,
  type PyValue,
} from './object.ts';
import { equal, index, iterate, str, truth } from './operators.ts';

/** What a library makes of operations on a class itself. */
export interface ClassProtocol {
  call?(interpreter: Interpreter, args: CallArguments): PyValue;
  getItem?(interpreter: Interpreter, key: PyValue): PyValue;
  /** What iterating over the class gives. */
  items?(): readonly PyValue[];
}

/** Makes the instance of a class without running `__init__`; or the value, for built-in types. */
export type Construct = (interpreter: Interpreter, cls: PyClass, args: CallArguments) => PyValue;

export class PyClass extends PyObject {
  readonly typeName = 'type';
  readonly name: string;
  readonly bases: readonly PyClass[];
  /** The class and its ancestors in the order in which attributes are looked up. */
  readonly mro: readonly PyClass[];
  readonly attributes: Map<string, PyValue>;
  /** How an instance is made; of a final class, all that calling it does. */
  readonly construct: Construct | undefined;
  /** True of built-in types, which the source cannot inherit from. */
  readonly final: boolean;
  /** Where the source defines it; absent for classes of the shim. */
  readonly origin:
    { readonly file: string; readonly line: number; readonly module?: PyValue } | undefined;
  /** Annotated names, in order. */
  readonly annotations: ReadonlyMap<string, ExprNode>;
  readonly doc: string | null;
  /** The class of this class, where the source gives it one. */
  readonly metaclass: PyClass | undefined;
  /** What a library does with a class of the source that inherits from this one. */
  readonly onSubclass: ((interpreter: Interpreter, cls: PyClass) => void) | undefined;
  /** What is an instance of an abstract class, where inheritance does not say it. */
  readonly accepts?: (value: PyValue) => boolean;
  /** The methods of a built-in type, as functions: `str.lower`. */
  readonly methods: (() => { get(name: string): PyValue | undefined }) | undefined;
  /** How a library has the class called, indexed or walked: enums. */
  protocol: ClassProtocol | undefined;

  constructor(
    name: string,
    bases: readonly PyClass[],
    options: {
      attributes?: Map<string, PyValue>;
      construct?: Construct;
      final?: boolean;
      origin?: PyClass['origin'];
      annotations?: ReadonlyMap<string, ExprNode>;
      doc?: string | null;
      metaclass?: PyClass | undefined;
      onSubclass?: PyClass['onSubclass'];
      protocol?: ClassProtocol;
      methods?: PyClass['methods'];
    } = {},
  ) {
    super();
    this.name = name;
    this.bases = bases;
    this.attributes = options.attributes ?? new Map();
    this.construct = options.construct;
    this.final = options.final ?? false;
    this.origin = options.origin;
    this.annotations = options.annotations ?? new Map();
    this.doc = options.doc ?? null;
    this.metaclass = options.metaclass;
    this.onSubclass = options.onSubclass;
    this.protocol = options.protocol;
    this.methods = options.methods;
    this.mro = [this, ...linearize(name, bases)];
  }

  /** The attribute as the class or an ancestor defines it. */
  lookup(name: string): PyValue | undefined {
    for (const cls of this.mro) {
      const value = cls.attributes.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  isSubclassOf(other: PyClass): boolean {
    return this.mro.includes(other);
  }

  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const value = this.lookup(name);
    if (value !== undefined) return bindToClass(this, value);
    for (const { methods } of this.mro) {
      const method = methods?.().get(name);
      if (method !== undefined) return method;
    }
    switch (name) {
      case '__name__':
      case '__qualname__':
        return this.name;
      case '__mro__':
        return new PyTuple(this.mro);
      case '__doc__':
        return this.doc;
      case '__module__':
        return this.origin?.module ?? 'builtins';
      default:
        break;
    }
    const meta = this.metaclass?.lookup(name);
    if (meta === undefined) return undefined;
    return meta instanceof Property
      ? call(interpreter, meta.getter, { ...noArguments, positional: [this] })
      : bind(this, this.metaclass!, meta);
  }

  override setAttribute(_interpreter: Interpreter, name: string, value: PyValue): void {
    if (!this.origin) throw unsupported(`setting ${this.name}.${name} is not supported`);
    this.attributes.set(name, value);
  }

  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    interpreter.step();
    if (this.protocol?.call) return this.protocol.call(interpreter, args);
    const maker = this.mro.find(({ construct }) => construct)!;
    if (this.final) return maker.construct!(interpreter, this, args);
    interpreter.allocate(1);
    const definesNew = this.mro.find(({ attributes }) => attributes.has('__new__'));
    const instance = definesNew?.origin
      ? call(interpreter, bindToClass(this, definesNew.attributes.get('__new__')!), {
          positional: [this, ...args.positional],
          keywords: args.keywords,
        })
      : maker.construct!(interpreter, this, noArguments);
    if (!(instance instanceof PyInstance) || !instance.class.isSubclassOf(this)) return instance;
    const init = this.lookup('__init__');
    if (init !== undefined) {
      const result = call(interpreter, new BoundMethod(instance, init), args);
      if (result !== null) throw raised('TypeError', '__init__() should return None');
    }
    return instance;
  }

  /** `list[int]`, `Type[nn.Module]`: a type with parameters is the type. */
  override getItem(interpreter: Interpreter, key: PyValue): PyValue {
    return this.protocol?.getItem?.(interpreter, key) ?? this;
  }
  override iterate(interpreter: Interpreter): Iterable<PyValue> {
    const items = this.protocol?.items?.();
    if (items) return items;
    const made = this.#ofMetaclass(interpreter, '__iter__');
    if (made === undefined) throw raised('TypeError', '"type" object is not iterable');
    return iterate(interpreter, made);
  }
  override length(interpreter: Interpreter): number {
    const items = this.protocol?.items?.().length ?? this.#ofMetaclass(interpreter, '__len__');
    if (items === undefined) throw raised('TypeError', 'an object of type "type" has no len()');
    return typeof items === 'number' ? items : index(items, 'the result of __len__');
  }
  override truth(): boolean {
    return true;
  }
  #ofMetaclass(interpreter: Interpreter, name: string): PyValue | undefined {
    const method = this.metaclass?.lookup(name);
    return method && call(interpreter, method, { ...noArguments, positional: [this] });
  }
  override binary(_: Interpreter, operator: BinaryOperator, _other: PyValue): PyValue | undefined {
    // `int | None` in annotations; `isinstance` looks into it.
    return operator === '|' ? new PyTuple([this, _other]) : undefined;
  }
  override repr(): string {
    return `<class '${this.name}'>`;
  }
}

/** C3 linearisation, as in CPython. */
function linearize(name: string, bases: readonly PyClass[]): PyClass[] {
  const queues = [...bases.map(({ mro }) => [...mro]), [...bases]];
  const result: PyClass[] = [];
  for (;;) {
    const open = queues.filter(({ length }) => length > 0);
    if (open.length === 0) return result;
    const next = open
      .map(([head]) => head!)
      .find((head) => open.every((queue) => !queue.includes(head, 1)));
    if (!next) throw raised('TypeError', `the bases of class ${name} are in a contradictory order`);
    result.push(next);
    for (const queue of open) if (queue[0] === next) queue.shift();
  }
}

export class StaticMethod extends PyObject {
  readonly typeName = 'staticmethod';
  readonly callee: PyValue;
  constructor(callee: PyValue) {
    super();
    this.callee = callee;
  }
}

export class ClassMethod extends PyObject {
  readonly typeName = 'classmethod';
  readonly callee: PyValue;
  constructor(callee: PyValue) {
    super();
    this.callee = callee;
  }
}

export class Property extends PyObject {
  readonly typeName = 'property';
  readonly getter: PyValue;
  readonly setter: PyValue;
  /** Of `functools.cached_property`: the instance keeps the first value under this name. */
  readonly cachedAs: string | undefined;
  constructor(getter: PyValue, setter: PyValue = null, cachedAs?: string) {
    super();
    this.getter = getter;
    this.setter = setter;
    this.cachedAs = cachedAs;
  }
  read(interpreter: Interpreter, self: PyInstance): PyValue {
    const kept = this.cachedAs === undefined ? undefined : self.attributes.get(this.cachedAs);
    if (kept !== undefined) return kept;
    const value = call(interpreter, this.getter, { ...noArguments, positional: [self] });
    if (this.cachedAs !== undefined) self.attributes.set(this.cachedAs, value);
    return value;
  }
  /** `@name.setter`. */
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    if (name === 'fget') return this.getter;
    if (name === 'getter' || name === 'deleter') {
      throw unsupported(`property.${name} is not supported`);
    }
    if (name !== 'setter') return undefined;
    return new NativeFunction('setter', 'function', (_, { values }) => {
      return new Property(this.getter, values.get('function')!);
    });
  }
}

export class PyInstance extends PyObject {
  readonly #class: PyClass;
  readonly attributes = new Map<string, PyValue>();
  constructor(cls: PyClass) {
    super();
    this.#class = cls;
  }
  override get class(): PyClass {
    return this.#class;
  }
  override get typeName(): string {
    return this.class.name;
  }

  /** `object.__getattribute__`: everything but `__getattr__`. */
  ownAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const inherited = this.class.lookup(name);
    if (inherited instanceof Property) return inherited.read(interpreter, this);
    const own = this.attributes.get(name);
    if (own !== undefined) return own;
    if (inherited !== undefined) return bind(this, this.class, inherited);
    if (name === '__class__') return this.class;
    if (name === '__dict__') return new NamespaceDict(this.attributes);
    const isOfClass = name === '__doc__' || name === '__module__';
    return isOfClass ? this.class.getAttribute(interpreter, name) : undefined;
  }

  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const own = this.ownAttribute(interpreter, name);
    if (own !== undefined) return own;
    const fallback = this.class.lookup('__getattr__');
    if (fallback === undefined) return undefined;
    return call(interpreter, fallback, { ...noArguments, positional: [this, name] });
  }

  override setAttribute(interpreter: Interpreter, name: string, value: PyValue): void {
    const hook = this.class.lookup('__setattr__');
    if (hook === undefined) this.setOwn(interpreter, name, value);
    else call(interpreter, hook, { ...noArguments, positional: [this, name, value] });
  }

  /** `object.__setattr__`. */
  setOwn(interpreter: Interpreter, name: string, value: PyValue): void {
    const inherited = this.class.lookup(name);
    if (inherited instanceof Property && inherited.cachedAs === undefined) {
      if (inherited.setter === null) {
        throw raised('AttributeError', `the property "${name}" has no setter`);
      }
      call(interpreter, inherited.setter, { ...noArguments, positional: [this, value] });
      return;
    }
    if (name === '__class__' || name === '__dict__') {
      throw unsupported(`setting ${name} is not supported`);
    }
    interpreter.allocate(1);
    this.attributes.set(name, value);
  }

  override deleteAttribute(interpreter: Interpreter, name: string): void {
    const hook = this.class.lookup('__delattr__');
    if (hook !== undefined) {
      call(interpreter, hook, { ...noArguments, positional: [this, name] });
    } else if (!this.attributes.delete(name)) {
      throw raised('AttributeError', `"${this.typeName}" object has no attribute "${name}"`);
    }
  }

  /** A class with an equality of its own needs its hash too; members of mixed enums have one. */
  override token(): PyValue {
    const value = this.attributes.get('_value_');
    if (
      typeof value !== 'object' &&
      value !== undefined &&
      this.class.mro.some(({ final }) => final)
    ) {
      return value;
    }
    for (const cls of this.class.mro) {
      if (!cls.origin || !(cls.attributes.has('__eq__') || cls.attributes.has('__hash__')))
        continue;
      throw unsupported(`a key of class ${this.typeName}, which defines __eq__`);
    }
    return this;
  }

  /** Calls a method that the class defines, such as `__len__`; undefined where it has none. */
  special(interpreter: Interpreter, name: string, ...args: PyValue[]): PyValue | undefined {
    const method = this.class.lookup(name);
    if (method === undefined) return undefined;
    return call(interpreter, bind(this, this.class, method), { ...noArguments, positional: args });
  }

  #demand(interpreter: Interpreter, name: string, ...args: PyValue[]): PyValue {
    const result = this.special(interpreter, name, ...args);
    if (result === undefined) {
      throw raised('TypeError', `"${this.typeName}" object has no ${name}`);
    }
    return result;
  }

  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    const method = this.class.lookup('__call__');
    if (method === undefined) {
      throw raised('TypeError', `"${this.typeName}" object is not callable`);
    }
    return call(interpreter, bind(this, this.class, method), args);
  }
  override truth(interpreter: Interpreter): boolean {
    const own = this.special(interpreter, '__bool__') ?? this.special(interpreter, '__len__');
    return own === undefined ? true : truth(interpreter, own);
  }
  override length(interpreter: Interpreter): number {
    return index(this.#demand(interpreter, '__len__'), 'the result of __len__');
  }
  override iterate(interpreter: Interpreter): Iterable<PyValue> {
    if (this.class.lookup('__iter__') === undefined && this.class.lookup('__getitem__')) {
      return this.#indexed(interpreter);
    }
    const iterator = this.#demand(interpreter, '__iter__');
    if (iterator instanceof PyInstance) return iterator.walk(interpreter);
    return iterate(interpreter, iterator);
  }
  /** Calls `__next__` up to StopIteration. */
  *walk(interpreter: Interpreter): Generator<PyValue> {
    for (;;) {
      const item = this.next(interpreter);
      if (item === undefined) return;
      yield item;
    }
  }
  /** The next item of an iterator, or undefined at its end. */
  next(interpreter: Interpreter): PyValue | undefined {
    try {
      return this.#demand(interpreter, '__next__');
    } catch (error) {
      if (error instanceof Raised && error.type === 'StopIteration') return undefined;
      throw error;
    }
  }
  /** The old protocol: indices from 0 up to an IndexError. */
  *#indexed(interpreter: Interpreter): Generator<PyValue> {
    for (let at = 0n; ; at++) {
      let item: PyValue;
      try {
        item = this.getItem(interpreter, at);
      } catch (error) {
        if (error instanceof Raised && error.type === 'IndexError') return;
        throw error;
      }
      yield item;
    }
  }
  override getItem(interpreter: Interpreter, key: PyValue): PyValue {
    return this.#demand(interpreter, '__getitem__', key);
  }
  override setItem(interpreter: Interpreter, key: PyValue, value: PyValue): void {
    this.#demand(interpreter, '__setitem__', key, value);
  }
  override deleteItem(interpreter: Interpreter, key: PyValue): void {
    this.#demand(interpreter, '__delitem__', key);
  }
  override contains(interpreter: Interpreter, value: PyValue): boolean {
    const own = this.special(interpreter, '__contains__', value);
    if (own !== undefined) return truth(interpreter, own);
    for (const item of this.iterate(interpreter)) {
      if (equal(interpreter, item, value)) return true;
    }
    return false;
  }
  override binary(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined {
    const name = `__${reflected ? 'r' : ''}${operatorNames[operator]}__`;
    return implemented(this.special(interpreter, name, other));
  }
  override inplace(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
  ): PyValue | undefined {
    return implemented(this.special(interpreter, `__i${operatorNames[operator]}__`, other));
  }
  override unary(interpreter: Interpreter, operator: '-' | '+' | '~'): PyValue | undefined {
    const names = { '-': '__neg__', '+': '__pos__', '~': '__invert__' } as const;
    return this.special(interpreter, names[operator]);
  }
  override toInt(interpreter: Interpreter): PyValue {
    return this.special(interpreter, '__int__') ?? this.#demand(interpreter, '__index__');
  }
  override absolute(interpreter: Interpreter): PyValue | undefined {
    return this.special(interpreter, '__abs__');
  }
  override enterContext(interpreter: Interpreter): PyValue {
    return this.#demand(interpreter, '__enter__');
  }
  override exitContext(interpreter: Interpreter, error: Raised | null): boolean {
    const told = error ? [error.value ?? null, error.value ?? null, null] : [null, null, null];
    const result = this.#demand(interpreter, '__exit__', ...told);
    return error !== null && truth(interpreter, result);
  }
  override compare(
    interpreter: Interpreter,
    operator: Comparison,
    other: PyValue,
  ): PyValue | undefined {
    const names = { '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' } as const;
    const own = implemented(this.special(interpreter, `__${names[operator]}__`, other));
    if (own !== undefined || operator !== '!=') return own;
    const isEqual = implemented(this.special(interpreter, '__eq__', other));
    return isEqual === undefined ? undefined : !truth(interpreter, isEqual);
  }
  override repr(interpreter: Interpreter): string {
    const own = this.special(interpreter, '__repr__');
    return own === undefined ? `<${this.typeName} object>` : str(interpreter, own);
  }
  override str(interpreter: Interpreter): string {
    const own = this.special(interpreter, '__str__');
    return own === undefined ? this.repr(interpreter) : str(interpreter, own);
  }
}

const operatorNames: Record<BinaryOperator, string> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'truediv',
  '//': 'floordiv',
  '%': 'mod',
  '**': 'pow',
  '@': 'matmul',
  '<<': 'lshift',
  '>>': 'rshift',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
};

/** NotImplemented lets the other side try. */
function implemented(value: PyValue | undefined): PyValue | undefined {
  return value === notImplemented ? undefined : value;
}

/** What a class's attribute is when it is read through the class. */
function bindToClass(cls: PyClass, value: PyValue): PyValue {
  if (value instanceof StaticMethod) return value.callee;
  return value instanceof ClassMethod ? new BoundMethod(cls, value.callee) : value;
}

/** What a class's attribute is when it is read through an instance. */
export function bind(self: PyValue, cls: PyClass, value: PyValue): PyValue {
  if (value instanceof StaticMethod) return value.callee;
  if (value instanceof ClassMethod) return new BoundMethod(cls, value.callee);
  const binds = value instanceof PyFunction || value instanceof NativeFunction;
  return binds ? new BoundMethod(self, value) : value;
}

/** `super()`: attributes of the classes after `cls` in the order of `self`'s class. */
export class PySuper extends PyObject {
  readonly typeName = 'super';
  readonly #cls: PyClass;
  readonly #self: PyInstance | PyClass;
  constructor(cls: PyClass, self: PyValue) {
    super();
    if (!(self instanceof PyInstance) && !(self instanceof PyClass)) {
      throw raised('TypeError', `super() needs an instance of ${cls.name}, not ${typeName(self)}`);
    }
    const type = self instanceof PyClass ? self : self.class;
    if (!type.isSubclassOf(cls)) {
      throw raised('TypeError', `super(): ${type.name} is not a subclass of ${cls.name}`);
    }
    this.#cls = cls;
    this.#self = self;
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const type = this.#self instanceof PyClass ? this.#self : this.#self.class;
    for (const cls of type.mro.slice(type.mro.indexOf(this.#cls) + 1)) {
      const value = cls.attributes.get(name);
      if (value === undefined) continue;
      if (this.#self instanceof PyClass) return bindToClass(type, value);
      return value instanceof Property
        ? value.read(interpreter, this.#self)
        : bind(this.#self, type, value);
    }
    return undefined;
  }
}
