/** Opcodes' arguments and calls' arguments as inert, bounded text. */
import { isScalar, type Value } from '#lib/checkpoint/value.ts';
import type { OpcodeName } from '#lib/pickle/opcodes.ts';
import { escape, plain, pythonKey, quote, summary } from '../repr.ts';

/** Containers inside of containers that are written out. */
const MAX_DEPTH = 4;
/** Values that are written out: shared ones count each time, so that a small file cannot say a lot. */
const MAX_VALUES = 40;
/** Characters of one text; enough for a command to be recognised. */
const MAX_TEXT = 200;
/** Bytes that are shown of a bytes object. */
const MAX_BYTES = 24;

/** `os.system`, `'adamw'`, `b'\x80\x02…'`, `memo 5`. */
export function argumentText(name: OpcodeName, argument: Value | undefined): string {
  if (argument === undefined) return '';
  if (typeof argument === 'number' && name !== 'BINFLOAT' && name !== 'FLOAT') {
    return String(argument);
  }
  return valueText(argument);
}

/** A value as Python would write it, as far as the limits go: `('echo hello',)`. */
export function valueText(value: Value): string {
  let left = MAX_VALUES;
  const write = (item: Value, depth: number): string => {
    if (left-- <= 0) return '…';
    if (typeof item === 'string') return quote(item, MAX_TEXT);
    if (isScalar(item)) return summary(item);
    const list = (items: Iterable<Value>, open: string, close: string): string => {
      if (depth >= MAX_DEPTH) return `${open}…${close}`;
      const texts: string[] = [];
      for (const part of items) {
        texts.push(write(part, depth + 1));
        if (left <= 0) break;
      }
      return open + texts.join(', ') + close;
    };
    switch (item.kind) {
      case 'list':
        return list(item.items, '[', ']');
      case 'tuple':
        return list(item.items, '(', item.items.length === 1 ? ',)' : ')');
      case 'set':
        return list(item.items, item.frozen ? 'frozenset({' : '{', item.frozen ? '})' : '}');
      case 'dict': {
        if (depth >= MAX_DEPTH) return '{…}';
        const texts: string[] = [];
        for (const [key, part] of item.entries()) {
          texts.push(`${pythonKey(key)}: ${write(part, depth + 1)}`);
          if (left <= 0) break;
        }
        return `{${texts.join(', ')}}`;
      }
      case 'bytes': {
        const shown = Array.from(item.bytes.subarray(0, MAX_BYTES), byteText).join('');
        return `b'${shown}${item.bytes.length > MAX_BYTES ? `… (${item.bytes.length} bytes)` : ''}'`;
      }
      case 'call': {
        const callable =
          typeof item.callable === 'object' && item.callable?.kind === 'global'
            ? plain(`${item.callable.module}.${item.callable.name}`)
            : 'a computed value';
        return `${callable}${typeof item.args === 'object' && item.args?.kind === 'tuple' ? list(item.args.items, '(', ')') : '(…)'}`;
      }
      case 'persistent':
        return `persistent_load(${write(item.id, depth + 1)})`;
      case 'global':
      case 'complex':
      case 'tensor':
      case 'sparse':
        return summary(item);
      default:
        return item satisfies never;
    }
  };
  return write(value, 0);
}

/** A source file in its lines, with what could reorder or hide a part of it as escapes. */
export function sourceText(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(/[^\n\t]+/g, escape);
}

function byteText(byte: number): string {
  const isShown = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
  return isShown ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
}
