/** `math`, and the functions of `numpy` that take one number. */
import { raised, unsupported } from '../errors.ts';
import { PyList } from '../collections.ts';
import { NativeFunction, type NativeBody } from '../functions.ts';
import { indexOf, integer } from '../indexing.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type Functions, type PyModule } from '../modules.ts';
import { isNumeric, toFloat } from '../numbers.ts';
import { PyObject, typeName, usable, type PyValue } from '../object.ts';
import { binary, iterate, truth } from '../operators.ts';
import type { Bound } from '../signature.ts';

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

export function math(): PyModule {
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
      ...real('tan', Math.tan),
      ...real('asin', Math.asin),
      ...real('acos', Math.acos),
      ...real('atan', Math.atan),
      ...real('sinh', Math.sinh),
      ...real('cosh', Math.cosh),
      ...real('tanh', Math.tanh),
      ...real('degrees', (x) => x * (180 / Math.PI)),
      ...real('radians', (x) => x * (Math.PI / 180)),
      ...real('expm1', Math.expm1),
      ...real('log1p', (x) => (x > -1 ? Math.log1p(x) : Number.NaN)),
      ...real('fabs', Math.abs),
      log: ['x, base=None, /', (_, bound) => logarithm(bound)],
      ...real('log2', (x) => (x > 0 ? Math.log2(x) : Number.NaN)),
      ...real('log10', (x) => (x > 0 ? Math.log10(x) : Number.NaN)),
      pow: ['x, y, /', (i, bound) => binary(i, '**', number(bound, 'x'), number(bound, 'y'))],
      prod: ['iterable, /', (i, { values }) => product(i, values.get('iterable')!)],
      hypot: ['x, y, /', (_, bound) => Math.hypot(number(bound, 'x'), number(bound, 'y'))],
      atan2: ['y, x, /', (_, bound) => Math.atan2(number(bound, 'y'), number(bound, 'x'))],
      isqrt: ['n, /', (_, { values }) => integerRoot(integer(values.get('n')!, 'n'))],
      factorial: ['n, /', (i, { values }) => factorial(i, integer(values.get('n')!, 'n'))],
      isclose: ['a, b, *, rel_tol=1e-09, abs_tol=0.0', (_, bound) => isClose(bound)],
      gcd: ['x, y, /', (_, { values }) => greatestDivisor(values.get('x')!, values.get('y')!)],
      isinf: ['x, /', (_, bound) => Math.abs(number(bound, 'x')) === Infinity],
      isfinite: ['x, /', (_, bound) => Number.isFinite(number(bound, 'x'))],
      isnan: ['x, /', (_, bound) => Number.isNaN(number(bound, 'x'))],
    },
    [
      ['pi', Math.PI],
      ['tau', 2 * Math.PI],
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
  let result: PyValue = 1n;
  for (const item of iterate(interpreter, source)) {
    result = binary(interpreter, '*', result, item);
  }
  return result;
}

function greatestDivisor(left: PyValue, right: PyValue): bigint {
  let [a, b] = [integer(left, 'x'), integer(right, 'y')];
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

function integerRoot(value: bigint): bigint {
  if (value < 0n) throw raised('ValueError', 'math.isqrt() of a negative number');
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw unsupported('math.isqrt() of an int beyond 2**53 is not supported');
  }
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  while (root * root > value) root--;
  while ((root + 1n) * (root + 1n) <= value) root++;
  return root;
}

function factorial(interpreter: Interpreter, value: bigint): PyValue {
  if (value < 0n) throw raised('ValueError', 'math.factorial() of a negative number');
  let result: PyValue = 1n;
  for (let factor = 2n; factor <= value; factor++) {
    interpreter.step();
    result = binary(interpreter, '*', result, factor);
  }
  return result;
}

function isClose(bound: { values: Map<string, PyValue> }): boolean {
  const [a, b] = [number(bound, 'a'), number(bound, 'b')];
  if (a === b) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  const bar = number(bound, 'rel_tol') * Math.max(Math.abs(a), Math.abs(b));
  return Math.abs(a - b) <= Math.max(bar, number(bound, 'abs_tol'));
}

/** NumPy's array of one axis, as far as a model's settings need it: walked, indexed, `tolist`. */
class Line extends PyObject {
  readonly typeName = 'ndarray';
  readonly #numbers: readonly number[];
  constructor(numbers: readonly number[]) {
    super();
    this.#numbers = numbers;
  }
  override length(): number {
    return this.#numbers.length;
  }
  override iterate(): Iterable<PyValue> {
    return this.#numbers;
  }
  override getItem(_: Interpreter, key: PyValue): PyValue {
    return this.#numbers[indexOf(key, this.#numbers.length, 'ndarray')]!;
  }
  override getAttribute(_: Interpreter, name: string): PyValue {
    if (name !== 'tolist') throw unsupported(`ndarray.${name} is not supported`);
    return new NativeFunction('tolist', '', () => new PyList([...this.#numbers]));
  }
}

/** `num` doubles from start to stop, as NumPy rounds them. */
function spaced(interpreter: Interpreter, bound: Bound): PyValue {
  const [start, stop] = [number(bound, 'start'), number(bound, 'stop')];
  const count = Number(integer(bound.values.get('num')!, 'num'));
  const isClosed = truth(interpreter, bound.values.get('endpoint')!);
  if (count < 0) throw raised('ValueError', `numpy.linspace: num is ${count}`);
  interpreter.allocate(count);
  const parts = isClosed ? count - 1 : count;
  const step = (stop - start) / parts;
  const numbers = Array.from({ length: count }, (_, at) => (parts > 0 ? at * step : 0) + start);
  if (isClosed && count > 1) numbers[count - 1] = stop;
  return new Line(numbers);
}

/** Scalars of NumPy: what `np.sqrt(dim)` and `np.pi` are in a model; of arrays, `np.linspace`. */
export function numpy(): PyModule {
  const scalars: Functions = {
    ...real('sqrt', Math.sqrt),
    ...real('log', Math.log),
    ...real('exp', Math.exp),
    linspace: ['start, stop, num=50, endpoint=True', (i, bound) => spaced(i, bound)],
  };
  return library('numpy', scalars, [
    ['pi', Math.PI],
    ['inf', Infinity],
  ]);
}
