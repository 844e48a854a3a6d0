/** `dataclasses`: classes whose constructor follows from their annotated names. */
import { unparse } from 'py-ast';
import { PyClass, PyInstance } from '../classes.ts';
import { PyDict, PyList, PyTuple } from '../collections.ts';
import { raised } from '../errors.ts';
import { call, NativeFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule } from '../modules.ts';
import { ellipsis, PyObject, type PyValue } from '../object.ts';
import { compare, equal, repr } from '../operators.ts';
import { bindArguments, type Parameter } from '../signature.ts';

/** What `field(…)` leaves in a class until the decorator reads it, and what `fields()` gives. */
class Field extends PyObject {
  readonly typeName = 'Field';
  readonly name: string;
  readonly options: ReadonlyMap<string, PyValue>;
  /** Only given to the constructor and `__post_init__`: `InitVar`. */
  readonly isInitVar: boolean;
  constructor(name: string, options: ReadonlyMap<string, PyValue>, isInitVar = false) {
    super();
    this.name = name;
    this.options = options;
    this.isInitVar = isInitVar;
  }
  is(option: 'init' | 'repr' | 'compare'): boolean {
    return this.options.get(option) !== false;
  }
  get hasDefault(): boolean {
    return this.#given('default') || this.#given('default_factory');
  }
  #given(option: string): boolean {
    return this.options.has(option) && this.options.get(option) !== ellipsis;
  }
  initial(interpreter: Interpreter): PyValue {
    if (this.#given('default_factory'))
      return call(interpreter, this.options.get('default_factory')!);
    if (this.#given('default')) return this.options.get('default')!;
    throw raised('TypeError', `the argument "${this.name}" is missing`);
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    return name === 'name' ? this.name : this.options.get(name);
  }
}

/** The fields of every dataclass. */
const known = new WeakMap<PyClass, readonly Field[]>();

function fieldsOf(value: PyValue): readonly Field[] {
  const cls = value instanceof PyInstance ? value.class : value;
  const owner = cls instanceof PyClass ? cls.mro.find((base) => known.has(base)) : undefined;
  if (owner) return known.get(owner)!;
  throw raised('TypeError', 'a dataclass or an instance of one is needed');
}

export function isDataclass(value: PyValue): boolean {
  const cls = value instanceof PyInstance ? value.class : value;
  return cls instanceof PyClass && cls.mro.some((base) => known.has(base));
}

/** Fields of the ancestors first; one of the same name takes the place of the earlier one. */
function gather(cls: PyClass): Field[] {
  const fields = new Map<string, Field>();
  for (const base of cls.mro.slice(1).toReversed()) {
    for (const field of known.get(base) ?? []) fields.set(field.name, field);
  }
  for (const [name, annotation] of cls.annotations) {
    const text = unparse(annotation);
    if (/^(typing\.)?ClassVar\b/.test(text)) continue;
    const value = cls.attributes.get(name);
    const options =
      value instanceof Field
        ? value.options
        : new Map(value === undefined ? [] : [['default', value]]);
    fields.set(name, new Field(name, options, /^(dataclasses\.)?InitVar\b/.test(text)));
    if (!(value instanceof Field)) continue;
    const given = value.options.get('default')!;
    if (given === ellipsis) cls.attributes.delete(name);
    else cls.attributes.set(name, given);
  }
  return [...fields.values()];
}

function decorate(cls: PyValue, options: ReadonlyMap<string, PyValue>): PyClass {
  if (!(cls instanceof PyClass)) throw raised('TypeError', 'dataclass() needs a class');
  const fields = gather(cls);
  known.set(cls, fields);
  const define = (
    name: string,
    signature: string,
    body: (interpreter: Interpreter, self: PyInstance, other: PyValue) => PyValue,
  ): void => {
    if (cls.attributes.has(name)) return;
    const run = new NativeFunction(name, signature, (i, { values }) =>
      body(i, instance(values.get('self')), values.get('other') ?? null),
    );
    cls.attributes.set(name, run);
  };
  if (options.get('init') !== false) initializer(cls, fields, options);
  if (options.get('repr') !== false) {
    define('__repr__', 'self', (i, self) => {
      const parts = fields
        .filter((field) => field.is('repr') && !field.isInitVar)
        .map(({ name }) => `${name}=${repr(i, attribute(i, self, name))}`);
      return `${self.class.name}(${parts.join(', ')})`;
    });
  }
  const compared = (i: Interpreter, self: PyInstance): PyTuple =>
    new PyTuple(
      fields.filter((field) => field.is('compare')).map(({ name }) => attribute(i, self, name)),
    );
  const isSame = (self: PyInstance, other: PyValue): other is PyInstance =>
    other instanceof PyInstance && other.class === self.class;
  if (options.get('eq') !== false) {
    define('__eq__', 'self, other', (i, self, other) =>
      isSame(self, other) ? equal(i, compared(i, self), compared(i, other)) : false,
    );
  }
  if (options.get('order') === true) {
    for (const [name, sign] of [
      ['__lt__', '<'],
      ['__le__', '<='],
      ['__gt__', '>'],
      ['__ge__', '>='],
    ] as const) {
      define(name, 'self, other', (i, self, other) => {
        if (isSame(self, other)) return compare(i, sign, compared(i, self), compared(i, other));
        throw raised('TypeError', `"${sign}" needs two instances of ${cls.name}`);
      });
    }
  }
  if (options.get('frozen') === true) {
    const refuse = (): never => {
      throw raised('AttributeError', `${cls.name} is frozen: its fields cannot be set`);
    };
    cls.attributes.set('__setattr__', new NativeFunction('__setattr__', 'self, *args', refuse));
  }
  return cls;
}

function initializer(
  cls: PyClass,
  fields: readonly Field[],
  options: ReadonlyMap<string, PyValue>,
): void {
  if (cls.attributes.has('__init__')) return;
  const keywordsOnly = options.get('kw_only') === true;
  const isFrozen = options.get('frozen') === true;
  const parameters = fields
    .filter((field) => field.is('init'))
    .map((field): Parameter => ({
      name: field.name,
      kind: keywordsOnly || field.options.get('kw_only') === true ? 'keyword-only' : 'positional',
      default: field.hasDefault ? field : undefined,
    }));
  const signature = { parameters, rest: null, keywords: null };
  const run = new NativeFunction('__init__', 'self, *args, **keywords', (interpreter, bound) => {
    const self = instance(bound.values.get('self'));
    const args = { positional: bound.rest, keywords: bound.keywords };
    const { values } = bindArguments(cls.name, signature, args);
    const later: PyValue[] = [];
    for (const field of fields) {
      const given = values.get(field.name);
      if (given === undefined && !field.hasDefault) continue;
      const value = given === undefined || given === field ? field.initial(interpreter) : given;
      if (field.isInitVar) later.push(value);
      else if (isFrozen) self.setOwn(interpreter, field.name, value);
      else self.setAttribute(interpreter, field.name, value);
    }
    self.special(interpreter, '__post_init__', ...later);
    return null;
  });
  cls.attributes.set('__init__', run);
}

function instance(value: PyValue | undefined): PyInstance {
  if (value instanceof PyInstance) return value;
  throw raised('TypeError', 'an instance of a dataclass is needed');
}

function attribute(interpreter: Interpreter, self: PyInstance, name: string): PyValue {
  const value = self.getAttribute(interpreter, name);
  if (value !== undefined) return value;
  throw raised('AttributeError', `"${self.typeName}" object has no attribute "${name}"`);
}

/** Instances, lists, tuples and dicts to plain ones. */
function plain(interpreter: Interpreter, value: PyValue, asTuple: boolean): PyValue {
  interpreter.allocate(1);
  interpreter.enter();
  try {
    const convert = (item: PyValue): PyValue => plain(interpreter, item, asTuple);
    if (value instanceof PyInstance && isDataclass(value)) {
      const pairs = fieldsOf(value)
        .filter((field) => !field.isInitVar)
        .map(({ name }) => [name, convert(attribute(interpreter, value, name))] as const);
      return asTuple ? new PyTuple(pairs.map(([, item]) => item)) : new PyDict(pairs);
    }
    if (value instanceof PyList) return new PyList(value.items.map(convert));
    if (value instanceof PyTuple) return new PyTuple(value.items.map(convert));
    if (value instanceof PyDict) {
      return new PyDict(value.entries().map(([key, item]) => [key, convert(item)]));
    }
    return value;
  } finally {
    interpreter.leave();
  }
}

function replace(
  interpreter: Interpreter,
  object: PyValue,
  changes: ReadonlyMap<string, PyValue>,
): PyValue {
  const self = instance(object);
  const keywords = new Map<string, PyValue>();
  for (const field of fieldsOf(self)) {
    if (field.is('init') && !field.isInitVar) {
      keywords.set(field.name, attribute(interpreter, self, field.name));
    }
  }
  for (const [name, value] of changes) keywords.set(name, value);
  return call(interpreter, self.class, { positional: [], keywords });
}

export function dataclasses(): PyModule {
  return library('dataclasses', {
    dataclass: [
      'cls=None, /, *, init=True, repr=True, eq=True, order=False, unsafe_hash=False, frozen=False, match_args=True, kw_only=False, slots=False',
      (_, { values }) => {
        const cls = values.get('cls')!;
        if (cls !== null) return decorate(cls, values);
        return new NativeFunction('dataclass', 'cls', (__, bound) =>
          decorate(bound.values.get('cls')!, values),
        );
      },
    ],
    field: [
      '*, default=..., default_factory=..., init=True, repr=True, hash=None, compare=True, metadata=None, kw_only=False',
      (_, { values }) => new Field('', values),
    ],
    fields: [
      'class_or_instance, /',
      (_, { values }) =>
        new PyTuple(fieldsOf(values.get('class_or_instance')!).filter((field) => !field.isInitVar)),
    ],
    asdict: ['obj, /', (i, { values }) => plain(i, instance(values.get('obj')), false)],
    astuple: ['obj, /', (i, { values }) => plain(i, instance(values.get('obj')), true)],
    replace: [
      'obj, /, **changes',
      (i, { values, keywords }) => replace(i, values.get('obj')!, keywords),
    ],
    is_dataclass: ['obj, /', (_, { values }) => isDataclass(values.get('obj')!)],
  });
}
