/** `copy`: a shallow copy, and one in which what is shared stays shared. */
import { PyInstance } from '../classes.ts';
import { PyDict, PyList, PySet, PyTuple } from '../collections.ts';
import { unsupported } from '../errors.ts';
import { NativeFunction, PyFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule } from '../modules.ts';
import { PyObject, typeName, type PyValue } from '../object.ts';

/** `copy.copy` and `copy.deepcopy`: `of` copies what is inside. */
function duplicate(
  interpreter: Interpreter,
  value: PyValue,
  of: (item: PyValue) => PyValue,
  remember: (copy: PyObject) => void,
): PyValue {
  if (value instanceof PyList && value.typeName === 'list') {
    interpreter.allocate(value.items.length);
    const copy = new PyList([]);
    remember(copy);
    for (const item of value.items) copy.items.push(of(item));
    return copy;
  }
  if (value instanceof PyTuple) {
    const items = value.items.map(of);
    return items.every((item, at) => item === value.items[at]) ? value : value.with(items);
  }
  if (value instanceof PyDict && (value.typeName === 'dict' || value.typeName === 'OrderedDict')) {
    interpreter.allocate(value.size);
    const copy = new PyDict([], value.typeName);
    remember(copy);
    for (const [key, item] of value.entries()) copy.set(of(key), of(item));
    return copy;
  }
  if (value instanceof PySet) return value.copy(interpreter);
  if (value instanceof PyInstance) {
    interpreter.allocate(value.attributes.size + 1);
    const copy = new PyInstance(value.class);
    remember(copy);
    for (const [name, item] of value.attributes) copy.attributes.set(name, of(item));
    return copy;
  }
  throw unsupported(`a copy of a ${typeName(value)} is not supported`);
}

/** What a copy is the value itself: numbers, functions, classes, modules. */
function isAtomic(value: PyValue): boolean {
  return (
    !(value instanceof PyObject) ||
    value instanceof PyFunction ||
    value instanceof NativeFunction ||
    (value.call !== undefined && !(value instanceof PyInstance)) ||
    value.isAtomic === true
  );
}

function shallow(interpreter: Interpreter, value: PyValue): PyValue {
  if (isAtomic(value)) return value;
  if (value instanceof PyInstance) {
    const own = value.special(interpreter, '__copy__');
    if (own !== undefined) return own;
  }
  return duplicate(
    interpreter,
    value,
    (item) => item,
    () => {},
  );
}

function deep(interpreter: Interpreter, value: PyValue, copies: Map<PyObject, PyValue>): PyValue {
  if (isAtomic(value) || !(value instanceof PyObject)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  interpreter.step();
  interpreter.enter();
  try {
    const own =
      value instanceof PyInstance
        ? value.special(interpreter, '__deepcopy__', new PyDict())
        : value.deepCopy?.(interpreter);
    const copy =
      own ??
      duplicate(
        interpreter,
        value,
        (item) => deep(interpreter, item, copies),
        (made) => copies.set(value, made),
      );
    copies.set(value, copy);
    return copy;
  } finally {
    interpreter.leave();
  }
}

export function copy(): PyModule {
  return library('copy', {
    copy: ['x', (i, { values }) => shallow(i, values.get('x')!)],
    deepcopy: ['x, memo=None', (i, { values }) => deep(i, values.get('x')!, new Map())],
  });
}
