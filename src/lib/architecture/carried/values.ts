/** Values of a checkpoint as Python sees them, for the objects of a model that a file carries. */
import type { Call, Value } from '#lib/checkpoint/value.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { PyDict, PyList, PySet, PyTuple } from '../python/collections.ts';
import { Refusal } from '../python/errors.ts';
import { Placeholder, type PyObject, type PyValue } from '../python/object.ts';
import type { PyTensor } from '../torch/tensor.ts';

/** Objects within objects; modules nest about a dozen deep. */
const MAX_DEPTH = 200;

export interface Conversion {
  tensor(tensor: Tensor): PyTensor;
  /** An object with a class; `convert` is for its parts, after `known` was told of the object. */
  object(call: Call, known: (made: PyValue) => void, convert: (value: Value) => PyValue): PyValue;
  /** A name of the file; undefined where it means nothing here. */
  name(module: string, name: string): PyValue | undefined;
}

/** Converts a value with all that it holds; what is shared stays shared. */
export function converter(conversion: Conversion): (value: Value) => PyValue {
  const done = new Map<Value, PyValue>();
  let depth = 0;
  const convert = (value: Value): PyValue => {
    if (value === null || typeof value !== 'object') return value;
    const known = done.get(value);
    if (known !== undefined) return known;
    if (++depth > MAX_DEPTH) {
      throw new Refusal('python-budget', `more than ${MAX_DEPTH} objects of the file are nested`);
    }
    const keep = (made: PyValue): void => void done.set(value, made);
    const made = convertObject(value, keep);
    done.set(value, made);
    depth--;
    return made;
  };
  const fill = <T extends PyObject>(
    made: T,
    keep: (made: T) => void,
    add: (made: T) => void,
  ): T => {
    keep(made);
    add(made);
    return made;
  };
  const convertObject = (
    value: Exclude<Value, null | boolean | bigint | number | string>,
    keep: (made: PyValue) => void,
  ): PyValue => {
    switch (value.kind) {
      case 'tensor':
        return conversion.tensor(value);
      case 'list':
        return fill(new PyList([]), keep, ({ items }) => {
          for (const item of value.items) items.push(convert(item));
        });
      case 'tuple':
        return new PyTuple(value.items.map(convert), value.type);
      case 'set':
        return new PySet(value.items.map(convert));
      case 'dict': {
        const type = value.type === 'OrderedDict' ? value.type : 'dict';
        return fill(new PyDict([], type), keep, (dict) => {
          for (const [key, item] of value.entries()) dict.set(convert(key), convert(item));
        });
      }
      case 'call':
        return conversion.object(value, keep, convert);
      case 'global':
        return (
          conversion.name(value.module, value.name) ?? unavailable(`${value.module}.${value.name}`)
        );
      default:
        return unavailable(`a value of the kind ${value.kind}`);
    }
  };
  return convert;
}

/** Something of the file that may lie in an attribute; using it is an error. */
export function unavailable(what: string): Placeholder {
  return new Placeholder(what, 'the file only names it');
}
