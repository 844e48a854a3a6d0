/** Things that can be called: functions of the source, functions of the shim, and bound methods. */
import type { ExprNode, StmtNode } from 'py-ast';
import { raised, unsupported } from './errors.ts';
import { generate, suspended, yields } from './generators.ts';
import type { Interpreter } from './interpreter.ts';
import {
  noArguments,
  PyObject,
  usable,
  typeName,
  type CallArguments,
  type PyValue,
} from './object.ts';
import { Scope } from './scope.ts';
import { bindArguments, signatureFromText, type Bound, type Signature } from './signature.ts';
import { PyDict, PyTuple } from './collections.ts';
import { executeBody } from './statements.ts';
import { evaluate } from './expressions.ts';

/** A function or lambda of the source. */
export class PyFunction extends PyObject {
  readonly typeName = 'function';
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly signature: Signature;
  readonly body: readonly StmtNode[] | ExprNode;
  readonly closure: Scope;
  /** What `__name__`, `__wrapped__` or an attribute of its own was set to. */
  readonly attributes = new Map<string, PyValue>();

  constructor(
    definition: Pick<PyFunction, 'name' | 'file' | 'line' | 'signature' | 'body' | 'closure'> & {
      doc?: string | null;
    },
  ) {
    super();
    this.attributes.set('__doc__', definition.doc ?? null);
    this.name = definition.name;
    this.file = definition.file;
    this.line = definition.line;
    this.signature = definition.signature;
    this.body = definition.body;
    this.closure = definition.closure;
  }

  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    const bound = bindArguments(this.name, this.signature, args);
    const scope = new Scope('function', this.closure);
    for (const [name, value] of bound.values) scope.names.set(name, value);
    if (this.signature.rest !== null) {
      scope.names.set(this.signature.rest, new PyTuple(bound.rest));
    }
    if (this.signature.keywords !== null) {
      scope.names.set(this.signature.keywords, new PyDict(bound.keywords));
    }
    const frame = { file: this.file, line: this.line, scope, self: args.positional[0] };
    if (isBlock(this.body) && yields(this.body)) {
      return suspended(interpreter, frame, generate(interpreter, this.body, scope));
    }
    return interpreter.within(frame, () =>
      isBlock(this.body)
        ? executeBody(interpreter, this.body, scope)
        : evaluate(interpreter, this.body, scope),
    );
  }

  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const own = this.attributes.get(name);
    if (own !== undefined) return own;
    if (name === '__name__' || name === '__qualname__') return this.name;
    if (name === '__get__') return bindTo(this);
    return name === '__module__' ? this.closure.moduleName : undefined;
  }
  override setAttribute(interpreter: Interpreter, name: string, value: PyValue): void {
    if (name === '__code__' || name === '__defaults__' || name === '__kwdefaults__') {
      throw unsupported(`setting ${name} of a function is not supported`);
    }
    interpreter.allocate(1);
    this.attributes.set(name, value);
  }
  override repr(): string {
    return `<function ${this.name}>`;
  }
}

function isBlock(body: PyFunction['body']): body is readonly StmtNode[] {
  return Array.isArray(body);
}

/** `function.__get__(object)`: the function as a method of an object. */
function bindTo(callee: PyFunction): PyValue {
  return new NativeFunction('__get__', 'instance, owner=None, /', (_, { values }) => {
    const instance = values.get('instance')!;
    return instance === null ? callee : new BoundMethod(instance, callee);
  });
}

export type NativeBody = (interpreter: Interpreter, bound: Bound) => PyValue;

/** A function of the shim. Its signature is Python text and is read at the first call. */
export class NativeFunction extends PyObject {
  readonly typeName = 'builtin_function_or_method';
  readonly name: string;
  readonly signature: string;
  readonly #body: NativeBody;

  constructor(name: string, signature: string, body: NativeBody) {
    super();
    this.name = name;
    this.signature = signature;
    this.#body = body;
  }

  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    interpreter.step();
    return this.#body(
      interpreter,
      bindArguments(this.name, signatureFromText(this.signature), args),
    );
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    return name === '__name__' ? this.name : undefined;
  }
  override repr(): string {
    return `<built-in function ${this.name}>`;
  }
}

/** A function together with its first argument. */
export class BoundMethod extends PyObject {
  readonly typeName = 'method';
  readonly self: PyValue;
  readonly callee: PyValue;
  constructor(self: PyValue, callee: PyValue) {
    super();
    this.self = self;
    this.callee = callee;
  }
  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    return call(interpreter, this.callee, {
      positional: [this.self, ...args.positional],
      keywords: args.keywords,
    });
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    if (name === '__self__') return this.self;
    if (name === '__func__') return this.callee;
    return this.callee instanceof PyObject
      ? this.callee.getAttribute(interpreter, name)
      : undefined;
  }
}

/** Calls any value; what is not callable raises a TypeError. */
export function call(
  interpreter: Interpreter,
  callee: PyValue,
  args: CallArguments = noArguments,
): PyValue {
  usable(callee);
  if (!(callee instanceof PyObject) || !callee.call) {
    throw raised('TypeError', `"${typeName(callee)}" object is not callable`);
  }
  interpreter.enter();
  try {
    return callee.call(interpreter, args);
  } finally {
    interpreter.leave();
  }
}
