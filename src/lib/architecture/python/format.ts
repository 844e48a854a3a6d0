/** How numbers and strings are written: repr, str and format specifications. */
import { raised, unsupported } from './errors.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { str } from './operators.ts';

/** The shortest text that reads back as the same float, with Python's choice of exponent. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) return `${mantissa}e${exponentOf(exponent)}`;
  const digits = mantissa.replace(/[-.]/g, '');
  const sign = value < 0 ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

function exponentOf(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Python's quotes and escapes. */
export function stringRepr(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const names = new Map([
    ['\\', '\\\\'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\t', '\\t'],
    [quote, `\\${quote}`],
  ]);
  let text = '';
  for (const character of value) {
    const code = character.codePointAt(0)!;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    text +=
      names.get(character) ?? (isControl ? `\\x${code.toString(16).padStart(2, '0')}` : character);
  }
  return `${quote}${text}${quote}`;
}

const specification =
  /^(?:(?<fill>[^])?(?<align>[<>=^]))?(?<sign>[+\- ])?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<group>[,_])?(?:\.(?<precision>\d+))?(?<type>[a-zA-Z%])?$/u;

/** The widest field and the most digits that are formatted. */
const maxWidth = 1000;

/** `format(value, spec)`. */
export function formatValue(interpreter: Interpreter, value: PyValue, spec: string): string {
  if (spec === '') return str(interpreter, value);
  const groups = specification.exec(spec)?.groups;
  if (!groups) throw unsupported(`the format "${spec}" is not supported`);
  const width = Number(groups.width ?? 0);
  const precision = groups.precision === undefined ? undefined : Number(groups.precision);
  if (width > maxWidth || (precision ?? 0) > 100) {
    throw unsupported(`the format "${spec}" is too wide`);
  }
  if (typeof value === 'string') {
    if (groups.type && groups.type !== 's') throw formatError(spec, 'str');
    const text = precision === undefined ? value : [...value].slice(0, precision).join('');
    return pad(text, width, groups.fill ?? ' ', groups.align ?? '<', '');
  }
  if (typeof value === 'boolean' && !groups.type) {
    return pad(str(interpreter, value), width, groups.fill ?? ' ', groups.align ?? '<', '');
  }
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
    throw raised('TypeError', `the format "${spec}" is for numbers and strings`);
  }
  const number = typeof value === 'boolean' ? BigInt(value) : value;
  const digits = formatMagnitude(
    number,
    groups.type,
    precision,
    groups.alternate !== undefined,
    spec,
  );
  const negative = number < 0 || Object.is(number, -0);
  const sign = negative ? '-' : groups.sign === '+' || groups.sign === ' ' ? groups.sign : '';
  const grouped = groups.group ? group(digits, groups.group) : digits;
  const fill = groups.fill ?? (groups.zero ? '0' : ' ');
  const align = groups.align ?? (groups.zero ? '=' : '>');
  return pad(grouped, width, fill, align, sign);
}

function formatError(spec: string, type: string): Error {
  return raised('ValueError', `the format "${spec}" does not fit a ${type}`);
}

function formatMagnitude(
  value: bigint | number,
  type: string | undefined,
  precision: number | undefined,
  alternate: boolean,
  spec: string,
): string {
  if (typeof value === 'bigint' && (type === undefined || 'dxXbo'.includes(type))) {
    if (precision !== undefined) throw formatError(spec, 'int');
    const magnitude = value < 0n ? -value : value;
    const radix = { x: 16, X: 16, b: 2, o: 8 }[type ?? 'd'] ?? 10;
    const text = `${alternate && radix !== 10 ? `0${type}` : ''}${magnitude.toString(radix)}`;
    return type === 'X' ? text.toUpperCase() : text;
  }
  const magnitude = Math.abs(Number(value));
  if (!Number.isFinite(magnitude)) return floatRepr(magnitude);
  if (alternate) throw unsupported(`the format "${spec}" is not supported`);
  switch (type) {
    case undefined:
      return precision === undefined
        ? floatRepr(magnitude)
        : general(magnitude, Math.max(1, precision), true);
    case 'f':
    case 'F':
      return fixed(magnitude, precision ?? 6);
    case '%':
      return `${fixed(magnitude * 100, precision ?? 6)}%`;
    case 'e':
    case 'E': {
      const text = exponential(magnitude, precision ?? 6);
      return type === 'E' ? text.toUpperCase() : text;
    }
    case 'g':
    case 'G': {
      const text = general(magnitude, Math.max(1, precision ?? 6), false);
      return type === 'G' ? text.toUpperCase() : text;
    }
    default:
      throw formatError(spec, typeof value === 'bigint' ? 'int' : 'float');
  }
}

/** A number that is not negative, in fixed notation; ties go to the even digit. */
export function fixed(value: number, digits: number): string {
  if (value >= 1e21) throw unsupported(`the number ${value} in fixed notation is not supported`);
  // toFixed takes the larger of two equally near texts, Python the even one.
  const exact = value.toFixed(100);
  const cut = exact.length - 100 + digits;
  const rest = exact.slice(cut);
  const last = exact[cut - 1] === '.' ? exact[cut - 2] : exact[cut - 1];
  if (/^\.?50*$/.test(rest) && Number(last) % 2 === 0) {
    return exact.slice(0, cut).replace(/\.$/, '');
  }
  return value.toFixed(digits);
}

export function exponential(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits).split('e') as [string, string];
  return `${mantissa}e${exponentOf(Number(exponent))}`;
}

/** The `g` format; the default format of a float keeps at least one decimal. */
export function general(value: number, digits: number, keepsPoint: boolean): string {
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = exponential(value, digits - 1).split('e') as [string, string];
    return `${trimZeros(mantissa)}e${power}`;
  }
  const text = trimZeros(fixed(value, digits - 1 - exponent));
  return keepsPoint && !text.includes('.') ? `${text}.0` : text;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function group(digits: string, separator: string): string {
  const [, whole, rest] = /^(\d*)([^]*)$/.exec(digits)!;
  return `${whole!.replace(/\B(?=(\d{3})+$)/g, separator)}${rest}`;
}

function pad(text: string, width: number, fill: string, align: string, sign: string): string {
  const missing = Math.max(0, width - [...text].length - sign.length);
  switch (align) {
    case '<':
      return sign + text + fill.repeat(missing);
    case '=':
      return sign + fill.repeat(missing) + text;
    case '^': {
      const before = Math.floor(missing / 2);
      return fill.repeat(before) + sign + text + fill.repeat(missing - before);
    }
    default:
      return fill.repeat(missing) + sign + text;
  }
}
