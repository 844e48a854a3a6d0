/** Values in one line, as Python's repr would show them; control characters never come through. */
import { formatFloat } from '#lib/checkpoint/elements.ts';
import type { Value } from '#lib/checkpoint/value.ts';

/** Longer texts are cut: a line in a tree is for reading. */
const MAX_TEXT = 120;
/** Items of a tuple that are shown in one line. */
const MAX_ITEMS = 8;

/** `'adamw'`, `0.001`, `(0.9, 0.999)`, `OrderedDict, 12 entries`, `float32 [64, 3]`. */
export function summary(value: Value): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return String(value);
    case 'number':
      return formatFloat(value);
    case 'string':
      return quote(value);
    case 'object':
      break;
    default:
      return value satisfies never;
  }
  switch (value.kind) {
    case 'tensor':
      return `${value.dtype} [${value.shape.join(', ')}]`;
    case 'dict':
      return `${value.type}, ${count(value.size, 'entry', 'entries')}`;
    case 'list':
      return `list, ${count(value.items.length, 'item', 'items')}`;
    case 'set':
      return `${value.frozen ? 'frozenset' : 'set'}, ${count(value.items.length, 'item', 'items')}`;
    case 'tuple': {
      const short = value.items.length <= MAX_ITEMS && value.items.every(isPlain);
      if (!short) return `${value.type}, ${count(value.items.length, 'item', 'items')}`;
      const items = value.items.map(summary).join(', ');
      const text = `(${items}${value.items.length === 1 ? ',' : ''})`;
      return value.type === 'tuple' ? text : `torch.Size(${text})`;
    }
    case 'bytes':
      return `${value.mutable ? 'bytearray' : 'bytes'}, ${value.bytes.length} B`;
    case 'complex':
      return `(${formatFloat(value.real)}+${formatFloat(value.imaginary)}j)`;
    case 'global':
      return escape(`${value.module}.${value.name}`);
    case 'call':
      return `${summary(value.callable)}(…), not called`;
    case 'persistent':
      return 'a reference to something outside of the pickle';
    default:
      return value satisfies never;
  }
}

function isPlain(value: Value): boolean {
  return value === null || typeof value !== 'object';
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A key as it stands between square brackets. */
export function pythonKey(key: Value): string {
  return typeof key === 'string' ? quote(key, Infinity) : summary(key);
}

/** A key as a label: texts without quotes. */
export function label(key: Value): string {
  return typeof key === 'string' ? escape(key) : summary(key);
}

/** A Python string literal, cut where it is too long. */
export function quote(text: string, longest = MAX_TEXT): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  const escaped = escape(cut.replaceAll('\\', '\\\\'));
  return escaped.includes("'") && !escaped.includes('"')
    ? `"${escaped}"`
    : `'${escaped.replaceAll("'", "\\'")}'`;
}

/** Control, format and bidi characters as escapes, so that a name cannot reorder the page. */
export function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    const code = character.codePointAt(0)!;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
