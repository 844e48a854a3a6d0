/**
 * Python literals of what files and people have named. Every name goes into the exported text
 * through here: escaped, so that no text ends its literal or hides what it says.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isDict, type Value } from '#lib/checkpoint/value.ts';

/** Plain JSON, as settings and recipes are. */
export type Plain =
  string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** Longest line of the exported text where it can be broken. */
export const WIDTH = 100;
const INDENT = '    ';

/** A text in double quotes. What is not printed, such as marks that turn the direction, is escaped. */
export function pythonString(text: string): string {
  return JSON.stringify(text).replace(/(?! )[\p{C}\p{Z}]/gu, (sign) => {
    const code = sign.codePointAt(0)!;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Whole numbers are ints, unless they are beyond what a float counts by one. */
export function pythonNumber(value: number): string {
  if (Number.isNaN(value)) return 'float("nan")';
  if (!Number.isFinite(value)) return value > 0 ? 'float("inf")' : '-float("inf")';
  if (Object.is(value, -0)) return '-0.0';
  return String(value);
}

/** A float, even where the number is whole. */
export function pythonFloat(value: number): string {
  const text = pythonNumber(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** None, bools, numbers, texts, lists and dicts, broken into lines where one would be too long. */
export function pythonLiteral(value: Plain): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return pythonNumber(value);
  if (typeof value === 'string') return pythonString(value);
  if (isList(value)) return bracketed('[', value.map(pythonLiteral), ']');
  const entries = Object.entries(value);
  return bracketed(
    '{',
    entries.map(([key, item]) => `${pythonString(key)}: ${pythonLiteral(item)}`),
    '}',
  );
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/** `name(argument, …)`, over several lines where one would be too long. */
export function pythonCall(name: string, parts: readonly string[]): string {
  return bracketed(`${name}(`, parts, ')');
}

/** `key=value` for each. */
export function keywords(options: Readonly<Record<string, Plain>>): string[] {
  return Object.entries(options).map(
    ([key, value]) => `${identifier(key)}=${pythonLiteral(value)}`,
  );
}

/** Items between brackets: on one line, as many on a line as fit where all are short, or one a line. */
export function bracketed(open: string, items: readonly string[], close: string): string {
  const line = `${open}${items.join(', ')}${close}`;
  if (line.length <= WIDTH - 2 * INDENT.length && !line.includes('\n')) return line;
  if (items.length > 20 && items.every((item) => item.length < 20 && !item.includes('\n'))) {
    return [open, ...filled(items), close].join('\n');
  }
  const indented = items.map((item) => `${INDENT}${item.replaceAll('\n', `\n${INDENT}`)},`);
  return [open, ...indented, close].join('\n');
}

function filled(items: readonly string[]): string[] {
  const lines: string[] = [];
  let line = INDENT;
  for (const item of items) {
    if (line.length + item.length > WIDTH - 4 * INDENT.length) {
      lines.push(line.trimEnd());
      line = INDENT;
    }
    line += `${item}, `;
  }
  return [...lines, line.trimEnd()];
}

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except ' +
    'finally for from global if import in is lambda nonlocal not or pass raise return try while ' +
    'with yield'
  ).split(' '),
);

export function isIdentifier(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !KEYWORDS.has(name);
}

/** The name itself. Throws where Python would read something else. */
export function identifier(name: string): string {
  if (isIdentifier(name)) return name;
  throw new FindingError({
    code: 'export-name',
    message: `export: ${JSON.stringify(name)} is no name in Python`,
    advice: 'Rename it in the source.',
  });
}

/** A constructor's argument, as `parseLiteral` read it; `nameOf` says what a global is called. */
export function pythonValue(value: Value, nameOf: (name: string) => string): string {
  const convert = (item: Value) => pythonValue(item, nameOf);
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return pythonFloat(value);
    case 'boolean':
    case 'string':
      return pythonLiteral(value);
    default:
      break;
  }
  if (value === null) return 'None';
  switch (value.kind) {
    case 'list':
      return bracketed('[', value.items.map(convert), ']');
    case 'tuple':
      return value.items.length === 1
        ? `(${convert(value.items[0]!)},)`
        : bracketed('(', value.items.map(convert), ')');
    case 'dict':
      return bracketed(
        '{',
        [...value.entries()].map(([key, item]) => `${convert(key)}: ${convert(item)}`),
        '}',
      );
    case 'global':
      return nameOf(value.name);
    case 'call': {
      const given =
        typeof value.args === 'object' && value.args?.kind === 'tuple' ? value.args : null;
      const named = isDict(value.state) ? [...value.state.entries()] : [];
      return pythonCall(convert(value.callable), [
        ...(given?.items ?? []).map(convert),
        ...named.map(([key, item]) => `${identifier(String(key))}=${convert(item)}`),
      ]);
    }
    default:
      throw new FindingError({
        code: 'export-argument',
        message: `export: a ${value.kind} cannot be written as an argument`,
        advice: 'Give the model plain arguments.',
      });
  }
}
