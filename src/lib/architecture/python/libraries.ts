/** The few modules of the standard library that model files use. */
import { PyClass, PyInstance } from './classes.ts';
import { PyDict, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { call, NativeFunction, type NativeBody } from './functions.ts';
import { integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { PyModule } from './modules.ts';
import { isNumeric, toFloat } from './numbers.ts';
import {
  ellipsis,
  PyObject,
  typeName,
  usable,
  type CallArguments,
  type PyValue,
} from './object.ts';
import { binary } from './operators.ts';
import { bindArguments, type Parameter } from './signature.ts';
import { objectClass, orderedDictClass } from './types.ts';

type Functions = Record<string, readonly [signature: string, body: NativeBody]>;

/** A library module of functions and other values. */
export function library(
  name: string,
  functions: Functions,
  values: Iterable<readonly [string, PyValue]> = [],
): PyModule {
  const names = new Map<string, PyValue>(values);
  for (const [key, [signature, body]] of Object.entries(functions)) {
    names.set(key, new NativeFunction(`${name}.${key}`, signature, body));
  }
  return new PyModule(name, names, true);
}

/** The standard library's modules, by name. */
export function standardLibraries(): Map<string, PyValue> {
  const abstractBase = new PyClass('ABC', [objectClass]);
  const modules = [
    math(),
    library('collections', {}, [['OrderedDict', orderedDictClass]]),
    functools(),
    library('abc', { abstractmethod: ['function', (_, { values }) => values.get('function')!] }, [
      ['ABC', abstractBase],
      ['ABCMeta', new PyClass('ABCMeta', [objectClass])],
    ]),
    dataclasses(),
    typing('typing'),
    typing('typing_extensions'),
    library('copy', {}),
    library('warnings', { warn: ['*args, **options', () => null] }),
  ];
  return new Map(modules.map((module) => [module.name, module]));
}

function number(bound: { values: Map<string, PyValue> }, name: string): number {
  const value = usable(bound.values.get(name)!);
  if (isNumeric(value)) return toFloat(value);
  throw raised('TypeError', `a number is needed, not ${typeName(value)}`);
}

/** A function of one float; what leaves the function's domain is a ValueError. */
function real(name: string, compute: (x: number) => number): Functions {
  const body: NativeBody = (_, bound) => {
    const x = number(bound, 'x');
    const result = compute(x);
    if (Number.isNaN(result) && !Number.isNaN(x)) {
      throw raised('ValueError', `math.${name}(${x}) is not defined`);
    }
    return result;
  };
  return { [name]: ['x, /', body] };
}

function whole(name: string, compute: (x: number) => number): Functions {
  const body: NativeBody = (_, { values }) => {
    const value = values.get('x')!;
    if (typeof value === 'bigint' || typeof value === 'boolean') return BigInt(value);
    const x = number({ values }, 'x');
    if (!Number.isFinite(x)) throw raised('ValueError', `math.${name}(${x}) is not defined`);
    return BigInt(compute(x));
  };
  return { [name]: ['x, /', body] };
}

function math(): PyModule {
  return library(
    'math',
    {
      ...whole('floor', Math.floor),
      ...whole('ceil', Math.ceil),
      ...whole('trunc', Math.trunc),
      ...real('sqrt', Math.sqrt),
      ...real('exp', Math.exp),
      ...real('sin', Math.sin),
      ...real('cos', Math.cos),
      ...real('tanh', Math.tanh),
      ...real('fabs', Math.abs),
      log: ['x, base=None, /', (_, bound) => logarithm(bound)],
      ...real('log2', (x) => (x > 0 ? Math.log2(x) : Number.NaN)),
      ...real('log10', (x) => (x > 0 ? Math.log10(x) : Number.NaN)),
      pow: ['x, y, /', (i, bound) => binary(i, '**', number(bound, 'x'), number(bound, 'y'))],
      prod: ['iterable, /', (i, { values }) => product(i, values.get('iterable')!)],
      gcd: ['x, y, /', (_, { values }) => greatestDivisor(values.get('x')!, values.get('y')!)],
      isinf: ['x, /', (_, bound) => Math.abs(number(bound, 'x')) === Infinity],
      isnan: ['x, /', (_, bound) => Number.isNaN(number(bound, 'x'))],
    },
    [
      ['pi', Math.PI],
      ['e', Math.E],
      ['inf', Infinity],
      ['nan', Number.NaN],
    ],
  );
}

function logarithm(bound: { values: Map<string, PyValue> }): number {
  const x = number(bound, 'x');
  if (x <= 0) throw raised('ValueError', `math.log(${x}) is not defined`);
  return bound.values.get('base') === null
    ? Math.log(x)
    : Math.log(x) / Math.log(number(bound, 'base'));
}

function product(interpreter: Interpreter, source: PyValue): PyValue {
  if (!(source instanceof PyObject) || !source.iterate) {
    throw raised('TypeError', 'math.prod() needs an iterable');
  }
  let result: PyValue = 1n;
  for (const item of source.iterate(interpreter)) {
    interpreter.step();
    result = binary(interpreter, '*', result, item);
  }
  return result;
}

function greatestDivisor(left: PyValue, right: PyValue): bigint {
  let [a, b] = [integer(left, 'x'), integer(right, 'y')];
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

/** `functools.partial(callee, …)`. */
class Partial extends PyObject {
  readonly typeName = 'partial';
  readonly #callee: PyValue;
  readonly #args: CallArguments;
  constructor(callee: PyValue, args: CallArguments) {
    super();
    this.#callee = callee;
    this.#args = args;
  }
  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    interpreter.step(this.#args.positional.length + this.#args.keywords.size);
    return call(interpreter, this.#callee, {
      positional: [...this.#args.positional, ...args.positional],
      keywords: new Map([...this.#args.keywords, ...args.keywords]),
    });
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    if (name === 'func') return this.#callee;
    if (name === 'args') return new PyTuple(this.#args.positional);
    return name === 'keywords' ? new PyDict(this.#args.keywords) : undefined;
  }
}

function functools(): PyModule {
  return library('functools', {
    partial: [
      'callee, /, *args, **keywords',
      (_, { values, rest, keywords }) =>
        new Partial(values.get('callee')!, { positional: rest, keywords }),
    ],
    reduce: [
      'function, iterable, /',
      (interpreter, { values }) => {
        const source = values.get('iterable')!;
        if (!(source instanceof PyObject) || !source.iterate) {
          throw raised('TypeError', 'reduce() needs an iterable');
        }
        let result: PyValue | undefined;
        for (const item of source.iterate(interpreter)) {
          interpreter.step();
          result =
            result === undefined
              ? item
              : call(interpreter, values.get('function')!, {
                  positional: [result, item],
                  keywords: new Map(),
                });
        }
        if (result === undefined) throw raised('TypeError', 'reduce() of nothing');
        return result;
      },
    ],
  });
}

/** A name of `typing`: it may be called and indexed, and means nothing at run time. */
class TypingName extends PyObject {
  readonly typeName = 'typing';
  override getAttribute(): PyValue {
    return this;
  }
  override getItem(): PyValue {
    return this;
  }
  override call(): PyValue {
    return this;
  }
  override binary(): PyValue {
    return this;
  }
}

function typing(module: string): PyModule {
  const names =
    'Any Callable ClassVar Dict Final FrozenSet Iterable Iterator List Literal Mapping \
Optional OrderedDict Sequence Set Tuple Type TypeVar Union Self Iterator NoReturn Annotated';
  const values: [string, PyValue][] = names.split(' ').map((name) => [name, new TypingName()]);
  return library(
    module,
    {
      cast: ['type, value', (_, bound) => bound.values.get('value')!],
      overload: [
        'function',
        () => {
          throw unsupported('typing.overload is not supported');
        },
      ],
    },
    [...values, ['TYPE_CHECKING', false], ['Generic', new PyClass('Generic', [objectClass])]],
  );
}

/** What `field(…)` leaves in a class until the decorator reads it. */
class Field extends PyObject {
  readonly typeName = 'Field';
  readonly values: Map<string, PyValue>;
  constructor(values: Map<string, PyValue>) {
    super();
    this.values = values;
  }
}

function dataclasses(): PyModule {
  const decorate = (cls: PyValue): PyValue => {
    if (!(cls instanceof PyClass)) throw raised('TypeError', 'dataclass() needs a class');
    const names = new Set(cls.mro.toReversed().flatMap(({ annotations }) => annotations));
    const parameters = [...names].map((name): Parameter => {
      const value = cls.lookup(name);
      return { name, kind: 'positional', default: value };
    });
    const signature = { parameters, rest: null, keywords: null };
    const initialize = new NativeFunction('__init__', 'self, *args, **keywords', (i, bound) => {
      const self = bound.values.get('self');
      if (!(self instanceof PyInstance)) throw raised('TypeError', '__init__() needs an instance');
      const args = { positional: bound.rest, keywords: bound.keywords };
      for (const [name, given] of bindArguments(cls.name, signature, args).values) {
        self.setAttribute(i, name, given instanceof Field ? initial(i, name, given) : given);
      }
      self.special(i, '__post_init__');
      return null;
    });
    cls.attributes.set('__init__', initialize);
    return cls;
  };
  return library('dataclasses', {
    dataclass: [
      'cls=None, /, *, frozen=False, eq=True, order=False',
      (_, { values }) => {
        const cls = values.get('cls')!;
        if (cls !== null) return decorate(cls);
        return new NativeFunction('dataclass', 'cls', (__, bound) =>
          decorate(bound.values.get('cls')!),
        );
      },
    ],
    field: [
      '*, default=..., default_factory=..., repr=True, compare=True',
      (_, { values }) => new Field(values),
    ],
  });
}

function initial(interpreter: Interpreter, name: string, field: Field): PyValue {
  const factory = field.values.get('default_factory')!;
  if (factory !== ellipsis) return call(interpreter, factory);
  const value = field.values.get('default')!;
  if (value === ellipsis) throw raised('TypeError', `the argument "${name}" is missing`);
  return value;
}
