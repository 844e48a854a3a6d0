/** Values in one line, as Python's repr would show them; control characters never come through. */
import { formatFloat } from '#lib/checkpoint/elements.ts';
import { isMeta, type Quantization, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isScalar, type Value } from '#lib/checkpoint/value.ts';

/** Longer texts are cut: a line in a tree is for reading. */
const MAX_TEXT = 120;
/** Longer keys are cut: no state_dict has such names, and every path below repeats them. */
const MAX_KEY = 1000;
/** Items of a tuple that are shown in one line. */
const MAX_ITEMS = 8;

/** `'adamw'`, `0.001`, `(0.9, 0.999)`, `OrderedDict, 12 entries`, `float32 [64, 3]`. */
export function summary(value: Value): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return cut(String(value));
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
    case 'sparse':
      return `${value.layout} [${value.shape.join(', ')}]`;
    case 'dict':
      return `${value.type}, ${count(value.size, 'entry', 'entries')}`;
    case 'list':
      return `list, ${count(value.items.length, 'item', 'items')}`;
    case 'set':
      return `${value.frozen ? 'frozenset' : 'set'}, ${count(value.items.length, 'item', 'items')}`;
    case 'tuple': {
      const short = value.items.length <= MAX_ITEMS && value.items.every(isScalar);
      if (!short) return `${value.type}, ${count(value.items.length, 'item', 'items')}`;
      const items = value.items.map(summary).join(', ');
      const text = `(${items}${value.items.length === 1 ? ',' : ''})`;
      return value.type === 'tuple' ? text : `torch.Size(${text})`;
    }
    case 'bytes':
      return `${value.mutable ? 'bytearray' : 'bytes'}, ${value.bytes.length} B`;
    case 'complex': {
      const imaginary = formatFloat(value.imaginary);
      return `(${formatFloat(value.real)}${imaginary.startsWith('-') ? '' : '+'}${imaginary}j)`;
    }
    case 'global':
      return escape(cut(`${value.module}.${value.name}`));
    case 'call': {
      const { callable } = value;
      const isNamed = typeof callable === 'object' && callable?.kind === 'global';
      return `${isNamed ? summary(callable) : 'a computed value'}(…), not called`;
    }
    case 'persistent':
      return value.storage
        ? `storage, ${value.storage.dtype}, ${count(value.storage.numel, 'element', 'elements')}`
        : 'a reference to something outside of the pickle';
    default:
      return value satisfies never;
  }
}

/** What a tensor is beside dtype and shape: `quantized, scale 0.1, zero point 10`; or undefined. */
export function remark(tensor: Tensor): string | undefined {
  const { conj, neg, quantization, subclass, encoding, numpy, storage } = tensor;
  const remarks = [
    ...(isMeta(storage) ? ['meta: shape alone'] : []),
    ...(encoding ? [`stored as ${encoding}`] : []),
    ...(numpy ? ['NumPy array'] : []),
    ...(conj ? ['conjugate view'] : []),
    ...(neg ? ['negative view'] : []),
    ...(quantization ? [quantizer(quantization)] : []),
    ...(subclass ? [summary(subclass)] : []),
  ];
  return remarks.length > 0 ? remarks.join(', ') : undefined;
}

function quantizer(quantization: Quantization): string {
  if ('axis' in quantization) return `quantized per channel along axis ${quantization.axis}`;
  const { scale, zeroPoint } = quantization;
  return `quantized, scale ${formatFloat(scale)}, zero point ${zeroPoint}`;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A key as it stands between square brackets. */
export function pythonKey(key: Value): string {
  return typeof key === 'string' ? quote(key, MAX_KEY) : summary(key);
}

/** A key as a label: texts without quotes. */
export function label(key: Value): string {
  return typeof key === 'string' ? escape(cut(key, MAX_KEY)) : summary(key);
}

/** A text in one line, without quotes. */
export function plain(text: string): string {
  return escape(cut(text));
}

function cut(text: string, longest = MAX_TEXT): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** A Python string literal, cut where it is too long. */
export function quote(text: string, longest = MAX_TEXT): string {
  const escaped = escape(cut(text, longest).replaceAll('\\', '\\\\'));
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
