/** `collections` and `collections.abc`. */
import { call, NativeFunction } from '../functions.ts';
import { bind, PyClass, PyInstance, Property } from '../classes.ts';
import { collect, fill } from '../collect.ts';
import { PyDict, PyIterator, PyList, PyRange, PySet, PyTuple } from '../collections.ts';
import { raised } from '../errors.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule } from '../modules.ts';
import { noArguments, PyObject, typeName, type CallArguments, type PyValue } from '../object.ts';
import { binary, index, repr } from '../operators.ts';
import { bindArguments, signatureFromText, type Parameter } from '../signature.ts';
import { sorted } from '../sorting.ts';
import { dictClass, objectClass, orderedDictClass, tupleClass } from '../types.ts';

/** A tuple whose items have names. */
export class PyNamedTuple extends PyTuple {
  readonly #class: PyClass;
  readonly #fields: readonly string[];
  constructor(cls: PyClass, fields: readonly string[], items: readonly PyValue[]) {
    super(items, cls.name);
    this.#class = cls;
    this.#fields = fields;
  }
  override get class(): PyClass {
    return this.#class;
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const at = this.#fields.indexOf(name);
    if (at >= 0) return this.items[at];
    if (name === '_asdict') {
      const pairs = this.#fields.map((field, i) => [field, this.items[i]!] as const);
      return new NativeFunction(name, '', () => new PyDict(pairs));
    }
    if (name === '_replace') {
      return new NativeFunction(name, '**changes', (_, { keywords }) => {
        const items = this.#fields.map((field, i) => keywords.get(field) ?? this.items[i]!);
        const unknown = [...keywords.keys()].find((key) => !this.#fields.includes(key));
        if (unknown) throw raised('ValueError', `there is no field "${unknown}"`);
        return new PyNamedTuple(this.#class, this.#fields, items);
      });
    }
    const value = this.#class.lookup(name);
    if (value instanceof Property) {
      return call(interpreter, value.getter, { ...noArguments, positional: [this] });
    }
    return value === undefined
      ? super.getAttribute(interpreter, name)
      : bind(this, this.#class, value);
  }
  override repr(interpreter: Interpreter): string {
    const parts = this.#fields.map((field, i) => `${field}=${repr(interpreter, this.items[i]!)}`);
    return `${this.typeName}(${parts.join(', ')})`;
  }
}

/** Has calls of the class make named tuples; a class that inherits from it makes them too. */
export function makeNamedTuple(cls: PyClass, parameters: readonly Parameter[]): void {
  const fields = parameters.map(({ name }) => name);
  const signature = { parameters, rest: null, keywords: null };
  const make = (of: PyClass): NonNullable<PyClass['protocol']> => ({
    call: (_, args) => {
      const { values } = bindArguments(of.name, signature, args);
      return new PyNamedTuple(
        of,
        fields,
        fields.map((name) => values.get(name)!),
      );
    },
  });
  cls.protocol = make(cls);
  cls.attributes.set('_fields', new PyTuple(fields));
  subclassed.set(cls, (subclass) => (subclass.protocol = make(subclass)));
}
const subclassed = new WeakMap<PyClass, (subclass: PyClass) => void>();

/** `namedtuple('Point', 'x y')` or `namedtuple('Point', ['x', 'y'])`. */
function namedTuple(interpreter: Interpreter, values: ReadonlyMap<string, PyValue>): PyValue {
  const names = values.get('field_names')!;
  const fields = (
    typeof names === 'string' ? names.split(/[\s,]+/).filter(Boolean) : collect(interpreter, names)
  ).map(String);
  const given = values.get('defaults')!;
  const defaults = given === null ? [] : collect(interpreter, given);
  const { frame } = interpreter;
  const cls: PyClass = new PyClass(String(values.get('typename')), [tupleClass], {
    origin: { file: frame.file, line: frame.line, module: frame.scope.moduleName },
    onSubclass: (_, subclass) => subclassed.get(cls)?.(subclass),
  });
  const first = fields.length - defaults.length;
  makeNamedTuple(
    cls,
    fields.map((name, i) => ({
      name,
      kind: 'positional',
      default: i < first ? undefined : defaults[i - first],
    })),
  );
  return cls;
}

/** A dict that makes what is missing. */
class PyDefaultDict extends PyDict {
  readonly #class: PyClass;
  readonly #factory: PyValue;
  constructor(cls: PyClass, factory: PyValue) {
    super([], cls.name);
    this.#class = cls;
    this.#factory = factory;
  }
  override get class(): PyClass {
    return this.#class;
  }
  override getItem(interpreter: Interpreter, key: PyValue): PyValue {
    const value = this.get(key);
    if (value !== undefined || this.#factory === null) return super.getItem(interpreter, key);
    const made = call(interpreter, this.#factory);
    this.setItem(interpreter, key, made);
    return made;
  }
}

/** Counts; what was never counted is 0. */
class PyCounter extends PyDict {
  constructor() {
    super([], 'Counter');
  }
  override get class(): PyClass {
    return counterClass;
  }
  override getItem(_interpreter: Interpreter, key: PyValue): PyValue {
    return this.get(key) ?? 0n;
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    if (name !== 'most_common') return super.getAttribute(interpreter, name);
    return new NativeFunction(name, 'n=None', (i, { values }) => {
      const pairs = this.entries().map((entry) => new PyTuple(entry));
      const count = new NativeFunction(
        'count',
        'pair',
        (__, bound) => (bound.values.get('pair') as PyTuple).items[1]!,
      );
      const all = sorted(i, pairs, count, true);
      const n = values.get('n')!;
      return new PyList(n === null ? all : all.slice(0, index(n, 'n')));
    });
  }
}

const counterClass: PyClass = new PyClass('Counter', [dictClass], {
  protocol: {
    call: (interpreter, args) => {
      const { values } = bindArguments('Counter', signatureFromText('iterable=None, /'), args);
      const result = new PyCounter();
      const source = values.get('iterable')!;
      if (source instanceof PyDict) fill(interpreter, result, source, new Map());
      else if (source !== null) {
        for (const item of collect(interpreter, source)) {
          result.set(item, binary(interpreter, '+', result.getItem(interpreter, item), 1n));
        }
      }
      return result;
    },
  },
});

const defaultDictClass: PyClass = new PyClass('defaultdict', [dictClass], {
  protocol: {
    call: (interpreter, args) => {
      const signature = signatureFromText('default_factory=None, source=None, /, **keywords');
      const { values, keywords } = bindArguments('defaultdict', signature, args);
      const result = new PyDefaultDict(defaultDictClass, values.get('default_factory')!);
      fill(interpreter, result, values.get('source')!, keywords);
      return result;
    },
  },
});

/** A list with two ends. */
class PyDeque extends PyList {
  readonly #limit: number;
  constructor(items: readonly PyValue[], limit: number) {
    super(items, 'deque');
    this.#limit = limit;
    this.#trim(false);
  }
  override get class(): PyClass {
    return dequeClass;
  }
  #trim(atEnd: boolean): void {
    while (this.items.length > this.#limit) {
      if (atEnd) this.items.pop();
      else this.items.shift();
    }
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const method = (signature: string, run: (value: PyValue) => PyValue): PyValue =>
      new NativeFunction(name, signature, (i, { values }) => {
        i.step(1 + this.items.length / 256);
        i.allocate(1);
        return run(values.get('value') ?? null);
      });
    switch (name) {
      case 'append':
        return method('value, /', (value) => {
          this.items.push(value);
          this.#trim(false);
          return null;
        });
      case 'appendleft':
        return method('value, /', (value) => {
          this.items.unshift(value);
          this.#trim(true);
          return null;
        });
      case 'popleft':
        return method('', () => {
          const first = this.items.shift();
          if (first === undefined) throw raised('IndexError', 'pop from an empty deque');
          return first;
        });
      default:
        return super.getAttribute(interpreter, name);
    }
  }
}

const dequeClass: PyClass = new PyClass('deque', [objectClass], {
  protocol: {
    call: (interpreter, args) => {
      const signature = signatureFromText('iterable=None, maxlen=None');
      const { values } = bindArguments('deque', signature, args);
      const [source, limit] = [values.get('iterable')!, values.get('maxlen')!];
      const items = source === null ? [] : collect(interpreter, source);
      return new PyDeque(items, limit === null ? Infinity : index(limit, 'maxlen'));
    },
  },
});

export function collections(): PyModule {
  return library(
    'collections',
    {
      namedtuple: [
        'typename, field_names, *, rename=False, defaults=None, module=None',
        (i, { values }) => namedTuple(i, values),
      ],
    },
    [
      ['OrderedDict', orderedDictClass],
      ['defaultdict', defaultDictClass],
      ['Counter', counterClass],
      ['deque', dequeClass],
      ['abc', abc],
    ],
  );
}

/** A class that is only asked what is one: `isinstance(x, Iterable)`. */
export class AbstractClass extends PyClass {
  override readonly accepts: (value: PyValue) => boolean;
  constructor(name: string, accepts: (value: PyValue) => boolean) {
    super(name, [objectClass]);
    this.accepts = accepts;
  }
  override call(_interpreter: Interpreter, _args: CallArguments): PyValue {
    throw raised('TypeError', `${this.name} is abstract`);
  }
}

function has(value: PyValue, method: 'iterate' | 'length' | 'call', special: string): boolean {
  if (!(value instanceof PyObject)) return typeof value === 'string' && method !== 'call';
  // Instances of the source have every protocol in JavaScript; their class says which in Python.
  if (value instanceof PyInstance) return value.class.lookup(special) !== undefined;
  return value[method] !== undefined;
}

const isSequence = (value: PyValue): boolean =>
  typeof value === 'string' ||
  value instanceof PyList ||
  value instanceof PyTuple ||
  value instanceof PyRange;

/** The abstract classes by name; `typing` has them too. */
export const abstractClasses: ReadonlyMap<string, PyClass> = new Map(
  (
    [
      ['Iterable', (value) => has(value, 'iterate', '__iter__')],
      ['Collection', (value) => has(value, 'length', '__len__')],
      ['Sized', (value) => has(value, 'length', '__len__')],
      ['Callable', (value) => has(value, 'call', '__call__')],
      ['Sequence', isSequence],
      ['MutableSequence', (value) => value instanceof PyList],
      ['Mapping', (value) => value instanceof PyDict],
      ['MutableMapping', (value) => value instanceof PyDict],
      ['Set', (value) => value instanceof PySet],
      ['Iterator', (value) => value instanceof PyIterator],
      ['Generator', (value) => typeName(value) === 'generator'],
      [
        'Hashable',
        (value) => !(value instanceof PyList || value instanceof PyDict || value instanceof PySet),
      ],
    ] satisfies [string, (value: PyValue) => boolean][]
  ).map(([name, accepts]) => [name, new AbstractClass(name, accepts)]),
);

export const abc = library('collections.abc', {}, abstractClasses);
