/** Python's built-in functions. */
import { deleteAttribute, getAttribute, hasAttribute, setAttribute } from './attributes.ts';
import { ClassMethod, PyClass, PyInstance, PySuper, StaticMethod, Property } from './classes.ts';
import { collect, unordered } from './collect.ts';
import { PyIterator, PyList, PyRange, PySet, PyTuple } from './collections.ts';
import { raised, Raised, unsupported } from './errors.ts';
import { exceptionClasses } from './exceptions.ts';
import { formatValue } from './format.ts';
import { call, NativeFunction, type NativeBody } from './functions.ts';
import { integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { floatDivmod, isNumeric, numericBinary, roundFloat, roundToInteger } from './numbers.ts';
import {
  ellipsis,
  noArguments,
  notImplemented,
  Placeholder,
  PyObject,
  typeName,
  usable,
  type PyValue,
} from './object.ts';
import { binary, compare, iterate, length, repr, str, truth } from './operators.ts';
import { Scope } from './scope.ts';
import type { Bound } from './signature.ts';
import { sorted } from './sorting.ts';
import * as types from './types.ts';

/** A fresh scope of built-in names, for one run. */
export function builtinScope(): Scope {
  const scope = new Scope('builtins', null);
  for (const cls of Object.values(types)) {
    if (!(cls instanceof PyClass)) continue;
    if (cls !== types.orderedDictClass) scope.names.set(cls.name, cls);
  }
  for (const [name, cls] of exceptionClasses(types.objectClass)) scope.names.set(name, cls);
  for (const [name, [signature, body]] of Object.entries(functions)) {
    scope.names.set(name, new NativeFunction(name, signature, body));
  }
  scope.names.set('Ellipsis', ellipsis);
  scope.names.set('NotImplemented', notImplemented);
  return scope;
}

const attributeName = (bound: Bound): string => {
  const name = bound.values.get('name');
  if (typeof name !== 'string') throw raised('TypeError', 'an attribute name must be a str');
  return name;
};

const functions: Record<string, readonly [signature: string, body: NativeBody]> = {
  print: ['*args, **options', () => null],
  len: ['object, /', (i, { values }) => BigInt(length(i, values.get('object')!))],
  repr: ['object, /', (i, { values }) => repr(i, values.get('object')!)],
  format: [
    "value, spec='', /",
    (i, { values }) => formatValue(i, values.get('value')!, str(i, values.get('spec')!)),
  ],
  abs: ['x, /', (i, { values }) => absolute(i, values.get('x')!)],
  round: ['number, ndigits=None', (_, bound) => round(bound)],
  divmod: ['x, y, /', (_, { values }) => divideWithRest(values.get('x')!, values.get('y')!)],
  pow: [
    'base, exp, /',
    (i, { values }) => binary(i, '**', values.get('base')!, values.get('exp')!),
  ],
  sum: [
    'iterable, /, start=0',
    (i, { values }) => {
      let total: PyValue = values.get('start')!;
      for (const item of iterate(i, values.get('iterable')!)) total = binary(i, '+', total, item);
      return total;
    },
  ],
  min: ['*args, key=None, default=...', (i, bound) => extreme(i, bound, '<')],
  max: ['*args, key=None, default=...', (i, bound) => extreme(i, bound, '>')],
  any: [
    'iterable, /',
    (i, { values }) => {
      for (const item of loosely(i, values.get('iterable')!)) if (truth(i, item)) return true;
      return false;
    },
  ],
  all: [
    'iterable, /',
    (i, { values }) => {
      for (const item of loosely(i, values.get('iterable')!)) if (!truth(i, item)) return false;
      return true;
    },
  ],
  enumerate: [
    'iterable, start=0',
    (i, { values }) => {
      const start = integer(values.get('start')!, 'the start of enumerate()');
      return new PyIterator(enumerated(i, values.get('iterable')!, start), 'enumerate');
    },
  ],
  zip: ['*iterables', (i, { rest }) => new PyIterator(zipped(i, rest), 'zip')],
  map: [
    'function, /, *iterables',
    (i, { values, rest }) => new PyIterator(mapped(i, values.get('function')!, rest), 'map'),
  ],
  filter: [
    'function, iterable, /',
    (i, { values }) =>
      new PyIterator(filtered(i, values.get('function')!, values.get('iterable')!), 'filter'),
  ],
  reversed: ['sequence, /', (i, { values }) => reversed(i, values.get('sequence')!)],
  sorted: [
    'iterable, /, *, key=None, reverse=False',
    (i, { values }) => {
      const items = unordered(i, values.get('iterable')!);
      return new PyList(sorted(i, items, values.get('key')!, values.get('reverse')!));
    },
  ],
  iter: ['iterable, /', (i, { values }) => new PyIterator(iterate(i, values.get('iterable')!))],
  next: [
    'iterator, /, *default',
    (i, { values, rest }) => {
      const iterator = usable(values.get('iterator')!);
      if (!(iterator instanceof PyIterator || iterator instanceof PyInstance)) {
        throw raised('TypeError', `a ${typeName(iterator)} is not an iterator`);
      }
      const item = iterator.next(i) ?? rest[0];
      if (item === undefined) throw raised('StopIteration', 'the iterator has no more items');
      return item;
    },
  ],
  isinstance: [
    'object, classes, /',
    (i, { values }) => {
      const object = usable(values.get('object')!);
      return matches(i, i.environment.classOf(object), values.get('classes')!, object);
    },
  ],
  issubclass: [
    'cls, classes, /',
    (i, { values }) => {
      const cls = usable(values.get('cls')!);
      if (!(cls instanceof PyClass)) throw raised('TypeError', 'issubclass() needs a class');
      return matches(i, cls, values.get('classes')!);
    },
  ],
  callable: [
    'object, /',
    (_, { values }) => {
      const object = usable(values.get('object')!);
      if (object instanceof PyInstance) return object.class.lookup('__call__') !== undefined;
      return object instanceof PyObject && object.call !== undefined;
    },
  ],
  hasattr: [
    'object, name, /',
    (i, bound) => hasAttribute(i, usable(bound.values.get('object')!), attributeName(bound)),
  ],
  getattr: [
    'object, name, /, *default',
    (i, bound) => {
      try {
        return getAttribute(i, usable(bound.values.get('object')!), attributeName(bound));
      } catch (error) {
        const isMissing = error instanceof Raised && error.type === 'AttributeError';
        if (!isMissing || bound.rest.length === 0) throw error;
        return bound.rest[0]!;
      }
    },
  ],
  setattr: [
    'object, name, value, /',
    (i, bound) => {
      setAttribute(
        i,
        bound.values.get('object')!,
        attributeName(bound),
        bound.values.get('value')!,
      );
      return null;
    },
  ],
  delattr: [
    'object, name, /',
    (i, bound) => {
      deleteAttribute(i, bound.values.get('object')!, attributeName(bound));
      return null;
    },
  ],
  vars: ['object, /', (i, { values }) => getAttribute(i, values.get('object')!, '__dict__')],
  ord: ['c, /', (_, { values }) => codePoint(values.get('c')!)],
  chr: [
    'i, /',
    (_, { values }) => {
      const code = integer(values.get('i')!, 'the argument of chr()');
      if (code < 0n || code > 0x10ffffn) throw raised('ValueError', `chr(${code}) is not defined`);
      return String.fromCodePoint(Number(code));
    },
  ],
  hex: ['x, /', (i, { values }) => formatValue(i, integer(values.get('x')!, 'x'), '#x')],
  bin: ['x, /', (i, { values }) => formatValue(i, integer(values.get('x')!, 'x'), '#b')],
  super: ['cls=None, self=None, /', (i, { values }) => makeSuper(i, values)],
  staticmethod: ['function, /', (_, { values }) => new StaticMethod(values.get('function')!)],
  classmethod: ['function, /', (_, { values }) => new ClassMethod(values.get('function')!)],
  property: [
    'fget, fset=None',
    (_, { values }) => new Property(values.get('fget')!, values.get('fset')!),
  ],
};

/** Walks an iterable of which the order does not matter. */
function loosely(interpreter: Interpreter, value: PyValue): Iterable<PyValue> {
  return value instanceof PySet ? value.unordered(interpreter) : iterate(interpreter, value);
}

function codePoint(value: PyValue): bigint {
  if (typeof value === 'string' && [...value].length === 1) return BigInt(value.codePointAt(0)!);
  throw raised('TypeError', 'ord() needs a str of one character');
}

function absolute(interpreter: Interpreter, value: PyValue): PyValue {
  usable(value);
  if (value instanceof PyObject) {
    const own = value.absolute?.(interpreter);
    if (own !== undefined) return own;
  }
  if (!isNumeric(value)) throw raised('TypeError', `abs() needs a number, not ${typeName(value)}`);
  if (typeof value === 'number') return Math.abs(value);
  return BigInt(value) < 0n ? -BigInt(value) : BigInt(value);
}

function round({ values }: Bound): PyValue {
  const number = usable(values.get('number')!);
  const digits = values.get('ndigits')!;
  if (!isNumeric(number)) throw raised('TypeError', `round() needs a number`);
  if (typeof number !== 'number') {
    if (digits !== null && integer(digits, 'ndigits') < 0n) {
      throw unsupported('round() of an int to negative digits is not supported');
    }
    return BigInt(number);
  }
  return digits === null
    ? roundToInteger(number)
    : roundFloat(number, Number(integer(digits, 'ndigits')));
}

function divideWithRest(left: PyValue, right: PyValue): PyValue {
  if (!isNumeric(left) || !isNumeric(right)) throw raised('TypeError', 'divmod() needs numbers');
  if (typeof left === 'number' || typeof right === 'number') {
    return new PyTuple(floatDivmod(Number(left), Number(right)));
  }
  return new PyTuple([numericBinary('//', left, right), numericBinary('%', left, right)]);
}

function extreme(interpreter: Interpreter, bound: Bound, better: '<' | '>'): PyValue {
  const source = bound.rest.length === 1 ? bound.rest[0]! : new PyTuple(bound.rest);
  const key = bound.values.get('key')!;
  const keyOf = (item: PyValue): PyValue =>
    key === null ? item : call(interpreter, key, { ...noArguments, positional: [item] });
  let best: PyValue | undefined;
  let bestKey: PyValue = null;
  for (const item of loosely(interpreter, source)) {
    const itemKey = keyOf(item);
    if (best === undefined || truth(interpreter, compare(interpreter, better, itemKey, bestKey))) {
      best = item;
      bestKey = itemKey;
    }
  }
  if (best !== undefined) return best;
  const fallback = bound.values.get('default')!;
  if (fallback === ellipsis) throw raised('ValueError', 'min() or max() of nothing');
  return fallback;
}

function* enumerated(interpreter: Interpreter, items: PyValue, start: bigint): Generator<PyValue> {
  let index = start;
  for (const item of iterate(interpreter, items)) yield new PyTuple([index++, item]);
}

function* zipped(interpreter: Interpreter, sources: readonly PyValue[]): Generator<PyValue> {
  const iterators = sources.map((source) => iterate(interpreter, source));
  while (iterators.length > 0) {
    const items: PyValue[] = [];
    for (const iterator of iterators) {
      const { done, value } = iterator.next();
      if (done) return;
      items.push(value);
    }
    yield new PyTuple(items);
  }
}

function* mapped(
  interpreter: Interpreter,
  callee: PyValue,
  sources: readonly PyValue[],
): Generator<PyValue> {
  for (const items of zipped(interpreter, sources)) {
    const positional = (items as PyTuple).items;
    yield call(interpreter, callee, { ...noArguments, positional });
  }
}

function* filtered(interpreter: Interpreter, test: PyValue, source: PyValue): Generator<PyValue> {
  for (const item of iterate(interpreter, source)) {
    const verdict =
      test === null ? item : call(interpreter, test, { ...noArguments, positional: [item] });
    if (truth(interpreter, verdict)) yield item;
  }
}

function reversed(interpreter: Interpreter, value: PyValue): PyValue {
  usable(value);
  if (value instanceof PyInstance) {
    const own = value.special(interpreter, '__reversed__');
    if (own !== undefined) return own;
  }
  if (value instanceof PyRange) {
    const { count, start, stride } = value;
    return new PyIterator(
      new PyRange(start + (count - 1n) * stride, start - stride, -stride).iterate(),
    );
  }
  return new PyIterator(collect(interpreter, value).reverse());
}

/** `isinstance` with a class, a tuple of classes, or classes of torch.nn that the shim lacks. */
function matches(
  interpreter: Interpreter,
  cls: PyClass,
  classes: PyValue,
  object?: PyValue,
): boolean {
  interpreter.step();
  if (classes instanceof PyTuple) {
    return classes.items.some((item) => matches(interpreter, cls, item, object));
  }
  // None in a union of types.
  if (classes === null) return cls === interpreter.environment.classOf(null);
  if (classes instanceof PyClass && classes.accepts && object !== undefined) {
    return classes.accepts(object);
  }
  if (classes instanceof PyClass) return cls.isSubclassOf(classes);
  // No object can be of a class that the shim does not have; public layers have no subclasses.
  if (classes instanceof Placeholder && /^torch\.nn\.[A-Z]\w*$/.test(classes.name)) return false;
  usable(classes);
  throw raised('TypeError', `isinstance() needs a class, not ${typeName(classes)}`);
}

function makeSuper(interpreter: Interpreter, values: Map<string, PyValue>): PyValue {
  const [cls, self] = [values.get('cls')!, values.get('self')!];
  if (cls instanceof PyClass) return new PySuper(cls, self);
  if (cls !== null) throw raised('TypeError', `super() needs a class, not ${typeName(cls)}`);
  const { frame } = interpreter;
  const defining = frame.scope.lookup('__class__');
  if (frame.self === undefined || !(defining instanceof PyClass)) {
    throw raised('RuntimeError', 'super() is called outside of a method');
  }
  return new PySuper(defining, frame.self);
}
