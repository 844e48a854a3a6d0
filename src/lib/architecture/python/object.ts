/**
 * Python values. None, bool, int, float and str are JavaScript's null, boolean, bigint, number and
 * string; everything else is a PyObject, which says itself what can be done with it. Names live in
 * Maps, so `__proto__` is a name like any other. Nothing here reaches JavaScript's own objects.
 */
import { unsupported, type Raised, type Refusal } from './errors.ts';
import type { Interpreter } from './interpreter.ts';

export type PyValue = null | boolean | bigint | number | string | PyObject;

/** The arguments of a call, before they meet a signature. */
export interface CallArguments {
  readonly positional: readonly PyValue[];
  readonly keywords: ReadonlyMap<string, PyValue>;
}

export const noArguments: CallArguments = { positional: [], keywords: new Map() };

export type BinaryOperator =
  '+' | '-' | '*' | '/' | '//' | '%' | '**' | '@' | '<<' | '>>' | '&' | '|' | '^';
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/**
 * An object and its protocols. A protocol that a class leaves out is one that Python's class does
 * not have either; the dispatchers in `operators.ts` and `attributes.ts` raise the TypeError.
 */
export abstract class PyObject {
  abstract readonly typeName: string;
  /** `type(self)`, for objects of the shim that have a class of their own. */
  get class(): PyObject | undefined {
    return undefined;
  }

  /** An attribute, or undefined where there is none. */
  getAttribute(_interpreter: Interpreter, _name: string): PyValue | undefined {
    return undefined;
  }
  /** What stands for it as the key of a dict or set; itself where absent. */
  token?(): PyValue;
  /** What `copy.deepcopy` makes of it, for values of the shim. */
  deepCopy?(interpreter: Interpreter): PyValue;
  /** True of what `copy` gives back as it is. */
  readonly isAtomic?: boolean;
  /** `abs(self)`. */
  absolute?(interpreter: Interpreter): PyValue | undefined;
  /** `int(self)`. */
  toInt?(interpreter: Interpreter): PyValue;
  setAttribute?(interpreter: Interpreter, name: string, value: PyValue): void;
  deleteAttribute?(interpreter: Interpreter, name: string): void;
  call?(interpreter: Interpreter, args: CallArguments): PyValue;
  truth?(interpreter: Interpreter): boolean;
  length?(interpreter: Interpreter): number;
  iterate?(interpreter: Interpreter): Iterable<PyValue>;
  getItem?(interpreter: Interpreter, key: PyValue): PyValue;
  setItem?(interpreter: Interpreter, key: PyValue, value: PyValue): void;
  deleteItem?(interpreter: Interpreter, key: PyValue): void;
  contains?(interpreter: Interpreter, value: PyValue): boolean;
  /** `self + other`, or `other + self` where reflected. Undefined is Python's NotImplemented. */
  binary?(
    interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined;
  /** `self += other` where that differs from `self + other`. */
  inplace?(interpreter: Interpreter, operator: BinaryOperator, other: PyValue): PyValue | undefined;
  unary?(interpreter: Interpreter, operator: '-' | '+' | '~'): PyValue | undefined;
  compare?(interpreter: Interpreter, operator: Comparison, other: PyValue): PyValue | undefined;
  /** The classes that it stands for in the bases of a class: `Generic[T]`. */
  asBase?(): PyObject[];
  /** What `with` binds. */
  enterContext?(interpreter: Interpreter): PyValue;
  /** Leaves the `with`; true swallows what was raised in it. Absent where nothing is to do. */
  exitContext?(interpreter: Interpreter, error: Raised | null): boolean;
  /** `repr()`; and `str()`, where it differs. */
  repr(_interpreter: Interpreter): string {
    return `<${this.typeName}>`;
  }
  str?(interpreter: Interpreter): string;
}

/**
 * Stands for something that is not there: a name of a library that the shim lacks, or what a
 * statement that failed would have assigned. It may be passed around; using it is an error.
 */
export class Placeholder extends PyObject {
  readonly typeName = 'placeholder';
  readonly name: string;
  /** Why it is not there; null for a name of a library. */
  readonly reason: string | null;
  /** What is said of a name of a library. */
  readonly #state: string;
  constructor(name: string, reason: string | null = null, state = 'is not supported') {
    super();
    this.name = name;
    this.reason = reason;
    this.#state = state;
  }

  get error(): Refusal {
    return unsupported(
      this.reason === null
        ? `${this.name} ${this.#state}`
        : `${this.name} is unavailable because ${this.reason}`,
    );
  }

  /** Of a library, the longer name (`torch.fft` → `torch.fft.rfft`), for the message. */
  override getAttribute(_interpreter: Interpreter, name: string): PyValue {
    if (this.reason !== null) throw this.error;
    return new Placeholder(`${this.name}.${name}`, null, this.#state);
  }
  override repr(): string {
    throw this.error;
  }
}

/** The value, if it is one that can be used. */
export function usable(value: PyValue): PyValue {
  if (value instanceof Placeholder) throw value.error;
  return value;
}

/** `...` and NotImplemented. */
export class Singleton extends PyObject {
  readonly typeName: string;
  override readonly isAtomic = true;
  readonly #text: string;
  constructor(typeName: string, text: string) {
    super();
    this.typeName = typeName;
    this.#text = text;
  }
  override repr(): string {
    return this.#text;
  }
}

export const ellipsis = new Singleton('ellipsis', 'Ellipsis');
export const notImplemented = new Singleton('NotImplementedType', 'NotImplemented');

/** `type(value).__name__`. */
export function typeName(value: PyValue): string {
  if (value === null) return 'NoneType';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'str';
    case 'object':
      return value.typeName;
    default:
      return value satisfies never;
  }
}
