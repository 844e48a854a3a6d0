/** Classes and their instances: `class` statements, method resolution, `super()`. */
import type { StmtNode } from 'py-ast';
import { PyTuple } from './collections.ts';
import { explain, PythonError, raised, Refusal, unsupported } from './errors.ts';
import { maxAncestors } from './limits.ts';
import { evaluate } from './expressions.ts';
import { BoundMethod, call, NativeFunction, PyFunction } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import {
  noArguments,
  Placeholder,
  PyObject,
  typeName,
  type BinaryOperator,
  type CallArguments,
  type Comparison,
  type PyValue,
} from './object.ts';
import { equal, index, iterate, str, truth } from './operators.ts';
import { Scope } from './scope.ts';
import { boundNames } from './assign.ts';
import { executeBlock } from './statements.ts';

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
  readonly origin: { readonly file: string; readonly line: number } | undefined;
  /** Annotated names, in order. */
  readonly annotations: readonly string[];

  constructor(
    name: string,
    bases: readonly PyClass[],
    options: {
      attributes?: Map<string, PyValue>;
      construct?: Construct;
      final?: boolean;
      origin?: PyClass['origin'];
      annotations?: readonly string[];
    } = {},
  ) {
    super();
    this.name = name;
    this.bases = bases;
    this.attributes = options.attributes ?? new Map();
    this.construct = options.construct;
    this.final = options.final ?? false;
    this.origin = options.origin;
    this.annotations = options.annotations ?? [];
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

  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const value = this.lookup(name);
    if (value instanceof StaticMethod) return value.callee;
    if (value instanceof ClassMethod) return new BoundMethod(this, value.callee);
    if (value !== undefined) return value;
    if (name === '__name__' || name === '__qualname__') return this.name;
    if (name === '__mro__') return new PyTuple(this.mro);
    return undefined;
  }

  override setAttribute(_interpreter: Interpreter, name: string, value: PyValue): void {
    if (!this.origin) throw unsupported(`setting ${this.name}.${name} is not supported`);
    this.attributes.set(name, value);
  }

  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    interpreter.step();
    const maker = this.mro.find(({ construct }) => construct)!;
    if (this.final) return maker.construct!(interpreter, this, args);
    if (this.lookup('__new__') !== undefined) {
      throw unsupported(`${this.name}.__new__ is not supported`);
    }
    interpreter.allocate(1);
    const instance = maker.construct!(interpreter, this, noArguments);
    const init = this.lookup('__init__');
    if (init !== undefined) {
      const result = call(interpreter, new BoundMethod(instance, init), args);
      if (result !== null) throw raised('TypeError', '__init__() should return None');
    }
    return instance;
  }

  /** `list[int]`, `Type[nn.Module]`: a type with parameters is the type. */
  override getItem(): PyValue {
    return this;
  }
  override binary(_: Interpreter, operator: BinaryOperator): PyValue | undefined {
    return operator === '|' ? new Placeholder('a union of types', null) : undefined;
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
  constructor(getter: PyValue, setter: PyValue = null) {
    super();
    this.getter = getter;
    this.setter = setter;
  }
  /** `@name.setter`. */
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
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

  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const inherited = this.class.lookup(name);
    if (inherited instanceof Property) {
      return call(interpreter, inherited.getter, { ...noArguments, positional: [this] });
    }
    const own = this.attributes.get(name);
    if (own !== undefined) return own;
    if (inherited !== undefined) return bind(this, this.class, inherited);
    if (name === '__class__') return this.class;
    if (name === '__dict__') throw unsupported('__dict__ is not supported');
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
    if (inherited instanceof Property) {
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
    return iterate(interpreter, this.#demand(interpreter, '__iter__'));
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
    const names: Partial<Record<BinaryOperator, string>> = {
      '+': 'add',
      '-': 'sub',
      '*': 'mul',
      '/': 'truediv',
      '//': 'floordiv',
      '%': 'mod',
      '@': 'matmul',
    };
    const name = names[operator];
    return name && this.special(interpreter, `__${reflected ? 'r' : ''}${name}__`, other);
  }
  override inplace(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
  ): PyValue | undefined {
    return operator === '+' ? this.special(interpreter, '__iadd__', other) : undefined;
  }
  override compare(
    interpreter: Interpreter,
    operator: Comparison,
    other: PyValue,
  ): PyValue | undefined {
    const names = { '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' } as const;
    const own = this.special(interpreter, `__${names[operator]}__`, other);
    if (own !== undefined || operator !== '!=') return own;
    const isEqual = this.special(interpreter, '__eq__', other);
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
      if (value instanceof Property) {
        return call(interpreter, value.getter, { ...noArguments, positional: [this.#self] });
      }
      return bind(this.#self, type, value);
    }
    return undefined;
  }
}

/** Runs a `class` statement. */
export function defineClass(
  interpreter: Interpreter,
  node: Extract<StmtNode, { nodeType: 'ClassDef' }>,
  scope: Scope,
): PyValue {
  const { file } = interpreter.frame;
  const bases = node.bases
    .map((base) => evaluate(interpreter, base, scope))
    .map((base) => {
      if (base instanceof Placeholder) throw base.error;
      if (base instanceof PyClass) return base;
      throw unsupported(`the base of class ${node.name} is a ${typeName(base)}`);
    });
  for (const keyword of node.keywords) {
    const value = evaluate(interpreter, keyword.value, scope);
    const isAbstract = value instanceof PyClass && value.name === 'ABCMeta';
    if (keyword.arg !== 'metaclass' || !isAbstract) {
      throw unsupported(`the keyword ${keyword.arg ?? '**'} of a class is not supported`);
    }
  }
  // Methods see `__class__`, which `super()` looks up, but not the other names of the class.
  const cell = new Scope('function', scope.closure);
  const body = new Scope('class', cell);
  executeClassBody(interpreter, node.body, body);
  const cls = new PyClass(
    node.name,
    bases.length > 0 ? bases : [interpreter.environment.objectClass],
    {
      attributes: body.names,
      origin: { file, line: node.lineno ?? 0 },
      annotations: body.annotations,
    },
  );
  if (cls.mro.length > maxAncestors) {
    throw new Refusal(
      'python-budget',
      `class ${node.name} has more than ${maxAncestors} ancestors`,
    );
  }
  const builtin = cls.mro.find(({ final }) => final);
  if (builtin) throw unsupported(`a class that inherits from ${builtin.name} is not supported`);
  cell.names.set('__class__', cls);
  let value: PyValue = cls;
  for (const decorator of node.decorator_list.toReversed()) {
    const callee = evaluate(interpreter, decorator, scope);
    value = call(interpreter, callee, { ...noArguments, positional: [value] });
  }
  return value;
}

/** A statement of a class body that cannot run spoils its own names only. */
function executeClassBody(interpreter: Interpreter, body: readonly StmtNode[], scope: Scope): void {
  for (const statement of body) {
    try {
      executeBlock(interpreter, [statement], scope);
    } catch (error) {
      const isSpared =
        error instanceof PythonError &&
        error.code === 'python-unsupported' &&
        statement.nodeType === 'Assign';
      if (!isSpared) throw error;
      error.where ??= `${interpreter.frame.file} line ${interpreter.frame.line}`;
      for (const name of statement.targets.flatMap(boundNames)) {
        scope.assign(name, new Placeholder(name, explain(error)));
      }
    }
  }
}
