/** Exceptions as Python sees them: classes, instances, `raise` and `except`. */
import { PyClass, PyInstance } from './classes.ts';
import { PyTuple } from './collections.ts';
import { Raised, raised } from './errors.ts';
import { NativeFunction } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import { typeName, usable, type PyValue } from './object.ts';
import { repr, str } from './operators.ts';

/** The built-in exceptions and their bases. */
const bases: Readonly<Record<string, string>> = {
  Exception: 'BaseException',
  ArithmeticError: 'Exception',
  AssertionError: 'Exception',
  AttributeError: 'Exception',
  ImportError: 'Exception',
  LookupError: 'Exception',
  NameError: 'Exception',
  RuntimeError: 'Exception',
  StopIteration: 'Exception',
  SyntaxError: 'Exception',
  TypeError: 'Exception',
  ValueError: 'Exception',
  OSError: 'Exception',
  Warning: 'Exception',
  IndexError: 'LookupError',
  KeyError: 'LookupError',
  ModuleNotFoundError: 'ImportError',
  NotImplementedError: 'RuntimeError',
  OverflowError: 'ArithmeticError',
  ZeroDivisionError: 'ArithmeticError',
  FileNotFoundError: 'OSError',
  UserWarning: 'Warning',
  DeprecationWarning: 'Warning',
};

/** The classes of one run, by name; `objectClass` is the root that they hang from. */
export function exceptionClasses(objectClass: PyClass): Map<string, PyClass> {
  const root = new PyClass('BaseException', [objectClass], {
    attributes: new Map<string, PyValue>([
      ['__init__', new NativeFunction('__init__', 'self, *args', initialize)],
      ['__str__', new NativeFunction('__str__', 'self', describe)],
    ]),
  });
  const classes = new Map([['BaseException', root]]);
  for (const [name, base] of Object.entries(bases)) {
    classes.set(name, new PyClass(name, [classes.get(base)!]));
  }
  return classes;
}

function initialize(
  _interpreter: Interpreter,
  bound: { values: Map<string, PyValue>; rest: PyValue[] },
): PyValue {
  const self = bound.values.get('self');
  if (self instanceof PyInstance) self.attributes.set('args', new PyTuple(bound.rest));
  return null;
}

function describe(interpreter: Interpreter, bound: { values: Map<string, PyValue> }): PyValue {
  const self = bound.values.get('self');
  const args = self instanceof PyInstance ? self.attributes.get('args') : undefined;
  if (!(args instanceof PyTuple)) return '';
  if (args.items.length === 1) return str(interpreter, args.items[0]!);
  return args.items.length === 0 ? '' : repr(interpreter, args);
}

/** Whether `except handler` catches the error. */
export function exceptionMatches(
  interpreter: Interpreter,
  error: Raised,
  handler: PyValue,
): boolean {
  usable(handler);
  interpreter.step();
  if (handler instanceof PyTuple) {
    return handler.items.some((item) => exceptionMatches(interpreter, error, item));
  }
  if (!(handler instanceof PyClass)) {
    throw raised('TypeError', `"except" needs an exception class, not ${typeName(handler)}`);
  }
  const instance = exceptionInstance(interpreter, error);
  return instance instanceof PyInstance && instance.class.isSubclassOf(handler);
}

/** The exception object that `as` binds. */
export function exceptionInstance(interpreter: Interpreter, error: Raised): PyValue {
  if (error.value !== undefined) return error.value;
  const cls = interpreter.environment.builtins.names.get(error.type);
  if (!(cls instanceof PyClass)) throw new Error(`no exception class ${error.type}`);
  const instance = new PyInstance(cls);
  instance.attributes.set('args', new PyTuple([error.message]));
  return instance;
}

/** What a `raise` statement throws; null is a bare `raise`. */
export function toRaised(interpreter: Interpreter, value: PyValue | undefined): Raised {
  if (value === undefined) {
    return interpreter.handled ?? raised('RuntimeError', 'there is no exception to raise again');
  }
  usable(value);
  const instance =
    value instanceof PyClass
      ? value.call(interpreter, { positional: [], keywords: new Map() })
      : value;
  const root = interpreter.environment.builtins.names.get('BaseException');
  const isException =
    instance instanceof PyInstance && root instanceof PyClass && instance.class.isSubclassOf(root);
  if (!isException) {
    return raised('TypeError', `"raise" needs an exception, not ${typeName(instance)}`);
  }
  const text = str(interpreter, instance);
  const name = instance.class.name;
  return new Raised(name, text === '' ? name : `${name}: ${text}`, instance);
}
