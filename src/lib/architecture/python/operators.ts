/** What operators and the built-in protocols do with any value: dispatch, by Python's rules. */
import { raised } from './errors.ts';
import type { Interpreter } from './interpreter.ts';
import { floatRepr, stringRepr } from './format.ts';
import { integer, indexOf, sliceIndices } from './indexing.ts';
import { compareNumbers, isNumeric, numericBinary } from './numbers.ts';
import {
  PyObject,
  typeName,
  usable,
  type BinaryOperator,
  type Comparison,
  type PyValue,
} from './object.ts';
import { PyDict, PyList, PySlice, PyTuple } from './collections.ts';
import { formatPercent } from './percent.ts';

/** `left operator right`. */
export function binary(
  interpreter: Interpreter,
  operator: BinaryOperator,
  left: PyValue,
  right: PyValue,
): PyValue {
  usable(left);
  usable(right);
  if (isNumeric(left) && isNumeric(right)) return numericBinary(operator, left, right);
  if (typeof left === 'string') {
    const result = stringBinary(interpreter, operator, left, right);
    if (result !== undefined) return result;
  }
  if (typeof right === 'string' && operator === '*' && isNumeric(left)) {
    return binary(interpreter, operator, right, left);
  }
  if (left instanceof PyObject) {
    const result = left.binary?.(interpreter, operator, right, false);
    if (result !== undefined) return result;
  }
  if (right instanceof PyObject) {
    const result = right.binary?.(interpreter, operator, left, true);
    if (result !== undefined) return result;
  }
  throw raised(
    'TypeError',
    `"${operator}" is not defined for ${typeName(left)} and ${typeName(right)}`,
  );
}

function stringBinary(
  interpreter: Interpreter,
  operator: BinaryOperator,
  left: string,
  right: PyValue,
): PyValue | undefined {
  if (operator === '+' && typeof right === 'string') {
    interpreter.allocate(left.length + right.length);
    return left + right;
  }
  if (operator === '*' && (typeof right === 'bigint' || typeof right === 'boolean')) {
    const count = BigInt(right) < 0n ? 0n : BigInt(right);
    interpreter.allocate(BigInt(left.length) * count);
    return left === '' ? '' : left.repeat(Number(count));
  }
  if (operator === '%') return formatPercent(interpreter, left, right);
  return undefined;
}

/** `left += right` for values that change in place; undefined where that is `left = left + right`. */
export function inplace(
  interpreter: Interpreter,
  operator: BinaryOperator,
  left: PyValue,
  right: PyValue,
): PyValue | undefined {
  usable(left);
  usable(right);
  return left instanceof PyObject ? left.inplace?.(interpreter, operator, right) : undefined;
}

export function unary(
  interpreter: Interpreter,
  operator: '-' | '+' | '~',
  value: PyValue,
): PyValue {
  usable(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') {
    const operand = BigInt(value);
    return operator === '-' ? -operand : operator === '+' ? operand : ~operand;
  }
  if (typeof value === 'number' && operator !== '~') return operator === '-' ? -value : value;
  const result = value instanceof PyObject ? value.unary?.(interpreter, operator) : undefined;
  if (result !== undefined) return result;
  throw raised('TypeError', `"${operator}" is not defined for ${typeName(value)}`);
}

export function isIdentical(left: PyValue, right: PyValue): boolean {
  usable(left);
  usable(right);
  // NaN is itself; ints and strings of equal value count as one object.
  return Object.is(left, right) || (left === right && typeof left !== 'number');
}

/** `==` as a plain boolean. */
export function equal(interpreter: Interpreter, left: PyValue, right: PyValue): boolean {
  return truth(interpreter, compare(interpreter, '==', left, right));
}

export function compare(
  interpreter: Interpreter,
  operator: Comparison,
  left: PyValue,
  right: PyValue,
): PyValue {
  usable(left);
  usable(right);
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(operator, left, right);
  if (typeof left === 'string' && typeof right === 'string') {
    interpreter.step(1 + Math.min(left.length, right.length) / 256);
    return ordered(operator, left === right ? 0 : codePointOrder(left, right));
  }
  if (isSequence(left) && isSequence(right) && left instanceof PyList === right instanceof PyList) {
    return compareSequences(interpreter, operator, left.items, right.items);
  }
  if (left instanceof PyDict && right instanceof PyDict && /^[!=]=$/.test(operator)) {
    return equalDicts(interpreter, left, right) === (operator === '==');
  }
  const own =
    (left instanceof PyObject ? left.compare?.(interpreter, operator, right) : undefined) ??
    (right instanceof PyObject
      ? right.compare?.(interpreter, mirrored[operator], left)
      : undefined);
  if (own !== undefined) return own;
  if (operator === '==') return isIdentical(left, right);
  if (operator === '!=') return !isIdentical(left, right);
  throw raised(
    'TypeError',
    `"${operator}" is not defined for ${typeName(left)} and ${typeName(right)}`,
  );
}

const mirrored: Record<Comparison, Comparison> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

export function ordered(operator: Comparison, order: number): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return operator satisfies never;
  }
}

/** Python orders strings by code point, JavaScript by UTF-16 unit. */
function codePointOrder(left: string, right: string): number {
  const others = [...right];
  let index = 0;
  for (const character of left) {
    const other = others[index++];
    if (other === undefined) return 1;
    if (character !== other) return character.codePointAt(0)! - other.codePointAt(0)!;
  }
  return index < others.length ? -1 : 0;
}

function isSequence(value: PyValue): value is PyList | PyTuple {
  return value instanceof PyList || value instanceof PyTuple;
}

function compareSequences(
  interpreter: Interpreter,
  operator: Comparison,
  left: readonly PyValue[],
  right: readonly PyValue[],
): PyValue {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    interpreter.step();
    if (equal(interpreter, left[index]!, right[index]!)) continue;
    if (operator === '==' || operator === '!=') return operator === '!=';
    return compare(interpreter, operator, left[index]!, right[index]!);
  }
  return ordered(operator, left.length - right.length);
}

function equalDicts(interpreter: Interpreter, left: PyDict, right: PyDict): boolean {
  interpreter.step(left.size);
  return (
    left.size === right.size &&
    left.entries().every(([key, value]) => {
      const other = right.get(key);
      return other !== undefined && equal(interpreter, value, other);
    })
  );
}

export function truth(interpreter: Interpreter, value: PyValue): boolean {
  usable(value);
  if (!(value instanceof PyObject)) return Boolean(value);
  if (value.truth) return value.truth(interpreter);
  return value.length ? value.length(interpreter) > 0 : true;
}

export function length(interpreter: Interpreter, value: PyValue): number {
  usable(value);
  if (typeof value === 'string') {
    interpreter.step(1 + value.length / 64);
    let count = 0;
    for (let at = 0; at < value.length; at += value.codePointAt(at)! > 0xffff ? 2 : 1) count++;
    return count;
  }
  if (value instanceof PyObject && value.length) return value.length(interpreter);
  throw raised('TypeError', `an object of type ${typeName(value)} has no len()`);
}

/** Walks an iterable; every item counts as a step. */
export function* iterate(interpreter: Interpreter, value: PyValue): Generator<PyValue> {
  usable(value);
  const items =
    typeof value === 'string'
      ? value
      : value instanceof PyObject && value.iterate
        ? value.iterate(interpreter)
        : undefined;
  if (items === undefined) throw raised('TypeError', `${typeName(value)} object is not iterable`);
  for (const item of items) {
    interpreter.step();
    yield item;
  }
}

export function contains(interpreter: Interpreter, container: PyValue, value: PyValue): boolean {
  usable(container);
  usable(value);
  if (typeof container === 'string') {
    if (typeof value !== 'string') {
      throw raised('TypeError', `"in" needs a str on its left, not ${typeName(value)}`);
    }
    interpreter.step(1 + container.length / 256);
    return container.includes(value);
  }
  if (container instanceof PyObject && container.contains) {
    return container.contains(interpreter, value);
  }
  for (const item of iterate(interpreter, container)) {
    if (equal(interpreter, item, value)) return true;
  }
  return false;
}

export function getItem(interpreter: Interpreter, object: PyValue, key: PyValue): PyValue {
  usable(object);
  usable(key);
  if (typeof object === 'string') {
    const characters = [...object];
    interpreter.allocate(characters.length);
    return key instanceof PySlice
      ? sliceIndices(key, characters.length)
          .map((index) => characters[index])
          .join('')
      : characters[indexOf(key, characters.length, 'str')]!;
  }
  if (object instanceof PyObject && object.getItem) return object.getItem(interpreter, key);
  throw raised('TypeError', `${typeName(object)} object has no items`);
}

export function setItem(
  interpreter: Interpreter,
  object: PyValue,
  key: PyValue,
  value: PyValue,
): void {
  usable(object);
  if (!(object instanceof PyObject) || !object.setItem) {
    throw raised('TypeError', `the items of a ${typeName(object)} cannot be set`);
  }
  object.setItem(interpreter, usable(key), value);
}

export function deleteItem(interpreter: Interpreter, object: PyValue, key: PyValue): void {
  usable(object);
  if (!(object instanceof PyObject) || !object.deleteItem) {
    throw raised('TypeError', `the items of a ${typeName(object)} cannot be deleted`);
  }
  object.deleteItem(interpreter, usable(key));
}

export function repr(interpreter: Interpreter, value: PyValue): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint': {
      const digits = String(value);
      interpreter.step(Math.ceil(digits.length / 64)); // long ones take as long as many steps
      return digits;
    }
    case 'number':
      return floatRepr(value);
    case 'string':
      interpreter.allocate(value.length);
      return stringRepr(value);
    case 'object':
      return value.repr(interpreter);
    default:
      return value satisfies never;
  }
}

export function str(interpreter: Interpreter, value: PyValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof PyObject && value.str) return value.str(interpreter);
  return repr(interpreter, value);
}

/** A plain JavaScript integer, for sizes. */
export function index(value: PyValue, what: string): number {
  const result = Number(integer(value, what));
  if (!Number.isSafeInteger(result))
    throw raised('OverflowError', `${what} is too large: ${value}`);
  return result;
}
