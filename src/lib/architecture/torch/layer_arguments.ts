/** The arguments that a layer of `torch.nn` was made with, as its attributes tell them. */
import type { PyClass, PyInstance } from '../python/classes.ts';
import { PyList, PyTuple } from '../python/collections.ts';
import { NativeFunction } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import type { PyValue } from '../python/object.ts';
import { repr } from '../python/operators.ts';
import { signatureFromText, type Parameter } from '../python/signature.ts';
import { store } from './module.ts';

/** Arguments that PyTorch's layers do not keep. */
export const notKept: ReadonlySet<string> = new Set([
  ...['self', 'device', 'dtype', 'bias'],
  ...['_weight', '_freeze'],
]);

/** The arguments that instances of a class keep as attributes: those of the layer in its bases. */
export function keptArguments(cls: PyClass): Parameter[] {
  const layer = cls.mro.find(({ origin, attributes: own }) => !origin && own.has('__init__'));
  const init = layer?.attributes.get('__init__');
  if (!(init instanceof NativeFunction)) return [];
  return signatureFromText(init.signature).parameters.filter(({ name }) => !notKept.has(name));
}

/**
 * What would make such a layer: `1, 16, 3, padding=1` of a Conv2d. Arguments that have their default
 * are left out, and those that are no plain values; one number stands for equal ones.
 */
export function layerArguments(interpreter: Interpreter, module: PyInstance): string {
  const kept = keptArguments(module.class);
  if (kept.length === 0) return ''; // no layer of torch.nn, or one of which a file has no more
  const texts = kept.flatMap(({ name, default: usual }) => {
    const value = module.attributes.get(name);
    if (value === undefined || !isPlain(value)) return [];
    const text = repr(interpreter, single(value));
    if (usual === undefined) return [text];
    return text === repr(interpreter, usual) ? [] : [`${name}=${text}`];
  });
  const parameters = store(module, '_parameters');
  const hasNoBias = parameters?.has('bias') && parameters.get('bias') === null;
  return [...texts, ...(hasNoBias ? ['bias=False'] : [])].join(', ');
}

function isPlain(value: PyValue): boolean {
  if (value instanceof PyTuple || value instanceof PyList) return value.items.every(isPlain);
  return value === null || ['bigint', 'number', 'boolean', 'string'].includes(typeof value);
}

function single(value: PyValue): PyValue {
  if (!(value instanceof PyTuple)) return value;
  const [first] = value.items;
  return typeof first === 'bigint' && value.items.every((item) => item === first) ? first : value;
}
