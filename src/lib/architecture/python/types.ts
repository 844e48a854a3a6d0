/** The built-in classes, and the class of any value. */
import { getAttribute } from './attributes.ts';
import { PyClass, PyInstance, StaticMethod, type Construct } from './classes.ts';
import { PyDict, PyIterator, PyList, PyRange, PySet, PySlice, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { NativeFunction } from './functions.ts';
import { integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { isNumeric, toFloat } from './numbers.ts';
import { noArguments, PyObject, typeName, usable, type PyValue } from './object.ts';
import { collect, fill, unordered } from './collect.ts';
import { dictMethods, listMethods, setMethods } from './methods.ts';
import type { MethodTable } from './method_table.ts';
import { stringMethods } from './string_methods.ts';
import { str, truth } from './operators.ts';
import { bindArguments, signatureFromText } from './signature.ts';

/** `object`: the root of all classes, and what makes plain instances. */
export const objectClass = new PyClass('object', [], {
  construct: (_interpreter, cls) => new PyInstance(cls),
  attributes: new Map<string, PyValue>([
    ['__init__', new NativeFunction('__init__', 'self', () => null)],
    [
      '__new__',
      new StaticMethod(
        new NativeFunction('__new__', 'cls, *args, **keywords', (interpreter, { values }) => {
          const cls = values.get('cls')!;
          const maker = cls instanceof PyClass && cls.mro.find(({ construct }) => construct);
          if (!maker || maker.final) throw unsupported('object.__new__ of this class');
          return maker.construct!(interpreter, cls, noArguments);
        }),
      ),
    ],
    [
      '__getattribute__',
      new NativeFunction('__getattribute__', 'self, name', (interpreter, { values }) => {
        const [self, name] = [values.get('self')!, str(interpreter, values.get('name')!)];
        if (!(self instanceof PyInstance)) return getAttribute(interpreter, self, name);
        const value = self.ownAttribute(interpreter, name);
        if (value !== undefined) return value;
        throw raised('AttributeError', `"${self.typeName}" object has no attribute "${name}"`);
      }),
    ],
    [
      '__setattr__',
      new NativeFunction('__setattr__', 'self, name, value', (interpreter, { values }) => {
        const self = values.get('self')!;
        if (!(self instanceof PyInstance)) throw unsupported('object.__setattr__ of this value');
        self.setOwn(interpreter, str(interpreter, values.get('name')!), values.get('value')!);
        return null;
      }),
    ],
  ]),
});

function builtin(
  name: string,
  signature: string,
  make: (interpreter: Interpreter, values: Map<string, PyValue>) => PyValue,
  methods?: () => MethodTable,
): PyClass {
  const construct: Construct = (interpreter, _cls, args) =>
    make(interpreter, bindArguments(name, signatureFromText(signature), args).values);
  return new PyClass(name, [objectClass], { construct, final: true, ...(methods && { methods }) });
}

function toInt(interpreter: Interpreter, value: PyValue, base: PyValue): PyValue {
  usable(value);
  if (typeof value === 'string') interpreter.step(value.length / 16);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw raised('ValueError', `${value} cannot be made an int`);
    return BigInt(Math.trunc(value));
  }
  if (typeof value === 'string') {
    const text = value.trim().replaceAll('_', '');
    if (base !== 10n) return parseInteger(text, integer(base, 'the base of int()'));
    if (!/^[+-]?\d{1,1000}$/.test(text)) {
      throw raised('ValueError', `int() cannot read "${value.slice(0, 40)}"`);
    }
    return BigInt(text.replace(/^\+/, ''));
  }
  if (value instanceof PyObject) {
    const own = value.toInt?.(interpreter);
    if (own !== undefined) return own;
  }
  return integer(value, 'the argument of int()');
}

/** `int("ff", 16)`. */
function parseInteger(text: string, base: bigint): bigint {
  const prefix = ({ 16: '0x', 8: '0o', 2: '0b' } as Record<string, string>)[String(base)];
  const [, sign, digits] = /^([+-]?)(?:0[xob])?([0-9a-z]{1,1000})$/i.exec(text) ?? [];
  const allowed = { 16: /^[0-9a-f]+$/i, 8: /^[0-7]+$/, 2: /^[01]+$/ } as Record<string, RegExp>;
  if (!prefix || digits === undefined) throw unsupported(`int() with the base ${base}`);
  if (!allowed[String(base)]!.test(digits)) {
    throw raised('ValueError', `int() cannot read "${text.slice(0, 40)}" with the base ${base}`);
  }
  const value = BigInt(`${prefix}${digits}`);
  return sign === '-' ? -value : value;
}

function toFloatValue(interpreter: Interpreter, value: PyValue): number {
  usable(value);
  if (typeof value === 'string') interpreter.step(value.length / 16);
  if (isNumeric(value)) return toFloat(value);
  if (typeof value === 'string') {
    const text = value.trim().toLowerCase();
    const special = /^([+-]?)(inf|infinity|nan)$/.exec(text);
    if (special) {
      return special[2] === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
    }
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text)) return Number(text);
    throw raised('ValueError', `float() cannot read "${value.slice(0, 40)}"`);
  }
  throw raised('TypeError', `float() needs a number or a str, not ${typeName(value)}`);
}

function toDict(interpreter: Interpreter, source: PyValue, keywords: Map<string, PyValue>): PyDict {
  const result = new PyDict();
  fill(interpreter, result, source, keywords);
  return result;
}

export const intClass = builtin('int', 'x=0, /, base=10', (interpreter, values) =>
  toInt(interpreter, values.get('x')!, values.get('base')!),
);
export const boolClass = new PyClass('bool', [intClass], {
  final: true,
  construct: (interpreter, _cls, args) =>
    truth(
      interpreter,
      bindArguments('bool', signatureFromText('x=False, /'), args).values.get('x')!,
    ),
});
export const floatClass = builtin('float', 'x=0, /', (interpreter, values) =>
  toFloatValue(interpreter, values.get('x')!),
);
export const strClass = builtin(
  'str',
  "object=''",
  (interpreter, values) => str(interpreter, usable(values.get('object')!)),
  () => stringMethods,
);
export const listClass = builtin(
  'list',
  "iterable='', /",
  (interpreter, values) => new PyList(collect(interpreter, values.get('iterable')!)),
  () => listMethods,
);
export const tupleClass = builtin('tuple', "iterable='', /", (interpreter, values) => {
  return new PyTuple(collect(interpreter, values.get('iterable')!));
});
export const setClass = builtin(
  'set',
  "iterable='', /",
  (interpreter, values) => new PySet(unordered(interpreter, values.get('iterable')!)),
  () => setMethods,
);
export const frozensetClass = builtin(
  'frozenset',
  "iterable='', /",
  (interpreter, values) => new PySet(unordered(interpreter, values.get('iterable')!), 'frozenset'),
  () => setMethods,
);
export const dictClass = new PyClass('dict', [objectClass], {
  final: true,
  methods: () => dictMethods,
  attributes: new Map([
    [
      'fromkeys',
      new StaticMethod(
        new NativeFunction('fromkeys', 'iterable, value=None, /', (interpreter, { values }) => {
          const keys = collect(interpreter, values.get('iterable')!);
          return new PyDict(keys.map((key) => [key, values.get('value')!]));
        }),
      ),
    ],
  ]),
  construct: (interpreter, _cls, args) => {
    const bound = bindArguments('dict', signatureFromText('source=None, /, **keywords'), args);
    return toDict(interpreter, bound.values.get('source')!, bound.keywords);
  },
});
export const orderedDictClass = new PyClass('OrderedDict', [dictClass], {
  final: true,
  construct: (interpreter, _cls, args) => {
    const bound = bindArguments(
      'OrderedDict',
      signatureFromText('source=None, /, **keywords'),
      args,
    );
    const entries = toDict(interpreter, bound.values.get('source')!, bound.keywords).entries();
    return new PyDict(entries, 'OrderedDict');
  },
});
export const rangeClass = builtin('range', 'start, stop=None, step=1, /', (_, values) => {
  const part = (name: string): bigint => integer(values.get(name)!, `the ${name} of range()`);
  return values.get('stop') === null
    ? new PyRange(0n, part('start'), 1n)
    : new PyRange(part('start'), part('stop'), part('step'));
});
export const sliceClass = builtin('slice', 'start, stop=None, step=None, /', (_, values) => {
  const [start, stop, step] = [values.get('start')!, values.get('stop')!, values.get('step')!];
  return stop === null && step === null
    ? new PySlice(null, start, null)
    : new PySlice(start, stop, step);
});
export const typeClass = builtin('type', 'object, /', (_, values) =>
  builtinType(usable(values.get('object')!)),
);

/** Classes that cannot be called but are compared with: `types.FunctionType`. */
const named = new Map<string, PyClass>();
export function onlyNamed(name: string): PyClass {
  let cls = named.get(name);
  if (!cls) {
    const construct: Construct = () => {
      throw unsupported(`making a ${name} is not supported`);
    };
    named.set(name, (cls = new PyClass(name, [objectClass], { construct, final: true })));
  }
  return cls;
}

/** `type(value)`. */
export function builtinType(value: PyValue): PyClass {
  if (value === null) return onlyNamed('NoneType');
  switch (typeof value) {
    case 'boolean':
      return boolClass;
    case 'bigint':
      return intClass;
    case 'number':
      return floatClass;
    case 'string':
      return strClass;
    case 'object':
      break;
    default:
      return value satisfies never;
  }
  if (value instanceof PyInstance) return value.class;
  if (value.class instanceof PyClass) return value.class;
  if (value instanceof PyList) return listClass;
  if (value instanceof PyTuple) return tupleClass;
  if (value instanceof PyDict) return value.typeName === 'dict' ? dictClass : orderedDictClass;
  if (value instanceof PySet) return value.typeName === 'set' ? setClass : frozensetClass;
  if (value instanceof PyRange) return rangeClass;
  if (value instanceof PySlice) return sliceClass;
  if (value instanceof PyClass) return value.metaclass ?? typeClass;
  if (value instanceof PyIterator) return onlyNamed(value.typeName);
  return onlyNamed(value.typeName);
}
