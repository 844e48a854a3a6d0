/** Attributes of any value. */
import { Raised, raised } from './errors.ts';
import { BoundMethod } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import { floatMethods, intMethods } from './methods.ts';
import { stringMethods } from './string_methods.ts';
import { PyObject, typeName, usable, type PyValue } from './object.ts';

/** The attribute, or undefined where there is none. */
export function findAttribute(
  interpreter: Interpreter,
  object: PyValue,
  name: string,
): PyValue | undefined {
  if (object instanceof PyObject) {
    const value = object.getAttribute(interpreter, name);
    if (value !== undefined) return value;
  } else {
    const methods =
      typeof object === 'string'
        ? stringMethods
        : typeof object === 'number'
          ? floatMethods
          : intMethods;
    const method = object === null ? undefined : methods.get(name);
    if (method) return new BoundMethod(object, method);
  }
  return name === '__class__' ? interpreter.environment.classOf(object) : undefined;
}

export function getAttribute(interpreter: Interpreter, object: PyValue, name: string): PyValue {
  const value = findAttribute(interpreter, object, name);
  if (value === undefined) {
    throw raised('AttributeError', `"${typeName(object)}" object has no attribute "${name}"`);
  }
  return value;
}

/** `hasattr`: a raised AttributeError means no. */
export function hasAttribute(interpreter: Interpreter, object: PyValue, name: string): boolean {
  try {
    const value = findAttribute(interpreter, object, name);
    return value !== undefined && usable(value) !== undefined;
  } catch (error) {
    if (error instanceof Raised && error.type === 'AttributeError') return false;
    throw error;
  }
}

export function setAttribute(
  interpreter: Interpreter,
  object: PyValue,
  name: string,
  value: PyValue,
): void {
  usable(object);
  if (!(object instanceof PyObject) || !object.setAttribute) {
    throw raised(
      'AttributeError',
      `"${typeName(object)}" object has no attribute "${name}" to set`,
    );
  }
  object.setAttribute(interpreter, name, value);
}

export function deleteAttribute(interpreter: Interpreter, object: PyValue, name: string): void {
  usable(object);
  if (!(object instanceof PyObject) || !object.deleteAttribute) {
    throw raised('AttributeError', `"${typeName(object)}" object has no attribute "${name}"`);
  }
  object.deleteAttribute(interpreter, name);
}
