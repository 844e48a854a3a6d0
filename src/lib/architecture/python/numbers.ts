/** Arithmetic and order of bool, int and float, as Python defines them. */
import { raised, Refusal, unsupported } from './errors.ts';
import { fixed } from './format.ts';
import { maxIntegerBits } from './limits.ts';
import type { BinaryOperator, Comparison, PyValue } from './object.ts';

export type Numeric = boolean | bigint | number;

export function isNumeric(value: PyValue): value is Numeric {
  return typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean';
}

export function numericBinary(operator: BinaryOperator, left: Numeric, right: Numeric): PyValue {
  if (typeof left === 'number' || typeof right === 'number') {
    return floatBinary(operator, toFloat(left), toFloat(right));
  }
  const result = integerBinary(operator, BigInt(left), BigInt(right));
  const bitwise = operator === '&' || operator === '|' || operator === '^';
  return bitwise && typeof left === 'boolean' && typeof right === 'boolean'
    ? Boolean(result)
    : result;
}

/** `float(value)`; an int that no float comes near is an OverflowError. */
export function toFloat(value: Numeric): number {
  const result = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(result)) {
    throw raised('OverflowError', 'the int is too large for a float');
  }
  return result;
}

function integerBinary(operator: BinaryOperator, left: bigint, right: bigint): bigint | number {
  switch (operator) {
    case '+':
      return checked(left + right);
    case '-':
      return checked(left - right);
    case '*':
      return checked(left * right);
    case '/':
      return trueDivision(left, right);
    case '//':
      return floorDivision(left, right);
    case '%':
      return left - floorDivision(left, right) * right;
    case '**':
      if (right < 0n) return floatBinary('**', toFloat(left), toFloat(right));
      checkBits(BigInt(bits(left)) * right);
      return left ** right;
    case '<<':
      if (right < 0n) throw raised('ValueError', 'negative shift count');
      checkBits(BigInt(bits(left)) + right);
      return left << right;
    case '>>':
      if (right < 0n) throw raised('ValueError', 'negative shift count');
      return left >> right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '@':
      throw raised('TypeError', '"@" is not defined for numbers');
    default:
      return operator satisfies never;
  }
}

function bits(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  return magnitude < 2n ? Number(magnitude) : magnitude.toString(16).length * 4;
}

function checkBits(count: bigint): void {
  if (count > BigInt(maxIntegerBits)) {
    throw new Refusal('python-budget', `an int of about ${count} bits, at most ${maxIntegerBits}`);
  }
}

function checked(value: bigint): bigint {
  if (value > largest || value < -largest) checkBits(BigInt(bits(value)));
  return value;
}
const largest = 1n << BigInt(maxIntegerBits - 4);

function floorDivision(left: bigint, right: bigint): bigint {
  if (right === 0n) throw raised('ZeroDivisionError', 'division by zero');
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

/** Correctly rounded as long as both sides are exact floats, which every size is. */
function trueDivision(left: bigint, right: bigint): number {
  if (right === 0n) throw raised('ZeroDivisionError', 'division by zero');
  const [a, b] = [Number(left), Number(right)];
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) {
    throw unsupported(`the division of ints beyond 2**53 (${left} / ${right}) is not supported`);
  }
  return a / b;
}

function floatBinary(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw raised('ZeroDivisionError', 'division by zero');
      return left / right;
    case '//':
      return floatDivmod(left, right)[0];
    case '%':
      return floatDivmod(left, right)[1];
    case '**':
      return power(left, right);
    default:
      throw raised('TypeError', `"${operator}" is not defined for floats`);
  }
}

/** CPython's `float_divmod`. */
export function floatDivmod(left: number, right: number): [number, number] {
  if (right === 0) throw raised('ZeroDivisionError', 'division by zero');
  let modulo = left % right;
  let quotient = (left - modulo) / right;
  if (modulo !== 0) {
    if (right < 0 !== modulo < 0) {
      modulo += right;
      quotient -= 1;
    }
  } else {
    modulo = right < 0 ? -0 : 0;
  }
  if (quotient === 0) return [Math.sign(left / right) < 0 ? -0 : 0, modulo];
  const floor = Math.floor(quotient);
  return [quotient - floor > 0.5 ? floor + 1 : floor, modulo];
}

function power(left: number, right: number): number {
  if (left === 1 || right === 0) return 1;
  if (left === 0 && right < 0) throw raised('ZeroDivisionError', '0.0 to a negative power');
  if (left < 0 && Number.isFinite(left) && Number.isFinite(right) && !Number.isInteger(right)) {
    throw unsupported('complex numbers are not supported');
  }
  if (left === -1 && !Number.isFinite(right)) return Number.isNaN(right) ? right : 1;
  const result = left ** right;
  if (!Number.isFinite(result) && Number.isFinite(left) && Number.isFinite(right)) {
    throw raised('OverflowError', `${left} ** ${right} is too large for a float`);
  }
  return result;
}

/** JavaScript compares a bigint with a number exactly, as Python does. */
export function compareNumbers(operator: Comparison, left: Numeric, right: Numeric): boolean {
  const a = typeof left === 'boolean' ? BigInt(left) : left;
  const b = typeof right === 'boolean' ? BigInt(right) : right;
  switch (operator) {
    case '==':
      // eslint-disable-next-line eqeqeq
      return a == b;
    case '!=':
      // eslint-disable-next-line eqeqeq
      return a != b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      return operator satisfies never;
  }
}

/** `round(value, digits)`: to the nearest, ties to even, by the exact decimal value. */
export function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 100) return value;
  if (digits < 0) {
    const unit = 10n ** BigInt(-digits);
    if (!Number.isInteger(value)) throw unsupported('round() of a fraction to negative digits');
    return Number(roundInteger(BigInt(value), unit));
  }
  const magnitude = Math.abs(value);
  return magnitude >= 1e21 ? value : Math.sign(value) * Number(fixed(magnitude, digits));
}

function roundInteger(value: bigint, unit: bigint): bigint {
  const down = floorDivision(value, unit) * unit;
  const rest = (value - down) * 2n;
  const isUp = rest > unit || (rest === unit && (down / unit) % 2n !== 0n);
  return isUp ? down + unit : down;
}

/** `round(value)`: an int. */
export function roundToInteger(value: number): bigint {
  if (!Number.isFinite(value)) throw raised('ValueError', `${value} cannot be rounded to an int`);
  const floor = Math.floor(value);
  const rest = value - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  return BigInt(isUp ? floor + 1 : floor);
}
