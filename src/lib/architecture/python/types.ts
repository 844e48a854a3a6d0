/** The built-in classes, and the class of any value. */
import { PyClass, PyInstance, type Construct } from './classes.ts';
import { PyDict, PyIterator, PyList, PyRange, PySet, PySlice, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { NativeFunction } from './functions.ts';
import { integer } from './indexing.ts';
import type { Interpreter } from './interpreter.ts';
import { isNumeric, toFloat } from './numbers.ts';
import { PyObject, typeName, usable, type PyValue } from './object.ts';
import { collect, fill } from './collect.ts';
import { str, truth } from './operators.ts';
import { bindArguments, signatureFromText } from './signature.ts';

/** `object`: the root of all classes, and what makes plain instances. */
export const objectClass = new PyClass('object', [], {
  construct: (_interpreter, cls) => new PyInstance(cls),
  attributes: new Map<string, PyValue>([
    ['__init__', new NativeFunction('__init__', 'self', () => null)],
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
): PyClass {
  const construct: Construct = (interpreter, _cls, args) =>
    make(interpreter, bindArguments(name, signatureFromText(signature), args).values);
  return new PyClass(name, [objectClass], { construct, final: true });
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
    if (base !== 10n) throw unsupported('int() with a base is not supported');
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
export const strClass = builtin('str', "object=''", (interpreter, values) =>
  str(interpreter, usable(values.get('object')!)),
);
export const listClass = builtin('list', 'iterable=None, /', (interpreter, values) => {
  const source = values.get('iterable')!;
  return new PyList(source === null ? [] : collect(interpreter, source));
});
export const tupleClass = builtin('tuple', 'iterable=None, /', (interpreter, values) => {
  const source = values.get('iterable')!;
  return new PyTuple(source === null ? [] : collect(interpreter, source));
});
export const setClass = builtin('set', 'iterable=None, /', (interpreter, values) => {
  const source = values.get('iterable')!;
  return new PySet(source === null ? [] : collect(interpreter, source));
});
export const dictClass = new PyClass('dict', [objectClass], {
  final: true,
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

/** Classes that cannot be called but are compared with. */
const named = new Map<string, PyClass>();
function onlyNamed(name: string): PyClass {
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
  if (value instanceof PySet) return setClass;
  if (value instanceof PyRange) return rangeClass;
  if (value instanceof PySlice) return sliceClass;
  if (value instanceof PyClass) return typeClass;
  if (value instanceof PyIterator) return onlyNamed(value.typeName);
  return onlyNamed(value.typeName);
}
