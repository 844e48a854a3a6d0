/** `itertools`, as lazy as Python's. */
import { collect } from '../collect.ts';
import { PyIterator, PyTuple } from '../collections.ts';
import { raised } from '../errors.ts';
import { call, NativeFunction } from '../functions.ts';
import { index, binary, iterate, truth } from '../operators.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule, type Functions } from '../modules.ts';
import { PyObject, noArguments, type CallArguments, type PyValue } from '../object.ts';

/** A function that gives an iterator. */
function lazy(
  name: string,
  signature: string,
  items: (
    interpreter: Interpreter,
    values: ReadonlyMap<string, PyValue>,
    rest: readonly PyValue[],
  ) => Iterable<PyValue>,
): Functions {
  return {
    [name]: [signature, (i, { values, rest }) => new PyIterator(items(i, values, rest), name)],
  };
}

const args = (...positional: PyValue[]): CallArguments => ({ ...noArguments, positional });

/** `chain(…)`, which also has `chain.from_iterable(…)`. */
class Chain extends PyObject {
  readonly typeName = 'type';
  override call(interpreter: Interpreter, given: CallArguments): PyValue {
    return new PyIterator(chained(interpreter, given.positional), 'chain');
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    if (name !== 'from_iterable') return undefined;
    return new NativeFunction('from_iterable', 'iterable, /', (i, { values }) => {
      const sources = iterate(i, values.get('iterable')!);
      return new PyIterator(chained(i, sources), 'chain');
    });
  }
}

function* chained(interpreter: Interpreter, sources: Iterable<PyValue>): Generator<PyValue> {
  for (const source of sources) yield* iterate(interpreter, source);
}

export function itertools(): PyModule {
  const functions: Functions = {
    ...lazy('repeat', 'object, times=None', (i, values) => repeated(i, values)),
    ...lazy('count', 'start=0, step=1', (i, values) => counted(i, values)),
    ...lazy('cycle', 'iterable, /', (i, values) => cycled(i, values.get('iterable')!)),
    ...lazy('islice', 'iterable, start, stop=..., step=1, /', (i, values) => sliced(i, values)),
    ...lazy('zip_longest', '*iterables, fillvalue=None', (i, values, rest) =>
      zippedLongest(i, rest, values.get('fillvalue')!),
    ),
    ...lazy('accumulate', 'iterable, func=None, *, initial=None', (i, values) =>
      accumulated(i, values),
    ),
    ...lazy('product', '*iterables, repeat=1', (i, values, rest) => {
      const once = rest.map((source) => collect(i, source));
      const times = index(values.get('repeat')!, 'repeat');
      i.step(times);
      return products(i, Array.from({ length: times }, () => once).flat());
    }),
    ...lazy('combinations', 'iterable, r, /', (i, values) => {
      const items = collect(i, values.get('iterable')!);
      return combined(i, items, index(values.get('r')!, 'r'));
    }),
    ...lazy('starmap', 'function, iterable, /', function* (i, values) {
      for (const item of iterate(i, values.get('iterable')!)) {
        yield call(i, values.get('function')!, args(...collect(i, item)));
      }
    }),
    ...lazy('takewhile', 'predicate, iterable, /', function* (i, values) {
      for (const item of iterate(i, values.get('iterable')!)) {
        if (!truth(i, call(i, values.get('predicate')!, args(item)))) return;
        yield item;
      }
    }),
    ...lazy('pairwise', 'iterable, /', function* (i, values) {
      let before: PyValue | undefined;
      for (const item of iterate(i, values.get('iterable')!)) {
        if (before !== undefined) yield new PyTuple([before, item]);
        before = item;
      }
    }),
    tee: [
      'iterable, n=2, /',
      (i, { values }) => {
        const items = collect(i, values.get('iterable')!);
        const copies = index(values.get('n')!, 'n');
        i.allocate(copies);
        return new PyTuple(Array.from({ length: copies }, () => new PyIterator(items)));
      },
    ],
  };
  const module = library('itertools', functions);
  module.names.set('chain', new Chain());
  return module;
}

type Values = ReadonlyMap<string, PyValue>;

function* repeated(interpreter: Interpreter, values: Values): Generator<PyValue> {
  const times = values.get('times')!;
  const end = times === null ? Infinity : index(times, 'times');
  for (let at = 0; at < end; at++) {
    interpreter.step();
    yield values.get('object')!;
  }
}

function* counted(interpreter: Interpreter, values: Values): Generator<PyValue> {
  let at: PyValue = values.get('start')!;
  for (;;) {
    interpreter.step();
    yield at;
    at = binary(interpreter, '+', at, values.get('step')!);
  }
}

function* cycled(interpreter: Interpreter, source: PyValue): Generator<PyValue> {
  const items: PyValue[] = [];
  for (const item of iterate(interpreter, source)) {
    interpreter.allocate(1);
    items.push(item);
    yield item;
  }
  for (let at = 0; items.length > 0; at = (at + 1) % items.length) {
    interpreter.step();
    yield items[at]!;
  }
}

function* sliced(interpreter: Interpreter, values: Values): Generator<PyValue> {
  const [first, second] = [values.get('start')!, values.get('stop')!];
  const isOpen = second instanceof PyObject;
  const start = isOpen || first === null ? 0 : index(first, 'start');
  const stop = isOpen ? first : second;
  const end = stop === null ? Infinity : index(stop, 'stop');
  const stride = values.get('step') === null ? 1 : index(values.get('step')!, 'step');
  if (start < 0 || end < 0 || stride < 1) {
    throw raised('ValueError', 'islice() takes no negative numbers');
  }
  if (end === 0) return;
  let at = 0;
  for (const item of iterate(interpreter, values.get('iterable')!)) {
    if (at >= start && (at - start) % stride === 0) yield item;
    if (++at >= end) return;
  }
}

function* zippedLongest(
  interpreter: Interpreter,
  sources: readonly PyValue[],
  fill: PyValue,
): Generator<PyValue> {
  const iterators = sources.map((source) => iterate(interpreter, source));
  for (;;) {
    const results = iterators.map((iterator) => iterator.next());
    if (results.every(({ done }) => done)) return;
    yield new PyTuple(results.map(({ done, value }) => (done ? fill : (value as PyValue))));
  }
}

function* accumulated(interpreter: Interpreter, values: Values): Generator<PyValue> {
  const callee = values.get('func')!;
  const initial = values.get('initial')!;
  let total: PyValue | undefined = initial === null ? undefined : initial;
  if (total !== undefined) yield total;
  for (const item of iterate(interpreter, values.get('iterable')!)) {
    const next: PyValue =
      total === undefined
        ? item
        : callee === null
          ? binary(interpreter, '+', total, item)
          : call(interpreter, callee, args(total, item));
    total = next;
    yield next;
  }
}

function* products(
  interpreter: Interpreter,
  sources: readonly (readonly PyValue[])[],
  chosen: readonly PyValue[] = [],
): Generator<PyValue> {
  interpreter.step(1 + chosen.length);
  const source = sources[chosen.length];
  if (!source) {
    yield new PyTuple(chosen);
    return;
  }
  for (const item of source) yield* products(interpreter, sources, [...chosen, item]);
}

function* combined(
  interpreter: Interpreter,
  items: readonly PyValue[],
  count: number,
  from = 0,
): Generator<PyValue> {
  interpreter.step();
  if (count === 0) {
    yield new PyTuple([]);
    return;
  }
  for (let at = from; at < items.length; at++) {
    for (const rest of combined(interpreter, items, count - 1, at + 1)) {
      interpreter.step(count);
      yield new PyTuple([items[at]!, ...(rest as PyTuple).items]);
    }
  }
}
