/** `functools` and `operator`. */
import { getAttribute, setAttribute } from '../attributes.ts';
import { ClassMethod, Property } from '../classes.ts';
import { collect } from '../collect.ts';
import { PyDict, PyTuple } from '../collections.ts';
import { raised } from '../errors.ts';
import { call, NativeFunction, PyFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type Functions, type PyModule } from '../modules.ts';
import {
  ellipsis,
  noArguments,
  PyObject,
  usable,
  type BinaryOperator,
  type CallArguments,
  type Comparison,
  type PyValue,
} from '../object.ts';
import { binary, compare, contains, getItem, iterate, truth, unary } from '../operators.ts';

/** `functools.partial(callee, …)`. */
export class Partial extends PyObject {
  readonly typeName = 'partial';
  readonly callee: PyValue;
  readonly args: CallArguments;
  constructor(callee: PyValue, args: CallArguments) {
    super();
    this.callee = callee;
    this.args = args;
  }
  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    interpreter.step(this.args.positional.length + this.args.keywords.size);
    return call(interpreter, this.callee, {
      positional: [...this.args.positional, ...args.positional],
      keywords: new Map([...this.args.keywords, ...args.keywords]),
    });
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    if (name === 'func') return this.callee;
    if (name === 'args') return new PyTuple(this.args.positional);
    return name === 'keywords' ? new PyDict(this.args.keywords) : undefined;
  }
}

/** What a decorated function takes over: its name and text, and the way back to what it wraps. */
function wrap(interpreter: Interpreter, wrapper: PyValue, wrapped: PyValue): PyValue {
  if (!(wrapper instanceof PyFunction)) return wrapper;
  for (const name of ['__name__', '__qualname__', '__doc__', '__module__']) {
    const value = wrapped instanceof PyObject ? wrapped.getAttribute(interpreter, name) : undefined;
    if (value !== undefined) setAttribute(interpreter, wrapper, name, value);
  }
  if (wrapped instanceof PyFunction) {
    for (const [name, value] of wrapped.attributes) {
      if (!wrapper.attributes.has(name)) setAttribute(interpreter, wrapper, name, value);
    }
  }
  setAttribute(interpreter, wrapper, '__wrapped__', wrapped);
  return wrapper;
}

/** Remembers results by arguments. Objects count by identity, as they do in a dict. */
function remember(callee: PyValue): PyValue {
  const results = new PyDict();
  const run = new NativeFunction('cached', '*args, **keywords', (interpreter, bound) => {
    const named = [...bound.keywords].map((pair) => new PyTuple(pair));
    const simple = bound.rest.length === 1 && named.length === 0;
    const key = simple ? bound.rest[0]! : new PyTuple([...bound.rest, ...named]);
    const known = results.get(key);
    if (known !== undefined) return known;
    const args = { positional: bound.rest, keywords: bound.keywords };
    const value = call(interpreter, callee, args);
    results.setItem(interpreter, key, value);
    return value;
  });
  return run;
}

export function functools(): PyModule {
  return library('functools', {
    partial: [
      'callee, /, *args, **keywords',
      (_, { values, rest, keywords }) =>
        new Partial(values.get('callee')!, { positional: rest, keywords }),
    ],
    reduce: [
      'function, iterable, initial=..., /',
      (interpreter, { values }) => {
        const initial = values.get('initial')!;
        let result: PyValue | undefined = initial === ellipsis ? undefined : initial;
        for (const item of iterate(interpreter, values.get('iterable')!)) {
          const positional: PyValue[] = [result ?? null, item];
          result =
            result === undefined
              ? item
              : call(interpreter, values.get('function')!, { ...noArguments, positional });
        }
        if (result === undefined) throw raised('TypeError', 'reduce() of nothing');
        return result;
      },
    ],
    wraps: [
      'wrapped, assigned=None, updated=None',
      (_, { values }) =>
        new NativeFunction('wraps', 'wrapper', (interpreter, bound) =>
          wrap(interpreter, bound.values.get('wrapper')!, values.get('wrapped')!),
        ),
    ],
    update_wrapper: [
      'wrapper, wrapped, assigned=None, updated=None',
      (i, { values }) => wrap(i, values.get('wrapper')!, values.get('wrapped')!),
    ],
    lru_cache: [
      'maxsize=128, typed=False',
      (_, { values }) => {
        const given = values.get('maxsize')!;
        if (given instanceof PyObject) return remember(given);
        return new NativeFunction('lru_cache', 'function', (__, bound) =>
          remember(bound.values.get('function')!),
        );
      },
    ],
    cache: ['function, /', (_, { values }) => remember(values.get('function')!)],
    cached_property: [
      'function',
      (i, { values }) => {
        const name = getAttribute(i, values.get('function')!, '__name__');
        return new Property(values.get('function')!, null, String(name));
      },
    ],
    partialmethod: [
      'function, /, *args, **keywords',
      (_, { values, rest, keywords }) => {
        const run = new NativeFunction('partialmethod', 'self, *args, **keywords', (i, bound) =>
          call(i, values.get('function')!, {
            positional: [bound.values.get('self')!, ...rest, ...bound.rest],
            keywords: new Map([...keywords, ...bound.keywords]),
          }),
        );
        return values.get('function') instanceof ClassMethod ? new ClassMethod(run) : run;
      },
    ],
  });
}

const binaryNames: Readonly<Record<string, BinaryOperator>> = {
  add: '+',
  sub: '-',
  mul: '*',
  truediv: '/',
  floordiv: '//',
  mod: '%',
  pow: '**',
  matmul: '@',
  and_: '&',
  or_: '|',
  xor: '^',
};
const comparisonNames: Readonly<Record<string, Comparison>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

export function operator(): PyModule {
  const functions: Record<string, Functions[string]> = {
    neg: ['a, /', (i, { values }) => unary(i, '-', values.get('a')!)],
    not_: ['a, /', (i, { values }) => !truth(i, values.get('a')!)],
    truth: ['a, /', (i, { values }) => truth(i, values.get('a')!)],
    contains: ['a, b, /', (i, { values }) => contains(i, values.get('a')!, values.get('b')!)],
    getitem: ['a, b, /', (i, { values }) => getItem(i, values.get('a')!, values.get('b')!)],
    itemgetter: [
      '*items',
      (_, { rest }) =>
        getter(rest, (interpreter, object, item) => getItem(interpreter, object, item)),
    ],
    attrgetter: [
      '*names',
      (_, { rest }) =>
        getter(rest, (interpreter, object, name) =>
          String(usable(name))
            .split('.')
            .reduce((value, part) => getAttribute(interpreter, value, part), object),
        ),
    ],
  };
  for (const [name, sign] of Object.entries(binaryNames)) {
    const run: Functions[string][1] = (i, { values }) =>
      binary(i, sign, values.get('a')!, values.get('b')!);
    functions[name] = ['a, b, /', run];
  }
  for (const [name, sign] of Object.entries(comparisonNames)) {
    const run: Functions[string][1] = (i, { values }) =>
      compare(i, sign, values.get('a')!, values.get('b')!);
    functions[name] = ['a, b, /', run];
  }
  return library('operator', functions);
}

function getter(
  keys: readonly PyValue[],
  read: (interpreter: Interpreter, object: PyValue, key: PyValue) => PyValue,
): PyValue {
  return new NativeFunction('getter', 'object, /', (interpreter, { values }) => {
    const object = values.get('object')!;
    const found = collect(interpreter, new PyTuple(keys)).map((key) =>
      read(interpreter, object, key),
    );
    return found.length === 1 ? found[0]! : new PyTuple(found);
  });
}
